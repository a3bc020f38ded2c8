//! Several proposals for one lever or one nonce, and a chain that says whose turn it is.

use super::*;
use crate::proposal::Truncated;

fn nonce_of(desk: &Desk, lever: &str, given: &Given) -> Option<Nonce> {
    stored(desk, lever, given).map(|kept| kept.nonce())
}

fn stored(desk: &Desk, lever: &str, given: &Given) -> Option<Proposal> {
    desk.stored_for(&order(desk, &[lever], given), given, true).unwrap()
}

fn naming(proposal: &Proposal) -> Given {
    Given { hashes: vec![proposal.hash().to_string().parse().unwrap()], ..Given::default() }
}

#[test]
fn the_kept_proposal_whose_turn_it_is_is_meant() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    for nonce in [4, 6] {
        desk.keep_proposal(&proposed(&desk, &["vault"], &at(nonce), 0)).unwrap();
    }
    let any = Given::default();
    for (now, meant) in [(3, 4), (4, 4), (5, 6), (6, 6), (7, 6), (9, 6)] {
        node.set(GUARDIAN, 5, now);
        assert_eq!(nonce_of(&home.desk(), "vault", &any), Some(Nonce::from(meant)), "at nonce {now}");
    }
    assert_eq!(nonce_of(&home.desk(), "vault", &at(4)), Some(Nonce::from(4)), "it was named");
    assert_eq!(nonce_of(&home.desk(), "vault", &at(5)), None);
    assert_eq!(nonce_of(&home.desk(), "bridge", &any), None, "of another lever");
}

#[test]
fn the_chain_is_asked_only_where_it_has_to_tell_proposals_apart() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let any = Given::default();
    assert_eq!(nonce_of(&desk, "vault", &any), None);
    let [vault, later] = [4, 5].map(|nonce| proposed(&desk, &["vault"], &at(nonce), 0));
    desk.keep_proposal(&vault).unwrap();
    assert_eq!(nonce_of(&desk, "vault", &any), Some(Nonce::from(4)));
    // Somebody laid an outcome beside the later one, which may be false.
    desk.keep_proposal(&later).unwrap();
    desk.keep_outcome(&later, 1, "{}\n").unwrap();
    assert!(node.asked().is_empty());
    node.set(GUARDIAN, 5, 5);
    assert_eq!(nonce_of(&home.desk(), "vault", &any), Some(Nonce::from(5)));
    assert!(!node.asked().is_empty());
    keep_signed(&desk, &vault, &[ALICE]);
    assert_eq!(nonce_of(&home.desk(), "vault", &any), Some(Nonce::from(4)));
    assert!(node.asked().is_empty(), "the other is closed, and this one is signed");
    // Two for one nonce are told apart by the chain's values.
    for fee in ["40 bps", "50 bps"] {
        let fee = setting(at(4), "fee", fee);
        keep_signed(&desk, &proposed(&desk, &["fee"], &fee, 30), &[ALICE]);
    }
    assert!(stored(&home.desk(), "fee", &any).is_some());
    assert!(!node.asked().is_empty());
}

/// The call depends on the order of the owners, which is read from the chain.
#[test]
fn of_two_for_one_nonce_the_one_of_the_chains_values_now_is_meant_if_it_is_signed() {
    let node = chain();
    let swap = format!(
        "[levers.swap]\nplaybook = \"rotate/safe-swap-owner\"\nsafe = \"guardian\"\nset = {{ old = \"{}\", new = \"{VAULT}\" }}\n[levers.freeze]",
        address(BOB)
    );
    let home = home(&node).with("[levers.freeze]", &swap);
    let desk = home.desk();
    let any = Given::default();
    let first = live_proposal(&desk, &["swap"], &any);
    node.safe(GUARDIAN, &[address(BOB), address(ALICE), LABS], 2, 4);
    let now = live_proposal(&desk, &["swap"], &any);
    assert_ne!(first.hash(), now.hash());
    keep_signed(&desk, &first, &[ALICE]);
    keep_signed(&desk, &now, &[]);
    let meant = |given: &Given| stored(&home.desk(), "swap", given).unwrap().hash();
    assert_eq!(meant(&any), first.hash(), "nobody has signed the other");
    assert_eq!(meant(&naming(&now)), now.hash(), "its hash was named");
    keep_signed(&desk, &now, &[ALICE]);
    keep_signed(&desk, &first, &[BOB]);
    assert_eq!(meant(&any), now.hash(), "however many have signed the other");
    assert_eq!(meant(&naming(&first)), first.hash());
}

