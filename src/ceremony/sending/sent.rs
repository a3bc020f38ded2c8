//! Transactions that were signed here for sending: their records, and whether the fees of a waiting one suffice. Pure.

use std::collections::HashSet;

use alloy::consensus::{TxEip1559, TxEnvelope};
use alloy::network::eip2718::Decodable2718;
use alloy::primitives::{Address, TxKind, hex};
use serde::{Deserialize, Serialize};

use crate::chain::Fees;
use crate::evm::TxHash;
use crate::proposal::Proposal;
use crate::safe::decode_exec;

/// The most transactions of other accounts that the chain is asked about.
const MOST_OF_OTHERS: usize = 20;

/// A signed transaction that was recorded before it was sent.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub hash: TxHash,
    pub raw: Vec<u8>,
    /// Recovered from its signature.
    pub from: Address,
    pub tx: TxEip1559,
    /// The time of the record, in seconds since 1970. `None` in records of earlier versions.
    pub recorded: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSent {
    transaction: String,
    raw: String,
    #[serde(default)]
    recorded: Option<u64>,
}

impl Sent {
    /// Reads a raw signed transaction; `None` for anything that is not one of type 2.
    pub fn new(raw: Vec<u8>, recorded: Option<u64>) -> Option<Self> {
        let TxEnvelope::Eip1559(signed) = TxEnvelope::decode_2718_exact(&raw).ok()? else { return None };
        let (hash, from) = (TxHash::of(&raw), signed.recover_signer().ok()?);
        Some(Self { hash, from, tx: signed.strip_signature(), raw, recorded })
    }

    /// Reads a record, of which only the transaction is trusted.
    pub fn parse(text: &str) -> Option<Self> {
        let wire: WireSent = serde_json::from_str(text).ok()?;
        Self::new(hex::decode(wire.raw).ok()?, wire.recorded)
    }

    pub fn to_json(&self) -> String {
        let wire = WireSent {
            transaction: self.hash.to_string(),
            raw: hex::encode_prefixed(&self.raw),
            recorded: self.recorded,
        };
        serde_json::to_string_pretty(&wire).map(|text| text + "\n").unwrap_or_default()
    }

    /// Returns `true` if it sends this Safe transaction to this Safe on this chain.
    pub fn is_for(&self, proposal: &Proposal) -> bool {
        let safe = proposal.safe();
        self.tx.chain_id == safe.chain_id
            && self.tx.to == TxKind::Call(safe.address)
            && decode_exec(&self.tx.input, proposal.nonce()).is_some_and(|(tx, _)| tx == *proposal.tx())
    }
}

/// Returns those that the chain is asked about, each once: all of the account, and the first of others, because anybody
/// can write any number of records of others.
pub fn worth_asking(all: Vec<Sent>, from: Option<Address>) -> Vec<Sent> {
    let mut seen = HashSet::new();
    let each = all.into_iter().filter(|sent| seen.insert(sent.hash));
    let (mut own, others): (Vec<Sent>, Vec<Sent>) = each.partition(|sent| Some(sent.from) == from);
    own.extend(others.into_iter().take(MOST_OF_OTHERS));
    own
}

/// Returns the transaction of one account that may still be mined and pays most, which pools keep. `used` is the number
/// of transactions of the account that are mined.
pub fn waiting(sent: &[Sent], from: Address, used: u64) -> Option<&Sent> {
    let live = sent.iter().filter(|sent| sent.from == from && sent.tx.nonce >= used);
    live.max_by_key(|sent| (sent.tx.max_fee_per_gas, sent.tx.max_priority_fee_per_gas))
}

/// Returns a transaction with those that were sent in its place: of those with one account and nonce only one is mined.
/// A transaction with another nonce may have been mined long ago, and proves nothing about this one.
pub fn in_its_place(all: Vec<Sent>, sent: &Sent) -> Vec<Sent> {
    let has_its_nonce = |one: &Sent| (one.from, one.tx.nonce) == (sent.from, sent.tx.nonce);
    let mut rivals: Vec<Sent> = all.into_iter().filter(has_its_nonce).collect();
    if rivals.iter().all(|one| one.hash != sent.hash) {
        rivals.push(sent.clone());
    }
    rivals
}

/// Returns `true` if the transaction will probably not be mined: the next block's base fee may be above its limit, or
/// its tip is less than half of the usual one now.
pub fn is_underpriced(tx: &TxEip1559, base_fee: u128, now: Fees) -> bool {
    let Fees::Dynamic { priority_fee, .. } = now else { return false };
    let next = base_fee.saturating_add(base_fee / 8);
    let tip = tx.max_priority_fee_per_gas.min(tx.max_fee_per_gas.saturating_sub(base_fee));
    tx.max_fee_per_gas < next || tip < priority_fee / 2
}

