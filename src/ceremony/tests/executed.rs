//! Transactions that a chain in memory has mined: read, proven, and evaluated later.

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::network::eip2718::Encodable2718;
use alloy::primitives::TxKind;

use super::bytecode::{Body, contract};
use super::live::{chain, evaluated, home};
use super::memory::{FIRST, Memory};
use super::*;
use crate::ceremony::aftermath::done_by::{DoneBy, find};
use crate::ceremony::aftermath::mined::AsRehearsed;
use crate::ceremony::aftermath::{outcome, since};
use crate::ceremony::judged::Judged;
use crate::ceremony::sending::sent::Sent;
use crate::chain::Receipt;
use crate::evm::TxHash;
use crate::incident::{TransactionRef, TxFacts};
use crate::proposal::{Outgoing, Ready, assemble};

/// Whoever sends it.
pub(in crate::ceremony) const PAYER: Address = Address::repeat_byte(0x77);
const GUARDIAN: Address = Address::repeat_byte(0x11);

/// A lever that alice and bob have signed, as it is evaluated for sending.
pub(in crate::ceremony) fn signed<'a>(desk: &'a Desk<'a>, lever: &str, given: &Given) -> Judged<'a> {
    let judged = evaluated(desk, &[lever], given, CommandPurpose::Propose).remove(0);
    for seed in [ALICE, BOB] {
        desk.keep_signature(judged.proposal(), &sign(desk, seed, judged.proposal())).unwrap();
    }
    evaluated(desk, &[lever], given, CommandPurpose::Finish).remove(0)
}

pub(in crate::ceremony) fn ready(judged: &Judged) -> Ready {
    let tree = judged.seen().unwrap().fresh().unwrap();
    assemble(judged.proposal(), &judged.approvals(), tree).unwrap()
}

/// A call that the account of [`sent`] makes.
pub(in crate::ceremony) fn own_call() -> Outgoing {
    let call = crate::safe::Call { to: VAULT, value: U256::ZERO, data: Bytes::new() };
    Outgoing::of_key(1, address(7), &call).unwrap()
}

/// A transaction that makes this call, signed by whoever pays.
pub(in crate::ceremony) fn sent(call: &Outgoing, nonce: u64, max_fee: u128) -> Sent {
    let tx = TxEip1559 {
        chain_id: call.chain_id(),
        nonce,
        gas_limit: 1_000_000,
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(call.to()),
        input: call.data().clone(),
        ..TxEip1559::default()
    };
    let signature = crate::safe::tests::sign(7, &tx.signature_hash());
    let signed = tx.into_signed(signature);
    Sent::new(TxEnvelope::Eip1559(signed).encoded_2718(), Some(100)).unwrap()
}

/// Mines what was signed.
fn execute(node: &Memory, judged: &Judged) -> TxHash {
    node.execute(judged.proposal(), ready(judged).signatures(), PAYER)
}

fn receipt_of(judged: &Judged, tx: TxHash) -> Receipt {
    judged.seen().unwrap().link.receipt(tx).unwrap().unwrap()
}

/// Returns the proposal, judged on the chain as it is by now.
fn later<'a>(desk: &'a Desk<'a>) -> Judged<'a> {
    evaluated(desk, &["vault"], &Given::default(), CommandPurpose::Show).remove(0)
}

#[test]
fn a_transaction_that_was_mined_is_found_read_and_proven() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    assert!(outcome::of_executed(&desk, &vault).unwrap().is_none(), "nothing is mined");
    let tx = execute(&node, &vault);
    let read = outcome::read(&desk, &vault, receipt_of(&vault, tx)).unwrap().unwrap();
    assert_eq!((read.as_rehearsed.clone(), read.judged_at.number), (AsRehearsed::Yes, FIRST + 1));
    assert!(read.is_proven(&vault));
    assert!(outcome::prove(&desk, &vault, &read.receipt).unwrap().is_none(), "nobody wants proofs");
    // Where all is to be proven, the outcome is too, and this chain proves nothing.
    let mut wanted = later(&desk);
    wanted.seen.as_mut().unwrap().proven = Some(crate::chain::Root::Stated);
    let error = outcome::prove(&desk, &wanted, &read.receipt).err().unwrap();
    let told = "the RPC says that it was executed, and the outcome is not proven: ";
    assert!(error.message.starts_with(told), "{}", error.message);
    let later = later(&desk);
    let found = outcome::of_executed(&desk, &later).unwrap().unwrap();
    assert_eq!((found.receipt.tx, found.verdicts.len()), (tx, 1));
    node.refuse("eth_getTransactionReceipt");
    let error = outcome::of_executed(&desk, &later).unwrap_err();
    assert!(error.message.contains("eth_getTransactionReceipt"), "{}", error.message);
}

