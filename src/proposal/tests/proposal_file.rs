//! Files of proposals: read back as written; altered, cut and foreign ones are refused.

use super::*;

#[test]
fn a_file_is_read_back_as_it_was_written() {
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
