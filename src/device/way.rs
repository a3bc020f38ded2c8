//! The way in which a transaction is given to a Ledger: chosen by the act, its bytes and the device, and said with its reason. Pure.

use super::app_status::Status;
use super::pages::DATA_SHOWN;
use super::{SigningMode, SigningRequest, Signs};
use crate::safe::{Operation, SignatureKind};

/// The way that the signer asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedMode {
    Nothing,
    Fields,
    Hashes,
    EthSign,
}

/// The way, the kind of signature and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChosenMode {
    pub way: SigningMode,
    pub kind: SignatureKind,
    pub why: &'static str,
}

/// The work of the person who reads a transaction, beside the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One call that a Nano shows whole, of the kind that stops something.
    Short,
    /// One of several that are signed together.
    Several,
    /// A batch, or data of which the device shows the beginning only.
    Long,
    /// A Safe's approval of what another Safe does.
    Message,
    /// It moves value or changes who or what may act.
    Heavy,
}

impl Weight {
    /// `heavy`: the playbook does more than stop something. `together`: how many are signed in one sitting.
    pub fn of(request: &SigningRequest<'_>, heavy: bool, together: usize) -> Self {
        let tx = match request.signs {
            Signs::Tx(tx) => tx,
            // The device shows the two hashes of what it approves, and no call.
            Signs::Message(_) => return Self::Message,
        };
        match () {
            () if tx.operation == Operation::DelegateCall || tx.data.len() > DATA_SHOWN => Self::Long,
            () if heavy || !tx.value.is_zero() => Self::Heavy,
            () if together > 1 => Self::Several,
            () => Self::Short,
        }
    }
}

/// Every field, unless the app cannot or the signer says otherwise.
pub fn choose_way(status: &Status, asked: RequestedMode, weight: Weight) -> ChosenMode {
    let (way, kind) = (SigningMode::Fields, SignatureKind::Ecdsa);
    match asked {
        RequestedMode::EthSign => ChosenMode {
            way,
            kind: SignatureKind::EthSign,
            why: "the hash that is signed goes to the Ledger as a personal message, as asked for: compare all of it",
        },
        RequestedMode::Hashes => ChosenMode {
            way: SigningMode::Hashes,
            kind,
            why: "only the two hashes go to the Ledger, as asked for",
        },
        _ if !status.takes_fields => ChosenMode {
            way: SigningMode::Hashes,
            kind,
            why: "only the two hashes go to the Ledger: its Ethereum app is too old to take the fields",
        },
        RequestedMode::Fields => {
            ChosenMode { way, kind, why: "every field goes to the Ledger, as asked for" }
        }
        RequestedMode::Nothing => ChosenMode { way, kind, why: why(status, weight) },
    }
}

fn why(status: &Status, weight: Weight) -> &'static str {
    let large = status.model.is_some_and(super::Model::is_large);
    match weight {
        Weight::Short => "every field goes to the Ledger: it shows this call whole",
        Weight::Several if large => {
            "every field goes to the Ledger, for each of them: it shows each call whole"
        }
        Weight::Several => {
            "every field goes to the Ledger, for each of them: it shows each call whole; where a second machine or a card shows \
             each safeTxHash, --eth-sign shows all of it in 4 presses each"
        }
        Weight::Heavy => {
            "every field goes to the Ledger: this does more than stop something, so two people compare both hashes"
        }
        Weight::Message => {
            "a message of the Safe goes to the Ledger: it shows the hashes of what is approved, and no call"
        }
        Weight::Long if large => {
            "every field goes to the Ledger: with Transaction hash on, compare both hashes"
        }
        Weight::Long => {
            "every field goes to the Ledger: with Transaction hash on, compare both hashes; where a second machine or \
             a card shows the safeTxHash, --eth-sign shows all of it in 4 presses"
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, U256};

    use super::*;
    use crate::device::{AppVersion, Model, Signs};
    use crate::safe::{Domain, Nonce, SafeId, SafeTx, SafeVersion};

    fn weight(length: usize, value: u64, operation: Operation, heavy: bool, together: usize) -> Weight {
        let safe = SafeId { chain_id: 1, address: Address::ZERO, version: SafeVersion::V1_4_1 };
        let data = vec![1; length].into();
        let tx = SafeTx::new(Address::ZERO, U256::from(value), data, operation, Nonce::from(0));
        let kind = SignatureKind::Ecdsa;
        let request = SigningRequest {
            domain: &Domain::real(safe),
            signs: Signs::Tx(&tx),
            owner: Address::ZERO,
            kind,
            way: SigningMode::Fields,
        };
        Weight::of(&request, heavy, together)
    }

    #[test]
    fn the_weight_comes_from_the_bytes_and_the_act() {
        let (call, batch) = (Operation::Call, Operation::DelegateCall);
        assert_eq!(weight(4, 0, call, false, 1), Weight::Short);
        assert_eq!(weight(187, 0, call, false, 1), Weight::Short);
        assert_eq!(weight(189, 0, call, false, 1), Weight::Long);
        assert_eq!(weight(4, 0, batch, false, 1), Weight::Long);
        assert_eq!(weight(4, 1, call, false, 1), Weight::Heavy);
        assert_eq!(weight(4, 0, call, true, 1), Weight::Heavy);
        // Several keep what is heavier than their number.
        assert_eq!(weight(4, 0, call, false, 3), Weight::Several);
        assert_eq!(weight(4, 0, call, true, 3), Weight::Heavy);
        assert_eq!(weight(189, 0, call, true, 3), Weight::Long);
    }

    #[test]
    fn the_requested_way_is_chosen_and_an_old_app_gets_hashes() {
        let status = Status {
            model: Some(Model::NanoSPlus),
            version: AppVersion(1, 22, 0),
            blind_signing: false,
            transaction_check: false,
            takes_fields: true,
        };
        let old = Status { takes_fields: false, ..status };
        let chosen = |status, asked| choose_way(status, asked, Weight::Long);
        assert_eq!(chosen(&status, RequestedMode::Nothing).way, SigningMode::Fields);
        assert!(chosen(&status, RequestedMode::Nothing).why.contains("--eth-sign"));
        let several = choose_way(&status, RequestedMode::Nothing, Weight::Several);
        assert_eq!(
            (several.way, several.why.contains("--eth-sign shows all of it in 4 presses each")),
            (SigningMode::Fields, true)
        );
        assert_eq!(chosen(&status, RequestedMode::Hashes).way, SigningMode::Hashes);
        assert_eq!(chosen(&old, RequestedMode::Fields).way, SigningMode::Hashes);
        assert!(chosen(&old, RequestedMode::Fields).why.contains("too old"));
        assert_eq!(chosen(&old, RequestedMode::EthSign).kind, SignatureKind::EthSign);
        let flex = Status { model: Some(Model::Flex), ..status };
        assert!(!chosen(&flex, RequestedMode::Nothing).why.contains("--eth-sign"));
    }
}
