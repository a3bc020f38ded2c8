//! Stories of the proposal room: two owners of three, and everybody who would like to be one.

mod ahead;
mod approving;
mod assumed;
mod binding;
mod drills;
mod explain;
mod flood;
mod nested;

use alloy::primitives::{Address, B256, Bytes, U256};
use k256::ecdsa::SigningKey;
use proptest::prelude::*;

use super::*;

use crate::evm::{Answer, BlockHash, Fresh, Query};
use crate::playbook::{PlaybookDigest, PlaybookId};
use crate::safe::{Operation, Owners, SafeField, SafeTree, SafeVersion, SignatureKind, signed_digest};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn address(seed: u8) -> Address {
    Address::from_public_key(key(seed).verifying_key())
}

fn fresh(nonce: u64) -> Fresh<SafeTree> {
    newest(state(nonce))
}

fn newest(state: SafeState) -> Fresh<SafeTree> {
    Fresh::from_quorum(state.into())
}

/// The chain's answers where these owners have approved a proposal.
fn said(proposal: &Proposal, approved: &[Address]) -> Readings {
    let yes = Answer::Value(B256::with_last_byte(1).into());
    let query = |owner: &Address| approval_query(proposal.safe().address, &proposal.hash(), *owner);
    approved.iter().map(|owner| (query(owner), yes.clone())).collect()
}

fn assemble(
    proposal: &Proposal,
    signatures: &[OwnerSignature],
    approved: &[Address],
    now: &Fresh<SafeTree>,
) -> Result<Ready, NotReady> {
    super::assemble(proposal, &Approvals::new(signatures, &[], &said(proposal, approved)), now)
}

fn state(nonce: u64) -> SafeState {
    SafeState {
        id: SafeId { chain_id: 1, address: Address::repeat_byte(5), version: SafeVersion::V1_4_1 },
        owners: Owners::new(vec![address(1), address(2), address(3)], 2).unwrap(),
        nonce: Nonce::from(nonce),
        singleton: Address::repeat_byte(6),
        guard: Address::ZERO,
        module_guard: Address::ZERO,
        fallback_handler: Address::repeat_byte(7),
        modules: vec![Address::repeat_byte(8)],
    }
}

fn proposal(nonce: u64) -> Proposal {
    let data = Bytes::from(vec![0x84, 0x56, 0xcb, 0x59]);
    let tx = SafeTx::new(Address::repeat_byte(9), U256::ZERO, data, Operation::Call, Nonce::from(nonce));
    let text = "schema = 1\n";
    let binding = Binding::one(
        BoundLever {
            lever: Some("vault".into()),
            playbook: PlaybookId::new("pause/oz-pausable").unwrap(),
            digest: PlaybookDigest::of(text),
            text: text.into(),
            args: [("target".to_string(), "vault".to_string())].into(),
        },
        false,
    );
    let query = Query::Storage { address: Address::repeat_byte(9), slot: B256::ZERO };
    let readings = [(query, Answer::Value(Bytes::from(vec![0; 32])))].into_iter().collect();
    let block = Block { number: 21, hash: BlockHash::claimed(B256::repeat_byte(1)) };
    Proposal::new(tx, state(nonce), block, binding, readings)
}

fn raw(seed: u8, proposal: &Proposal, kind: SignatureKind) -> [u8; 65] {
    let digest = signed_digest(&proposal.hash(), kind);
    let (signature, id) = key(seed).sign_prehash_recoverable(digest.as_slice()).unwrap();
    let mut bytes = [0; 65];
    bytes[..64].copy_from_slice(&signature.to_bytes());
    bytes[64] = 27 + id.to_byte();
    bytes
}

fn signed(seed: u8, proposal: &Proposal) -> OwnerSignature {
    let bytes = raw(seed, proposal, SignatureKind::Ecdsa);
    let stated = Stated {
        hash: Some(proposal.hash()),
        purpose: Some(proposal.purpose()),
        bytes,
        accepted: Vec::new(),
        claims: None,
    };
    OwnerSignature::verify(&stated, proposal, &owners()).unwrap()
}

fn claims() -> Claims {
    let open = [("fee".to_string(), "40 bps".to_string())].into();
    Claims { nonce: Some(Nonce::from(42)), levers: vec!["vault".into()], args: open, ..Claims::default() }
}

