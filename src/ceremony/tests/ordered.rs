//! Levers, arguments and flags as they come to transactions.

use super::*;
use crate::ceremony::act::BoundPlaybook;
use crate::ceremony::order::{Former, named_once, open_params};
use crate::council::Arguments;
use crate::council::Pull;
use crate::error::Exit;
use crate::proposal::DrillName;
use crate::safe::{HashDigits, SafeTxHash};

fn args(pairs: &[(&str, &str)]) -> Arguments {
    pairs.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect()
}

#[test]
fn what_the_council_file_fixes_cannot_be_set_to_another_value() {
    let home = Home::new();
    let desk = home.desk();
    let given = |name: &str, undo: bool, pairs: &[(&str, &str)]| {
        BoundPlaybook::lever(&desk, name, undo, &args(pairs)).map(|act| act.given)
    };
    let error = given("vault", false, &[("target", "bridge")]).unwrap_err();
    assert_eq!(
        (error.exit, error.message.as_str()),
        (Exit::Usage, "lever vault fixes target to \"vault\"; \"bridge\" cannot be set instead")
    );
    // The same address, spelt otherwise: the file's text stands.
    let same = given("vault", false, &[("target", &VAULT.to_string())]).unwrap();
    assert_eq!(same, args(&[("target", "vault")]));
    assert_eq!(given("vault", false, &[("target", "vault")]).unwrap(), same);
    let open = given("fee", false, &[("fee", "40 bps")]).unwrap();
    assert_eq!(open, args(&[("target", "vault"), ("fee", "40 bps")]));
}

#[test]
fn a_value_that_the_undo_brings_back_is_given_whatever_the_file_says() {
    let home = Home::new().with(
        "safe = \"guardian\"\nset = { target = \"vault\" }\n[levers.alone]",
        "safe = \"guardian\"\nset = { target = \"vault\", was = \"20 bps\" }\n[levers.alone]",
    );
    let desk = home.desk();
    let act =
        BoundPlaybook::lever(&desk, "fee", true, &args(&[("fee", "40 bps"), ("was", "30 bps")])).unwrap();
    assert_eq!(act.given["was"], "30 bps");
    assert_eq!((act.args["fee"].as_str(), act.entry.playbook.id.as_str()), ("30 bps", "param/fee-bps-undo"));
    assert_eq!(act.own_playbook().id.as_str(), "param/fee-bps");
    assert!(act.has_former() && act.missing_former().is_empty());
    assert_eq!(act.without_former(), args(&[("fee", "40 bps"), ("target", "vault")]));
    let act = BoundPlaybook::lever(&desk, "vault", false, &Arguments::new()).unwrap();
    assert!(!act.has_former());
}

#[test]
fn an_undo_brings_back_what_was_kept_unless_somebody_says_otherwise() {
    let home = Home::new();
    let desk = home.desk();
    let act = |pairs: &[(&str, &str)]| BoundPlaybook::lever(&desk, "fee", true, &args(pairs));
    let bare = act(&[("fee", "40 bps")]);
    if let Ok(bare) = bare {
        assert_eq!(bare.missing_former(), ["was"]);
        assert_eq!(bare.restoring(&args(&[("was", "30 bps")])).args["fee"], "30 bps");
    }
    let named = act(&[("fee", "40 bps"), ("was", "25 bps")]).unwrap();
    assert_eq!(named.restoring(&args(&[("was", "30 bps")])).args["fee"], "25 bps");
}

#[test]
fn only_what_the_file_leaves_open_is_open() {
    let home = Home::new();
    let desk = home.desk();
    assert!(open_params(&desk, "vault").is_empty());
    assert_eq!(open_params(&desk, "fee"), ["fee", "was"]);
    assert!(open_params(&desk, "freeze").is_empty() && open_params(&desk, "nothing").is_empty());
}

