//! Waiting for transactions on a chain in memory: one is mined, somebody else is faster, nobody answers.

use std::cell::Cell;
use std::time::Duration;

use super::executed::{PAYER, ready, sent, signed};
use super::live::{chain, evaluated, home};
use super::memory::{FIRST, Memory};
use super::*;
use crate::ceremony::judged::Judged;
use crate::ceremony::sending::outbox::Outbox;
use crate::ceremony::sending::sent::Sent;
use crate::ceremony::sending::waiting::{AwaitedTxs, WaitResult, alone, answered, finish, show, wait};
use crate::error::Exit;
use crate::evm::{Query, TxHash};
use crate::proposal::Outgoing;
use crate::safe::{slot, slot_word};

const LONG: Duration = Duration::from_hours(1);

/// What happens while somebody waits, and when they stop.
struct Meanwhile<'m> {
    pauses: Cell<u32>,
    most: u32,
    act: &'m dyn Fn(u32),
}

impl Stop for Meanwhile<'_> {
    fn is_requested(&self) -> bool {
        self.pauses.get() >= self.most
    }

    fn pause(&self, _: Duration) {
        self.pauses.set(self.pauses.get() + 1);
        (self.act)(self.pauses.get());
    }
}

/// The transaction that gives what is ready to the Safe, and one of the same call that pays more.
fn both(judged: &Judged) -> [Sent; 2] {
    let call = Outgoing::from(&ready(judged));
    [sent(&call, 0, 9), sent(&call, 0, 18)]
}

fn outbox(desk: &Desk, judged: &Judged) -> Outbox {
    let call = Outgoing::from(&ready(judged));
    Outbox::open(desk.progress, judged.derived.chain, None, 0, call).unwrap()
}

/// Mines what was signed as this transaction.
fn mine(node: &Memory, judged: &Judged, as_sent: &Sent) {
    let tx = node.execute(judged.proposal(), ready(judged).signatures(), PAYER);
    node.rename(tx, as_sent.hash);
}

/// Mines a transaction that the Safe says nothing about.
fn mine_nothing(node: &Memory, as_sent: &Sent) {
    let tx = node.mine_call(PAYER, PAYER, &Bytes::new(), true);
    node.rename(tx, as_sent.hash);
}

#[test]
fn the_wait_ends_when_one_of_the_transactions_is_mined() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    let all = both(&vault);
    let nonce = Query::Storage { address: vault.derived.safe.address, slot: slot_word(slot::NONCE) };
    let wanted = AwaitedTxs { last: &all[1], all: &all, nonce: Some(&nonce), most: LONG };
    let outbox = outbox(&desk, &vault);
    let act = |pause: u32| match pause {
        // A question that is not answered must not hide the receipt.
        1 => node.refuse("eth_call"),
        2 => node.refuse("eth_getTransactionReceipt"),
        3 => {
            node.allow("eth_getTransactionReceipt");
            mine(&node, &vault, &all[0]);
        }
        _ => (),
    };
    let stop = Meanwhile { pauses: Cell::new(0), most: 9, act: &act };
    let WaitResult::Mined(seen) = wait(&desk, &vault, &wanted, &outbox, &stop).unwrap() else { panic!() };
    assert_eq!((seen.receipts.len(), seen.receipts[0].tx, stop.pauses.get()), (1, all[0].hash, 3));
    assert_eq!(node.taken().len(), 1, "nobody had it, and it was given out once more");
    assert!(home.heard().contains(&format!("Sent {}", all[1].hash)));
    // All that is asked along is answered where nothing fails.
    node.allow("eth_call");
    let WaitResult::Mined(seen) = wait(&desk, &vault, &wanted, &outbox, &stop).unwrap() else { panic!() };
    assert!(outcome_queries(&vault).iter().all(|query| seen.readings.get(query).is_some()));
}

fn outcome_queries(judged: &Judged) -> Vec<Query> {
    crate::ceremony::aftermath::outcome::queries(judged)
}

