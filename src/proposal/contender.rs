//! Levers that are open at one nonce of a Safe: only one of them can have it, and everybody must know which. Pure.

use std::cmp::Reverse;

use crate::playbook::Severity;
use crate::safe::Nonce;

/// A lever that wants a nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender {
    /// `vault`, `freeze without bridge`
    pub title: String,
    /// Its simple levers.
    pub levers: Vec<String>,
    pub nonce: Nonce,
    /// Owners who have signed it for this nonce.
    pub signers: usize,
    /// The gravest of its playbooks; `None` where the reader has none of them.
    pub severity: Option<Severity>,
    /// The first place of its levers in the council file.
    pub place: usize,
}

impl Contender {
    /// The first place keeps the nonce.
    fn rank(&self) -> impl Ord + use<> {
        (Reverse(self.signers), self.severity.is_none(), self.severity, self.place)
    }

    /// Two that share a lever are two ways to do one thing: neither makes room for the other.
    pub fn shares_a_lever(&self, other: &Self) -> bool {
        self.levers.iter().any(|lever| other.levers.contains(lever))
    }
}

/// Returns the one that keeps the nonce which `own` wants too: the one that more owners have signed, then the graver one,
/// then the one that stands first in the council file. Of the others, one that nobody has signed is not open; `own` counts
/// as signed by one at least, because somebody is about to. `None` if `own` keeps it.
pub fn nonce_keeper<'c>(own: &Contender, others: &'c [Contender]) -> Option<&'c Contender> {
    let is_other = |other: &&Contender| !other.shares_a_lever(own);
    let own = &Contender { signers: own.signers.max(1), ..own.clone() };
    let first = others.iter().filter(is_other).min_by_key(|other| other.rank())?;
    (first.rank() < own.rank()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contender(title: &str, signers: usize, severity: Severity, place: usize) -> Contender {
        Contender {
            title: title.into(),
            levers: title.split('+').map(str::to_string).collect(),
            nonce: Nonce::from(4),
            signers,
            severity: Some(severity),
            place,
        }
    }

    fn kept(own: &Contender, others: &[Contender]) -> Option<String> {
        nonce_keeper(own, others).map(|keeper| keeper.title.clone())
    }

    #[test]
    fn more_signatures_then_severity_then_the_files_order_keep_a_nonce() {
        let vault = contender("vault", 1, Severity::P1, 3);
        let fee = contender("fee", 1, Severity::P2, 1);
        assert_eq!(kept(&fee, std::slice::from_ref(&vault)), Some("vault".into()), "the graver one");
        assert_eq!(kept(&vault, std::slice::from_ref(&fee)), None, "both machines decide alike");
        let signed = Contender { signers: 2, ..fee.clone() };
        assert_eq!(kept(&vault, std::slice::from_ref(&signed)), Some("fee".into()), "more have signed it");
        let cap = contender("cap", 1, Severity::P1, 0);
        assert_eq!(kept(&vault, &[fee, cap.clone()]), Some("cap".into()), "it stands first in the file");
        assert_eq!(kept(&cap, std::slice::from_ref(&vault)), None);
        let unknown = Contender { severity: None, ..vault.clone() };
        assert_eq!(
            kept(&unknown, std::slice::from_ref(&contender("fee", 1, Severity::P5, 9))),
            Some("fee".into())
        );
        assert_eq!(kept(&vault, std::slice::from_ref(&vault)), None);
    }

    #[test]
    fn an_unsigned_or_equivalent_proposal_keeps_no_nonce() {
        let fee = contender("fee", 0, Severity::P2, 1);
        assert_eq!(kept(&fee, &[contender("vault", 0, Severity::P1, 0)]), None);
        let later = contender("vault", 1, Severity::P5, 9);
        assert_eq!(
            kept(&fee, std::slice::from_ref(&later)),
            None,
            "one signature does not hold up what is graver"
        );
        assert_eq!(kept(&fee, &[Contender { signers: 2, ..later }]), Some("vault".into()));
        let without = contender("vault+oracle", 0, Severity::P1, 0);
        assert_eq!(kept(&without, &[contender("vault+bridge+oracle", 2, Severity::P1, 0)]), None);
    }
}