#[test]
fn a_deputys_lever_needs_owners_only_for_its_undo() {
    let home = Home::new();
    let desk = home.desk();
    let error = orders(&desk, &["alone"], &at(4)).unwrap_err();
    assert_eq!(
        (error.exit, error.message.as_str()),
        (Exit::Usage, "lever alone is pulled by its deputy, alice, and needs no signatures")
    );
    assert_eq!(error.hints, ["breakglass deputy alone"]);
    let undo = order(&desk, &["alone"], &Given { undo: true, ..at(4) });
    assert_eq!(undo.safe.name, "guardian");
    let own = Order::of_deputy(&desk, desk.lever("alone").unwrap(), &Arguments::new()).unwrap();
    assert_eq!((own.safe.address, own.safe.name.as_str()), (address(ALICE), "alice"));
    let own = Order::of_deputy(&desk, desk.lever("vault").unwrap(), &Arguments::new()).unwrap();
    assert_eq!(own.safe.name, "guardian");
}

#[test]
fn levers_of_one_safe_are_one_transaction_under_their_names() {
    let home = Home::new();
    let desk = home.desk();
    let both = order(&desk, &["freeze"], &at(4));
    assert_eq!(both.levers().collect::<Vec<_>>(), ["vault", "bridge"]);
    assert_eq!(both.words(), "vault + bridge · guardian on mainnet");
    assert_eq!(both.changes(), [desk.council.targets["bridge"]["mainnet"].address]);
    assert_eq!(both.playbooks().count(), 2);
    assert_eq!(both.nonce(&at(4)), Some(Nonce::from(4)));
    assert_eq!(both.nonce(&Given::default()), None);
    let one = order(&desk, &["freeze"], &Given { without: words(&["bridge"]), ..at(4) });
    assert_eq!(one.words(), "vault · guardian on mainnet");
    assert!(!both.is_drill() && both.clone().drilling(None).is_drill());
}

#[test]
fn a_lever_with_its_own_transaction_takes_the_next_nonce() {
    let home = Home::new()
        .with("pull = [\"vault\", \"bridge\"]", "pull = [\"vault\", \"bridge\"]\nalone = [\"bridge\"]");
    let desk = home.desk();
    let both = orders(&desk, &["freeze"], &at(4)).unwrap();
    let nonces: Vec<_> = both.iter().map(|order| order.nonce(&at(4))).collect();
    assert_eq!(nonces, [4, 5].map(|nonce| Some(Nonce::from(nonce))));
    let second = both.into_iter().next_back().unwrap();
    assert_eq!(second.clone().first().nonce(&at(4)), Some(Nonce::from(4)));
    assert_eq!(second.pulled_as(Pull::lever("bridge", false)).pull.names, ["bridge"]);
}

#[test]
fn a_safe_approves_only_for_one_that_it_owns() {
    let home = Home::new();
    let desk = home.desk();
    let by = |safe: &str| Given { approve_as: words(&[safe]), ..at(4) };
    let approval = order(&desk, &["vault"], &by("labs"));
    assert_eq!(approval.safe.name, "labs");
    assert!(approval.words().contains("labs on mainnet"), "{}", approval.words());
    assert_eq!(approval.pulling().safe.name, "guardian");
    assert_eq!(approval.pull.approve_as, ["labs"]);
    assert_eq!(approval.pulling().levers().collect::<Vec<_>>(), ["vault"]);
    assert!(approval.binding().unwrap().pull().approve_as == ["labs"]);
    for other in ["far", "guardian", "nobody"] {
        assert!(orders(&desk, &["vault"], &by(other)).is_err(), "{other}");
    }
    // The flags of the one who approves are not those of what is approved.
    let digits: HashDigits = "abababababababab".parse().unwrap();
    let inner = Given { sender: Some(VAULT), hashes: vec![digits], ..by("labs") }.of_approved();
    assert!(inner.nonce.is_none() && inner.sender.is_none() && inner.approve_as.is_empty());
    assert_eq!(inner.hashes.len(), 1);
}

