//! A proposal held against what a chain answered: the answers are given, and nothing is asked of a network.

use std::collections::BTreeSet;

use super::*;
use crate::ceremony::chain_view::ChainView;
use crate::ceremony::contention::together::{blocked_by_nonce, hindered, require_distinct_nonces};
use crate::ceremony::discovery::contract::ContractLocation;
use crate::ceremony::discovery::new_safe::{safe_fields, usual_name};
use crate::ceremony::judged::Judged;
use crate::ceremony::online::Online;
use crate::ceremony::rehearsal_result::{CompletedRehearsal, RehearsalResult};
use crate::ceremony::rehearse::Rehearsed;
use crate::ceremony::{aftermath::outcome, aftermath::since};
use crate::chain::{Receipt, Root, Snapshot};
use crate::check::Level;
use crate::error::Exit;
use crate::evm::{Header, Query, TxHash};
use crate::proposal::Outgoing;
use crate::safe::{Call, Owners, SafeState};

/// A block's header.
pub(in crate::ceremony) fn header(number: u64, timestamp: u64) -> Header {
    Header { timestamp, ..Header::bare(number, BlockHash::claimed(B256::with_last_byte(7))) }
}

/// The receipt of a transaction in this block.
pub(in crate::ceremony) fn receipt(number: u64, succeeded: bool) -> Receipt {
    let block = header(number, 0).block();
    Receipt {
        tx: TxHash::claimed(B256::repeat_byte(7)),
        block,
        from: Address::ZERO,
        succeeded,
        gas_used: 1,
        logs: Vec::new(),
        input: None,
    }
}

/// A call of a contract of this chain.
pub(in crate::ceremony) fn outgoing() -> Outgoing {
    let call = Call { to: VAULT, value: U256::ZERO, data: Bytes::new() };
    Outgoing::of_key(1, Address::ZERO, &call).unwrap()
}

pub(in crate::ceremony) fn word(value: u64) -> Answer {
    Answer::Value(B256::from(U256::from(value)).into())
}

/// The Safe of a proposal at another nonce.
pub(in crate::ceremony) fn now(proposal: &Proposal, nonce: u64) -> SafeState {
    SafeState { nonce: Nonce::from(nonce), ..proposal.snapshot().clone() }
}

/// A proposal held against a chain whose newest block is as old, with this Safe and these answers.
fn aged<'a>(desk: &'a Desk, proposal: &Proposal, now: SafeState, readings: Readings, age: u64) -> Judged<'a> {
    let given = Given::default();
    let derived = desk.find_own_lever(proposal.clone(), &given).unwrap().offline(desk, &given).unwrap();
    let link = desk.connect(derived.safe).unwrap();
    let safes = desk.pinned_safes(derived.safe);
    let snapshot = Snapshot::told(header(21, crate::clock::seconds() - age), now, safes, readings);
    let online = Online { derived, seen: ChainView::new(link, snapshot) };
    Rehearsed { online, rehearsal: RehearsalResult::NotWanted, approved: None }.judge(true)
}

pub(in crate::ceremony) fn judged<'a>(
    desk: &'a Desk,
    proposal: &Proposal,
    nonce: u64,
    readings: Readings,
) -> Judged<'a> {
    aged(desk, proposal, now(proposal, nonce), readings, 5)
}

/// The same, rehearsed.
pub(in crate::ceremony) fn rehearsed<'a>(
    desk: &'a Desk,
    proposal: &Proposal,
    done: CompletedRehearsal,
) -> Judged<'a> {
    let judged = judged(desk, proposal, 4, Readings::default()).rehearsed().unwrap();
    Rehearsed { rehearsal: RehearsalResult::Done(Box::new(done)), ..judged }.judge(true)
}

/// The chain's answers to a plan where each of them is this one.
pub(in crate::ceremony) fn answering(desk: &Desk, levers: &[&str], answer: &Answer) -> Readings {
    let order = order(desk, levers, &at(4));
    let Turn::Ready(plans) = order.turn(&Readings::default()).unwrap() else { panic!() };
    let plan = plans.merged();
    let queries = plan.before.iter().chain(&plan.after).flat_map(crate::playbook::Check::queries);
    queries.map(|query| (query, answer.clone())).collect()
}

fn levels(judged: &Judged, kind: &str) -> Vec<Level> {
    judged.findings.iter().filter(|found| found.kind == kind).map(|found| found.level).collect()
}

fn refused(judged: &Judged, kind: &str) -> bool {
    let refuses =
        |found: &&crate::check::Finding| found.level == Level::Refuse && found.kind.starts_with(kind);
    judged.findings.iter().any(|found| refuses(&found))
}

