//! Copied into the changed crate: which mutant is active, and which were reached.

use std::io::Write as _;
use std::sync::{LazyLock, Mutex};

struct Met {
    file: std::fs::File,
    seen: std::collections::HashSet<u32>,
}

static AWAKE: LazyLock<Option<u32>> =
    LazyLock::new(|| std::env::var("BREAKGLASS_MUTANT").ok().and_then(|number| number.parse().ok()));

static MET: LazyLock<Option<Mutex<Met>>> = LazyLock::new(|| {
    let path = std::env::var("BREAKGLASS_MET").ok()?;
    let file = std::fs::File::create(path).ok()?;
    Some(Mutex::new(Met { file, seen: std::collections::HashSet::new() }))
});

pub(crate) fn on(number: u32) -> bool {
    if let Some(met) = &*MET
        && let Ok(mut met) = met.lock()
        && met.seen.insert(number)
    {
        let _ = writeln!(met.file, "{number}");
    }
    *AWAKE == Some(number)
}
