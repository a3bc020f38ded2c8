//! Bounds on the contents of a playbook. The longest of the library has 4 kB, 8 params, 5 reads and 2 steps: what is far above
//! that was not written for people to read, and would make every command slow.

use super::file::playbook_toml::Wire;
use super::file::source::Source;
use crate::excerpt::Fault;

/// The longest playbook.
pub const MOST_BYTES: usize = 256 << 10;
const MOST_PARAMS: usize = 50;
const MOST_READS: usize = 100;
const MOST_STEPS: usize = 50;
const MOST_CONDITIONS: usize = 10;
const MOST_CHECKS: usize = 100;
const MOST_OTHERS: usize = 100;

/// Fails if the text is longer than any playbook.
pub(super) fn check_text(origin: &str, text: &str) -> Result<(), Fault> {
    if text.len() <= MOST_BYTES {
        return Ok(());
    }
    Err(Fault::whole(
        origin,
        format!("a playbook has at most {MOST_BYTES} bytes, and this is {}", text.len()),
    ))
}

/// Fails if one of the lists has more entries than any playbook needs.
pub(super) fn check_lists(source: &Source, wire: &Wire) -> Result<(), Fault> {
    let conditions = wire.step.iter().map(|step| step.skip_if_all.len()).max().unwrap_or_default();
    let lists = [
        ("[[param]]", wire.param.len(), MOST_PARAMS),
        ("[[read]]", wire.read.len(), MOST_READS),
        ("[[step]]", wire.step.len(), MOST_STEPS),
        ("skip_if_all", conditions, MOST_CONDITIONS),
        ("[[before]]", wire.before.len(), MOST_CHECKS),
        ("[[after]]", wire.after.len(), MOST_CHECKS),
        ("changes", wire.changes.len(), MOST_OTHERS),
        ("errors", wire.errors.len(), MOST_OTHERS),
    ];
    match lists.into_iter().find(|(_, count, most)| count > most) {
        None => Ok(()),
        Some((what, count, most)) => Err(Fault::whole(
            source.origin,
            format!("a playbook has at most {most} of {what}, and this has {count}"),
        )),
    }
}
