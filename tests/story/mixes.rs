//! Every mix of the kinds of approval, in both orders of the owners, as the Safe's own code takes it: what is printed
//! for somebody else to send is sent by somebody else, and the chain is set back.

use std::fmt::Write;
use std::fs;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::safe::{
    Approval, ContractSignature, Nonce, Packed, SafeId, SafeVersion, decode_approvals, decode_exec,
    encode_approvals,
};
use serde_json::{Value, json};

use crate::nested::{NAMES, address, council, safe_of, safe_text};
use crate::stage::{Anvil, Desk, Key, SafeSetup, deploy, key, place_safe};
use crate::steps::path;

sol! {
    function paused() external view returns (bool);
    function approveHash(bytes32 hash) external;
}

const VERSIONS: [SafeVersion; 3] = [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0];
/// Three owners with keys, in the ascending order of their addresses. Right behind each stands a Safe that owns too.
const KEYS: [usize; 3] = [2, 1, 0];
/// Signs for each of those Safes.
const DAVE: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Key,
    EthSign,
    Contract,
    OnChain,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Key, Self::EthSign, Self::Contract, Self::OnChain];

    /// What stands in the calldata for it.
    fn of(packed: &Packed) -> Self {
        match packed {
            Packed::Signature(bytes) if bytes[64] > 30 => Self::EthSign,
            Packed::Signature(_) => Self::Key,
            Packed::Approved(_) => Self::OnChain,
            Packed::Contract(_) => Self::Contract,
        }
    }
}

/// A Safe of three keys and three Safes, with a contract of its own to pause, and the hash of its lever.
struct Guardian {
    version: SafeVersion,
    lever: String,
    address: Address,
    vault: Address,
    pre_image: Bytes,
    hash: B256,
}

/// The Safe behind a key.
fn behind(place: usize, version: SafeVersion) -> Address {
    let of_version = VERSIONS.iter().position(|known| *known == version).unwrap() + 1;
    let word = U256::from_be_slice(address(KEYS[place]).as_slice()) + U256::from(of_version);
    Address::from_word(word.into())
}

impl Guardian {
    fn owners(version: SafeVersion) -> Vec<Address> {
        (0..3).flat_map(|place| [address(KEYS[place]), behind(place, version)]).collect()
    }

    /// One owner's approval in the form of other software; nothing where it is on chain.
    fn approval(&self, anvil: &Anvil, place: usize, kind: Kind) -> Option<String> {
        let (own, safe): (Key, Address) = (key(KEYS[place]), behind(place, self.version));
        match kind {
            Kind::Key => Some(alloy::hex::encode_prefixed(own.sign(self.hash))),
            Kind::EthSign => Some(alloy::hex::encode_prefixed(own.eth_sign(self.hash))),
            Kind::Contract => {
                let id = SafeId { chain_id: anvil.chain_id, address: safe, version: self.version };
                let by_hash = self.version == SafeVersion::V1_5_0;
                let message = if by_hash { self.hash.to_vec().into() } else { self.pre_image.clone() };
                let signature = key(DAVE).sign(*id.message_hashes(&message).safe_tx.word());
                let data = Bytes::copy_from_slice(&signature);
                let approval = Approval::Contract(ContractSignature { owner: safe, data });
                Some(encode_approvals(&[approval]).to_string())
            }
            Kind::OnChain => {
                // By a key, and at every second place by a Safe.
                let owner = if place == 1 { safe } else { own.address };
                anvil.set_balance(owner, U256::from(10).pow(U256::from(18)));
                let call = approveHashCall { hash: self.hash }.abi_encode().into();
                anvil.send(owner, self.address, &call, U256::ZERO);
                None
            }
        }
    }

    /// Has these approve, and gives what the program packs of it to the Safe.
    fn pauses(&self, anvil: &Anvil, desk: &Desk, kinds: &[Kind], turned: bool) {
        let mut lines: Vec<String> =
            (0..).zip(kinds).filter_map(|(place, kind)| self.approval(anvil, place, *kind)).collect();
        if turned {
            lines.reverse();
        }
        let chat = desk.path("chat.txt");
        fs::write(&chat, lines.join("\n")).unwrap();
        let mut words = vec!["--json", "broadcast", &self.lever, "--calldata"];
        if !lines.is_empty() {
            words.extend(["--chat", path(&chat)]);
        }
        let what = format!("{} {kinds:?}", self.version);
        let printed = desk.run(&words).ended(0).json();
        let text = |name: &str| printed[name].as_str().unwrap_or_else(|| panic!("{what}: {printed}"));
        let (to, data): (Address, Bytes) = (text("to").parse().unwrap(), text("data").parse().unwrap());
        let (_, signatures) = decode_exec(&data, Nonce::from(0)).unwrap();
        let packed: Vec<Kind> = decode_approvals(&signatures).unwrap().iter().map(Kind::of).collect();
        assert_eq!((to, &packed[..]), (self.address, kinds), "{what}: each owner's own, in their order");
        let receipt = anvil.try_send(address(9), Some(to), &data, U256::ZERO);
        assert!(receipt.succeeded, "{what}: the Safe refused it");
        assert!(anvil.view(self.vault, &pausedCall {}), "{what}");
    }
}

