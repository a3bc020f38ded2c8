//! Owners that are contracts and not Safes: what they say, when they are asked, and who is told.

use std::fs;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol;
use alloy::sol_types::{SolCall, SolValue};
use breakglass::proposal::find_signatures;
use breakglass::safe::{Approval, ContractSignature, SafeVersion, encode_approvals};

use crate::nested::{NAMES, address, council, safe_of, safe_text};
use crate::stage::{Anvil, Desk, deploy, key};
use crate::steps::{broadcast, files, import, propose, read_json, refused, sign, try_import};

sol! {
    function paused() external view returns (bool);
    function approveHash(bytes32 hash) external;
}

/// A wallet that is not a Safe, by the bytes that its software gives.
fn packed(owner: Address, data: &[u8]) -> String {
    let owner = Approval::Contract(ContractSignature { owner, data: Bytes::copy_from_slice(data) });
    encode_approvals(&[owner]).to_string()
}

const VERSIONS: [SafeVersion; 3] = [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0];

/// alice, bob, and a contract with this code.
fn with_contract(version: SafeVersion, code: &[u8]) -> (Anvil, Address, Vec<Desk>, Address) {
    let anvil = Anvil::start();
    let contract = Address::repeat_byte(0x77);
    anvil.set_code(contract, &Bytes::copy_from_slice(code));
    let guardian = safe_of(&anvil, version, &[address(0), address(1), contract], 2);
    let vault = deploy(&anvil, "Vault", &guardian.abi_encode());
    let contract_name = contract.to_string();
    let safes = safe_text("guardian", guardian, version, &["alice", "bob", &contract_name], 2);
    let council = council(&anvil, vault, &safes);
    let desks = [0, 1].map(|n| Desk::new(NAMES[n], key(n), &council)).into();
    (anvil, vault, desks, contract)
}

/// `return MAGIC`: of `isValidSignature(bytes,bytes)` up to 1.4.1, and of `isValidSignature(bytes32,bytes)` from 1.5.0 on.
fn yes(version: SafeVersion) -> Vec<u8> {
    let magic =
        if version < SafeVersion::V1_5_0 { [0x20, 0xc1, 0x3b, 0x0b] } else { [0x16, 0x26, 0xba, 0x7e] };
    [&[0x63][..], &magic, &[0x60, 0xe0, 0x1b, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]].concat()
}

const NO: [u8; 3] = [0x5f, 0x5f, 0xfd];

#[test]
fn a_wallet_that_is_not_a_safe_counts_once_it_says_yes() {
    for version in VERSIONS {
        let (anvil, vault, desks, wallet) = with_contract(version, &yes(version));
        let alice = &desks[0];
        sign(alice, &["vault"]);
        let run = try_import(alice, &["vault"], &packed(wallet, &[1, 2, 3])).ended(0);
        run.says("a contract that says yes");
        // What it says of the same approval once more, and of other bytes, is the approval of one owner.
        try_import(alice, &["vault"], &packed(wallet, &[9])).ended(0);
        alice.run(&["status", "vault"]).says("2 of 2 signed").says("contract signature");
        broadcast(alice, &["vault"]).ended(0).says("done and proven");
        assert!(anvil.view(vault, &pausedCall {}), "{version}");
    }
}

/// By its signature and by `approveHash`: it is one owner, and alone it is not enough.
#[test]
fn a_wallet_that_approves_twice_counts_once() {
    for version in VERSIONS {
        let (anvil, vault, desks, wallet) = with_contract(version, &yes(version));
        let alice = &desks[0];
        let hash: B256 =
            read_json(&propose(alice))["hashes"]["safe_tx_hash"].as_str().unwrap().parse().unwrap();
        let guardian: Address = council_address(alice, "guardian").parse().unwrap();
        anvil.set_balance(wallet, U256::from(10).pow(U256::from(18)));
        anvil.send(wallet, guardian, &approveHashCall { hash }.abi_encode().into(), U256::ZERO);
        try_import(alice, &["vault"], &packed(wallet, &[1])).ended(0);
        alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
        refused(broadcast(alice, &["vault"]), 3, &["alice", "bob"]);
        assert!(!anvil.view(vault, &pausedCall {}), "{version}");
    }
}

