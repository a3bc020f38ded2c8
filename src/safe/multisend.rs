//! Several calls in one transaction, through MultiSendCallOnly: the bytes it takes, and back.

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol;
use alloy::sol_types::SolCall;

use super::tx::Call;

sol! {
    /// MultiSend and MultiSendCallOnly, every version.
    function multiSend(bytes transactions) external payable;
}

/// The reason that call data is not a batch of plain calls.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BatchError {
    #[error("batch data is not a multiSend(bytes) call")]
    NotMultiSend,
    #[error("batch entry {0} is cut short")]
    Truncated(usize),
    #[error("batch entry {0} has operation {1}; only calls (0) are allowed in a batch")]
    NotACall(usize, u8),
}

/// The calldata of `multiSend` for these calls: each 0 ‖ to(20) ‖ value(32) ‖ length(32) ‖ data.
pub fn encode_batch(calls: &[Call]) -> Bytes {
    let mut packed = Vec::new();
    for call in calls {
        packed.push(0);
        packed.extend_from_slice(call.to.as_slice());
        packed.extend_from_slice(&call.value.to_be_bytes::<32>());
        packed.extend_from_slice(&U256::from(call.data.len()).to_be_bytes::<32>());
        packed.extend_from_slice(&call.data);
    }
    multiSendCall { transactions: packed.into() }.abi_encode().into()
}

/// The calls inside a `multiSend`.
/// Fails if the data is anything but whole entries with operation 0, or encodes in any other way than ours.
pub fn decode_batch(data: &Bytes) -> Result<Vec<Call>, BatchError> {
    let decoded = multiSendCall::abi_decode(data).map_err(|_| BatchError::NotMultiSend)?;
    let mut rest: &[u8] = &decoded.transactions;
    let mut calls = Vec::new();
    while !rest.is_empty() {
        let entry = calls.len() + 1;
        let (head, tail) = rest.split_at_checked(85).ok_or(BatchError::Truncated(entry))?;
        if head[0] != 0 {
            return Err(BatchError::NotACall(entry, head[0]));
        }
        let length = usize::try_from(U256::from_be_slice(&head[53..85])).unwrap_or(usize::MAX);
        let (body, tail) = tail.split_at_checked(length).ok_or(BatchError::Truncated(entry))?;
        calls.push(Call {
            to: Address::from_slice(&head[1..21]),
            value: U256::from_be_slice(&head[21..53]),
            data: Bytes::copy_from_slice(body),
        });
        rest = tail;
    }
    if encode_batch(&calls) != *data {
        return Err(BatchError::NotMultiSend);
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn any_call()(
            to in any::<[u8; 20]>(), value in any::<[u8; 32]>(),
            data in proptest::collection::vec(any::<u8>(), 0..100),
        ) -> Call {
            Call { to: to.into(), value: U256::from_be_bytes(value), data: data.into() }
        }
    }

    proptest! {
        #[test]
        fn decodes_what_it_encodes(calls in proptest::collection::vec(any_call(), 0..6)) {
            prop_assert_eq!(decode_batch(&encode_batch(&calls)), Ok(calls));
        }

        #[test]
        fn any_other_bytes_are_refused_not_misread(
            calls in proptest::collection::vec(any_call(), 1..3), at in any::<prop::sample::Index>(), with in 1u8..,
        ) {
            let mut data = encode_batch(&calls).to_vec();
            let at = at.index(data.len());
            data[at] ^= with;
            // Another batch may decode from altered bytes, but never the same one.
            prop_assert_ne!(decode_batch(&data.into()), Ok(calls));
        }
    }

    #[test]
    fn a_delegatecall_inside_a_batch_is_refused() {
        let call = Call { to: Address::repeat_byte(1), value: U256::ZERO, data: Bytes::new() };
        let mut data = encode_batch(&[call]).to_vec();
        data[4 + 64] = 1;
        assert_eq!(decode_batch(&data.into()), Err(BatchError::NotACall(1, 1)));
    }
}
