//! Nonces, gas and fees of a transaction to pay for, as the endpoints say them and within bounds. Pure.

use alloy::primitives::{Address, B256, Bytes, U256};
use serde_json::{Value, json};

use super::json_rpc::{AT, Reply, Request, transaction};
use super::settle::Settled;
use crate::evm::Header;
use crate::fork::is_estimated;

/// A pending nonce further ahead than this is taken for nonsense: a transaction there would never be mined.
const MOST_PENDING: u64 = 64;
/// Wei; where no endpoint suggests a priority fee.
const USUAL_PRIORITY_FEE: u128 = 1_000_000_000;
/// Wei; the most that is paid as a priority fee where the base fee is lower. Polygon's validators take no less.
const MOST_PRIORITY_FEE: u128 = 3_000_000_000;
const MOST_PRIORITY_FEE_POLYGON: u128 = 50_000_000_000;
const POLYGON: u64 = 137;
/// A transaction about to be sent, as any RPC may see it: the owners have approved its hash instead of signing it, in
/// slots that are set for the estimate only. It carries no value; `from` pays the gas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    pub from: Address,
    pub to: Address,
    pub data: Bytes,
    /// The slots of `to` that are assumed to hold 1.
    pub approved: Vec<B256>,
}

/// The values that are needed to sign a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderState {
    /// The sender's transactions up to the block; agreed on.
    pub nonce: u64,
    /// The nonce after those still waiting: the lower median of what the endpoints say, so that of two none can invent one.
    pub pending_nonce: u64,
    /// The sender's balance in wei; agreed on.
    pub balance: U256,
    /// The lower median of the estimates, never above the block's limit; the upper one where only the RPCs can tell: there
    /// too little fails at a cost, and too much costs nothing. `None` if no endpoint can estimate.
    pub gas: Option<u64>,
    pub fees: Fees,
}

/// Suggested fees in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fees {
    /// EIP-1559: room for the base fee to double, plus the priority fee.
    Dynamic { max_fee: u128, priority_fee: u128 },
    /// A chain whose blocks have no base fee.
    Legacy { gas_price: u128 },
}

impl Fees {
    /// Returns these fees with another tip. Without a base fee there is none.
    pub const fn with_tip(self, tip: u128) -> Self {
        match self {
            Self::Dynamic { max_fee, priority_fee } => {
                let max_fee = max_fee.saturating_sub(priority_fee).saturating_add(tip);
                Self::Dynamic { max_fee, priority_fee: tip }
            }
            Self::Legacy { .. } => self,
        }
    }
}

/// Returns the requests that [`prepared`] reads: two values to agree on, then four hints.
pub(super) fn requests(sending: &CallRequest) -> Vec<Request> {
    let CallRequest { from, to, data, approved } = sending;
    let slots: serde_json::Map<String, Value> =
        approved.iter().map(|slot| (slot.to_string(), json!(B256::from(U256::ONE)))).collect();
    let estimate =
        json!([transaction(Some(*from), *to, data), AT, { to.to_string(): { "stateDiff": slots } }]);
    vec![
        Request::new("eth_getTransactionCount", json!([from, AT])),
        Request::new("eth_getBalance", json!([from, AT])),
        Request::hint("eth_getTransactionCount", json!([from, "pending"])),
        Request::hint("eth_estimateGas", estimate),
        Request::hint("eth_maxPriorityFeePerGas", json!([])),
        Request::hint("eth_gasPrice", json!([])),
    ]
}

/// `hints` are those of each agreeing endpoint.
pub(super) fn prepared(
    chain_id: u64,
    header: &Header,
    values: &[Settled],
    hints: &[&[Reply]],
) -> SenderState {
    let number = |at: usize| match values.get(at) {
        Some(Settled::Number(n)) => *n,
        _ => U256::ZERO,
    };
    let hint = |at: usize| -> Vec<U256> { hints.iter().filter_map(|one| quantity(one.get(at)?)).collect() };
    let nonce: u64 = number(0).saturating_to();
    let plausible = nonce..=nonce.saturating_add(MOST_PENDING);
    let pending =
        hint(0).into_iter().filter(|n| u64::try_from(*n).is_ok_and(|n| plausible.contains(&n))).collect();
    let middle = if is_estimated(chain_id) { upper_median } else { lower_median };
    let gas = middle(hint(1)).map(|gas| u64::try_from(gas).unwrap_or(u64::MAX).min(header.gas_limit));
    SenderState {
        nonce,
        pending_nonce: lower_median(pending).map_or(nonce, |n| u64::try_from(n).unwrap_or(nonce)),
        balance: number(1),
        gas,
        fees: fees(chain_id, header, hint(2), hint(3)),
    }
}

/// The lower median of what the endpoints suggest: of two, one that exaggerates is not believed. One that says zero
/// would keep the transaction from ever being mined: where the upper median is more, a tenth of the base fee is given,
/// and no more than a gwei. Whatever they suggest, the priority fee is no more than the base fee, or than a few gwei
/// where that is low.
fn fees(chain_id: u64, header: &Header, priority: Vec<U256>, gas_price: Vec<U256>) -> Fees {
    let gas_price = lower_median(gas_price);
    let Some(base_fee) = header.base_fee.map(u128::from) else {
        return Fees::Legacy { gas_price: gas_price.unwrap_or(USUAL_PRIORITY_FEE) };
    };
    let above_base = gas_price.map(|price| price.saturating_sub(base_fee));
    let least =
        upper_median(priority.clone()).map_or(0, |fee| fee.min(base_fee / 10).min(USUAL_PRIORITY_FEE));
    let suggested = lower_median(priority).or(above_base).unwrap_or(USUAL_PRIORITY_FEE).max(least);
    let most = if chain_id == POLYGON { MOST_PRIORITY_FEE_POLYGON } else { MOST_PRIORITY_FEE };
    let priority_fee = suggested.min(base_fee.max(most));
    Fees::Dynamic { max_fee: base_fee.saturating_mul(2).saturating_add(priority_fee), priority_fee }
}