/// The line of version 1, as earlier programs wrote it.
fn first_line(signature: &OwnerSignature) -> String {
    let payload = [&[1][..], signature.hash().word().as_slice(), signature.ecdsa().bytes()].concat();
    bech32::encode::<bech32::Bech32m>(bech32::Hrp::parse("bgsig").unwrap(), &payload).unwrap()
}

fn both_lines(signature: &OwnerSignature) -> [String; 2] {
    [first_line(signature), signature.line(&claims())]
}

fn owners() -> SafeOwners {
    let state = state(42);
    SafeOwners::new((state.id.chain_id, state.id.address), Some(&state.owners), None).unwrap()
}

fn only(found: &Finds) -> Stated {
    match &[found.stated.clone(), found.bare.clone()].concat()[..] {
        [one] if found.damaged.is_empty() => one.clone(),
        _ => panic!("not one signature: {found:?}"),
    }
}

#[test]
fn a_file_says_what_it_said() {
    let written = proposal(42);
    assert_eq!(Proposal::parse(&written.to_json()), Ok(written));
}

/// Each field that is hashed, altered in turn: the file is refused, and by name.
#[test]
fn an_altered_file_is_refused() {
    let text = proposal(42).to_json();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let other = serde_json::json!("0x1111111111111111111111111111111111111111");
    let alterations = [
        ("/chain_id", serde_json::json!("5")),
        ("/safe/address", other.clone()),
        ("/safe/version", serde_json::json!("1.2.0")),
        ("/transaction/to", other.clone()),
        ("/transaction/value", serde_json::json!("1")),
        ("/transaction/data", serde_json::json!("0x3f4ba83a")),
        ("/transaction/operation", serde_json::json!(1)),
        ("/transaction/safe_tx_gas", serde_json::json!("1")),
        ("/transaction/base_gas", serde_json::json!("1")),
        ("/transaction/gas_price", serde_json::json!("1")),
        ("/transaction/gas_token", other.clone()),
        ("/transaction/refund_receiver", other),
        ("/transaction/nonce", serde_json::json!("43")),
        ("/levers/0/text", serde_json::json!("schema = 1 ")),
        ("/hashes/domain_hash", serde_json::json!(B256::ZERO.to_string())),
        ("/hashes/message_hash", serde_json::json!(B256::ZERO.to_string())),
        ("/hashes/safe_tx_hash", serde_json::json!(B256::ZERO.to_string())),
    ];
    for (pointer, to) in alterations {
        let mut altered = value.clone();
        *altered.pointer_mut(pointer).unwrap() = to;
        let fault = Proposal::parse(&altered.to_string()).unwrap_err();
        assert!(matches!(fault, ProposalError::Altered { .. }), "{pointer}: {fault}");
    }
}

#[test]
fn a_cut_or_foreign_file_is_named() {
    let text = proposal(42).to_json();
    for cut in [0, 1, text.len() / 2, text.len() - 3] {
        assert!(matches!(Proposal::parse(&text[..cut]), Err(ProposalError::Json(_))), "{cut}");
    }
    let extra = text.replacen('{', "{ \"note\": 1,", 1);
    assert!(Proposal::parse(&extra).unwrap_err().to_string().contains("unknown field `note`"));
    let newer = text.replacen("\"breakglass_proposal\": 2", "\"breakglass_proposal\": 5, \"new\": 1", 1);
    assert_eq!(Proposal::parse(&newer), Err(ProposalError::Version(5)));
    for (from, to, named) in [
        ("\"value\": \"0\"", "\"value\": \"-1\"", "transaction.value \"-1\""),
        ("\"operation\": 0", "\"operation\": 2", "transaction.operation \"2\""),
        ("\"threshold\": 2", "\"threshold\": 4", "threshold 4 is not between 1"),
        ("\"version\": \"1.4.1\"", "\"version\": \"9\"", "safe.version \"9\""),
    ] {
        let fault = Proposal::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(fault.contains(named), "{fault}");
    }
}

#[test]
fn a_line_survives_a_chat() {
    let proposal = proposal(42);
    let signature = signed(1, &proposal);
    for line in both_lines(&signature) {
        survives_a_chat(&line, &signature, &proposal);
    }
    let file = only(&find_signatures(&signature.to_json()));
    assert_eq!(OwnerSignature::verify(&file, &proposal, &owners()), Ok(signature));
}