#[test]
fn an_approval_names_the_hash_that_it_approves() {
    let home = Home::new();
    let desk = home.desk();
    let inner = proposed(&desk, &["vault"], &at(4), 0);
    let approval = order(&desk, &["vault"], &Given { approve_as: words(&["labs"]), ..at(4) });
    let approval = approval.approving(inner.clone());
    let derived = on_chain(&approval, &at(1), 0).proposal;
    assert_eq!((derived.safe().address, derived.nonce()), (Address::repeat_byte(0x22), Nonce::from(1)));
    assert_eq!(derived.tx().to, inner.safe().address);
    assert_eq!(derived.tx().data[4..], inner.hash().word()[..]);
    assert_eq!(derived.approves(), Some(&inner));
    let direct = order(&desk, &["vault"], &at(4));
    assert!(direct.clone().approving(inner).approved().is_none());
}

#[test]
fn two_spellings_of_one_value_are_the_same_argument() {
    let home = Home::new();
    let desk = home.desk();
    let order = order(&desk, &["fee"], &setting(at(4), "fee", "40 bps"));
    let bound = order.binding().unwrap().levers()[0].clone();
    assert!(order.is_same(&bound, "fee", ("40 bps", "0.4 %")));
    assert!(!order.is_same(&bound, "fee", ("40 bps", "0.41 %")));
    let other = crate::proposal::BoundLever { lever: Some("vault".into()), ..bound };
    assert!(!order.is_same(&other, "fee", ("40 bps", "0.4 %")), "no such lever is pulled");
}

#[test]
fn a_name_is_given_at_most_once() {
    let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
    let error = named_once(&[pair("fee", "1"), pair("to", "2"), pair("fee", "1")]).unwrap_err();
    assert_eq!((error.exit, error.message.as_str()), (Exit::Usage, "--set fee is given twice"));
    assert_eq!(named_once(&[pair("fee", "1"), pair("to", "2")]).unwrap().len(), 2);
}

#[test]
fn a_hash_is_named_by_its_first_digits() {
    let hash = SafeTxHash::claimed(B256::repeat_byte(0xab));
    let names = |digits: &[&str]| {
        let hashes = digits.iter().map(|digits| digits.parse().unwrap()).collect();
        Given { hashes, ..Given::default() }.names(hash)
    };
    let (own, other) = ("abababababababab", "abababababababac");
    assert!(names(&[own]) && names(&[other, own]));
    assert!(!names(&[]) && !names(&[other]));
}

#[test]
fn the_plans_of_several_levers_say_which_one_has_none() {
    let home = Home::new().with("set = { target = \"bridge\" }", "set = { target = \"nobody\" }");
    let desk = home.desk();
    let both = order(&desk, &["freeze"], &at(4));
    let Err(error) = both.turn(&Readings::default()) else { panic!() };
    assert_eq!(error.lever.as_deref(), Some("bridge"));
    assert!(error.to_string().starts_with("bridge: "), "{error}");
    let alone = order(&desk, &["bridge"], &at(4));
    let Err(error) = alone.turn(&Readings::default()) else { panic!() };
    assert_eq!(error.lever, None);
    let fee = order(&desk, &["fee"], &setting(at(4), "fee", "40 bps"));
    assert!(matches!(fee.turn(&Readings::default()), Ok(Turn::Needs(queries)) if !queries.is_empty()));
    let former = |order: &Order| order.former(&Readings::default()).unwrap();
    assert!(matches!(former(&fee), Former::Needs(queries) if !queries.is_empty()));
    assert!(matches!(former(&order(&desk, &["vault"], &at(4))), Former::Ready(values) if values.len() == 1));
}