/// A later block time may explain a difference from the rehearsal: then the transaction is run again on the state
/// before it.
#[test]
fn an_act_that_differs_from_its_rehearsal_is_run_again_on_the_block_before_it() {
    let compared = |before: &dyn Fn(&Memory), after: &dyn Fn(&Memory)| {
        let node = chain();
        let home = home(&node);
        let desk = home.desk();
        let vault = signed(&desk, "vault", &Given::default());
        before(&node);
        let tx = execute(&node, &vault);
        let receipt = receipt_of(&vault, tx);
        after(&node);
        outcome::read(&desk, &vault, receipt).unwrap().unwrap().as_rehearsed
    };
    let nothing = |_: &Memory| ();
    assert_eq!(compared(&nothing, &nothing), AsRehearsed::Yes);
    // Another fallback handler than in the review, and before the transaction.
    let handler = |node: &Memory| node.slot(GUARDIAN, crate::safe::slot::FALLBACK_HANDLER, VAULT.into_word());
    assert_eq!(compared(&handler, &nothing), AsRehearsed::Yes);
    let AsRehearsed::No(told) = compared(&nothing, &|node| node.set(VAULT, 0, 2)) else { panic!() };
    assert!(told.len() == 1 && told[0].starts_with("slot 0x0000"), "{told:?}");
    // Where it cannot be run again, what is seen stands.
    let pruned = |node: &Memory| {
        node.set(VAULT, 0, 2);
        node.prune(FIRST + 1);
    };
    let AsRehearsed::No(told) = compared(&nothing, &pruned) else { panic!() };
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn without_a_signed_rehearsal_a_block_that_is_pruned_leaves_it_unknown() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    let receipt = receipt_of(&vault, execute(&node, &vault));
    let later = later(&desk);
    assert_eq!(
        outcome::read(&desk, &later, receipt.clone()).unwrap().unwrap().as_rehearsed,
        AsRehearsed::Yes
    );
    node.prune(FIRST + 1);
    let read = outcome::read(&desk, &later, receipt.clone()).unwrap().unwrap();
    let why = "no RPC keeps the state of that time any more";
    assert_eq!(read.as_rehearsed, AsRehearsed::Unknown(why.into()));
    assert!(read.is_proven(&later), "the checks hold");
    // The block itself is pruned: the newest is evaluated instead.
    let newest = node.mine();
    node.prune(newest);
    let read = outcome::read(&desk, &later, receipt.clone()).unwrap().unwrap();
    assert_eq!(read.judged_at.number, newest);
    let why = format!("no RPC keeps the state of block {} any more", FIRST + 1);
    assert_eq!(read.as_rehearsed, AsRehearsed::Unknown(why));
    // Any other fault is one.
    node.refuse("eth_getCode");
    assert!(outcome::read(&desk, &later, receipt).is_err());
}

#[test]
fn values_that_changed_after_the_act_are_reported() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    let receipt = receipt_of(&vault, execute(&node, &vault));
    let read = outcome::read(&desk, &vault, receipt).unwrap().unwrap();
    let now = || outcome::now(&desk, &later(&desk), &read).unwrap();
    assert!(now().is_none(), "there is no newer block");
    let newest = node.mine();
    let still = now().unwrap();
    assert_eq!((still.block.number, still.undone), (newest, Vec::new()));
    node.set(VAULT, 0, 0);
    let undone = now().unwrap().undone;
    assert!(undone.len() == 1 && undone[0].starts_with("vault paused() "), "{undone:?}");
    node.set(VAULT, 0, 1);
    node.code(VAULT, contract(&[("paused()", Body::Get(0))]));
    let undone = now().unwrap().undone;
    assert_eq!(undone[0], format!("vault {VAULT} has other code"), "{undone:?}");
}