#[test]
fn a_wallet_that_says_no_is_refused_where_it_is_imported() {
    for version in VERSIONS {
        let (_anvil, _, desks, wallet) = with_contract(version, &NO);
        sign(&desks[0], &["vault"]);
        refused(try_import(&desks[0], &["vault"], &packed(wallet, &[1])), 4, &["does not say"]);
        let stranger = Address::repeat_byte(0x78);
        let run = try_import(&desks[0], &["vault"], &packed(stranger, &[1]));
        refused(run, 4, &["is not an owner"]);
        let hash = format!("0x{}", "11".repeat(32));
        let of_another = serde_json::json!({
            "breakglass_contract_signature": 1, "safe_tx_hash": hash, "through": [],
            "owner": wallet.to_string(), "data": "0x01",
        });
        let run = try_import(&desks[0], &["vault"], &of_another.to_string());
        refused(run, 4, &[&format!("it signs another transaction, {hash}")]);
    }
}

/// The magic value of another version's function is not accepted by this Safe.
#[test]
fn a_wallet_that_answers_with_another_versions_magic_value_is_refused() {
    for (version, other) in [
        (SafeVersion::V1_3_0, SafeVersion::V1_5_0),
        (SafeVersion::V1_4_1, SafeVersion::V1_5_0),
        (SafeVersion::V1_5_0, SafeVersion::V1_4_1),
    ] {
        let (_anvil, _, desks, wallet) = with_contract(version, &yes(other));
        sign(&desks[0], &["vault"]);
        refused(try_import(&desks[0], &["vault"], &packed(wallet, &[1])), 4, &["does not say"]);
    }
}

/// A file planted beside a proposal does not count: the contract is asked, also for the tally of an import.
#[test]
fn a_planted_signature_of_a_wallet_that_says_no_is_counted_nowhere() {
    for version in VERSIONS {
        let (_anvil, _, desks, wallet) = with_contract(version, &NO);
        let alice = &desks[0];
        let line = sign(alice, &["vault"]);
        let stated = find_signatures(&line).stated[0].clone();
        let planted = serde_json::json!({
            "breakglass_contract_signature": 1, "safe_tx_hash": stated.hash.unwrap().to_string(), "through": [],
            "owner": wallet.to_string(), "data": "0x01",
        });
        let kept = files(&alice.path("incidents")).into_iter();
        let kept = kept.into_iter().find(|file| file.ends_with("proposal.json")).unwrap();
        fs::write(kept.with_file_name("x.sig.json"), planted.to_string()).unwrap();
        try_import(alice, &["vault"], &line).ended(0).says("1 of 2: alice");
        alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
    }
}

/// The wallet confirms in every call and refuses in a transaction: the rehearsal of the exact transaction notices it,
/// another owner's approval takes its place, and no transaction that would fail is sent.
#[test]
fn a_wallet_that_confirms_in_a_check_and_refuses_in_the_transaction_is_replaced() {
    for version in VERSIONS {
        let code = [&[0x3a, 0x60, 0x12, 0x57][..], &yes(version), &[0x5b], &NO].concat();
        let (anvil, vault, desks, liar) = with_contract(version, &code);
        let (alice, bob) = (&desks[0], &desks[1]);
        sign(alice, &["vault"]);
        try_import(alice, &["vault"], &packed(liar, &[1])).ended(0);
        refused(broadcast(alice, &["vault"]), 3, &[&liar.to_string()]);
        assert!(!anvil.view(vault, &pausedCall {}), "{version}");
        let line = sign(bob, &["vault"]);
        import(alice, &["vault"], &line);
        broadcast(alice, &["vault"]).ended(0).says("done and proven");
    }
}

