//! The binding of a proposal: to one lever or several, in files old and new.

use serde_json::{Value, json};

use super::*;
use crate::council::Pull;
use crate::council::tests::written::CouncilText;

fn bound(lever: Option<&str>, text: &str, args: &[(&str, &str)]) -> BoundLever {
    BoundLever::of(lever, "param/fee", text, args)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn freeze() -> Binding {
    let pull = Pull { names: names(&["freeze"]), without: names(&["bridge"]), ..Pull::default() };
    let levers = vec![
        bound(Some("vault"), "one", &[("target", "vault")]),
        bound(Some("fee"), "two", &[("target", "vault"), ("fee", "0.5 %")]),
        bound(Some("oracle"), "one", &[("target", "oracle")]),
    ];
    Binding::new(pull, levers).unwrap()
}

fn of(binding: Binding) -> Proposal {
    let like = proposal(42);
    Proposal::new(like.tx, like.snapshot, like.block.unwrap(), binding, like.readings)
}

fn json_of(proposal: &Proposal) -> Value {
    serde_json::from_str(&proposal.to_json()).unwrap()
}

#[test]
fn several_levers_are_written_and_read_with_each_text_once() {
    let written = of(freeze());
    let text = written.to_json();
    assert_eq!(text.matches("\"text\"").count(), 2, "{text}");
    assert_eq!(Proposal::parse(&text), Ok(written));
}

#[test]
fn a_file_of_version_1_is_one_lever() {
    let new = proposal(42);
    let mut old = json_of(&new);
    let lever = old["levers"][0].clone();
    let fields = old.as_object_mut().unwrap();
    fields.remove("levers");
    fields.remove("pull");
    fields.insert("breakglass_proposal".into(), json!(1));
    fields.insert(
        "playbook".into(),
        json!({ "id": lever["playbook"], "digest": lever["digest"], "lever": "vault", "undo": false,
                "arguments": lever["arguments"], "text": lever["text"] }),
    );
    assert_eq!(Proposal::parse(&old.to_string()), Ok(new));
    // A file is of one version, never of both.
    old["breakglass_proposal"] = json!(2);
    assert!(matches!(Proposal::parse(&old.to_string()), Err(ProposalError::Json(_))));
    old["breakglass_proposal"] = json!(1);
    old["levers"] = json!([lever]);
    assert!(matches!(Proposal::parse(&old.to_string()), Err(ProposalError::Json(_))));
}

#[test]
fn levers_that_name_no_text_or_no_lever_or_one_twice_are_refused() {
    let good = json_of(&of(freeze()));
    for (pointer, value, named) in [
        ("/levers/2/digest", json!("0x12"), "lever oracle has no playbook text"),
        ("/levers/0/digest", json!("0x12"), "the playbook digest 0x12"),
        ("/levers/1/lever", json!("vault"), "one lever twice"),
        ("/levers/1/lever", json!(null), "not each has a lever's name"),
        ("/levers", json!([]), "names no lever and no playbook"),
        ("/levers/0/playbook", json!("../x"), "is not a playbook's name"),
    ] {
        let mut altered = good.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        let fault = Proposal::parse(&altered.to_string()).unwrap_err().to_string();
        assert!(fault.contains(named), "{pointer}: {fault}");
    }
}

/// 500 levers of one long playbook: its text is hashed once and held once.
#[test]
fn a_text_that_many_levers_share_is_kept_once() {
    let text = "#".repeat(1 << 20);
    let names: Vec<String> = (0..500).map(|n| format!("l{n}")).collect();
    let pull = Pull { names: names.clone(), ..Pull::default() };
    let one = bound(None, &text, &[]);
    let levers = names.iter().map(|name| BoundLever { lever: Some(name.clone()), ..one.clone() }).collect();
    let file = of(Binding::new(pull, levers).unwrap()).to_json();
    assert!(file.len() < 2 << 20);
    let read = Proposal::parse(&file).unwrap();
    let first = &read.binding().levers()[0].text;
    assert!(read.binding().levers().iter().all(|bound| std::sync::Arc::ptr_eq(&bound.text, first)));
}

#[test]
fn every_difference_between_two_bindings_is_named_with_its_lever() {
    let (file, never) = (freeze(), |_: &BoundLever, _: &str, _: (&str, &str)| false);
    assert!(file.differences(&file, never).is_empty());
    let differs = |change: &dyn Fn(&mut Pull, &mut Vec<BoundLever>), same: bool| {
        let (mut pull, mut levers) = (file.pull().clone(), file.levers().to_vec());
        change(&mut pull, &mut levers);
        let own = Binding::new(pull, levers).unwrap();
        let found = file.differences(&own, |_, _, _| same);
        found.iter().map(|d| format!("{}: {} / {}", d.field, d.file, d.own)).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(differs(&|pull, _| pull.without.clear(), false), "pulled: freeze --without bridge / freeze");
    assert_eq!(
        differs(&|pull, _| pull.undo = true, false),
        "pulled: freeze --without bridge / freeze --without bridge --undo"
    );
    assert_eq!(
        differs(&|_, levers| levers.swap(0, 1), false),
        "levers: vault, fee, oracle / fee, vault, oracle"
    );
    assert_eq!(differs(&|_, levers| drop(levers.pop()), false), "levers: vault, fee, oracle / vault, fee");
    let set = |levers: &mut Vec<BoundLever>| drop(levers[1].args.insert("fee".into(), "50 bps".into()));
    assert_eq!(differs(&|_, levers| set(levers), false), "argument: fee: fee = 0.5 % / fee: fee = 50 bps");
    assert_eq!(differs(&|_, levers| set(levers), true), "", "one value in two units");
    let cleared = differs(&|_, levers| levers[2].args.clear(), true);
    assert_eq!(cleared, "argument: oracle: target = oracle / missing");
    let other = differs(&|_, levers| levers[0].playbook = PlaybookId::new("pause/x").unwrap(), true);
    assert_eq!(other, "playbook: vault: param/fee / vault: pause/x");
    let text = differs(&|_, levers| levers[0].digest = PlaybookDigest::of("two"), true);
    assert!(text.starts_with("playbook text: vault: 0x"), "{text}");
}

/// The words are the same for everybody: they hold the open arguments and not those of the council file.
#[test]
fn a_binding_is_named_by_the_words_that_everybody_types() {
    let text = CouncilText::new().safe("guardian", Address::repeat_byte(5), &[], 0);
    let text = text.lever("vault", "param/fee", "vault").lever("fee", "param/fee", "vault");
    let council = text.lever("oracle", "param/fee", "oracle").council();
    let named = |binding: &Binding| binding.command(&council);
    assert_eq!(named(&freeze()).as_deref(), Some("freeze --without bridge --set 'fee.fee=0.5 %'"));
    assert_eq!(freeze().title(), "freeze without bridge");
    let fee = Binding::one(bound(Some("fee"), "two", &[("target", "vault"), ("fee", "0.5%")]), true);
    assert_eq!(named(&fee).as_deref(), Some("fee --undo --set fee=0.5%"));
    let alone = Binding::one(bound(None, "two", &[("target", "vault")]), false);
    assert_eq!((named(&alone), alone.title()), (None, "param/fee".into()));
    // A part with no open argument is named with those of the other part.
    let pull = Pull { names: names(&["vault", "fee"]), ..Pull::default() };
    let part = |lever| Binding::new(pull.clone(), vec![lever]).unwrap();
    let parts = [
        part(bound(Some("vault"), "one", &[("target", "vault")])),
        part(bound(Some("fee"), "two", &[("target", "vault"), ("fee", "$(x)")])),
    ];
    assert_eq!(command(&parts, &council).as_deref(), Some("vault fee --set 'fee.fee=$(x)'"));
}

#[test]
fn differences_are_named_field_by_field() {
    let (a, b) = (proposal(42), proposal(43));
    let mut tx = b.tx().clone();
    tx.operation = Operation::DelegateCall;
    let found = differences((a.safe(), a.tx()), (b.safe(), &tx));
    let fields: Vec<_> = found.iter().map(|d| (d.field, d.file.as_str(), d.own.as_str())).collect();
    assert_eq!(fields, [("operation", "call", "delegatecall"), ("nonce", "42", "43")]);
}

/// The approving Safe is part of the binding: an approval is never the transaction that it approves.
#[test]
fn an_approval_is_another_transaction_than_the_one_that_it_approves() {
    let (own, same) = (freeze(), |_: &BoundLever, _: &str, (a, b): (&str, &str)| a == b);
    let [labs, other] = ["labs", "other"].map(|safe| own.approved_by(safe));
    assert!(labs.is_of(&labs, same) && !labs.is_of(&own, same) && !own.is_of(&labs, same));
    assert!(!labs.is_of(&other, same) && !labs.is_of(&labs.approved_by("labs"), same));
    let [row] = &labs.differences(&other, same)[..] else { panic!() };
    assert_eq!(row.field, "pulled");
    assert_eq!(row.file, "freeze --without bridge --approve-as labs");
    assert_eq!(labs.title(), "freeze without bridge, approved by labs");
}