/// The signatures of a set count only if they are for the transaction that the chain gives now.
#[test]
fn a_lever_that_is_signed_ahead_is_derived_anew_at_its_turn() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let any = Given::default();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    keep_set(&desk, ALICE, &vault, &[4, 5]);
    assert_eq!(nonce_of(&home.desk(), "vault", &any), None);
    assert!(node.asked().is_empty(), "nothing is kept that it could be");
    desk.keep_proposal(&vault.with_nonce(Nonce::from(7))).unwrap();
    node.set(GUARDIAN, 5, 6);
    assert_eq!(nonce_of(&home.desk(), "vault", &any), Some(Nonce::from(7)), "no set has nonce 6");
    node.set(GUARDIAN, 5, 5);
    assert_eq!(nonce_of(&home.desk(), "vault", &any), None, "a set has nonce 5");
    let kept = vault.with_nonce(Nonce::from(5));
    desk.keep_proposal(&kept).unwrap();
    assert_eq!(
        nonce_of(&home.desk(), "vault", &any).map(Nonce::next),
        Some(Nonce::from(6)),
        "alice signed it"
    );
    node.set(GUARDIAN, 5, 4);
    let fourth = proposed(&desk, &["vault"], &at(4), 0);
    assert_eq!(nonce_of(&home.desk(), "vault", &any), None, "its proposal is not kept");
    desk.keep_proposal(&fourth).unwrap();
    assert_eq!(nonce_of(&home.desk(), "vault", &naming(&fourth)), Some(Nonce::from(4)));
}

#[test]
fn a_sets_signature_counts_beside_another_owners() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let owners = desk.pinned_owners(desk.safe("guardian").unwrap()).unwrap();
    keep_signed(&desk, &vault, &[ALICE]);
    keep_set(&desk, ALICE, &vault, &[4]);
    assert_eq!(home.desk().signatures(&vault, &owners).unwrap().len(), 1, "it is the same signature");
    keep_set(&desk, BOB, &vault, &[4]);
    assert_eq!(home.desk().signatures(&vault, &owners).unwrap().len(), 2);
}

/// Impossible arguments are reported before any chain is asked.
#[test]
fn a_fault_of_the_arguments_is_reported_without_the_chain() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let mut parts = desk.evaluate(&words(&["fee"]), &Given::default(), CommandPurpose::Propose).unwrap();
    assert!(parts.remove(0).result.is_err());
    assert!(node.asked().is_empty());
    let file = home.write("vault.json", &proposed(&desk, &["vault"], &at(4), 0));
    let by_labs = Given { approve_as: words(&["labs"]), ..Given::default() };
    let named = desk.named(&words(&[&file]), &by_labs).unwrap();
    assert_eq!(named.len(), 1);
    assert!(named[0].title().contains("labs on mainnet"), "{}", named[0].title());
}

#[test]
fn more_than_a_few_nonces_are_refused_offline() {
    let home = Home::new();
    let desk = home.desk();
    for nonce in 1..30 {
        desk.keep_proposal(&proposed(&desk, &["vault"], &at(nonce), 0)).unwrap();
    }
    let order = order(&desk, &["vault"], &Given::default());
    let error = desk.stored_for(&order, &Given::default(), false).unwrap_err();
    assert_eq!(error.message.split(", ").count(), Truncated::<()>::SHOWN + 2, "{}", error.message);
}

/// A command that only shows lists every signed proposal of a nonce.
#[test]
fn two_signed_values_are_both_shown() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let any = Given::default();
    let fees = ["40 bps", "50 bps", "60 bps"]
        .map(|fee| live_proposal(&desk, &["fee"], &setting(any.clone(), "fee", fee)));
    for (fee, seeds) in fees.iter().zip([&[ALICE][..], &[BOB], &[]]) {
        keep_signed(&desk, fee, seeds);
    }
    let shown = |purpose| desk.evaluate(&words(&["fee"]), &any, purpose).unwrap();
    let titles: Vec<String> = shown(CommandPurpose::Show).into_iter().map(|part| part.title).collect();
    let title = "fee · guardian on mainnet".to_string();
    assert_eq!(titles.len(), 2);
    assert!(
        titles.contains(&title)
            && titles.iter().any(|other| other.starts_with(&format!("{title}, another: "))),
        "{titles:?}"
    );
    assert_eq!(shown(CommandPurpose::Finish).len(), 1);
    let evaluated = evaluated(&desk, &["fee"], &any, CommandPurpose::Show);
    assert!(evaluated.iter().all(|judged| judged.rehearsal.done().is_none()), "and nothing is rehearsed");
}

#[test]
fn a_lever_whose_nonce_another_keeps_takes_the_next_free_one() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let any = Given::default();
    let evaluate = |given: &Given, purpose| evaluated(&desk, &["vault"], given, purpose).remove(0);
    assert_eq!(evaluate(&any, CommandPurpose::Propose).proposal().nonce(), Nonce::from(4));
    for nonce in [4, 5, 7] {
        keep_signed(&desk, &proposed(&desk, &["bridge"], &at(nonce), 0), &[ALICE, BOB]);
    }
    for purpose in [CommandPurpose::Propose, CommandPurpose::Sign] {
        let moved = evaluate(&any, purpose);
        assert_eq!(moved.proposal().nonce(), Nonce::from(6));
        assert_eq!(moved.derived.keeper.as_ref().unwrap().title, "bridge");
        assert!(moved.rehearsal.done().is_some());
    }
    assert_eq!(evaluate(&at(4), CommandPurpose::Propose).proposal().nonce(), Nonce::from(4), "it was named");
    let shown = evaluate(&any, CommandPurpose::Show);
    assert_eq!(shown.proposal().nonce(), Nonce::from(4), "only what is made anew moves");
}

