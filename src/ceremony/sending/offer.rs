//! The transaction that will be sent and its price, shown before the question.

use std::collections::BTreeSet;

use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, TxKind, U256};
use alloy::rpc::types::AccessList;

use crate::ceremony::judged::Judged;
use crate::ceremony::sending::sent::{Sent, least_to_replace};
use crate::chain::{Fees, SenderState};
use crate::error::{Error, Exit};
use crate::evm::amount;
use crate::proposal::Outgoing;

const GWEI: u128 = 1_000_000_000;

/// The other transactions of one account on one chain in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Besides {
    nonces: BTreeSet<u64>,
    /// The most wei that they cost.
    most: U256,
}

impl Besides {
    pub fn add(&mut self, offer: &Offer) {
        self.nonces.insert(offer.tx.nonce);
        self.most = self.most.saturating_add(offer.most());
    }

    /// Returns the payer's balance and next nonce once these are counted.
    pub fn leave(&self, prepared: &SenderState) -> SenderState {
        SenderState {
            nonce: self.free(prepared.nonce),
            balance: prepared.balance.saturating_sub(self.most),
            ..prepared.clone()
        }
    }

    /// Returns the first nonce from this one on that none of them uses.
    pub fn free(&self, from: u64) -> u64 {
        let mut free = from;
        while self.nonces.contains(&free) {
            free += 1;
        }
        free
    }
}

/// A transaction to be signed by its payer.
pub struct Offer {
    pub tx: TxEip1559,
    pub from: Address,
    pub base_fee: u128,
}

impl Offer {
    /// Returns the transaction with its fees. `replaced` is a waiting transaction of the same account that this one
    /// replaces. `place` is the chain's name and its base fee now.
    pub fn new(
        place: (&str, Option<u64>),
        call: &Outgoing,
        from: Address,
        prepared: &SenderState,
        gas_limit: u64,
        max_fee_gwei: u64,
        replaced: Option<&Sent>,
    ) -> Result<Self, Error> {
        let Fees::Dynamic { max_fee, priority_fee } = prepared.fees else {
            let message = format!("chain {} has no EIP-1559 fees", place.0);
            return Err(Error::new(Exit::Failed, message)
                .hint("breakglass broadcast --calldata prints the call for another wallet"));
        };
        let base_fee = u128::from(place.1.unwrap_or_default());
        let cap = u128::from(max_fee_gwei) * GWEI;
        let fees = fees((max_fee, priority_fee), base_fee, cap, replaced.map(|sent| &sent.tx));
        let (max_fee, priority_fee) = fees.map_err(|error| match replaced {
            Some(sent) => error.hint(format!("{} was sent before and still waits", sent.hash)),
            None => error,
        })?;
        if replaced.is_none() && prepared.pending_nonce > prepared.nonce {
            let waiting = prepared.pending_nonce - prepared.nonce;
            let message = format!(
                "{from} has {waiting} transaction(s) waiting; this one would wait behind or replace them"
            );
            return Err(Error::new(Exit::Failed, message)
                .hint("nothing was sent; use another --keystore, or wait for them"));
        }
        let tx = TxEip1559 {
            chain_id: call.chain_id(),
            nonce: replaced.map_or(prepared.nonce, |sent| sent.tx.nonce),
            gas_limit,
            max_fee_per_gas: max_fee,
            max_priority_fee_per_gas: priority_fee,
            to: TxKind::Call(call.to()),
            value: U256::ZERO,
            access_list: AccessList::default(),
            input: call.data().clone(),
        };
        let offer = Self { tx, from, base_fee };
        if prepared.balance < offer.most() {
            let message = format!(
                "{from} has {} and the transaction may cost {}",
                amount::ether(prepared.balance),
                amount::ether(offer.most())
            );
            return Err(Error::new(Exit::Failed, message)
                .hint("nothing was sent; fund that account, lower --max-fee, or use another --keystore"));
        }
        Ok(offer)
    }

    /// Returns the most wei that it costs.
    pub fn most(&self) -> U256 {
        U256::from(self.tx.gas_limit) * U256::from(self.tx.max_fee_per_gas)
    }

    /// Returns the wei that it costs at the present base fee, if it uses all its gas.
    pub fn now(&self) -> U256 {
        let fee = self.base_fee.saturating_add(self.tx.max_priority_fee_per_gas).min(self.tx.max_fee_per_gas);
        U256::from(self.tx.gas_limit) * U256::from(fee)
    }
}

/// Returns the payer's balance and the fees now, with the tip of the command line instead of the suggested one.
pub fn prepared(judged: &Judged, tip: Option<u128>) -> Result<SenderState, Error> {
    let prepared = judged.seen()?.snapshot.prepared.clone();
    let prepared =
        prepared.ok_or_else(|| Error::new(Exit::Network, "the chain did not say what gas costs"))?;
    let fees = tip.map_or(prepared.fees, |tip| prepared.fees.with_tip(tip));
    Ok(SenderState { fees, ..prepared })
}

/// Fails if the tip is more than the highest fee, of which it is a part.
pub fn require_affordable_tip(tip: Option<u128>, max_fee_gwei: u64) -> Result<(), Error> {
    let tip = tip.unwrap_or(0);
    if tip <= u128::from(max_fee_gwei) * GWEI {
        return Ok(());
    }
    let tip = amount::gwei(tip);
    let message =
        format!("--priority-fee {tip} is more than --max-fee {max_fee_gwei}, which is all that is paid");
    Err(Error::new(Exit::Usage, message).hint("nothing was sent; name less, or raise --max-fee"))
}