/// Six Safes, of each version one of which two must sign and one of which three must; and one person's machine.
fn guardians(anvil: &Anvil) -> (Vec<Guardian>, Desk) {
    let (mut safes, mut levers, mut all) = (String::new(), String::new(), Vec::new());
    for (n, version) in VERSIONS.into_iter().enumerate() {
        let setup = SafeSetup { version, l2: false, owners: vec![address(DAVE)], threshold: 1 };
        for place in 0..3 {
            place_safe(anvil, behind(place, version), &setup);
            safes += &safe_text(&format!("s{place}v{n}"), behind(place, version), version, &["dave"], 1);
        }
        for threshold in [2, 3] {
            let name = if all.is_empty() { "guardian".to_string() } else { format!("g{threshold}v{n}") };
            let guardian = safe_of(anvil, version, &Guardian::owners(version), threshold);
            let vault = deploy(anvil, "Vault", &guardian.abi_encode());
            let owners: Vec<String> =
                (0..3).flat_map(|place| [NAMES[KEYS[place]].into(), format!("s{place}v{n}")]).collect();
            let owners: Vec<&str> = owners.iter().map(String::as_str).collect();
            safes += &safe_text(&name, guardian, version, &owners, threshold);
            let lever = format!("lever{n}of{threshold}");
            write!(
                levers,
                "\n[targets.{lever}]\nanvil = \"{vault}\"\n[levers.{lever}]\nplaybook = \"pause/oz-pausable\"\n\
                 safe = \"{name}\"\nset = {{ target = \"{lever}\" }}\n"
            )
            .unwrap();
            all.push((version, lever, guardian, vault));
        }
    }
    let council = council(anvil, all[0].3, &safes) + &levers;
    let (desk, proposer) = (Desk::new("erin", key(4), &council), Desk::new("frank", key(5), &council));
    let guardian = |(version, lever, address, vault): (SafeVersion, String, Address, Address)| {
        let said = proposer.run(&["--json", "pause", &lever]).ended(0).json();
        let proposal = fs::read_to_string(proposer.path(said["proposal"].as_str().unwrap())).unwrap();
        let hashes = serde_json::from_str::<Value>(&proposal).unwrap()["hashes"].clone();
        let word = |name: &str| hashes[name].as_str().unwrap().parse::<B256>().unwrap();
        let (domain, message) = (word("domain_hash"), word("message_hash"));
        let pre_image: Bytes = [&[0x19, 0x01][..], domain.as_slice(), message.as_slice()].concat().into();
        assert_eq!(alloy::primitives::keccak256(&pre_image), word("safe_tx_hash"));
        Guardian { version, lever, address, vault, pre_image, hash: word("safe_tx_hash") }
    };
    (all.into_iter().map(guardian).collect(), desk)
}

/// Every mix of so many kinds, in ascending and in descending order.
fn arrangements(length: usize) -> Vec<Vec<Kind>> {
    (0..4_usize.pow(u32::try_from(length).unwrap()))
        .map(|number| (0..length).map(|place| Kind::ALL[number >> (2 * place) & 3]).collect::<Vec<_>>())
        .filter(|kinds| kinds.is_sorted() || kinds.iter().rev().is_sorted())
        .collect()
}

#[test]
fn every_mix_of_kinds_is_taken_by_the_safe_in_both_orders() {
    let anvil = Anvil::start();
    let (guardians, desk) = guardians(&anvil);
    let mut snapshot = anvil.rpc("evm_snapshot", &json!([]));
    for (which, length) in [(0, 2), (1, 3)] {
        for (at, kinds) in arrangements(length).iter().enumerate() {
            // The block of the snapshot grows old.
            anvil.mine(1);
            // The versions in turn.
            guardians[2 * (at % 3) + which].pauses(&anvil, &desk, kinds, at % 2 == 1);
            assert_eq!(anvil.rpc("evm_revert", &json!([snapshot])), true);
            snapshot = anvil.rpc("evm_snapshot", &json!([]));
            let incidents = desk.path("incidents");
            if incidents.exists() {
                fs::remove_dir_all(incidents).unwrap();
            }
        }
    }
}
