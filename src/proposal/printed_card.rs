//! One Safe transaction at several nonces, with the hashes that a device will show: what a signer keeps on paper. Pure.

use crate::safe::{Hashes, Nonce, Nonces, SafeId, SafeTx, SafeTxHash};

/// A card of which no more nonces than this are left is to be printed again.
const FEW: u64 = 2;

/// A transaction at each nonce of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    safe: SafeId,
    /// At the first nonce.
    tx: SafeTx,
    nonces: Nonces,
}

impl Card {
    /// Returns the card of a transaction at each of these nonces, whatever nonce `tx` has.
    pub fn new(safe: SafeId, tx: &SafeTx, nonces: Nonces) -> Self {
        Self { safe, tx: SafeTx { nonce: nonces.first(), ..tx.clone() }, nonces }
    }

    /// Returns the Safe whose owners sign.
    pub const fn safe(&self) -> &SafeId {
        &self.safe
    }

    /// The transaction at the first nonce.
    pub const fn tx(&self) -> &SafeTx {
        &self.tx
    }

    /// Returns the nonces, at each of which it has hashes.
    pub const fn nonces(&self) -> Nonces {
        self.nonces
    }

    /// Returns the transaction at each nonce.
    pub fn txs(&self) -> impl Iterator<Item = SafeTx> {
        self.nonces.iter().map(|nonce| SafeTx { nonce, ..self.tx.clone() })
    }

    pub fn hashes(&self) -> impl Iterator<Item = (Nonce, Hashes)> {
        self.txs().map(|tx| (tx.nonce, self.safe.hashes(&tx)))
    }

    /// Returns what is enough to tell later whether the card still holds.
    pub fn printed(&self) -> PrintedCard {
        PrintedCard { nonces: self.nonces, first: self.safe.hashes(&self.tx).safe_tx }
    }
}

/// A card that was printed, as the journal has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrintedCard {
    pub nonces: Nonces,
    /// The safeTxHash at the first nonce: it commits to every field, the Safe and the chain.
    pub first: SafeTxHash,
}

/// The reason to print a card again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The lever comes to another transaction by now, or the Safe has another version.
    OtherTransaction,
    /// The Safe has used the last of its nonces.
    Used,
    /// So few nonces are left.
    RunsOut(u64),
}

impl PrintedCard {
    /// Returns why the card is stale; `None` if it is good. `now` is the transaction that the lever comes to now, at
    /// whatever nonce; `next` is the Safe's next nonce.
    pub fn stale(&self, safe: &SafeId, now: &SafeTx, next: Nonce) -> Option<Stale> {
        let now = SafeTx { nonce: self.nonces.first(), ..now.clone() };
        let left = self.nonces.iter().filter(|nonce| *nonce >= next).count();
        match u64::try_from(left).unwrap_or(u64::MAX) {
            _ if safe.hashes(&now).safe_tx != self.first => Some(Stale::OtherTransaction),
            0 => Some(Stale::Used),
            left if left <= FEW && left < self.nonces.count() => Some(Stale::RunsOut(left)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, U256};

    use super::*;
    use crate::safe::{Operation, SafeVersion};

    const SAFE: SafeId =
        SafeId { chain_id: 1, address: Address::repeat_byte(5), version: SafeVersion::V1_4_1 };

    fn tx(to: u8, nonce: u64) -> SafeTx {
        let data = vec![0x84, 0x56, 0xcb, 0x59].into();
        SafeTx::new(Address::repeat_byte(to), U256::ZERO, data, Operation::Call, Nonce::from(nonce))
    }

    fn card() -> Card {
        Card::new(SAFE, &tx(6, 99), "42..46".parse().unwrap())
    }

    #[test]
    fn each_nonce_has_the_hash_of_the_transaction_at_it() {
        let rows: Vec<(Nonce, Hashes)> = card().hashes().collect();
        assert_eq!(rows.len(), 5);
        for (n, (nonce, hashes)) in (42..).zip(&rows) {
            assert_eq!((*nonce, hashes), (Nonce::from(n), &SAFE.hashes(&tx(6, n))));
            assert_eq!(hashes.domain, rows[0].1.domain);
        }
    }

    #[test]
    fn a_card_is_stale_when_the_transaction_the_safe_or_the_nonces_are_others() {
        let printed = card().printed();
        let stale = |safe: &SafeId, to, next: u64| printed.stale(safe, &tx(to, next), Nonce::from(next));
        for next in [0, 42, 44] {
            assert_eq!(stale(&SAFE, 6, next), None, "{next}");
        }
        assert_eq!(stale(&SAFE, 6, 45), Some(Stale::RunsOut(2)));
        assert_eq!(stale(&SAFE, 6, 46), Some(Stale::RunsOut(1)));
        assert_eq!(stale(&SAFE, 6, 47), Some(Stale::Used));
        assert_eq!(stale(&SAFE, 7, 42), Some(Stale::OtherTransaction));
        let other = SafeId { chain_id: 10, ..SAFE };
        assert_eq!(stale(&other, 6, 42), Some(Stale::OtherTransaction));
        // A card of one or two nonces was meant to be so short.
        let short = Card::new(SAFE, &tx(6, 0), "42..43".parse().unwrap()).printed();
        assert_eq!(short.stale(&SAFE, &tx(6, 0), Nonce::from(42)), None);
        assert_eq!(short.stale(&SAFE, &tx(6, 0), Nonce::from(43)), Some(Stale::RunsOut(1)));
    }
}
