//! Files of proposals: read back as written; altered, cut and foreign ones are refused.

use serde_json::{Value, json};

use super::*;

#[test]
fn a_file_is_read_back_as_it_was_written() {
    let written = proposal(42);
    assert_eq!(Proposal::parse(&written.to_json()), Ok(written));
    let record = RehearsalRecord::new(21, true, 50_000, 2);
    let written = proposal(42).recording(Some(record)).accepting(&["gas".into()]);
    let read = Proposal::parse(&written.to_json()).unwrap();
    assert_eq!(
        (read.accepted(), read.record().map(|record| record.gas)),
        (&["gas".into()][..], Some(50_000))
    );
    assert_eq!(read, written);
}

/// The file states another Safe than the chain has: the transaction is judged by the Safe on chain.
#[test]
fn a_proposal_is_restated_only_where_it_stays_the_same_transaction() {
    let written = proposal(42).recording(Some(RehearsalRecord::new(21, true, 50_000, 2)));
    let now = SafeState { singleton: Address::repeat_byte(0xbb), ..state(42) };
    let restated = written.clone().restated(now.clone());
    assert_eq!((restated.snapshot(), restated.record(), restated.hash()), (&now, None, written.hash()));
    let mut elsewhere = state(42);
    elsewhere.id.address = Address::repeat_byte(6);
    assert_eq!(written.clone().restated(elsewhere), written);
}

fn changed(change: impl FnOnce(&mut Value)) -> Result<Proposal, ProposalError> {
    let written = proposal(42).recording(Some(RehearsalRecord::new(21, true, 50_000, 2)));
    let mut file: Value = serde_json::from_str(&written.to_json()).unwrap();
    change(&mut file);
    Proposal::parse(&file.to_string())
}

/// Each list with one entry more than its bound is refused, and a list at its bound is accepted.
#[test]
fn a_file_with_more_than_is_ever_written_is_refused_by_the_name_of_the_list() {
    let over = |change: &dyn Fn(&mut Value, usize), most: usize| {
        let result = |count| changed(|file| change(file, count));
        assert!(!matches!(result(most), Err(ProposalError::TooMany { .. })), "{:?}", result(most));
        match result(most + 1) {
            Err(ProposalError::TooMany { what, count, most: stated }) => {
                assert_eq!((count, stated), (most + 1, most), "{what}");
                what
            }
            other => panic!("{most}: {other:?}"),
        }
    };
    let many = |value: &Value, count: usize| Value::from(vec![value.clone(); count]);
    let grow = |file: &mut Value, pointer: &str, count: usize| {
        let list = file.pointer_mut(pointer).unwrap();
        *list = many(&list[0].clone(), count);
    };
    let names = |file: &mut Value, count: usize| {
        file["pull"]["without"] = many(&json!("bridge"), 200);
        file["pull"]["names"] = many(&json!("vault"), count - 200);
    };
    let arguments = |file: &mut Value, count: usize| {
        let all = (0..count).map(|n| (format!("a{n}"), json!("1")));
        file["levers"][0]["arguments"] = Value::Object(all.collect());
    };
    let longest = |file: &mut Value, count: usize| {
        file["levers"][0]["arguments"]["target"] = json!("1".repeat(count));
    };
    assert_eq!(over(&|file, count| grow(file, "/safe/modules", count), 200), "modules");
    assert_eq!(over(&|file, count| grow(file, "/readings", count), 10_000), "readings");
    assert_eq!(over(&|file, count| grow(file, "/levers", count), 500), "levers");
    assert_eq!(over(&names, 500), "names of levers");
    assert_eq!(over(&arguments, 50), "arguments");
    assert_eq!(over(&longest, 512 << 10), "characters in one argument");
}

/// The record of a rehearsal decides nothing: one that is too large is left out, and one of a newer program is
/// reported.
#[test]
fn a_record_that_this_program_does_not_read_is_refused_or_left_out() {
    let newer = changed(|file| file["rehearsal"]["version"] = json!(2)).unwrap_err();
    assert!(newer.to_string().starts_with("rehearsal.version"), "{newer}");
    let code = json!({ "called": Address::ZERO, "at": Address::ZERO, "hash": B256::ZERO });
    let large = changed(|file| file["rehearsal"]["code"] = Value::from(vec![code; 1_001])).unwrap();
    assert_eq!(large.record(), None);
}

/// With each hashed field altered in turn, the file is refused and the field is named.
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
    let drill = proposal(42).for_drill().unwrap().to_json().replacen('{', "{ \"note\": 1,", 1);
    let fault = Proposal::parse(&drill).unwrap_err();
    assert!(fault.to_string().contains("unknown field `note`"), "it is of this version: {fault}");
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