/// A drill has the hash that was announced, or it is refused.
#[test]
fn a_drill_has_the_hash_that_was_announced() {
    let home = Home::new();
    let desk = home.desk();
    let plain = order(&desk, &["vault"], &at(4)).drilling(None);
    let drill = on_chain(&plain, &at(4), 0).proposal;
    assert!(drill.is_drill());
    let name = DrillName::of(&drill).unwrap();
    let again = order(&desk, &[&name.to_string()], &Given::default());
    assert_eq!(again.nonce(&at(9)), Some(Nonce::from(4)), "the name says it");
    assert_eq!(on_chain(&again, &Given::default(), 0).proposal, drill);
    let head = if name.head().starts_with('0') { "1111" } else { "0000" };
    let other: DrillName = format!("drill:vault-n4-{head}").parse().unwrap();
    let order = order(&desk, &["vault"], &at(4)).drilling(Some(other));
    let error = order.for_its_purpose(on_chain(&plain, &at(4), 0).proposal).unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    assert!(error.message.contains("is not the drill that your own files give"), "{}", error.message);
    let error = orders(&desk, &[&name.to_string()], &at(5)).unwrap_err();
    assert!(error.message.ends_with("names its nonce already"), "{}", error.message);
    assert!(orders(&desk, &[&name.to_string()], &at(4)).is_ok());
    let approved = Given { approve_as: words(&["labs"]), ..Given::default() };
    assert!(orders(&desk, &[&name.to_string()], &approved).is_err());
    assert!(desk.drills_of(&words(&["vault"]), &approved).is_err());
}

#[test]
fn each_transaction_of_a_drill_is_announced_by_itself() {
    let home = Home::new()
        .with("pull = [\"vault\", \"bridge\"]", "pull = [\"vault\", \"bridge\"]\nalone = [\"bridge\"]");
    let desk = home.desk();
    let drills = desk.drills_of(&words(&["freeze"]), &Given::default()).unwrap();
    let pulls: Vec<_> = drills.iter().map(|order| order.pull.names.clone()).collect();
    assert_eq!(pulls, [["vault"], ["bridge"]]);
    assert!(drills.iter().all(Order::is_drill));
    let one = desk.drills_of(&words(&["vault"]), &Given { undo: true, ..Given::default() }).unwrap();
    assert!(one[0].pull.undo);
}

#[test]
fn a_drill_is_named_with_what_everybody_needs_to_derive_it() {
    let home = Home::new();
    let desk = home.desk();
    let given = setting(at(4), "fee", "40 bps");
    let real = proposed(&desk, &["fee"], &given, 30);
    assert_eq!(desk.words_of_drill(&real), None);
    let drill = real.clone().for_drill().unwrap();
    let name = DrillName::of(&drill).unwrap();
    let said = desk.words_of_drill(&drill).unwrap();
    assert!(said.starts_with(&format!("{name} --set 'fee=40 bps'")), "{said}");
    let freeze = Given { without: words(&["bridge"]), undo: true, ..at(4) };
    let undo = proposed(&desk, &["freeze"], &freeze, 1).for_drill().unwrap();
    let words = desk.words_of_drill(&undo).unwrap();
    assert!(words.ends_with("--without bridge --undo"), "{words}");
    let again = desk.given_of(&real);
    assert!(again.set.contains(&("fee".into(), "40 bps".into())) && again.nonce.is_none() && !again.undo);
    assert!(desk.given_of(&undo).undo);
}

#[test]
fn a_verb_proposes_levers_of_its_own_kind() {
    use crate::ceremony::verb::require_verb;
    use crate::playbook::PlaybookKind;
    let home = Home::new();
    let desk = home.desk();
    let vault = orders(&desk, &["vault"], &at(4)).unwrap();
    assert!(require_verb(PlaybookKind::Pause, &vault, "vault").is_ok());
    let error = require_verb(PlaybookKind::Param, &vault, "vault").unwrap_err();
    assert_eq!((error.exit, error.hints), (Exit::Usage, words(&["breakglass pause vault"])));
}