/// A transaction that follows another of the same pull may be one nonce ahead, and none may be more.
#[test]
fn a_nonce_ahead_is_refused_unless_its_own_pull_accounts_for_it() {
    let home = Home::new()
        .with("pull = [\"vault\", \"bridge\"]", "pull = [\"vault\", \"bridge\"]\nalone = [\"bridge\"]");
    let desk = home.desk();
    let mut both = orders(&desk, &["freeze"], &at(4)).unwrap();
    let second = on_chain(&both.pop().unwrap(), &at(4), 0).proposal;
    assert_eq!(second.nonce(), Nonce::from(5));
    let is_refused = |safe: u64| refused(&judged(&desk, &second, safe, Readings::default()), "nonce-gap");
    assert!(!is_refused(5) && !is_refused(4) && is_refused(3));
    let first = proposed(&desk, &["vault"], &at(5), 0);
    let is_refused = |safe: u64| refused(&judged(&desk, &first, safe, Readings::default()), "nonce-gap");
    assert!(!is_refused(5) && is_refused(4));
}

#[test]
fn what_the_chain_answered_is_what_is_judged() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let paused = judged(&desk, &vault, 4, answering(&desk, &["vault"], &word(1)));
    assert!(levels(&paused, "before").contains(&Level::AlreadyDone), "{:?}", paused.findings);
    let running = judged(&desk, &vault, 4, answering(&desk, &["vault"], &word(0)));
    assert_eq!(levels(&running, "before")[0], Level::Pass);
    assert_eq!((running.now().unwrap().nonce, running.state().nonce), (Nonce::from(4), Nonce::from(4)));
    assert!(running.readings().is_some() && running.seen().is_ok());
    assert_eq!(running.endpoints().len(), 1);
    assert!(running.read_at().unwrap().starts_with("block 21, "));
    assert_eq!(running.proven(), None);
    let mut proven = running.rehearsed().unwrap().judge(false);
    proven.seen.iter_mut().for_each(|seen| seen.proven = Some(Root::InHash));
    assert!(proven.proven().unwrap().starts_with("proven against the state root of block 21"));
    let used = judged(&desk, &vault, 5, Readings::default());
    assert!(refused(&used, "nonce-used"), "{:?}", used.findings);
}

#[test]
fn an_old_block_proves_nothing_about_now() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let of = |age: u64| aged(&desk, &vault, now(&vault, 4), Readings::default(), age);
    assert!(of(5).enforce_fresh(&[]).is_ok() && of(5).require_late_agreement().is_ok());
    assert!(of(100_000).enforce_fresh(&[]).is_err());
    assert!(of(5).block_age().is_some());
}

#[test]
fn the_owners_of_an_owner_are_as_the_chain_has_them() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let mut of = judged(&desk, &vault, 4, Readings::default());
    let owners = desk.pinned_owners(of.derived.safe).unwrap();
    let ways = owners.ways(&vault);
    let labs = ways.iter().find(|way| !way.through.is_empty()).unwrap();
    assert_eq!(of.owners_on(labs), [address(CAROL), address(DORA)]);
    let seen = of.seen.as_mut().unwrap();
    seen.snapshot.safes[0].owners = Owners::new(vec![address(DORA)], 1).unwrap();
    assert_eq!(of.owners_on(labs), [address(DORA)]);
    assert_eq!(of.owners_on(ways.iter().find(|way| way.through.is_empty()).unwrap()).len(), 3);
}

#[test]
fn levers_that_are_done_or_cannot_be_pulled_are_named_one_by_one() {
    let home = Home::new();
    let desk = home.desk();
    let both = proposed(&desk, &["freeze"], &at(4), 0);
    let mut readings = answering(&desk, &["vault"], &word(0));
    readings.extend(answering(&desk, &["bridge"], &word(1)));
    let of = judged(&desk, &both, 4, readings);
    let found = hindered(&of);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].lever, "bridge");
    assert!(found[0].why.starts_with("already done: "), "{found:?}");
    let error = crate::ceremony::contention::together::advise(&desk, &of, Error::new(Exit::Refused, "no"));
    let last = error.hints.last().unwrap();
    assert!(last.ends_with("breakglass sign freeze --without bridge"), "{last}");
    assert_eq!(error.hints.len(), 2, "nobody has signed it");
    desk.keep_signature(&both, &sign(&desk, ALICE, &both)).unwrap();
    let signed = judged(&desk, &both, 4, answering(&desk, &["bridge"], &word(1)));
    let error =
        crate::ceremony::contention::together::advise(&desk, &signed, Error::new(Exit::Refused, "no"));
    assert!(error.hints.iter().any(|hint| hint.starts_with("the signatures of alice are lost")), "{error:?}");
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let alone = judged(&desk, &vault, 4, answering(&desk, &["vault"], &word(1)));
    assert!(hindered(&alone).is_empty(), "one lever alone is told as it is");
    let error = crate::ceremony::contention::together::advise(&desk, &alone, Error::new(Exit::Refused, "no"));
    assert!(error.hints.is_empty());
}