#[test]
fn a_nonce_that_somebody_else_used_ends_the_wait() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    let bridge = signed(&desk, "bridge", &at(4));
    let all = both(&vault);
    let nonce = Query::Storage { address: vault.derived.safe.address, slot: slot_word(slot::NONCE) };
    let act = |pause: u32| {
        if pause == 2 {
            node.execute(bridge.proposal(), ready(&bridge).signatures(), PAYER);
        }
    };
    let ended = |nonce: Option<&Query>| {
        let stop = Meanwhile { pauses: Cell::new(0), most: 4, act: &act };
        let wanted = AwaitedTxs { last: &all[1], all: &all, nonce, most: LONG };
        let ended = wait(&desk, &vault, &wanted, &outbox(&desk, &vault), &stop);
        (matches!(ended, Ok(WaitResult::Elsewhere)), ended.is_err(), stop.pauses.get())
    };
    assert_eq!(ended(Some(&nonce)), (true, false, 2), "its own nonce is the next until then");
    assert_eq!(ended(None), (false, true, 4), "one that has no Safe is waited for");
}

#[test]
fn a_wait_ends_when_the_person_stops_it_or_its_time_is_over() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    let all = both(&vault);
    let error = |most: Duration, pauses: u32| {
        let stop = Meanwhile { pauses: Cell::new(0), most: pauses, act: &|_| () };
        let wanted = AwaitedTxs { last: &all[1], all: &all, nonce: None, most };
        wait(&desk, &vault, &wanted, &outbox(&desk, &vault), &stop).err().unwrap()
    };
    let stopped = error(LONG, 0);
    assert_eq!(stopped.exit, Exit::Network);
    assert_eq!(stopped.message, format!("{} was sent and you stopped waiting for it", all[1].hash));
    assert_eq!(stopped.hints.len(), 2);
    let late = error(Duration::ZERO, 1);
    assert_eq!(late.message, format!("{} was sent and is not mined after 0 s", all[1].hash));
    node.refuse("eth_chainId");
    node.refuse("eth_sendRawTransaction");
    let lost = error(LONG, 1);
    assert!(lost.hints.last().unwrap().starts_with("the last answer was: "), "{:?}", lost.hints);
    assert!(home.heard().iter().any(|line| line.starts_with("note: no RPC of mainnet took transaction")));
    // One that nothing else can take the place of.
    node.allow("eth_chainId");
    let by_itself = || alone(&desk, &vault, (&all[1], &all), &outbox(&desk, &vault), LONG);
    assert!(by_itself().is_err());
    mine_nothing(&node, &all[1]);
    assert_eq!(by_itself().unwrap().receipts[0].tx, all[1].hash);
}

/// How a wait for the vault's pause ends, and what is said of it, after this has happened.
fn finished(
    happened: impl FnOnce(&Memory, &Judged, &Judged, &[Sent; 2]),
) -> (Result<String, String>, Vec<String>, TxHash) {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    let bridge = signed(&desk, "bridge", &at(4));
    let all = both(&vault);
    happened(&node, &vault, &bridge, &all);
    home.heard();
    let ended = finish(&desk, &vault, (&all[1], &all), &outbox(&desk, &vault), LONG, "Mined");
    let ended = ended.map(|(outcome, by)| {
        assert!(outcome.is_proven(&vault), "{outcome:?}");
        by
    });
    (ended.map_err(|error| error.message), home.heard(), all[1].hash)
}