/// Returns `true` if a waiting transaction is to be replaced: the sender gives a higher tip, or its own fees do not
/// suffice.
pub fn must_be_replaced(waiting: &TxEip1559, tip: Option<u128>, base_fee: u128, now: Fees) -> bool {
    let is_raised = tip.is_some_and(|tip| tip > waiting.max_priority_fee_per_gas);
    is_raised || is_underpriced(waiting, base_fee, now)
}

/// Returns the least fees, limit and tip, with which a transaction replaces `old` in pools: an eighth more of both.
/// Most pools require a tenth.
pub const fn least_to_replace(old: &TxEip1559) -> (u128, u128) {
    (raised(old.max_fee_per_gas), raised(old.max_priority_fee_per_gas))
}

const fn raised(fee: u128) -> u128 {
    fee.saturating_add(fee.div_ceil(8)).saturating_add((fee == 0) as u128)
}

/// Returns the time of an account's first record, in seconds since 1970. Records of other accounts may be anybody's,
/// and must not shorten the private time.
pub fn first_recorded(all: &[Sent], from: Address) -> Option<u64> {
    all.iter().filter(|sent| sent.from == from).filter_map(|sent| sent.recorded).min()
}

/// Returns the seconds for which no RPC may see the owners' signatures yet: the rest of `private_for` from the first
/// record on, also if the clock was set back.
pub fn private_left(private_for: u64, first: Option<u64>, now: u64) -> u64 {
    first.map_or(0, |first| private_for.saturating_sub(now.saturating_sub(first)))
}

#[cfg(test)]
mod tests {
    use alloy::consensus::SignableTransaction;
    use alloy::network::eip2718::Encodable2718;
    use alloy::primitives::{B256, Bytes, U256};

    use super::*;
    use crate::check::tests::proposing;
    use crate::safe::tests::{address, sign};
    use crate::safe::{Nonce, Operation, SafeTx};

    const GWEI: u128 = 1_000_000_000;

    fn tx(nonce: u64, max_fee: u128, tip: u128) -> TxEip1559 {
        TxEip1559 {
            nonce,
            max_fee_per_gas: max_fee * GWEI,
            max_priority_fee_per_gas: tip * GWEI,
            ..TxEip1559::default()
        }
    }

    fn sent(from: u8, nonce: u64, max_fee: u128) -> Sent {
        let hash = TxHash::claimed(B256::from(U256::from(max_fee)));
        let from = Address::repeat_byte(from);
        Sent { hash, raw: Vec::new(), from, tx: tx(nonce, max_fee, 1), recorded: None }
    }

    #[test]
    fn the_waiting_transaction_is_the_accounts_dearest_unmined_one() {
        let all = [sent(1, 4, 90), sent(1, 5, 10), sent(1, 5, 20), sent(2, 5, 30)];
        let limit = |from: u8, used| {
            waiting(&all, Address::repeat_byte(from), used).map(|s| s.tx.max_fee_per_gas / GWEI)
        };
        assert_eq!([limit(1, 5), limit(2, 5), limit(1, 6), limit(3, 0)], [Some(20), Some(30), None, None]);
    }

    /// An act that is repeated days later is not proven by its first transaction.
    #[test]
    fn only_what_has_its_nonce_is_sent_in_its_place() {
        let now = sent(1, 5, 20);
        let all = vec![sent(1, 4, 90), sent(1, 5, 10), sent(2, 5, 30), sent(1, 6, 40)];
        let rivals = in_its_place(all, &now);
        assert_eq!(rivals, [sent(1, 5, 10), now.clone()]);
        assert_eq!(in_its_place(rivals.clone(), &now), rivals, "it is there once");
    }

    #[test]
    fn thousands_of_records_of_others_cost_only_a_few_questions() {
        let (own, mut all) = (sent(1, 5, 9_999), (0..3_000).map(|fee| sent(2, 0, fee)).collect::<Vec<_>>());
        all.extend([own.clone(), own.clone()]);
        let found = worth_asking(all.clone(), Some(own.from));
        assert_eq!((found.len(), &found[0]), (1 + MOST_OF_OTHERS, &own), "its own comes first, and once");
        assert_eq!(worth_asking(all, None).len(), MOST_OF_OTHERS);
    }

    #[test]
    fn a_waiting_transaction_is_replaced_for_a_higher_tip_or_for_low_fees() {
        let now = Fees::Dynamic { max_fee: 20 * GWEI, priority_fee: 2 * GWEI };
        let good = tx(0, 40, 2);
        assert!(!must_be_replaced(&good, None, 8 * GWEI, now));
        assert!(!must_be_replaced(&good, Some(2 * GWEI), 8 * GWEI, now), "the same tip");
        assert!(must_be_replaced(&good, Some(2 * GWEI + 1), 8 * GWEI, now));
        assert!(must_be_replaced(&good, None, 40 * GWEI, now), "the base fee may rise above its limit");
    }

