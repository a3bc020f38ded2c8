//! Effects of a transaction: keys that it reads, slots and tokens that it changes. Values only, as a proposal's file has them too.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::AccessList;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The parts of the chain's state that something reads. As hints for a later run they hold no truth, only a saving.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Balance, nonce and code.
    pub accounts: BTreeSet<Address>,
    #[serde(serialize_with = "write_slots", deserialize_with = "read_slots")]
    pub slots: BTreeSet<(Address, B256)>,
    /// Blocks, by number, whose hash is read.
    pub block_hashes: BTreeSet<u64>,
}

impl Keys {
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn len(&self) -> usize {
        self.accounts.len() + self.slots.len() + self.block_hashes.len()
    }

    pub fn extend(&mut self, other: Self) {
        self.accounts.extend(other.accounts);
        self.slots.extend(other.slots);
        self.block_hashes.extend(other.block_hashes);
    }
}

impl From<&AccessList> for Keys {
    fn from(list: &AccessList) -> Self {
        let slots = list.0.iter().flat_map(|item| item.storage_keys.iter().map(|slot| (item.address, *slot)));
        Self {
            accounts: list.0.iter().map(|item| item.address).collect(),
            slots: slots.collect(),
            block_hashes: BTreeSet::new(),
        }
    }
}

type SlotsByAddress = BTreeMap<Address, Vec<B256>>;

fn write_slots<S: Serializer>(slots: &BTreeSet<(Address, B256)>, out: S) -> Result<S::Ok, S::Error> {
    let mut by_address = SlotsByAddress::new();
    for (address, slot) in slots {
        by_address.entry(*address).or_default().push(*slot);
    }
    by_address.serialize(out)
}

fn read_slots<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeSet<(Address, B256)>, D::Error> {
    let by_address = SlotsByAddress::deserialize(input)?.into_iter();
    Ok(by_address.flat_map(|(address, slots)| slots.into_iter().map(move |slot| (address, slot))).collect())
}

/// A storage slot that is not what it was. Reverted writes and writes of the old value are none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, derive_more::Display)]
#[serde(deny_unknown_fields)]
#[display("{address} slot {slot} from {old} to {new}")]
pub struct Write {
    pub address: Address,
    pub slot: B256,
    pub old: B256,
    pub new: B256,
}

/// The amounts that a holder received and sent by ERC-20 `Transfer` events, in the token's smallest unit. What a token says
/// of itself: only its own storage proves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, derive_more::Display)]
#[serde(deny_unknown_fields)]
#[display("{holder} receives {received} and sends {sent} of token {token}")]
pub struct TokenChange {
    pub token: Address,
    pub holder: Address,
    pub received: U256,
    pub sent: U256,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form in which proposal files have had them from the first version on.
    #[test]
    fn slots_are_written_by_address() {
        let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let word = B256::repeat_byte;
        let slots = [(two, word(3)), (one, word(5)), (one, word(4))].into();
        let keys = Keys { accounts: [one].into(), slots, block_hashes: [7].into() };
        let json = serde_json::json!({
            "accounts": [one], "slots": { one.to_string().to_lowercase(): [word(4), word(5)], two.to_string(): [word(3)] },
            "block_hashes": [7],
        });
        assert_eq!(serde_json::to_value(&keys).unwrap(), json);
        assert_eq!(serde_json::from_value::<Keys>(json).unwrap(), keys);
        assert!(serde_json::from_str::<Keys>(r#"{ "other": 1 }"#).is_err());
    }
}