fn survives_a_chat(line: &str, signature: &OwnerSignature, proposal: &Proposal) {
    let (a, b) = line.split_at(60);
    let (b, c) = b.split_at(57);
    let folded = |at: usize, fold: &str| {
        let chars: Vec<char> = line.chars().collect();
        chars.chunks(at).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join(fold)
    };
    let chats = [
        line.to_string(),
        format!("[12:03] alice: here you go {line} good luck"),
        format!("> {a}\n> {b}\n> {c}"),
        format!("`{line}`"),
        format!("{a}\r\n   {b}\u{200b}{c}\r\n"),
        line.to_uppercase(),
        line.replacen('b', "B", 1),
        format!("{line}\n{line}"),
        format!("“{line}” — good luck"),
        format!("*{line}* _{line}_ ~~{line}~~ ||{line}||"),
        format!("```\n{line}\n```"),
        folded(76, "=\r\n"),
        folded(72, "\n> > "),
        folded(30, "\n"),
        folded(1, " "),
        format!("{line}qqqq the end"),
    ];
    for chat in chats {
        let stated = only(&find_signatures(&chat));
        assert_eq!(OwnerSignature::verify(&stated, proposal, &owners()).as_ref(), Ok(signature), "{chat}");
    }
}

#[test]
fn a_cut_or_mistyped_line_is_an_error_and_not_another_signature() {
    let proposal = proposal(42);
    for line in both_lines(&signed(1, &proposal)) {
        let mut mistyped = line.clone().into_bytes();
        mistyped[70] = if mistyped[70] == b'q' { b'p' } else { b'q' };
        let texts = [&line[..100], &line[..8], &String::from_utf8(mistyped).unwrap()].map(String::from);
        for text in texts {
            let found = find_signatures(&text);
            assert!(
                found.damaged.count() == 1 && found.stated.is_empty() && found.bare.is_empty(),
                "{found:?}"
            );
        }
        // A damaged line does not swallow the good one behind it.
        let both = format!("{}\n{line}", &line[..100]);
        assert_eq!(find_signatures(&both).stated.len(), 1);
    }
}

#[test]
fn a_line_says_what_it_is_for() {
    let signature = signed(1, &proposal(42));
    let [first, second] = both_lines(&signature);
    assert_eq!(only(&find_signatures(&first)).claims, None);
    let stated = only(&find_signatures(&second));
    assert_eq!(stated.claims, Some(claims()));
    let of_hash = |claims| Stated { claims, ..stated.clone() };
    let lying = of_hash(Some(Claims { levers: vec!["bridge".into()], ..Claims::default() }));
    assert_eq!(
        OwnerSignature::verify(&lying, &proposal(42), &owners()),
        Ok(signature),
        "a claim never counts"
    );
    let mut writer = line::Writer::default();
    writer.add(1, proposal(42).hash().word().as_slice());
    writer.add(2, &stated.bytes);
    for (kind, purpose) in
        [(line::LineKind::Drill, Purpose::Drill), (line::LineKind::Signature, Purpose::Real)]
    {
        assert_eq!(only(&find_signatures(&writer.line(kind))).purpose, Some(purpose));
    }
    writer.add(3, b"of a newer version, and it counts");
    let newer = find_signatures(&writer.line(line::LineKind::Signature));
    assert!(newer.stated.is_empty() && newer.damaged.first()[0].why.contains("newer"), "{newer:?}");
}

#[test]
fn other_tools_signatures_are_recognised_by_their_signer() {
    let proposal = proposal(42);
    let bytes = raw(2, &proposal, SignatureKind::Ecdsa);
    let hex = alloy::primitives::hex::encode(bytes);
    let mut zero = bytes;
    zero[64] -= 27;
    // The shape of eip712sign's output: github.com/base/eip712sign, main.go
    let eip712sign = format!(
        "Domain hash: {}\nMessage hash: {}\nSigning as: 0x00\n\nData: 0x1901{}{}\nSigner: {}\nSignature: {hex}\n",
        proposal.hashes().domain,
        proposal.hashes().message,
        "11".repeat(32),
        "22".repeat(32),
        address(2),
    );
    let personal = alloy::primitives::hex::encode_prefixed(raw(2, &proposal, SignatureKind::EthSign));
    for text in [
        format!("0x{hex}"),
        hex.to_uppercase(),
        alloy::primitives::hex::encode(zero),
        format!("0x{}\n{}", &hex[..64], &hex[64..]),
        eip712sign,
        personal,
    ] {
        let stated = only(&find_signatures(&text));
        let verified = OwnerSignature::verify(&stated, &proposal, &owners()).unwrap();
        assert_eq!(verified.owner(), address(2), "{text}");
    }
}