/// Consecutive transactions of one Safe keep consecutive nonces.
#[test]
fn transactions_that_follow_each_other_keep_their_nonces() {
    let node = chain();
    let home = home(&node)
        .with("pull = [\"vault\", \"bridge\"]", "pull = [\"vault\", \"bridge\"]\nalone = [\"bridge\"]");
    let desk = home.desk();
    keep_signed(&desk, &proposed(&desk, &["fee"], &setting(at(4), "fee", "40 bps"), 30), &[ALICE, BOB]);
    let nonces = |what: &[&str]| -> Vec<Nonce> {
        let all = evaluated(&desk, what, &Given::default(), CommandPurpose::Propose);
        all.iter().map(|judged| judged.proposal().nonce()).collect()
    };
    assert_eq!(nonces(&["freeze"]), [4, 5].map(Nonce::from));
}

/// Later signers continue the signed proposal while it does what the playbook promises.
#[test]
fn what_others_signed_is_continued_while_it_works() {
    let node = chain();
    node.set(VAULT, 1, 20);
    let other = node.mirror();
    let home = home_of_two([&node, &other]).with("[levers.freeze]", BOTH);
    let any = Given::default();
    let desk = with_both(&home, SKIPPING);
    let first = live_proposal(&desk, &["both"], &any);
    node.mine();
    node.set(VAULT, 1, 17);
    let hash = |purpose| {
        evaluated(&with_both(&home, SKIPPING), &["both"], &any, purpose).remove(0).proposal().hash()
    };
    let new = hash(CommandPurpose::Sign);
    assert_ne!(new, first.hash(), "nobody has signed it");
    keep_signed(&desk, &first, &[]);
    assert_eq!(hash(CommandPurpose::Sign), new);
    // Neither the same at another nonce nor another lever at this one stands in its way.
    keep_signed(&desk, &first.with_nonce(Nonce::from(9)), &[ALICE, BOB]);
    let fee = setting(at(4), "fee", "40 bps");
    keep_signed(&desk, &proposed(&home.desk(), &["fee"], &fee, 17), &[ALICE]);
    assert_eq!(hash(CommandPurpose::Sign), new);
    keep_signed(&desk, &first, &[ALICE]);
    let third = with_both(&home, SKIPPING);
    let signed = evaluated(&third, &["both"], &any, CommandPurpose::Sign).remove(0);
    assert_eq!(signed.proposal().hash(), first.hash(), "{:?}", home.heard());
    assert_eq!(hash(CommandPurpose::Propose), new);
    // As many have signed the new one.
    let now = live_proposal(&with_both(&home, SKIPPING), &["both"], &any);
    keep_signed(&desk, &now, &[BOB]);
    assert_eq!(hash(CommandPurpose::Sign), new);
    assert!(home.heard().iter().all(|line| !line.contains("takes its place")));
}

#[test]
fn what_others_signed_is_left_where_it_breaks_its_promise() {
    let node = chain();
    let other = node.mirror();
    let home = home_of_two([&node, &other]).with("[levers.freeze]", BOTH);
    let any = Given::default();
    let desk = with_both(&home, SETTING_A_BIT);
    let first = live_proposal(&desk, &["both"], &any);
    keep_signed(&desk, &first, &[ALICE]);
    node.mine();
    node.set(VAULT, 1, 4);
    let again = with_both(&home, SETTING_A_BIT);
    let made = evaluated(&again, &["both"], &any, CommandPurpose::Sign).remove(0);
    assert_ne!(made.proposal().hash(), first.hash());
    let told = format!(
        "note: others have signed {} for this nonce, and a new one takes its place: it no longer works as it was signed",
        first.hash()
    );
    assert!(home.heard().contains(&told));
}

/// A lever that cannot be pulled is done only if its whole promise holds.
#[test]
fn a_lever_that_cannot_be_pulled_is_done_only_if_its_whole_promise_holds() {
    use crate::ceremony::contention::together::hindered;
    let node = chain();
    let text = BOTH.replace("[levers.freeze]", "[levers.all]\npull = [\"vault\", \"both\"]\n[levers.freeze]");
    let home = home(&node).with("[levers.freeze]", &text);
    let steps = "[[before]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect = \"17\"\n\
         [[step]]\nto = \"{target}\"\ncall = \"setFee(uint256)\"\nargs = [\"20\"]\n\n\
         [[after]]\nview = \"fee()(uint256)\"\non = \"{target}\"\nexpect = \"20\"\n";
    let why = |fee: u64| {
        node.set(VAULT, 1, fee);
        let desk = with_both(&home, steps);
        let judged = evaluated(&desk, &["all"], &Given::default(), CommandPurpose::Propose).remove(0);
        let all = hindered(&judged);
        all.into_iter().map(|one| (one.lever, one.why.starts_with("already done: "))).collect::<Vec<_>>()
    };
    assert_eq!(why(17), []);
    assert_eq!(why(30), [("both".into(), false)]);
    assert_eq!(why(20), [("both".into(), true)]);
}