/// The call comes from the Safe's address: an answer that only other callers get does not count, and one that only the
/// Safe gets does.
#[test]
fn a_wallet_that_answers_by_caller_is_asked_by_the_safe() {
    for version in VERSIONS {
        let (anvil, vault, desks, wallet) = with_contract(version, &[]);
        let alice = &desks[0];
        let guardian: Address = council_address(alice, "guardian").parse().unwrap();
        let is_guardian = [&[0x33, 0x73][..], guardian.as_slice(), &[0x14]].concat();
        let no = [&[0x5b][..], &NO].concat();
        let refuses = [&is_guardian[..], &[0x60, 0x28, 0x57], &yes(version), &no].concat();
        let answers = [&is_guardian[..], &[0x15, 0x60, 0x29, 0x57], &yes(version), &no].concat();
        sign(alice, &["vault"]);
        anvil.set_code(wallet, &refuses.into());
        refused(try_import(alice, &["vault"], &packed(wallet, &[1])), 4, &["does not say"]);
        anvil.set_code(wallet, &answers.into());
        try_import(alice, &["vault"], &packed(wallet, &[1])).ended(0);
        broadcast(alice, &["vault"]).ended(0).says("done and proven");
        assert!(anvil.view(vault, &pausedCall {}), "{version}");
    }
}

/// The council file's first reader is told, and so is every signer.
#[test]
fn an_owner_that_is_a_contract_or_has_delegated_its_key_is_named() {
    let (anvil, _, desks, wallet) = with_contract(SafeVersion::V1_4_1, &yes(SafeVersion::V1_4_1));
    let code = [&[0xef, 0x01, 0x00][..], Address::repeat_byte(0x99).as_slice()].concat();
    anvil.set_code(address(1), &code.into());
    let run = desks[0].run(&["check", "vault"]);
    let run = run.says(&format!("owner {wallet} is a contract and not a Safe of your council file"));
    run.says(&format!("owner {} has delegated to the code at {}", address(1), Address::repeat_byte(0x99)));
    // The sentences of the review, and no fault: the file is good.
    let run = desks[0].run(&["council", "check"]).ended(0);
    let run =
        run.says(&format!("guardian: owner {wallet} is a contract and not a Safe of your council file"));
    run.says(&format!("guardian: owner bob {} has delegated to the code at", address(1)));
    let told = desks[0].run(&["--json", "council", "check"]).ended(0).json();
    assert_eq!(told["owners"].as_array().unwrap().len(), 2, "{told}");
    let guardian = council_address(&desks[0], "guardian");
    let rpc = anvil.url();
    let init = ["--council", "new.toml", "init", "--safe", guardian.as_str(), "--rpc", rpc.as_str()];
    desks[0].run(&init).ended(0).says("is a contract").says("EIP-7702");
    let written = fs::read_to_string(desks[0].path("new.toml")).unwrap();
    assert!(written.contains("# owner owner-3") && written.contains("(EIP-7702)"), "{written}");
}

fn council_address(desk: &Desk, safe: &str) -> String {
    let text = fs::read_to_string(desk.path("breakglass.toml")).unwrap();
    let entry = text.split(&format!("[safes.{safe}]")).nth(1).unwrap();
    entry.split("address = \"").nth(1).unwrap().split('"').next().unwrap().into()
}

/// A claimed approval on chain is checked: a false one does not count, and the other signatures are imported.
#[test]
fn an_approval_that_is_not_on_chain_is_refused_and_the_rest_is_taken() {
    let (_anvil, _, desks, wallet) = with_contract(SafeVersion::V1_4_1, &yes(SafeVersion::V1_4_1));
    let alice = &desks[0];
    let told = |owner: Address| encode_approvals(&[Approval::OnChain(owner)]).to_string();
    let own = sign(alice, &["vault"]);
    let run = try_import(alice, &["vault"], &told(address(1)));
    refused(run, 4, &[&format!("{} has not approved", address(1)), "only if"]);
    let run = try_import(alice, &["vault"], &told(Address::repeat_byte(0x78)));
    refused(run, 4, &["is not an owner"]);
    let both = format!("{own}\n{}\n{}", told(address(1)), packed(wallet, &[1]));
    try_import(alice, &["vault"], &both).ended(4).says("2 of 2").says("has not approved");
}