#[test]
fn addresses_and_hashes_in_a_chat_are_not_signatures() {
    let text = format!("{} {} 0x{} {}", address(1), proposal(1).hash(), "ab".repeat(66), "cd".repeat(64));
    let found = find_signatures(&text);
    assert!(found.bare.is_empty() && found.stated.is_empty() && found.damaged.is_empty(), "{found:?}");
}

#[test]
fn a_stranger_and_a_signature_of_another_hash_are_refused() {
    let (mine, other) = (proposal(42), proposal(43));
    let stated = |bytes, hash| Stated { hash, purpose: None, bytes, accepted: Vec::new(), claims: None };
    let stranger = stated(raw(4, &mine, SignatureKind::Ecdsa), Some(mine.hash()));
    assert_eq!(OwnerSignature::verify(&stranger, &mine, &owners()), Err(VerifyError::NotAnOwner(address(4))));
    let foreign = stated(raw(1, &other, SignatureKind::Ecdsa), Some(other.hash()));
    assert_eq!(OwnerSignature::verify(&foreign, &mine, &owners()), Err(VerifyError::OtherHash(other.hash())));
    // A file that lies about its hash: the signer that comes out is nobody's.
    let lying = stated(raw(1, &other, SignatureKind::Ecdsa), Some(mine.hash()));
    assert!(matches!(OwnerSignature::verify(&lying, &mine, &owners()), Err(VerifyError::NotAnOwner(_))));
}