#[test]
fn one_nonce_of_a_safe_is_signed_for_one_transaction() {
    let home = Home::new();
    let desk = home.desk();
    let of = |levers: &[&str], nonce: u64| {
        judged(&desk, &proposed(&desk, levers, &at(nonce), 0), 4, Readings::default())
    };
    let all = [of(&["vault"], 4), of(&["bridge"], 4)];
    let error = require_distinct_nonces(&all).unwrap_err();
    assert!(error.message.contains("are both for nonce 4 of guardian"), "{}", error.message);
    assert!(require_distinct_nonces(&[of(&["vault"], 4), of(&["bridge"], 5)]).is_ok());
    let later = [of(&["bridge"], 5)];
    let told = blocked_by_nonce(&all[0], &later).unwrap();
    assert_eq!(told, "nonce 5 of guardian can be sent only once nonce 4 is used");
    assert_eq!(blocked_by_nonce(&all[0], &all[1..]), None, "it is not later");
}

/// Which code the called contracts run, then and now.
#[test]
fn other_code_behind_a_contract_is_reported() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let of = judged(&desk, &vault, 4, Readings::default());
    let queries = since::queries(&of);
    assert!(queries.contains(&Query::CodeHash { address: VAULT }) && queries.len() > 1);
    assert!(outcome::queries(&of).len() > queries.len(), "the checks of the playbook, too");
    let code = |other: Option<&Query>| -> Readings {
        queries.iter().map(|query| (query.clone(), word(if Some(query) == other { 2 } else { 1 }))).collect()
    };
    let link = desk.connect(of.derived.safe).unwrap();
    let block = of.seen().unwrap().snapshot.header.block();
    let changed =
        |then: &Readings, now: &Readings| since::changed(&of, &link, Some(then), now, &block).unwrap();
    assert!(changed(&code(None), &code(None)).is_empty());
    let own = Query::CodeHash { address: VAULT };
    assert_eq!(changed(&code(None), &code(Some(&own))), [format!("vault {VAULT} has other code")]);
    let slot = queries.iter().find(|query| matches!(query, Query::Storage { .. })).unwrap();
    let told = changed(&code(None), &code(Some(slot)));
    assert!(told.len() == 1 && told[0].contains(" has another "), "{told:?}");
    let unknown = since::changed(&of, &link, None, &code(None), &block).unwrap();
    assert!(unknown.is_empty(), "nothing was recorded: {unknown:?}");
}

#[test]
fn a_safe_is_written_down_as_it_was_read() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let mut state = now(&vault, 4);
    state.guard = Address::repeat_byte(0x44);
    state.fallback_handler = Address::ZERO;
    let batch = crate::proposal::BatchContract::of(1, state.id.version, None);
    let published = batch.address(BatchSource::Offline).unwrap();
    let hash = crate::safe::deployments::known_at(published).unwrap().code_hash;
    let readings: Readings =
        [(Query::CodeHash { address: published }, Answer::Value(hash.into()))].into_iter().collect();
    let fields = |readings: Readings| {
        let snapshot = Snapshot::told(header(21, 0), state.clone(), Vec::new(), readings);
        safe_fields("mainnet", 1, &snapshot, words(&["alice", "bob", "labs"]))
    };
    let of = |all: &[(String, toml::Value)], key: &str| {
        all.iter().find(|(name, _)| name == key).map(|(_, value)| value.to_string())
    };
    let with = fields(readings);
    assert_eq!(of(&with, "guard").unwrap(), format!("\"{}\"", state.guard));
    assert_eq!(of(&with, "fallback_handler").as_deref(), Some("\"none\""));
    assert_eq!(of(&with, "owners").as_deref(), Some("[\"alice\", \"bob\", \"labs\"]"));
    assert_eq!(of(&with, "batch").unwrap(), format!("\"{published}\""));
    assert_eq!(of(&fields(Readings::default()), "batch"), None, "no such code is there");
    assert_eq!((usual_name(1), usual_name(77)), ("mainnet".into(), "chain-77".into()));
}