#[test]
fn the_result_of_a_wait_names_its_reason() {
    let (by, heard, _) = finished(|node, vault, _, all| mine(node, vault, &all[1]));
    assert_eq!((by.as_deref(), heard.len()), (Ok("Mined"), 0));
    let (by, _, _) = finished(|node, vault, _, all| {
        mine(node, vault, &all[1]);
        node.mine();
        node.set(VAULT, 0, 0);
    });
    assert_eq!(by.as_deref(), Ok("Mined"), "its own block counts");
    let (by, _, last) = finished(|node, vault, _, all| mine(node, vault, &all[0]));
    let by = by.unwrap();
    assert!(by.ends_with(" was mined first, and executed") && !by.contains(&last.to_string()), "{by}");
    // Somebody else executed it.
    let (by, heard, last) = finished(|node, vault, _, _| {
        node.execute(vault.proposal(), ready(vault).signatures(), PAYER);
    });
    assert_eq!(by, Ok(format!("Ours came too late: executed by somebody else, {PAYER}")));
    assert_eq!(heard, [format!("note: {last} may still be mined: it would fail, and cost gas")]);
    let (by, heard, _) = finished(|node, vault, _, all| {
        mine_nothing(node, &all[1]);
        node.execute(vault.proposal(), ready(vault).signatures(), PAYER);
    });
    assert!(by.unwrap().starts_with("Ours came too late") && heard.is_empty(), "ours is mined: {heard:?}");
    // Nobody executed it.
    let (why, _, last) = finished(|node, _, _, all| mine_nothing(node, &all[1]));
    let block = FIRST + 1;
    assert!(
        why.unwrap_err()
            .starts_with(&format!("{last} was mined in block {block}, and the Safe did not report"))
    );
    let (why, _, _) = finished(|node, _, bridge, _| {
        node.execute(bridge.proposal(), ready(bridge).signatures(), PAYER);
    });
    assert!(why.unwrap_err().starts_with("nonce 4 is used, and the Safe never reported "));
}

#[test]
fn only_whole_answers_of_the_same_block_are_used() {
    let block = |number: u64| super::on_chain::header(number, 0).block();
    let asked = [1, 2].map(|byte| Query::CodeHash { address: Address::repeat_byte(byte) });
    let answers = |count: usize| -> Readings {
        asked.iter().take(count).map(|query| (query.clone(), super::on_chain::word(1))).collect()
    };
    let is_used = |number: u64, count: usize| {
        answered(Some(&(block(number), answers(count))), block(40), &asked).is_some()
    };
    assert!(is_used(40, 2) && !is_used(41, 2) && !is_used(40, 1) && !is_used(40, 0));
    assert!(answered(None, block(40), &asked).is_none());
}

#[test]
fn what_was_sent_and_waits_is_shown_with_what_it_pays() {
    let node = chain();
    let home = home(&node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    home.heard();
    node.asked();
    assert!(show(&desk, &vault).unwrap().is_empty() && node.asked().is_empty(), "nothing was sent");
    let [first, second] = both(&vault);
    desk.keep_sent(vault.proposal(), &first).unwrap();
    assert_eq!(show(&desk, &vault).unwrap(), [first.hash.to_string()]);
    let heard = home.heard();
    assert!(heard[0].contains(" and not mined: it may pay 0.000000009 gwei with a tip of "), "{heard:?}");
    assert_eq!(heard[1], "  → breakglass broadcast waits for it and proves it");
    // The next base fee may be above what it pays.
    let cheap = sent(&Outgoing::from(&ready(&vault)), 1, 6);
    let poor = home_with(&node, &cheap);
    let heard = poor.1;
    assert_eq!(
        heard.last().unwrap(),
        "  → it may never be mined: breakglass broadcast replaces it with one that pays more"
    );
    // What is mined is not shown, and the dearest of the others decides.
    desk.keep_sent(vault.proposal(), &cheap).unwrap();
    desk.keep_sent(vault.proposal(), &second).unwrap();
    mine_nothing(&node, &first);
    let shown = show(&desk, &vault).unwrap();
    assert_eq!((shown.len(), shown.contains(&first.hash.to_string())), (2, false));
    assert_eq!(home.heard().last().unwrap(), "  → breakglass broadcast waits for it and proves it");
}

/// Another folder where this one alone was sent, and what is said of it.
fn home_with(node: &Memory, sent: &Sent) -> (Home, Vec<String>) {
    let home = home(node);
    let desk = home.desk();
    let vault = signed(&desk, "vault", &Given::default());
    desk.keep_sent(vault.proposal(), sent).unwrap();
    home.heard();
    show(&desk, &evaluated(&desk, &["vault"], &Given::default(), CommandPurpose::Show)[0]).unwrap();
    let heard = home.heard();
    (home, heard)
}
