//! Calls into a Safe transaction, and back.

use alloy::primitives::{Address, U256};

use crate::playbook::{Answer, Query, Readings};
use crate::safe::deployments::{Deployment, batch_contracts, known_at};
use crate::safe::{
    BatchError, Call, Nonce, Operation, SafeTx, SafeVersion, decode_batch, deployments, encode_batch,
};

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BuildError {
    #[error(
        "Safe {0} can burn its nonce when a call fails; transactions are built only for 1.3.0, 1.4.1 and 1.5.0"
    )]
    Version(SafeVersion),
    #[error("there is no call to make")]
    Empty,
    #[error(
        "no canonical MultiSendCallOnly of Safe {version} has its published code on this chain (looked at {looked})"
    )]
    NoBatchContract { version: SafeVersion, looked: String },
}

/// What must be known before several calls can be batched: the code of the version's batch contracts.
#[must_use]
pub fn batch_queries(version: SafeVersion) -> Vec<Query> {
    batch_contracts(version).map(|d| Query::CodeHash { address: d.address }).collect()
}

/// One call goes direct, several through the canonical MultiSendCallOnly of the Safe's version, whose code hash
/// `readings` must confirm. No refund fields, ever.
///
/// # Errors
/// When the version can't be built for, there is no call, or no batch contract has the code it was published with.
pub fn build_tx(
    version: SafeVersion,
    calls: &[Call],
    nonce: Nonce,
    readings: &Readings,
) -> Result<SafeTx, BuildError> {
    if !version.can_build() {
        return Err(BuildError::Version(version));
    }
    match calls {
        [] => Err(BuildError::Empty),
        [one] => Ok(SafeTx::new(one.to, one.value, one.data.clone(), Operation::Call, nonce)),
        several => {
            let batch = confirmed_batch_contract(version, readings)?;
            let data = encode_batch(several);
            Ok(SafeTx::new(batch, U256::ZERO, data, Operation::DelegateCall, nonce))
        }
    }
}

fn confirmed_batch_contract(version: SafeVersion, readings: &Readings) -> Result<Address, BuildError> {
    let confirmed = |d: &&Deployment| {
        let answer = readings.get(&Query::CodeHash { address: d.address });
        matches!(answer, Some(Answer::Value(word)) if word[..] == d.code_hash[..])
    };
    batch_contracts(version).find(confirmed).map(|d| d.address).ok_or_else(|| {
        let looked = batch_contracts(version).map(|d| d.address.to_string()).collect::<Vec<_>>().join(", ");
        BuildError::NoBatchContract { version, looked }
    })
}

/// The calls that a transaction makes: itself, or the entries of its batch.
///
/// # Errors
/// When it is a delegatecall to anything but a known MultiSendCallOnly, or the batch is not plain calls: nothing can
/// then be said about what it does.
pub fn calls_of(tx: &SafeTx) -> Result<Vec<Call>, BatchError> {
    match tx.operation {
        Operation::Call => Ok(vec![Call { to: tx.to, value: tx.value, data: tx.data.clone() }]),
        Operation::DelegateCall => match known_at(tx.to) {
            Some(d) if d.contract == deployments::Contract::MultiSendCallOnly => decode_batch(&tx.data),
            _ => Err(BatchError::NotMultiSend),
        },
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Bytes;

    use super::*;

    fn call(n: u8) -> Call {
        Call { to: Address::repeat_byte(n), value: U256::from(n), data: Bytes::from(vec![n; 4]) }
    }

    fn code(version: SafeVersion) -> Readings {
        batch_contracts(version)
            .map(|d| {
                let word = Answer::Value(Bytes::copy_from_slice(d.code_hash.as_slice()));
                (Query::CodeHash { address: d.address }, word)
            })
            .collect()
    }

    #[test]
    fn one_call_goes_direct_and_several_through_the_versions_own_batch_contract() {
        for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
            let one = build_tx(version, &[call(7)], Nonce::from(3), &Readings::default()).unwrap();
            assert_eq!((one.to, one.operation), (Address::repeat_byte(7), Operation::Call));
            let two = build_tx(version, &[call(7), call(8)], Nonce::from(3), &code(version)).unwrap();
            assert_eq!(known_at(two.to).unwrap().version, version);
            assert_eq!(calls_of(&two).unwrap(), [call(7), call(8)]);
        }
    }

    /// A batch through an address without code succeeds and does nothing.
    #[test]
    fn no_batch_through_an_address_without_the_published_code() {
        let version = SafeVersion::V1_4_1;
        let empty: Readings = batch_queries(version)
            .into_iter()
            .map(|q| (q, Answer::Value(Bytes::copy_from_slice(&[0; 32]))))
            .collect();
        for readings in [empty, Readings::default()] {
            let fault = build_tx(version, &[call(7), call(8)], Nonce::from(3), &readings).unwrap_err();
            assert!(fault.to_string().contains("0x9641d764fc13c8B624c04430C7356C1C7C8102e2"), "{fault}");
        }
    }

    #[test]
    fn nothing_is_built_for_safes_that_burn_their_nonce() {
        let built = build_tx(SafeVersion::V1_2_0, &[call(1)], Nonce::from(0), &Readings::default());
        assert_eq!(built, Err(BuildError::Version(SafeVersion::V1_2_0)));
    }

    #[test]
    fn an_unknown_delegatecall_says_nothing_about_its_calls() {
        let mut tx =
            build_tx(SafeVersion::V1_4_1, &[call(7), call(8)], Nonce::from(3), &code(SafeVersion::V1_4_1))
                .unwrap();
        tx.to = Address::repeat_byte(9);
        assert_eq!(calls_of(&tx), Err(BatchError::NotMultiSend));
    }
}
