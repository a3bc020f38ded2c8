//! A proposal that approves another one on chain, as a file.

use serde_json::{Value, json};

use super::*;

/// An approval of the proposal at nonce 7, so often.
fn approval(times: usize) -> Proposal {
    (0..times).fold(proposal(7), |of, _| {
        let binding = of.binding().approved_by("labs");
        let tx = SafeTx { data: of.hash().word().to_vec().into(), ..of.tx().clone() };
        Proposal::new(tx, state(7), of.block().unwrap(), binding, Readings::default()).approving(Some(of))
    })
}

fn altered(path: &str, value: Value) -> Result<Proposal, ProposalError> {
    let mut file: Value = serde_json::from_str(&approval(1).to_json()).unwrap();
    *file.pointer_mut(path).unwrap() = value;
    Proposal::parse(&file.to_string())
}

#[test]
fn a_file_has_what_it_approves_and_says_the_same_again() {
    let one = approval(1);
    let read = Proposal::parse(&one.to_json()).unwrap();
    assert_eq!(read, one);
    assert_eq!((read.approves(), read.innermost()), (Some(&proposal(7)), &proposal(7)));
    assert_eq!(read.binding().pull().words().as_deref(), Some("vault --approve-as labs"));
    assert_eq!(approval(3).innermost(), &proposal(7));
}

/// Every hash is computed again, also of what is approved; levers of its own it has none.
#[test]
fn a_file_that_was_altered_within_is_refused() {
    let is_altered = |result| matches!(result, Err(ProposalError::Altered { .. }));
    assert!(is_altered(altered("/approval/of/transaction/nonce", json!("8"))));
    assert!(is_altered(altered("/transaction/nonce", json!("8"))));
    assert!(is_altered(altered("/approval/of/levers/0/text", json!("schema = 2\n"))));
    let is_no_file = |result| matches!(result, Err(ProposalError::Json(_)));
    let lever = json!([{ "lever": "vault", "playbook": "pause/x", "digest": "", "arguments": {} }]);
    let mut file: Value = serde_json::from_str(&approval(1).to_json()).unwrap();
    file["levers"] = lever;
    assert!(is_no_file(Proposal::parse(&file.to_string())));
    assert!(is_no_file(altered("/approval", json!(null))));
    assert!(is_no_file(altered("/breakglass_proposal", json!(2))));
    let pull = json!({ "names": ["vault"], "without": [], "undo": false });
    let mut file: Value = serde_json::from_str(&approval(1).to_json()).unwrap();
    file["pull"] = pull;
    assert!(is_no_file(Proposal::parse(&file.to_string())));
    let named = |length: usize| altered("/approval/approve_as", json!("a".repeat(length)));
    assert!(named(64).is_ok() && is_no_file(named(65)));
}

#[test]
fn files_within_files_are_bounded() {
    assert!(Proposal::parse(&approval(5).to_json()).is_ok());
    for depth in [6, 60] {
        let read = Proposal::parse(&approval(depth).to_json());
        assert!(
            matches!(read, Err(ProposalError::TooMany { .. } | ProposalError::Json(_))),
            "{depth}: {read:?}"
        );
    }
}
