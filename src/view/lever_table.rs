//! The levers of a council file, with the state of their targets if it was read: as a table, and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ceremony::desk::Desk;
use crate::ceremony::overviews::{lever_state::LeverState, overview::Overview};
use crate::council::{Combined, Lever, expand};
use crate::playbook::{Playbook, PlaybookKind};
use crate::ui::{Lines, Text};
use crate::view::state_now;

/// The levers of some kinds, then the combined ones that pull such.
#[derive(Debug, Serialize)]
pub struct LeverTable<'a> {
    council: &'a str,
    levers: Vec<LeverRow<'a>>,
    #[serde(skip)]
    path: String,
    #[serde(skip)]
    has_state: bool,
    /// The council file has levers, of these kinds or of others.
    #[serde(skip)]
    has_others: bool,
}

/// A lever in the table and in the object of `--json`.
#[derive(Debug, Serialize)]
struct LeverRow<'a> {
    #[serde(skip)]
    cells: Vec<String>,
    /// A deputy pulls it, not a Safe.
    #[serde(skip)]
    is_deputys: bool,
    /// `false` if a state that was read shows that it is done or cannot be pulled.
    #[serde(skip)]
    is_open: bool,
    kind: String,
    lever: &'a str,
    title: Option<&'a str>,
    severity: String,
    state_told: Option<String>,
    #[serde(flatten)]
    of: Of<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Of<'a> {
    Playbook {
        safe: &'a str,
        playbook: String,
        arguments: &'a BTreeMap<String, String>,
        targets: Vec<&'a str>,
        state: Option<&'static str>,
    },
    Levers {
        pulls: Vec<String>,
        safes: Vec<String>,
        transactions: usize,
    },
}

impl<'a> LeverTable<'a> {
    /// Returns the levers of these kinds; `now` has the state of each, if it was read.
    pub fn new(desk: &'a Desk, kinds: &[PlaybookKind], now: Option<&Overview>) -> Self {
        let council = &desk.council;
        let mut levers = Vec::new();
        for kind in kinds {
            levers.extend(council.levers.values().filter_map(|lever| simple(desk, lever, *kind, now)));
        }
        let mut in_order: Vec<&Combined> = council.combined.values().collect();
        in_order.sort_by_key(|combined| combined.place);
        levers.extend(in_order.into_iter().filter_map(|lever| combined(desk, lever, kinds, now)));
        let path = desk.path.display().to_string();
        let has_others = !council.levers.is_empty();
        Self { council: &council.name, levers, path, has_state: now.is_some(), has_others }
    }

    /// Returns the council's name, unless the state of the levers is shown: then the name stands above.
    pub fn head(&self) -> Lines {
        let name = Text::default().bold(self.council).dim(&format!("   {}", self.path));
        (!self.levers.is_empty() && !self.has_state).then_some(name).into_iter().collect()
    }

    pub const fn header(&self) -> [&'static str; 4] {
        if self.has_state {
            ["lever", "target", "state now", "Safe"]
        } else {
            ["lever", "what it does", "Safe", "severity"]
        }
    }

    pub fn rows(&self) -> Vec<Vec<String>> {
        self.levers.iter().map(|row| row.cells.clone()).collect()
    }

    /// Returns the command to type next; empty if something is open, because that stands above.
    pub fn next(&self, kinds: &[PlaybookKind], is_open: bool) -> Lines {
        let mut open = self.levers.iter().filter(|row| row.is_open);
        let first = open.clone().next();
        let lines = match (open.find(|row| !row.is_deputys).or(first), kinds) {
            _ if is_open && !self.levers.is_empty() => Vec::new(),
            (None, _) if !self.levers.is_empty() => {
                vec![Text::new("nothing to propose: every lever is done, or cannot be pulled now")]
            }
            (Some(LeverRow { is_deputys: true, lever, .. }), _) => {
                vec![Text::new("act as its deputy: ").bold(&format!("breakglass deputy {lever}"))]
            }
            (Some(LeverRow { kind, lever, .. }), _) => {
                vec![Text::new("propose one: ").bold(&format!("breakglass {kind} {lever}"))]
            }
            (None, [kind]) if self.has_others => vec![
                Text::new(&format!("no {kind} lever in ")).add(&self.path),
                Text::new(&format!("breakglass playbook list --kind {kind} shows what one can be bound to")),
            ],
            (None, _) => vec![
                Text::new("no levers yet in ").add(&self.path).add(": add one, for example"),
                Text::new("  breakglass council add target vault 0xYourContract"),
                Text::new("  breakglass council add lever vault pause/oz-pausable target=vault"),
                Text::new("breakglass playbook list shows the playbooks"),
            ],
        };
        lines.into_iter().collect()
    }
}