/// The council file pins the vault's code, and that of what is behind it.
#[test]
fn code_that_is_not_pinned_is_reported() {
    let node = chain();
    let implementation = Address::repeat_byte(0x44);
    let [proxy, _, _, _] = crate::fork::PROXY_SLOTS;
    let pinned = |codes: &[B256]| {
        let codes: Vec<String> = codes.iter().map(|code| format!("\"{code}\"")).collect();
        let table = format!("mainnet = {{ address = \"{VAULT}\", code = [{}] }}", codes.join(", "));
        home(&node).with(&format!("mainnet = \"{}\"", "0x9999999999999999999999999999999999999999"), &table)
    };
    let hash = |code: &[u8]| alloy::primitives::keccak256(code);
    let told = |home: &Home| {
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let of = super::on_chain::judged(&desk, &vault, 5, Readings::default());
        let link = &of.seen().unwrap().link;
        let block = link.watch(&[], &[]).unwrap().header.block();
        let now = link.answers(&since::queries(&of), &block).unwrap();
        since::changed(&of, link, None, &now, &block).unwrap()
    };
    node.code(VAULT, vec![1].into());
    assert!(told(&pinned(&[hash(&[1])])).is_empty());
    let other = pinned(&[hash(&[2])]);
    let sentence = |code: &[u8]| {
        vec![format!("vault {VAULT} runs code {}, which your council file does not pin", hash(code))]
    };
    assert_eq!(told(&other), sentence(&[1]));
    node.code(implementation, vec![2].into());
    node.slot(VAULT, proxy.slot, implementation.into_word());
    assert_eq!(told(&pinned(&[hash(&[1])])), sentence(&[2]));
    assert!(told(&pinned(&[hash(&[1]), hash(&[2])])).is_empty());
}

#[test]
fn the_author_and_time_of_an_act_that_is_done_already_are_shown() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    assert_eq!(find(&desk, &vault), DoneBy::Unknown("none of the last transactions of guardian".into()));
    let tx = execute(&node, &vault);
    let again = || evaluated(&desk, &["vault"], &at(5), CommandPurpose::Propose).remove(0);
    let DoneBy::Known(deed) = find(&desk, &again()) else { panic!() };
    assert_eq!((deed.tx, deed.sender, deed.block, deed.is_this_lever), (tx, PAYER, FIRST + 1, true));
    let (time, ago) = deed.time.unwrap();
    assert!(time > 0 && ago < 1_000, "{ago} s ago");
    // A later transaction of the Safe that is about something else: the time of an older block is asked for.
    let bridge = signed(&desk, "bridge", &at(5));
    execute(&node, &bridge);
    let DoneBy::Known(older) = find(&desk, &again()) else { panic!() };
    assert_eq!((older.tx, older.time.map(|(time, _)| time)), (tx, Some(time)));
    node.refuse("eth_getLogs");
    let DoneBy::Unknown(why) = find(&desk, &again()) else { panic!() };
    assert!(why.contains("eth_getLogs"), "{why}");
    let offline = proposed(&desk, &["vault"], &at(5), 0);
    let offline = desk.find_own_lever(offline, &at(5)).unwrap().offline(&desk, &at(5)).unwrap().judge(false);
    assert_eq!(find(&desk, &offline), DoneBy::Unknown("the network was not asked".into()));
}

#[test]
fn a_record_has_what_the_chain_proves() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    let about = desk.about(vault.proposal());
    let facts = |about: &TransactionRef| -> TxFacts {
        desk.facts(std::slice::from_ref(about), false).remove(&about.safe_tx_hash).unwrap()
    };
    let open = facts(&about);
    assert_eq!(open.unknown.as_deref(), Some("it was not executed: the Safe's next nonce is 4"));
    assert!(open.lines.is_empty() && open.playbooks.len() == 1);
    execute(&node, &vault);
    let done = facts(&about);
    assert_eq!((done.unknown.as_deref(), done.lines.len()), (None, 4));
    let executed = done.executed.unwrap();
    assert_eq!((executed.block, executed.sender, executed.signers.len()), (FIRST + 1, PAYER, 2));
    assert!(executed.time.is_some());
    assert_eq!(done.changes.len(), 1);
    assert_eq!(done.changes[0].before.as_deref(), Some("false"));
    assert_eq!(done.changes[0].after.as_deref(), Some("true"));
    // Another transaction used the nonce.
    let other =
        TransactionRef { safe_tx_hash: proposed(&desk, &["bridge"], &at(4), 0).hash(), ..about.clone() };
    let used = facts(&other);
    assert_eq!(used.unknown.as_deref(), Some("none of the Safe's last transactions did it"));
    assert!(used.executed.is_none() && used.changes.is_empty());
    // Its own nonce is the next one.
    let next = TransactionRef { nonce: Nonce::from(5), ..other.clone() };
    assert_eq!(facts(&next).unknown.as_deref(), Some("it was not executed: the Safe's next nonce is 5"));
    let stranger = TransactionRef { address: PAYER, ..about.clone() };
    assert_eq!(facts(&stranger).unknown.as_deref(), Some("your council file does not have this Safe"));
    // An older execution has a time as well, which is asked for.
    execute(&node, &signed(&desk, "bridge", &at(5)));
    assert_eq!(facts(&about).executed.unwrap().time, executed.time);
    node.refuse("eth_getLogs");
    assert!(facts(&about).unknown.unwrap().contains("eth_getLogs"));
}

