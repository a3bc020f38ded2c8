//! The state of a transaction that is signed ahead, by the Safe as it is now: which nonces have which signatures, who
//! can use them, and the cheapest way to make them useless. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;

use crate::safe::{Nonce, SafeState};

/// The most signers of a set for which [`fewest`] tries every choice.
const MOST_TRIED: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonceRow {
    pub nonce: Nonce,
    /// Those who are owners now, in the order of the Safe's list.
    pub signed: Vec<Address>,
    /// Those who are not owners any more: their signatures do not count.
    pub former: Vec<Address>,
    pub standing: NonceStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceStatus {
    /// The Safe has used the nonce.
    Used,
    /// The threshold is met: anybody who has the signatures can use them.
    Complete,
    /// This many more owners must sign.
    Short(usize),
}

/// The people who can use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usability {
    /// Anyone who has it.
    Anyone,
    /// Anyone who has it, with the signatures of this many more owners.
    With(usize),
    Nobody(Death),
}

/// The reason why a set can no longer be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The Safe has used the last of its nonces.
    Used,
    /// None of its signers is an owner.
    NoOwner,
    /// It met the threshold when it was signed. Owners were removed or the threshold was raised since: this many more
    /// owners would have to sign.
    TooFew(usize),
}

/// A way to make a set useless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Use up the nonces, one transaction each.
    Burn { first: Nonce, last: Nonce, count: u64 },
    /// Remove these signers, one transaction each.
    Remove(Vec<Address>),
    /// Raise the threshold to this.
    Raise(usize),
}

impl Revocation {
    pub fn transactions(&self) -> u64 {
        match self {
            Self::Burn { count, .. } => *count,
            Self::Remove(owners) => owners.len().try_into().unwrap_or(u64::MAX),
            Self::Raise(_) => 1,
        }
    }
}

/// The signatures made ahead of one transaction, and their worth now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmedStatus {
    pub rows: Vec<NonceRow>,
    /// Nonces between the next one of the Safe and the last of the set that nobody has signed.
    pub gaps: Vec<Nonce>,
    pub by: Usability,
    /// The cheapest first; empty for a set that can no longer be used.
    pub ways: Vec<Revocation>,
}

impl ArmedStatus {
    /// Returns `true` if a holder of the set can use its next nonce before any transaction that revokes it.
    pub fn races(&self) -> bool {
        self.by == Usability::Anyone && !self.ways.is_empty()
    }
}

/// Assesses signatures by their nonce and signer. `then` is the threshold when they were made.
pub fn assess(signatures: &[(Nonce, Address)], then: usize, now: &SafeState) -> ArmedStatus {
    let mut by_nonce: BTreeMap<Nonce, BTreeSet<Address>> = BTreeMap::new();
    for (nonce, signer) in signatures {
        by_nonce.entry(*nonce).or_default().insert(*signer);
    }
    let rows: Vec<NonceRow> = by_nonce.iter().map(|(nonce, signers)| row(*nonce, signers, now)).collect();
    let by = usable_by(&rows, then);
    ArmedStatus { gaps: gaps(&by_nonce, now), ways: revocations(&rows, by, now), by, rows }
}

fn row(nonce: Nonce, signers: &BTreeSet<Address>, now: &SafeState) -> NonceRow {
    let owners = now.owners.list();
    let signed: Vec<Address> = owners.iter().copied().filter(|owner| signers.contains(owner)).collect();
    let former = signers.iter().copied().filter(|signer| !owners.contains(signer)).collect();
    let missing = now.owners.threshold().get().saturating_sub(signed.len());
    let standing = match missing {
        _ if nonce < now.nonce => NonceStatus::Used,
        0 => NonceStatus::Complete,
        missing => NonceStatus::Short(missing),
    };
    NonceRow { nonce, signed, former, standing }
}

/// The rows whose nonce is not used.
fn open(rows: &[NonceRow]) -> impl Iterator<Item = &NonceRow> {
    rows.iter().filter(|row| row.standing != NonceStatus::Used)
}