/// Returns the lever if its playbook is of this kind.
fn simple<'a>(
    desk: &'a Desk,
    lever: &'a Lever,
    kind: PlaybookKind,
    now: Option<&Overview>,
) -> Option<LeverRow<'a>> {
    let playbook = desk.catalogue.get(&lever.playbook).ok()?.playbook;
    if playbook.kind != kind {
        return None;
    }
    let state = now.and_then(|now| now.levers.get(&lever.name));
    let (severity, targets) = (playbook.severity.to_string(), targets(desk, lever));
    let told = state.map(|state| state_now::sentence(desk, lever, kind, state));
    let is_open = now.is_none_or(|now| can_be_pulled(now, &lever.name));
    // The command that pulls it.
    let is_deputys = lever.by.deputy().is_some();
    let verb = if is_deputys { "deputy".into() } else { kind.to_string() };
    let (word, safe) = (format!("{verb} {}", lever.name), lever.safe.clone());
    let cells = match &told {
        Some(told) => vec![word, targets.join(", "), told.clone(), safe],
        None => vec![word, playbook.title.clone(), safe, severity.clone()],
    };
    Some(LeverRow {
        cells,
        is_deputys,
        is_open,
        kind: kind.to_string(),
        lever: &lever.name,
        title: Some(&playbook.title),
        severity,
        state_told: told,
        of: Of::Playbook {
            safe: &lever.safe,
            playbook: playbook.id.to_string(),
            arguments: &lever.set,
            targets,
            state: state.map(state_now::word),
        },
    })
}

/// Returns `false` if a lever is done already, or its contract shows that it cannot be pulled.
fn can_be_pulled(now: &Overview, lever: &str) -> bool {
    use LeverState::{Barred, Cannot, Done};
    !matches!(now.levers.get(lever), Some(Done { .. } | Barred { .. } | Cannot(_)))
}

/// Returns the contracts of the council file that a lever's arguments name.
fn targets<'a>(desk: &Desk, lever: &'a Lever) -> Vec<&'a str> {
    let council = &desk.council;
    let is_named = |value: &&str| council.targets.contains_key(*value) || council.safes.contains_key(*value);
    lever.set.values().map(String::as_str).filter(is_named).collect()
}

/// Returns the combined lever if it pulls a lever of one of these kinds.
fn combined<'a>(
    desk: &'a Desk,
    combined: &'a Combined,
    wanted: &[PlaybookKind],
    now: Option<&Overview>,
) -> Option<LeverRow<'a>> {
    let name = &combined.name;
    let expansion = expand(&desk.council, std::slice::from_ref(name), &[], false).ok()?;
    let pulled: Vec<String> = expansion.levers().map(String::from).collect();
    let levers = pulled.iter().filter_map(|name| desk.council.levers.get(name));
    let playbooks: Vec<&Playbook> =
        levers.filter_map(|lever| Some(desk.catalogue.get(&lever.playbook).ok()?.playbook)).collect();
    let kind = wanted.iter().find(|kind| playbooks.iter().any(|playbook| playbook.kind == **kind))?;
    let severity = playbooks.iter().map(|playbook| playbook.severity).min()?.to_string();
    let mut safes: Vec<String> = Vec::new();
    for part in &expansion.parts {
        if !safes.contains(&part.safe) {
            safes.push(part.safe.clone());
        }
    }
    let pulls = format!("pulls {}", pulled.join(", "));
    let title = combined.title.as_deref();
    let what = title.map_or_else(|| pulls.clone(), |title| format!("{title}: {pulls}"));
    let done = now.map(|now| {
        let is_done = |lever: &&String| matches!(now.levers.get(*lever), Some(LeverState::Done { .. }));
        let is_unknown =
            |lever: &&String| matches!(now.levers.get(*lever), None | Some(LeverState::Unknown(_)));
        if pulled.iter().any(|lever| is_unknown(&lever)) {
            return "not known".into();
        }
        format!("{} of {} done", pulled.iter().filter(is_done).count(), pulled.len())
    });
    let (word, safe) = (format!("{kind} {name}"), safes.join(", "));
    let cells = match &done {
        Some(done) => vec![word, what, done.clone(), safe],
        None => vec![word, what, safe, severity.clone()],
    };
    Some(LeverRow {
        cells,
        is_deputys: false,
        // It is refused while one of its levers is done.
        is_open: now.is_none_or(|now| pulled.iter().all(|lever| can_be_pulled(now, lever))),
        kind: kind.to_string(),
        lever: name,
        title,
        severity,
        state_told: done,
        of: Of::Levers { pulls: pulled, safes, transactions: expansion.parts.len() },
    })
}

/// The object of `--json` without a council file.
#[derive(Default, Serialize)]
pub struct NoCouncil {
    council: Option<String>,
    levers: [String; 0],
}

/// Returns the first steps without a council file.
pub fn beginning() -> Lines {
    Lines::from([
        Text::default().bold("No council file here.").add(" To begin, with your Safe's address:"),
        Text::default(),
        Text::new("  breakglass init --safe 0x… --rpc '${MAINNET_RPC}'"),
        Text::default(),
        Text::new("It writes breakglass.toml: the Safe with its owners and threshold on chain."),
        Text::new("Then bind levers to it; breakglass playbook list shows the playbooks."),
    ])
}