#[test]
fn a_contract_is_where_the_council_file_has_it() {
    let home = Home::new();
    let desk = home.desk();
    let at = |contract: &str, chain: Option<&str>| {
        desk.place(contract, chain).map(|place| (place.chain.name.clone(), place.address))
    };
    assert_eq!(at("vault", None).unwrap(), ("mainnet".into(), VAULT));
    assert_eq!(at(&VAULT.to_string(), None).unwrap().0, "mainnet", "the file names it there");
    let unknown = Address::repeat_byte(0x66).to_string();
    assert_eq!(at(&unknown, None).unwrap_err().message, format!("{unknown} may be on base or mainnet"));
    assert_eq!(at(&unknown, Some("base")).unwrap().0, "base");
    assert_eq!(at("vualt", None).unwrap_err().message, "no target is called \"vualt\" in breakglass.toml");
    assert!(at("0x66", None).unwrap_err().message.contains("not an address"));
    assert_eq!(at("vault", Some("bsae")).unwrap_err().message, "no chain is called \"bsae\"");
    assert!(at("vault", Some("base")).is_err());
    let has: BTreeSet<_> = [alloy::primitives::Selector::from([0x84, 0x56, 0xcb, 0x59])].into();
    let fits = |address: Address| -> Vec<String> {
        let chain = &desk.council.chains["mainnet"];
        let found = desk.playbooks_for(ContractLocation { chain, address }, &has);
        found.iter().map(|(entry, _)| entry.playbook.id.to_string()).collect()
    };
    assert!(fits(VAULT).contains(&"pause/oz-pausable".to_string()));
}

/// A Safe's own functions can be called by itself alone: a playbook for them fits the Safes of the council file.
#[test]
fn a_playbook_of_calls_to_the_safe_itself_fits_only_safes() {
    let home = Home::new();
    let desk = home.desk();
    let functions = ["swapOwner(address,address,address)", "getOwners()", "isOwner(address)", "pause()"];
    let selector =
        |text: &&str| alloy::primitives::Selector::from_slice(&alloy::primitives::keccak256(text)[..4]);
    let has: BTreeSet<_> = functions.iter().map(selector).collect();
    let of_safes = |address: Address| {
        let chain = &desk.council.chains["mainnet"];
        let found = desk.playbooks_for(ContractLocation { chain, address }, &has);
        let own = found.iter().filter(|(_, fit)| fit.param == "safe").count();
        (own > 0, found.len() > own)
    };
    assert_eq!(of_safes(Address::repeat_byte(0x11)), (true, true));
    assert_eq!(of_safes(VAULT), (false, true));
}

#[test]
fn what_is_done_already_ends_a_command_without_a_failure() {
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let paused = judged(&desk, &vault, 4, answering(&desk, &["vault"], &word(1)));
    let done: Vec<_> =
        paused.findings.iter().filter(|found| found.level == Level::AlreadyDone).cloned().collect();
    let error = crate::ceremony::enforce::enforce(&done, &[]).unwrap_err();
    assert_eq!(error.exit, Exit::Done);
    assert!(error.message.starts_with("already done: "), "{}", error.message);
    // Beside a refusal it is not what refuses.
    let gap: Vec<_> = judged(&desk, &proposed(&desk, &["vault"], &at(9), 0), 4, Readings::default())
        .findings
        .iter()
        .filter(|found| found.kind == "nonce-gap")
        .cloned()
        .collect();
    let error = crate::ceremony::enforce::enforce(&[done, gap].concat(), &[]).unwrap_err();
    assert!(error.hints.iter().all(|hint| !hint.starts_with("refused as well")), "{:?}", error.hints);
}

/// It is ready after enough have signed, and "sent" after it was sent.
#[test]
fn a_proposal_that_was_sent_is_not_called_ready() {
    use crate::ceremony::stage::ProposalStage;
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    for seed in [ALICE, BOB] {
        desk.keep_signature(&vault, &sign(&desk, seed, &vault)).unwrap();
    }
    let of = judged(&desk, &vault, 4, Readings::default());
    let ready =
        crate::proposal::assemble(&vault, &of.approvals(), of.seen().unwrap().fresh().unwrap()).unwrap();
    let stage = |is_sent| ProposalStage::of(&[], Ok(&ready), is_sent);
    assert_eq!((stage(false), stage(true)), (ProposalStage::Ready, ProposalStage::Sent));
}