/// The undo restores the values of the state before the act.
#[test]
fn the_values_in_force_before_an_act_are_read_from_the_block_before_it() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let fee = signed(&desk, "fee", &setting(Given::default(), "fee", "40 bps"));
    let receipt = receipt_of(&fee, execute(&node, &fee));
    assert_eq!(node.read(VAULT, 1), U256::from(40));
    let order = &fee.derived.own.as_ref().unwrap().order;
    let was = crate::ceremony::aftermath::undo_values::read(&desk, &fee, order, &receipt).unwrap();
    assert_eq!(was.len(), 1);
    assert_eq!(was[0]["was"], "0.3 %");
    node.refuse("eth_call");
    assert!(crate::ceremony::aftermath::undo_values::read(&desk, &fee, order, &receipt).is_err());
}

#[test]
fn a_state_that_proves_nothing_is_refused() {
    use super::on_chain::{answering, header, now, word};
    use crate::chain::Snapshot;
    let home = Home::new();
    let desk = home.desk();
    let vault = proposed(&desk, &["vault"], &at(4), 0);
    let of = super::on_chain::judged(&desk, &vault, 5, Readings::default());
    let plan = of.plan().unwrap();
    let checks: Vec<_> = plan.after.iter().collect();
    let done = |nonce: u64, paused: u64| {
        let readings = answering(&desk, &["vault"], &word(paused));
        let seen = Snapshot::told(header(21, 0), now(&vault, nonce), Vec::new(), readings);
        outcome::require_done(&seen, vault.nonce(), &checks).map_err(|error| error.message)
    };
    assert_eq!(done(5, 1), Ok(()));
    let where_ = "in block 21, against whose state it was proven";
    assert_eq!(done(4, 1), Err(format!("the Safe's nonce is still 4 {where_}")));
    assert!(done(5, 0).unwrap_err().starts_with("vault paused() "));
    // A check of an event asks nothing of the state, and is judged by the receipt alone.
    let seen = Snapshot::told(header(21, 0), now(&vault, 5), Vec::new(), Readings::default());
    let event = event_check();
    assert!(outcome::rests_on_events(&event) && !outcome::rests_on_events(checks[0]));
    assert!(outcome::require_done(&seen, vault.nonce(), &[&event]).is_ok());
    assert_eq!(
        [None, Some(20), Some(21), Some(22)].map(|claimed| outcome::first_searched(claimed, 21)),
        [0, 20, 21, 0]
    );
}

/// A check that an event is in the receipt.
fn event_check() -> crate::playbook::Check {
    use crate::evm::AddressBook;
    use crate::playbook::{Derivation, Inputs, derive};
    let catalogue = Catalogue::new(Vec::new());
    let playbook = catalogue.get("pause/zodiac-roles-target").unwrap().playbook;
    let word = B256::with_last_byte(7).to_string();
    let args = [("module", VAULT.to_string()), ("role", word), ("target", PAYER.to_string())];
    let args = args.map(|(name, value)| (name.to_string(), value)).into();
    let names = AddressBook::default();
    let inputs = Inputs { args: &args, names: &names, safe: GUARDIAN, chain_id: 1 };
    let Derivation::Ready(plan) = derive(playbook, &inputs, &Readings::default()).unwrap() else { panic!() };
    plan.after.into_iter().find(|check| check.queries().is_empty()).unwrap()
}