/// Returns the limit and the tip per gas: those needed now or, to replace `old`, those that pools require; never above
/// `cap`.
fn fees(
    (needed, tip): (u128, u128),
    base_fee: u128,
    cap: u128,
    old: Option<&TxEip1559>,
) -> Result<(u128, u128), Error> {
    let named = |cap: u128| format!("--max-fee {}", amount::gwei(cap));
    if base_fee > cap {
        let message = format!("gas costs {} gwei now, more than {}", amount::gwei(base_fee), named(cap));
        return Err(Error::new(Exit::Failed, message).hint("nothing was sent; raise --max-fee, or wait"));
    }
    let (least, least_tip) = old.map_or((0, 0), least_to_replace);
    if least > cap {
        let message = format!(
            "to replace the transaction that waits takes {} gwei, more than {}",
            amount::gwei(least),
            named(cap)
        );
        return Err(Error::new(Exit::Failed, message).hint("nothing new was sent; raise --max-fee, or wait"));
    }
    let limit = needed.max(least).min(cap);
    Ok((limit, tip.max(least_tip).min(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_transaction_of_the_account_gets_the_next_nonce_and_the_rest() {
        let (tx, from) = (
            TxEip1559 { nonce: 7, gas_limit: 10, max_fee_per_gas: 3, ..TxEip1559::default() },
            Address::ZERO,
        );
        let mut besides = Besides::default();
        besides.add(&Offer { tx: tx.clone(), from, base_fee: 0 });
        besides.add(&Offer { tx: TxEip1559 { nonce: 8, ..tx }, from, base_fee: 0 });
        assert_eq!([6, 7, 8, 9].map(|from| besides.free(from)), [6, 9, 9, 9]);
        let prepared = SenderState {
            nonce: 7,
            pending_nonce: 9,
            balance: U256::from(100),
            fees: Fees::Legacy { gas_price: 1 },
            gas: None,
        };
        let left = besides.leave(&prepared);
        assert_eq!((left.nonce, left.pending_nonce, left.balance), (9, 9, U256::from(40)));
    }

    #[test]
    fn fees_are_those_needed_bounded_by_the_cap() {
        let fees = |needed, base, cap| fees((needed * GWEI, GWEI), base * GWEI, cap * GWEI, None);
        assert_eq!(fees(21, 10, 500).unwrap(), (21 * GWEI, GWEI));
        assert_eq!(fees(21, 10, 15).unwrap(), (15 * GWEI, GWEI));
        assert!(fees(21, 10, 9).unwrap_err().message.contains("--max-fee 9"));
    }

    #[test]
    fn a_replacement_pays_more_or_is_refused() {
        let old = TxEip1559 {
            max_fee_per_gas: 16 * GWEI,
            max_priority_fee_per_gas: 8 * GWEI,
            ..TxEip1559::default()
        };
        let fees = |needed, cap| fees((needed * GWEI, GWEI), 10 * GWEI, cap * GWEI, Some(&old));
        assert_eq!(fees(200, 500).unwrap(), (200 * GWEI, 9 * GWEI), "what is needed now");
        assert_eq!(fees(5, 500).unwrap(), (18 * GWEI, 9 * GWEI), "what pools ask for");
        assert_eq!(fees(200, 100).unwrap(), (100 * GWEI, 9 * GWEI), "what the person allows");
        let refused = fees(200, 17).unwrap_err().message;
        assert!(refused.contains("18 gwei") && refused.contains("--max-fee 17"), "{refused}");
    }
    #[test]
    fn a_transaction_that_cannot_be_paid_or_would_wait_is_refused() {
        let payer = |pending_nonce: u64, balance: u64| SenderState {
            nonce: 7,
            pending_nonce,
            balance: U256::from(balance),
            fees: Fees::Dynamic { max_fee: 3, priority_fee: 1 },
            gas: None,
        };
        let outgoing = crate::ceremony::tests::on_chain::outgoing();
        let offer = |state: &SenderState, replaced: Option<&Sent>| {
            Offer::new(("c", Some(1)), &outgoing, Address::ZERO, state, 10, 500, replaced)
        };
        assert!(offer(&payer(7, 30), None).is_ok(), "exactly what it may cost");
        let error = offer(&payer(7, 29), None).err().unwrap();
        assert!(error.message.contains("and the transaction may cost"), "{}", error.message);
        let error = offer(&payer(9, 30), None).err().unwrap();
        assert!(error.message.contains("has 2 transaction(s) waiting"), "{}", error.message);
        assert_eq!(offer(&payer(7, 30), None).unwrap().tx.nonce, 7);
    }

    #[test]
    fn a_tip_is_at_most_the_fee() {
        assert!(require_affordable_tip(None, 1).is_ok() && require_affordable_tip(Some(2 * GWEI), 2).is_ok());
        assert!(
            require_affordable_tip(Some(2 * GWEI + 1), 2).unwrap_err().message.starts_with("--priority-fee")
        );
    }

    #[test]
    fn a_fee_at_the_cap_is_paid() {
        assert_eq!(fees((9, 1), 9, 9, None).unwrap(), (9, 1));
        let old = TxEip1559 { max_fee_per_gas: 16, max_priority_fee_per_gas: 8, ..TxEip1559::default() };
        let (least, _) = least_to_replace(&old);
        assert_eq!(fees((1, 1), 1, least, Some(&old)).unwrap().0, least);
    }
}