#[test]
fn ready_only_at_threshold_and_by_different_owners() {
    let proposal = proposal(42);
    let (one, two) = (signed(1, &proposal), signed(2, &proposal));
    let short = |signatures: &[OwnerSignature]| match assemble(&proposal, signatures, &[], &fresh(42)) {
        Err(NotReady::Shortfall(shortfall)) => shortfall.approved.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(short(&[]), 0);
    assert_eq!(short(&[one.clone(), one.clone()]), 1, "one owner counts once");
    let ready = assemble(&proposal, &[two.clone(), one.clone()], &[], &fresh(42)).unwrap();
    assert_eq!(assemble(&proposal, &[one.clone(), two.clone()], &[], &fresh(42)), Ok(ready.clone()));
    assert_eq!(ready.signatures().len(), 2 * 65);
    // An owner who approved on chain counts too, and the signature of another proposal does not.
    assert!(assemble(&proposal, std::slice::from_ref(&one), &[address(3)], &fresh(42)).is_ok());
    let other = signed(2, &super::tests::proposal(43));
    assert_eq!(short(&[one, other]), 1);
}

#[test]
fn a_former_owner_is_set_aside_and_a_higher_threshold_counts() {
    let proposal = proposal(42);
    let signatures = [signed(1, &proposal), signed(2, &proposal)];
    let mut now = state(42);
    now.owners = Owners::new(vec![address(1), address(3)], 2).unwrap();
    let Err(NotReady::Shortfall(shortfall)) = assemble(&proposal, &signatures, &[], &newest(now.clone()))
    else {
        panic!("a former owner counted")
    };
    assert_eq!((shortfall.approved.len(), shortfall.former[0]), (1, address(2)));
    assert_eq!(shortfall.missing, [address(3)]);
    now.owners = Owners::new(vec![address(1), address(2), address(3)], 3).unwrap();
    assert!(matches!(
        assemble(&proposal, &signatures, &[], &newest(now.clone())),
        Err(NotReady::Shortfall(_))
    ));
}

#[test]
fn a_used_a_future_nonce_and_another_implementation_are_told_apart() {
    let proposal = proposal(42);
    let signatures = [signed(1, &proposal), signed(2, &proposal)];
    let at = |nonce| assemble(&proposal, &signatures, &[], &fresh(nonce));
    assert!(matches!(at(43), Err(NotReady::NonceUsed { .. })));
    assert!(matches!(at(41), Err(NotReady::NonceAhead { .. })));
    let mut now = state(42);
    now.singleton = Address::repeat_byte(0xbb);
    let moved = assemble(&proposal, &signatures, &[], &newest(now.clone()));
    assert!(matches!(moved, Err(NotReady::Moved(drift)) if drift[0].what == SafeField::Singleton));
}

/// A call that was signed before is sent again only as it is, and only while the Safe takes its approvals.
#[test]
fn a_recorded_call_is_ready_only_while_its_own_approvals_count() {
    let proposal = proposal(42);
    let (one, two) = (signed(1, &proposal), signed(2, &proposal));
    let all = [one.clone(), two.clone(), signed(3, &proposal)];
    let again = |call: &[u8], on_chain: &[Address], now: &SafeState| {
        let said = said(&proposal, on_chain);
        reassemble(&proposal, call, &Approvals::new(&[], &[], &said), &newest(now.clone()))
    };
    for (signatures, on_chain) in [(&all[..2], vec![]), (&all[1..], vec![]), (&all[..1], vec![address(3)])] {
        let ready = assemble(&proposal, signatures, &on_chain, &fresh(42)).unwrap();
        let call = ready.calldata();
        assert_eq!(again(call, &on_chain, &state(42)).as_ref(), Some(&ready));
        assert_eq!(again(call, &on_chain, &state(43)), None, "the nonce is used");
        let mut now = state(42);
        now.owners = Owners::new(vec![address(1), address(2), address(3)], 3).unwrap();
        assert_eq!(again(call, &on_chain, &now), None, "a higher threshold");
        now.owners = Owners::new(vec![address(1), address(4)], 2).unwrap();
        assert_eq!(again(call, &on_chain, &now), None, "a former owner");
    }
    let approved = assemble(&proposal, &[one], &[address(3)], &fresh(42)).unwrap();
    assert_eq!(again(approved.calldata(), &[], &state(42)), None, "the approval was taken back");
    let other = super::tests::proposal(41);
    let other = assemble(&other, &[signed(1, &other), signed(2, &other)], &[], &fresh(41)).unwrap();
    assert_eq!(again(other.calldata(), &[], &state(42)), None, "signatures of another nonce");
    for cut in [0, 4, 100, approved.calldata().len() - 1] {
        assert_eq!(again(&approved.calldata()[..cut], &[address(3)], &state(42)), None);
    }
}

#[test]
fn what_is_likely_is_known_before_its_turn() {
    let proposal = proposal(42);
    let signatures = [signed(2, &proposal), signed(1, &proposal)];
    let ready = assemble(&proposal, &signatures, &[], &fresh(42)).unwrap();
    let likely = |count, now: &SafeState| {
        let said = Readings::new();
        likely_approvals(&proposal, &Approvals::new(&signatures[..count], &[], &said), &now.clone().into())
    };
    assert_eq!(likely(2, &state(40)).as_ref(), Some(ready.signatures()));
    assert_eq!(likely(1, &state(42)), None);
    let mut now = state(42);
    now.singleton = Address::repeat_byte(0xbb);
    assert_eq!(likely(2, &now), None);
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), at in any::<prop::sample::Index>()) {
        let _ = find_signatures(&text);
        let _ = Proposal::parse(&text);
        for line in both_lines(&signed(1, &proposal(1))) {
            let cut = at.index(line.len());
            let _ = find_signatures(&format!("{}{text}{}", &line[..cut], &line[cut..]));
        }
    }

    #[test]
    fn an_altered_line_never_becomes_another_signature(at in 6usize..250, with in 0usize..32, nth in 0usize..2) {
        let proposal = proposal(42);
        let good = signed(1, &proposal);
        let mut line = both_lines(&good)[nth].clone().into_bytes();
        prop_assume!(at < line.len());
        line[at] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"[with];
        for stated in find_signatures(&String::from_utf8(line).unwrap()).stated {
            prop_assert_eq!(stated.bytes, *good.ecdsa().bytes());
        }
    }
}