fn usable_by(rows: &[NonceRow], then: usize) -> Usability {
    let missing = |row: &NonceRow| match row.standing {
        NonceStatus::Short(missing) => missing,
        NonceStatus::Complete | NonceStatus::Used => 0,
    };
    let Some(least) = open(rows).map(missing).min() else { return Usability::Nobody(Death::Used) };
    if least == 0 {
        return Usability::Anyone;
    }
    if open(rows).all(|row| row.signed.is_empty()) {
        return Usability::Nobody(Death::NoOwner);
    }
    let was_complete = open(rows).any(|row| row.signed.len() + row.former.len() >= then);
    if was_complete { Usability::Nobody(Death::TooFew(least)) } else { Usability::With(least) }
}

fn gaps(by_nonce: &BTreeMap<Nonce, BTreeSet<Address>>, now: &SafeState) -> Vec<Nonce> {
    let mut gaps = Vec::new();
    let mut at = now.nonce;
    for nonce in by_nonce.keys().filter(|nonce| **nonce >= now.nonce) {
        while at < *nonce && gaps.len() < 1_000 {
            gaps.push(at);
            at = at.next();
        }
        at = nonce.next();
    }
    gaps
}

fn revocations(rows: &[NonceRow], by: Usability, now: &SafeState) -> Vec<Revocation> {
    let threshold = now.owners.threshold().get();
    // A set that lacks signatures is harmless only once none of it counts: one more owner would do.
    let enough = match by {
        Usability::Anyone => threshold,
        Usability::With(_) => 1,
        Usability::Nobody(_) => return Vec::new(),
    };
    let harmful: Vec<&NonceRow> = open(rows).filter(|row| row.signed.len() >= enough).collect();
    let Some(last) = harmful.iter().map(|row| row.nonce).max() else { return Vec::new() };
    let count = u64::try_from(last.0.saturating_sub(now.nonce.0)).unwrap_or(u64::MAX).saturating_add(1);
    let mut ways = vec![Revocation::Burn { first: now.nonce, last, count }];
    let owners = now.owners.list().len();
    let most = owners.saturating_sub(threshold);
    ways.extend(fewest(&harmful, enough, most).map(Revocation::Remove));
    let largest = harmful.iter().map(|row| row.signed.len()).max().unwrap_or(0);
    if by == Usability::Anyone && largest < owners {
        ways.push(Revocation::Raise(largest + 1));
    }
    ways.sort_by_key(Revocation::transactions);
    ways
}