fn lower_median(mut values: Vec<U256>) -> Option<u128> {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).map(U256::saturating_to)
}

fn upper_median(mut values: Vec<U256>) -> Option<u128> {
    values.sort_unstable();
    values.get(values.len() / 2).map(U256::saturating_to)
}

fn quantity(reply: &Reply) -> Option<U256> {
    serde_json::from_value(reply.as_ref().ok()?.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evm::BlockHash;

    fn n(value: u64) -> U256 {
        U256::from(value)
    }

    fn header(base_fee: Option<u64>) -> Header {
        Header { gas_limit: 1_000, base_fee, ..Header::bare(9, BlockHash::claimed(B256::ZERO)) }
    }

    #[test]
    fn one_exaggerated_fee_is_outvoted() {
        let fees =
            |priority: &[U256], price: &[U256]| fees(1, &header(Some(10)), priority.to_vec(), price.to_vec());
        assert_eq!(fees(&[n(1), U256::MAX, n(2)], &[]), Fees::Dynamic { max_fee: 22, priority_fee: 2 });
        assert_eq!(fees(&[n(2), U256::MAX], &[]), Fees::Dynamic { max_fee: 22, priority_fee: 2 });
        // One that says zero does not keep it from being mined.
        assert_eq!(fees(&[n(0), n(2)], &[]), Fees::Dynamic { max_fee: 21, priority_fee: 1 });
        assert_eq!(fees(&[n(0), n(0)], &[]), Fees::Dynamic { max_fee: 20, priority_fee: 0 });
        assert_eq!(fees(&[], &[n(13)]), Fees::Dynamic { max_fee: 23, priority_fee: 3 });
        assert_eq!(fees(&[], &[n(1)]), Fees::Dynamic { max_fee: 20, priority_fee: 0 });
        // A single one, or a majority, is not believed beyond the bound.
        let gwei = |n: u128| n * 1_000_000_000;
        assert_eq!(fees(&[U256::MAX], &[]), Fees::Dynamic { max_fee: 20 + gwei(3), priority_fee: gwei(3) });
        let dear = super::fees(1, &header(Some(20_000_000_000)), vec![U256::from(gwei(450)); 2], vec![]);
        assert_eq!(dear, Fees::Dynamic { max_fee: gwei(60), priority_fee: gwei(20) });
        let polygon = super::fees(137, &header(Some(10)), vec![U256::from(gwei(30))], vec![]);
        assert_eq!(polygon, Fees::Dynamic { max_fee: 20 + gwei(30), priority_fee: gwei(30) });
        let legacy = super::fees(1, &header(None), vec![n(1)], vec![n(7)]);
        assert_eq!(legacy, Fees::Legacy { gas_price: 7 });
    }

    #[test]
    fn a_tip_takes_the_place_of_another() {
        let fees = Fees::Dynamic { max_fee: 21, priority_fee: 1 };
        assert_eq!(fees.with_tip(0), Fees::Dynamic { max_fee: 20, priority_fee: 0 });
        assert_eq!(fees.with_tip(5), Fees::Dynamic { max_fee: 25, priority_fee: 5 });
        assert_eq!(Fees::Legacy { gas_price: 7 }.with_tip(5), Fees::Legacy { gas_price: 7 });
    }

    #[test]
    fn hints_without_sense_are_passed_over() {
        let values = [Settled::Number(n(4)), Settled::Number(n(1))];
        let hints = |pending: Value, gas: Value| -> Vec<Reply> { vec![Ok(pending), Ok(gas)] };
        let seen = |hints: &[Vec<Reply>]| {
            let hints: Vec<&[Reply]> = hints.iter().map(Vec::as_slice).collect();
            let prepared = prepared(1, &header(None), &values, &hints);
            (prepared.pending_nonce, prepared.gas)
        };
        assert_eq!(
            seen(&[hints(json!("0x6"), json!("0x5")), hints(json!("0x5"), json!("0x6"))]),
            (5, Some(5)),
            "of two, one cannot make a payer wait"
        );
        assert_eq!(seen(&[hints(json!("0xffffff"), json!("0xffffffffffffffffffff"))]), (4, Some(1_000)));
        assert_eq!(seen(&[hints(json!("0x3"), json!(null))]), (4, None));
        assert_eq!(seen(&[hints(json!({}), json!("-1")), vec![]]), (4, None));
        assert_eq!(seen(&[]), (4, None));
        let of_two = [vec![Ok(json!(null)), Ok(json!("0x5"))], vec![Ok(json!(null)), Ok(json!("0x6"))]];
        let of_two: Vec<&[Reply]> = of_two.iter().map(Vec::as_slice).collect();
        assert_eq!(
            prepared(42_161, &header(None), &values, &of_two).gas,
            Some(6),
            "no RPC makes it too little"
        );
    }
}
