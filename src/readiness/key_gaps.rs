//! Gaps of the keys on this machine: the reader's own, and the one that pays for gas. Pure.

use alloy::primitives::{Address, U256};

use super::told::{GapLevel, GapReport, not_ready, warning};
use crate::council::Council;
use crate::device::{DeviceGap, DeviceReport};
use crate::evm::amount;

/// A payer must be able to pay this many times today's fee: fees rise in an emergency.
const TIMES: u64 = 10;
/// The gas of a broadcast if no lever could be measured.
const USUAL_GAS: u64 = 300_000;
/// A tip that gets a transaction into the next blocks, in wei.
const TIP: u64 = 1_000_000_000;

/// A key that this machine's settings or flags name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedKey {
    pub named: String,
    pub state: KeyState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It can be read, and opens with a password; the address that it states.
    Locked(Option<Address>),
    Answered(Box<KeyAnswer>),
    /// Why it cannot be used now.
    Unusable(String),
}

/// The answers of a key that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAnswer {
    /// `None` for a key without a screen.
    pub report: Option<DeviceReport>,
    /// The council's signers whose keys it holds.
    pub held: Vec<Address>,
    /// The address that would pay for gas.
    pub first: Address,
}

impl ExaminedKey {
    /// Returns the address that it pays with, if it is known.
    pub fn address(&self) -> Option<Address> {
        match &self.state {
            KeyState::Locked(stated) => *stated,
            KeyState::Answered(answer) => Some(answer.first),
            KeyState::Unusable(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyGap {
    Device(DeviceGap),
    Unusable { named: String, why: String },
    NotOwner { named: String, address: Address },
    NoPayer,
    Poor { address: Address, chain: String, balance: U256, needed: U256 },
}

impl KeyGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::Device(gap) => {
                let level = if gap.keeps_from_signing { GapLevel::NotReady } else { GapLevel::Warning };
                GapReport { id: gap.id, level, sentence: gap.sentence.clone(), fix: gap.fix.into() }
            }
            Self::Unusable { named, why } => not_ready(
                "key",
                format!("your key {named} cannot be used now: {why}"),
                "try it: breakglass device for a hardware wallet; breakglass help settings for how a key is named",
            ),
            Self::NotOwner { named, address } => not_ready(
                "key-owner",
                format!("your key {named} is {address}, which is not an owner of a Safe of your file"),
                "name the right key",
            ),
            Self::NoPayer => warning(
                "payer-unknown",
                "no address that pays for gas is known on this machine".into(),
                "name the key as payer in your settings, or pass --payer ADDRESS",
            ),
            Self::Poor { address, chain, balance, needed } => not_ready(
                "payer",
                format!(
                    "{chain}: the payer {address} has {}, and a broadcast at {TIMES} times today's fee takes {}",
                    amount::ether(*balance),
                    amount::ether(*needed)
                ),
                format!("send it {} or more", amount::ether(needed.saturating_sub(*balance))),
            ),
        }
    }
}

/// Returns the gap of a payer's balance on a chain, by the base fee of its newest block and the costliest lever.
pub fn payer(
    address: Address,
    chain: &str,
    balance: U256,
    base_fee: Option<u64>,
    gas: Option<u64>,
) -> Option<KeyGap> {
    let fee = U256::from(base_fee.unwrap_or(TIP)) + U256::from(TIP);
    let needed = fee * U256::from(gas.unwrap_or(USUAL_GAS)) * U256::from(TIMES);
    (balance < needed).then(|| KeyGap::Poor { address, chain: chain.into(), balance, needed })
}

/// Returns the gaps of the key that the reader signs with.
pub fn signing(council: &Council, key: &ExaminedKey) -> Vec<KeyGap> {
    match &key.state {
        KeyState::Unusable(_) => unusable(key).into_iter().collect(),
        KeyState::Locked(stated) => {
            stated.and_then(|address| owner(council, &key.named, address)).into_iter().collect()
        }
        KeyState::Answered(answer) => {
            let not_owner = || KeyGap::NotOwner { named: key.named.clone(), address: answer.first };
            let none = answer.held.is_empty().then(not_owner);
            let gaps = answer.report.iter().flat_map(|report| report.gaps.clone());
            none.into_iter().chain(gaps.map(KeyGap::Device)).collect()
        }
    }
}

/// Returns the Safes of which a key holds several owners' keys by the council file, each with their names.
pub fn shared(council: &Council, held: &[Address]) -> Vec<(String, Vec<String>)> {
    let owners = council.safes.iter().filter_map(|(safe, pinned)| Some((safe, pinned.owners.as_ref()?)));
    let of_safe = owners.map(|(safe, owners)| {
        let held = owners.list().iter().filter(|owner| held.contains(owner));
        (safe.clone(), held.map(|owner| council.signer_name(*owner)).collect::<Vec<_>>())
    });
    of_safe.filter(|(_, names)| names.len() > 1).collect()
}

/// Returns the gap of a key that cannot be used now.
pub fn unusable(key: &ExaminedKey) -> Option<KeyGap> {
    match &key.state {
        KeyState::Unusable(why) => Some(KeyGap::Unusable { named: key.named.clone(), why: why.clone() }),
        KeyState::Locked(_) | KeyState::Answered(_) => None,
    }
}

/// Returns the gap of a reader's own key whose address is not an owner.
fn owner(council: &Council, named: &str, address: Address) -> Option<KeyGap> {
    let is_signer = council.signer_at(address).is_some();
    let pinned = council.safes.values().filter_map(|safe| safe.owners.as_ref());
    let is_owner = pinned.into_iter().any(|owners| owners.list().contains(&address));
    (!is_signer && !is_owner).then(|| KeyGap::NotOwner { named: named.into(), address })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::council::tests::written::CouncilText;

    #[test]
    fn a_payer_must_be_able_to_pay_ten_times_todays_fee() {
        let (address, gwei) = (Address::repeat_byte(1), 1_000_000_000);
        let poor =
            |balance: u64, base_fee, gas| payer(address, "mainnet", U256::from(balance), base_fee, gas);
        // (20 + 1) gwei × 100,000 × 10
        let needed = 21 * gwei * 100_000 * 10;
        assert_eq!(poor(needed, Some(20 * gwei), Some(100_000)), None);
        assert!(poor(needed - 1, Some(20 * gwei), Some(100_000)).is_some());
        assert!(poor(0, None, None).is_some());
    }

    #[test]
    fn a_safe_is_shared_by_those_whose_keys_one_device_holds() {
        let [alice, bob, carol, guardian] = [1, 2, 3, 9].map(Address::repeat_byte);
        let text = CouncilText::new().signer("alice", alice).signer("bob", bob).signer("carol", carol);
        let council = text.safe("guardian", guardian, &["alice", "bob", "carol"], 2).council();
        let names = vec!["alice".to_string(), "carol".to_string()];
        assert_eq!(shared(&council, &[alice, carol]), [("guardian".to_string(), names)]);
        assert_eq!(shared(&council, &[alice]), []);
    }
}
