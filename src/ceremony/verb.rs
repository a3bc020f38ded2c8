//! The command that proposes levers: `pause`, `param` or `rotate`, by the kind of their playbooks. Pure.

use crate::ceremony::order::Order;
use crate::error::{Error, Exit};
use crate::playbook::PlaybookKind;

fn kinds(orders: &[Order]) -> Vec<PlaybookKind> {
    orders.iter().flat_map(Order::playbooks).map(|playbook| playbook.kind).collect()
}

/// Returns the verb for levers: the kind of the first playbook.
pub fn verb(orders: &[Order]) -> PlaybookKind {
    kinds(orders).first().copied().unwrap_or(PlaybookKind::Pause)
}

/// Fails if none of the levers, which may be of several kinds, is of this kind; `what` names them.
pub fn require_verb(kind: PlaybookKind, orders: &[Order], what: &str) -> Result<(), Error> {
    mismatch(kind, &kinds(orders)).map_or(Ok(()), |found| {
        Err(Error::new(Exit::Usage, format!("{what} is a {found} playbook, not {kind}"))
            .hint(format!("breakglass {found} {what}")))
    })
}

/// Returns the kind that was found instead of the wanted one.
fn mismatch(wanted: PlaybookKind, found: &[PlaybookKind]) -> Option<PlaybookKind> {
    found.first().copied().filter(|_| !found.contains(&wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lever_of_several_must_be_of_the_kind() {
        assert_eq!(mismatch(PlaybookKind::Pause, &[PlaybookKind::Pause]), None);
        assert_eq!(mismatch(PlaybookKind::Param, &[PlaybookKind::Pause, PlaybookKind::Param]), None);
        assert_eq!(
            mismatch(PlaybookKind::Rotate, &[PlaybookKind::Pause, PlaybookKind::Param]),
            Some(PlaybookKind::Pause)
        );
        assert_eq!(mismatch(PlaybookKind::Rotate, &[]), None, "nothing is pulled: that is told elsewhere");
    }
}