    #[test]
    fn a_transaction_is_underpriced_when_the_next_block_may_not_take_it() {
        let now = Fees::Dynamic { max_fee: 0, priority_fee: 2 * GWEI };
        let stuck = |max_fee, tip, base: u128| is_underpriced(&tx(0, max_fee, tip), base * GWEI, now);
        assert!(!stuck(22, 2, 10), "room for twice the base fee");
        assert!(!stuck(22, 2, 18));
        assert!(stuck(22, 2, 20), "the next base fee may be 22.5");
        assert!(stuck(22, 2, 100));
        assert!(stuck(22, 0, 10), "no tip where 2 is usual");
        assert!(!is_underpriced(&tx(0, 1, 0), 0, Fees::Legacy { gas_price: GWEI }));
    }

    #[test]
    fn a_replacement_pays_an_eighth_more_of_both() {
        assert_eq!(least_to_replace(&tx(0, 16, 8)), (18 * GWEI, 9 * GWEI));
        assert_eq!(raised(0), 1, "a pool wants more, and nothing is not more than nothing");
        assert_eq!(raised(1), 2);
        assert_eq!(raised(u128::MAX), u128::MAX);
    }

    #[test]
    fn the_private_time_begins_with_the_first_record() {
        assert_eq!(private_left(25, Some(100), 100), 25);
        assert_eq!(private_left(25, Some(100), 120), 5);
        assert_eq!(private_left(25, Some(100), 200), 0);
        assert_eq!(private_left(25, Some(500), 100), 25, "the clock was set back");
        assert_eq!(private_left(25, None, 100), 0, "sent before there were relays");
    }

    const SAFE: Address = Address::repeat_byte(5);

    fn proposal(data: u8) -> Proposal {
        let tx = SafeTx::new(
            Address::repeat_byte(9),
            U256::ZERO,
            Bytes::from(vec![data]),
            Operation::Call,
            Nonce::from(3),
        );
        proposing(tx)
    }

    /// Signs a transaction that sends the proposal to the Safe, changed by `change`.
    fn signed(change: impl FnOnce(&mut TxEip1559)) -> Vec<u8> {
        let mut tx = TxEip1559 {
            chain_id: 1,
            to: TxKind::Call(SAFE),
            input: proposal(1).tx().exec_calldata(Bytes::from(vec![7; 65])),
            ..tx(4, 20, 2)
        };
        change(&mut tx);
        let signature = sign(7, &tx.signature_hash());
        TxEnvelope::Eip1559(tx.into_signed(signature)).encoded_2718()
    }

    #[test]
    fn a_record_is_read_back_with_its_sender() {
        let raw = signed(|_| {});
        let sent = Sent::new(raw.clone(), Some(99)).unwrap();
        assert_eq!((sent.from, sent.hash, sent.tx.nonce), (address(7), TxHash::of(&raw), 4));
        assert_eq!(Sent::parse(&sent.to_json()), Some(sent));
    }

    #[test]
    fn a_transaction_is_for_the_proposal_that_it_sends_to_its_safe() {
        let is_for = |raw: Vec<u8>, data| Sent::new(raw, None).unwrap().is_for(&proposal(data));
        assert!(is_for(signed(|_| {}), 1));
        assert!(!is_for(signed(|_| {}), 2), "another call");
        assert!(!is_for(signed(|tx| tx.chain_id = 2), 1));
        assert!(!is_for(signed(|tx| tx.to = TxKind::Call(Address::repeat_byte(6))), 1));
        assert!(!is_for(signed(|tx| tx.to = TxKind::Create), 1));
        assert!(!is_for(signed(|tx| tx.input = Bytes::from(vec![1, 2])), 1));
    }

    #[test]
    fn fees_at_the_limit_are_enough() {
        let now = Fees::Dynamic { max_fee: 0, priority_fee: 2 * GWEI };
        assert!(!is_underpriced(&tx(0, 18, 2), 16 * GWEI, now), "18 is 16 and an eighth");
        assert!(!is_underpriced(&tx(0, 18, 1), 8 * GWEI, now), "1 is half of 2");
    }

    #[test]
    fn a_record_of_another_account_does_not_shorten_the_private_time() {
        let at = |from, time| Sent { recorded: Some(time), ..sent(from, 5, 9) };
        let all = [at(2, 1), at(1, 120), at(1, 100), sent(1, 5, 9)];
        assert_eq!(first_recorded(&all, Address::repeat_byte(1)), Some(100));
        assert_eq!(first_recorded(&all[..1], Address::repeat_byte(1)), None);
    }

    #[test]
    fn an_invalid_record_is_none() {
        for text in
            ["", "{}", r#"{"transaction": "0x", "raw": "0x00"}"#, r#"{"transaction": "", "raw": "zz"}"#]
        {
            assert_eq!(Sent::parse(text), None, "{text}");
        }
    }
}