/// Returns the fewest signers, at most `most`, without whom no row has `least` signatures. `None` if there are none, or
/// too many to try.
fn fewest(rows: &[&NonceRow], least: usize, most: usize) -> Option<Vec<Address>> {
    let signers: Vec<Address> =
        rows.iter().flat_map(|row| &row.signed).copied().collect::<BTreeSet<_>>().into_iter().collect();
    if signers.len() > MOST_TRIED {
        return None;
    }
    let chosen = |mask: u32| -> Vec<Address> {
        signers.iter().enumerate().filter(|(n, _)| mask >> n & 1 == 1).map(|(_, signer)| *signer).collect()
    };
    let ends = |removed: &Vec<Address>| {
        rows.iter().all(|row| row.signed.iter().filter(|signer| !removed.contains(signer)).count() < least)
    };
    let mut masks: Vec<u32> = (1..1_u32 << signers.len()).collect();
    masks.sort_by_key(|mask| mask.count_ones());
    masks.into_iter().map(chosen).filter(|removed| removed.len() <= most).find(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(n: u8) -> Address {
        Address::repeat_byte(n)
    }

    fn safe(owners: &[u8], threshold: u64, nonce: u64) -> SafeState {
        let owners: Vec<Address> = owners.iter().copied().map(who).collect();
        SafeState { singleton: who(98), ..crate::safe::tests::safe(who(99), &owners, threshold, nonce) }
    }

    /// Returns signatures of these owners at each of these nonces.
    fn set(nonces: std::ops::RangeInclusive<u64>, signers: &[u8]) -> Vec<(Nonce, Address)> {
        nonces.flat_map(|n| signers.iter().map(move |s| (Nonce::from(n), who(*s)))).collect()
    }

    fn burn(first: u64, last: u64) -> Revocation {
        Revocation::Burn { first: Nonce::from(first), last: Nonce::from(last), count: last - first + 1 }
    }

    #[test]
    fn a_set_short_of_one_signature_needs_one_more_owner() {
        let armed = assess(&set(42..=61, &[1]), 2, &safe(&[1, 2, 3], 2, 45));
        let standings: Vec<NonceStatus> = armed.rows.iter().map(|row| row.standing).collect();
        assert_eq!(standings[..3], [NonceStatus::Used; 3]);
        assert_eq!(standings[3..], [NonceStatus::Short(1); 17]);
        assert_eq!((armed.by, armed.gaps.len()), (Usability::With(1), 0));
        // One more owner is always there: only the signer's removal ends it at once.
        assert_eq!(armed.ways, [Revocation::Remove(vec![who(1)]), burn(45, 61)]);
    }

    #[test]
    fn anybody_can_use_a_complete_set_and_the_cheapest_revocation_comes_first() {
        let armed = assess(&set(5..=24, &[1, 2]), 2, &safe(&[1, 2, 3], 2, 5));
        assert_eq!(armed.by, Usability::Anyone);
        assert_eq!(armed.ways, [Revocation::Remove(vec![who(1)]), Revocation::Raise(3), burn(5, 24)]);
        assert!(armed.races() && !assess(&set(5..=24, &[1]), 2, &safe(&[1, 2, 3], 2, 5)).races());
        let last = assess(&set(5..=24, &[1, 2]), 2, &safe(&[1, 2, 3], 2, 24));
        assert_eq!(last.ways[0], burn(24, 24), "one nonce is left, and burning it changes nobody's keys");
        let all = assess(&set(5..=24, &[1, 2]), 2, &safe(&[1, 2], 2, 5));
        assert_eq!(all.ways, [burn(5, 24)], "no owner can be spared, and no higher threshold is possible");
    }

    #[test]
    fn several_signers_are_removed_if_one_is_not_enough() {
        let armed = assess(&set(0..=19, &[1, 2, 3]), 2, &safe(&[1, 2, 3, 4, 5], 2, 0));
        assert_eq!(armed.ways, [Revocation::Raise(4), Revocation::Remove(vec![who(1), who(2)]), burn(0, 19)]);
        // The owner who is in both pairs is removed.
        let pairs = [set(0..=9, &[1, 2]), set(10..=19, &[2, 3])].concat();
        let armed = assess(&pairs, 2, &safe(&[1, 2, 3], 2, 0));
        assert_eq!(armed.ways[0], Revocation::Remove(vec![who(2)]));
    }

    #[test]
    fn a_set_is_dead_once_its_nonces_are_used_its_signers_gone_or_too_few() {
        let signed = set(42..=61, &[1, 2]);
        let of = |now: &SafeState| {
            let armed = assess(&signed, 2, now);
            assert!(armed.ways.is_empty() || !matches!(armed.by, Usability::Nobody(_)));
            armed.by
        };
        assert_eq!(of(&safe(&[1, 2, 3], 2, 62)), Usability::Nobody(Death::Used));
        assert_eq!(of(&safe(&[1, 3, 4], 2, 45)), Usability::Nobody(Death::TooFew(1)), "one was replaced");
        assert_eq!(
            of(&safe(&[1, 2, 3], 3, 45)),
            Usability::Nobody(Death::TooFew(1)),
            "the threshold was raised"
        );
        assert_eq!(of(&safe(&[3, 4, 5], 2, 45)), Usability::Nobody(Death::NoOwner));
        assert_eq!(of(&safe(&[1, 2, 3], 2, 61)), Usability::Anyone);
    }

    #[test]
    fn a_replaced_owner_does_not_count_and_is_named() {
        let armed = assess(&set(42..=61, &[1]), 2, &safe(&[2, 3, 4], 2, 42));
        assert_eq!((&armed.rows[0].signed[..], &armed.rows[0].former[..]), (&[][..], &[who(1)][..]));
        assert_eq!(armed.by, Usability::Nobody(Death::NoOwner));
    }

    #[test]
    fn unsigned_nonces_are_gaps_and_are_burnt_too() {
        let signed = [set(5..=6, &[1, 2]), set(9..=9, &[1, 2])].concat();
        let armed = assess(&signed, 2, &safe(&[1, 2, 3], 2, 4));
        assert_eq!(armed.gaps, [4, 7, 8].map(Nonce::from));
        assert!(armed.ways.contains(&burn(4, 9)));
        let far = assess(&set(u64::MAX..=u64::MAX, &[1]), 2, &safe(&[1, 2], 2, 0));
        assert_eq!(far.gaps.len(), 1_000, "bounded");
    }
}
