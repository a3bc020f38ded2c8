//! A pair of faults for each kind that a check refuses or warns of; the two of a pair differ in one value.

use alloy::primitives::{Log, keccak256};

use super::*;
use crate::chain::{EndpointFault, EndpointStatus};
use crate::check::outflow::{APPROVAL, TRANSFER};
use crate::evm::{Answer, Query, TokenChange};
use crate::fork::{BalanceChange, End, Frame, FrameKind, Revert};
use crate::playbook::{CallPart, Catalogue, Origin, Playbook, ReadingSource};
use crate::proposal::FieldDifference;
use crate::safe::deployments::{Contract, KNOWN};

pub(super) fn innocent() -> Case {
    Case::new(rehearsal())
}

pub(super) fn changed(change: impl FnOnce(&mut Case)) -> Case {
    let mut case = innocent();
    change(&mut case);
    case
}

fn seen(change: impl FnOnce(&mut Rehearsal)) -> Case {
    changed(|case| change(&mut case.rehearsal))
}

/// The Safe as it is now.
pub(super) fn now(change: impl FnOnce(&mut SafeState)) -> Case {
    changed(|case| {
        let mut state = case.proposal.snapshot().clone();
        change(&mut state);
        case.now = Some(state);
    })
}

fn sending(tx: SafeTx) -> Case {
    changed(|case| case.proposal = proposing(tx))
}

fn call(data: &[u8]) -> SafeTx {
    SafeTx::new(VAULT, U256::ZERO, Bytes::copy_from_slice(data), Operation::Call, Nonce::from(3))
}

fn differing(own: &str) -> Vec<FieldDifference> {
    vec![FieldDifference { field: "data", file: "0x01".into(), own: own.into() }]
}

fn verdict(found: &str) -> Vec<Verdict> {
    let (sentence, expected) = (format!("fee() {found}"), "is 1".into());
    vec![Verdict { holds: false, sentence, expected, found: found.into() }]
}

fn log(topics: Vec<B256>, data: &[u8]) -> Log {
    Log::new_unchecked(THIEF, topics, Bytes::copy_from_slice(data))
}

/// A pair of cases for each kind of fault, and how its id begins.
pub(super) type Faults = Vec<(&'static str, &'static str, [Case; 2])>;

pub(super) fn faults() -> Faults {
    [of_the_playbook(), of_the_transaction(), of_the_safe(), of_the_code(), of_the_effects(), of_the_rpcs()]
        .concat()
}

fn of_the_playbook() -> Faults {
    let matching = |matching| changed(|case| case.matching = matching);
    let read = |answer: u8| {
        changed(|case| {
            let answer = Answer::Value(Bytes::copy_from_slice(B256::with_last_byte(answer).as_slice()));
            let readings = [(Query::Balance { address: VAULT }, answer)].into_iter().collect();
            case.plan = Some(Plan { rests_on: readings, ..plan(&[]) });
            case.matching = Match::SameOffline;
        })
    };
    let moved = |own| matching(Match::Moved(differing(own)));
    let differs = |own| matching(Match::Differs(differing(own)));
    let unbound = |why: &str| matching(Match::Unbound(why.into()));
    let foreign = |value: &str| changed(|case| case.foreign = vec![("new".into(), value.into())]);
    let instead = |title: &str| {
        changed(|case| {
            let text = Catalogue::new(vec![]).get("pause/oz-pausable").unwrap().playbook.text().to_string();
            let read = |text: &str| -> &'static Playbook {
                Box::leak(Box::new(Playbook::parse("pause.toml", text).unwrap()))
            };
            let own = text.replace("title = \"", &format!("title = \"{title}"));
            let origin = Origin::Council("pause.toml".into());
            case.entries = vec![LibraryEntry { playbook: read(&own), origin, replaces: Some(read(&text)) }];
        })
    };
    let before = |found| changed(|case| case.before = verdict(found));
    vec![
        ("matches the playbook", "values-moved", ["0x02", "0x03"].map(moved)),
        ("matches the playbook", "not-your-playbook", ["0x02", "0x03"].map(differs)),
        ("matches the playbook", "not-your-playbook", ["no lever", "no playbook"].map(unbound)),
        ("the reader's arguments", "not-your-arguments", ["0x02", "0x03"].map(foreign)),
        ("in place of a built-in one", "replaces-built-in", ["Not ", "Never "].map(instead)),
        ("values from the chain", "values-from-file", [6, 18].map(read)),
        ("before", "before:1", ["2", "3"].map(before)),
    ]
}

fn of_the_transaction() -> Faults {
    let refunding = |price: u64| sending(SafeTx { gas_price: U256::from(price), ..call(&[]) });
    let delegating = |byte| sending(SafeTx { operation: Operation::DelegateCall, ..call(&[byte]) });
    let at = |nonce: u64| now(|state| state.nonce = Nonce::from(nonce));
    let beside = |hash: &str| changed(|case| case.others = vec![(Nonce::from(3), hash.into())]);
    let kept = |signers: usize| {
        changed(|case| {
            case.signing = false;
            case.keeper = Some(Contender {
                title: "vault".into(),
                levers: vec!["vault".into()],
                nonce: case.proposal.nonce(),
                signers,
                severity: None,
                place: 0,
            });
        })
    };
    let drill = |nonce: u64| {
        changed(|case| case.proposal = case.proposal.with_nonce(Nonce::from(nonce)).for_drill().unwrap())
    };
    vec![
        ("drill", "drill-unannounced", [3, 4].map(drill)),
        ("nonce", "nonce-kept", [1, 2].map(kept)),
        ("refund", "refund", [1, 2].map(refunding)),
        ("delegatecall", "delegatecall", [1, 2].map(delegating)),
        ("nonce", "nonce-used", [4, 5].map(at)),
        ("nonce", "nonce-gap", [1, 2].map(at)),
        ("nonce", "nonce-conflict", ["0x01", "0x02"].map(beside)),
    ]
}

fn of_the_safe() -> Faults {
    let two = [THIEF, OWNER];
    let version = |is| {
        let mut case = now(|state| state.id.version = is);
        case.council_safe.version = Some(SafeVersion::V1_1_1);
        case
    };
    let told = |by: Address| {
        let state = proposal().snapshot().clone();
        let file = SafeState { owners: Owners::new(vec![by], 1).unwrap(), ..state.clone() };
        changed(|case| case.past = Past::compare((&file, None), (&state, &Readings::default())))
    };
    let owned = |by: Address| {
        let mut case = now(|state| state.owners = Owners::new(vec![by], 1).unwrap());
        case.council_safe.owners = Owners::new(vec![VAULT], 1).ok();
        case
    };
    let known = KNOWN.iter().find(|d| d.contract == Contract::Singleton && d.version == SafeVersion::V1_4_1);
    let known = known.unwrap().address;
    let coded = |byte| {
        let mut case = now(|state| state.singleton = known);
        case.rehearsal.code = [(known, B256::repeat_byte(byte))].into();
        case
    };
    let proxy = |byte| changed(|case| case.proxy_code = Some(B256::repeat_byte(byte)));
    let without = |module: Address| {
        let mut case = now(|state| state.modules.clear());
        case.council_safe.modules = Some(vec![module]);
        case
    };
    let guarded = |by: Address| {
        let mut case = now(|state| (state.guard, state.module_guard) = (by, by));
        (case.council_safe.guard, case.council_safe.module_guard) = (Some(VAULT), Some(VAULT));
        case
    };
    let is = |kind: AccountKind| {
        move |owner: Address| {
            let mut case = now(|state| state.owners = Owners::new(vec![owner], 1).unwrap());
            case.accounts = [(owner, kind)].into();
            case
        }
    };
    vec![
        ("what the owners are", "owner-contract", two.map(is(AccountKind::Contract))),
        ("what the owners are", "delegated-account", two.map(is(AccountKind::Delegated(VAULT)))),
        ("as pinned", "safe-version", [SafeVersion::V1_3_0, SafeVersion::V1_5_0].map(version)),
        ("as pinned", "safe-owners", two.map(owned)),
        ("as told of its block", "safe-never-so:owners", two.map(told)),
        ("as proposed", "safe-drift:owners", two.map(owned)),
        ("as proposed", "safe-drift:modules", two.map(|module| now(|state| state.modules = vec![module]))),
        ("singleton", "unknown-singleton", two.map(|code| now(|state| state.singleton = code))),
        ("singleton", "unknown-singleton", [1, 2].map(coded)),
        ("proxy", "unknown-proxy", [1, 2].map(proxy)),
        ("powers beside the owners", "module:", two.map(|module| now(|state| state.modules = vec![module]))),
        ("powers beside the owners", "module-gone", two.map(without)),
        ("powers beside the owners", "guard", two.map(guarded)),
        ("powers beside the owners", "module-guard", two.map(guarded)),
        ("powers beside the owners", "fallback-handler", two.map(|at| now(|s| s.fallback_handler = at))),
    ]
}

/// The vault runs one code.
fn running(byte: u8) -> Case {
    let (input, output) = (Bytes::new(), Bytes::new());
    let (depth, kind, from, to) = (1, FrameKind::Call, SAFE, VAULT);
    let (value, end, gas_used) = (U256::ZERO, End::Returned, 0);
    let frame = Frame { depth, kind, from, to, value, input, output, end, gas_used };
    let mut case = sending(call(&[1, 2, 3, 4]));
    case.rehearsal.trace = Trace { frames: vec![frame], cut: false };
    case.rehearsal.code = [(VAULT, B256::repeat_byte(byte))].into();
    case
}

fn of_the_code() -> Faults {
    let pinned = |byte| Case { pins: [(VAULT, vec![B256::repeat_byte(9)])].into(), ..running(byte) };
    let moved = |byte| {
        let then = RecordedCode { called: VAULT, at: VAULT, hash: B256::repeat_byte(9) };
        Case { code_then: vec![then], ..running(byte) }
    };
    let to = |to: Address| SafeTx { to, ..call(&[1, 2, 3, 4]) };
    let empty = |at: Address| {
        let mut case = sending(to(at));
        case.rehearsal.code = [(at, B256::ZERO)].into();
        case
    };
    let not_seen = |at: Address| Case { pins: [(at, vec![B256::ZERO])].into(), ..sending(to(at)) };
    vec![
        ("code", "code:", [1, 2].map(pinned)),
        ("code", "code-moved:", [1, 2].map(moved)),
        ("code", "no-code:", [VAULT, THIEF].map(empty)),
        ("code", "code-not-seen:", [VAULT, THIEF].map(not_seen)),
    ]
}

fn of_the_effects() -> Faults {
    let failing = |outcome: RunResult| {
        move |byte: u8| {
            let revert = Revert { by: Address::repeat_byte(byte), data: Bytes::new(), halt: None };
            seen(|done| (done.outcome, done.reverts) = (outcome, vec![revert]))
        }
    };
    let unseen = |byte: u8| {
        let case = sending(call(&[byte]));
        Case { not_rehearsed: Some("no answer"), is_rehearsed: false, ..case }
    };
    let slot = |byte: u8| seen(|done| done.writes = vec![write(SAFE, slot_word(slot::THRESHOLD), byte)]);
    let ether = |(gone, to): (u64, Address)| {
        let change = |address, old: u64, new: u64| BalanceChange {
            address,
            old: U256::from(old),
            new: U256::from(new),
        };
        seen(|done| done.balances = vec![change(SAFE, 100, 100 - gone), change(to, 0, gone)])
    };
    let token = |(sent, to): (u64, Address)| {
        let amount = U256::from(sent);
        let moved = TokenChange { token: THIEF, holder: SAFE, received: U256::ZERO, sent: amount };
        let topics = vec![TRANSFER, SAFE.into_word(), to.into_word()];
        let event = log(topics, &amount.to_be_bytes::<32>());
        seen(|done| (done.tokens, done.events) = (vec![moved], vec![event]))
    };
    let collectible = |id: u8| {
        let topics = vec![TRANSFER, SAFE.into_word(), THIEF.into_word(), B256::repeat_byte(id)];
        seen(|done| done.events = vec![log(topics, &[])])
    };
    let allowance = |(to, amount): (Address, u8)| {
        let topics = vec![APPROVAL, SAFE.into_word(), to.into_word()];
        seen(|done| done.events = vec![log(topics, B256::with_last_byte(amount).as_slice())])
    };
    let written = |(at, value): (Address, u8)| seen(|done| done.writes = vec![write(at, B256::ZERO, value)]);
    let event = |owner: Address| {
        let topic = keccak256("OwnershipTransferred(address,address)");
        let event = log(vec![topic, VAULT.into_word(), owner.into_word()], &[]);
        seen(|done| done.events = vec![event])
    };
    let silent = |owner: Address| seen(|done| done.writes = vec![to(VAULT, B256::ZERO, owner)]);
    let queueing = |byte: u8| {
        control::queueing(&[
            control::schedule_after(B256::repeat_byte(byte)),
            control::schedule_after(B256::repeat_byte(byte)),
        ])
    };
    let otherwise = |line: &str| changed(|case| case.rehearsed_otherwise = vec![line.into()]);
    let two = [OWNER, THIEF];
    vec![
        ("rehearsed", "not-rehearsed", [1, 2].map(unseen)),
        ("succeeds", "rehearsal-fails", [1, 2].map(failing(RunResult::Reverted))),
        ("succeeds", "execution-failure", [1, 2].map(failing(RunResult::Failed))),
        ("succeeds", "unannounced", [1, 2].map(failing(RunResult::Unannounced))),
        ("gas", "gas", [90, 95].map(|used| seen(|done| (done.gas_used, done.gas_limit) = (used, 100)))),
        ("safe slots", "safe-slots", [1, 2].map(slot)),
        ("outflow", "outflow", [(20, THIEF), (21, THIEF)].map(ether)),
        ("outflow", "outflow", [(20, THIEF), (20, OWNER)].map(ether)),
        ("outflow", "outflow", [(1, THIEF), (u64::MAX, THIEF)].map(token)),
        ("outflow", "outflow", [(1, THIEF), (1, OWNER)].map(token)),
        ("outflow", "outflow", [1, 2].map(collectible)),
        ("approvals", "approvals", [(THIEF, 1), (OWNER, 1)].map(allowance)),
        ("approvals", "approvals", [(THIEF, 1), (THIEF, 2)].map(allowance)),
        ("after", "after:1", ["2", "3"].map(|found| changed(|case| case.after = verdict(found)))),
        ("undeclared effects", "undeclared-effects", [(THIEF, 1), (OWNER, 1)].map(written)),
        ("undeclared effects", "undeclared-effects", [(THIEF, 1), (THIEF, 2)].map(written)),
        ("as recorded", "rehearsed-otherwise", ["a", "b"].map(otherwise)),
        ("control", "control:", two.map(event)),
        ("control", "control:", two.map(silent)),
        ("timelock order", "timelock-order:", [1, 2].map(queueing)),
    ]
}

fn of_the_rpcs() -> Faults {
    let endpoint = |shown: &str, what: &str| {
        let standing = EndpointStatus::Lying(EndpointFault::Lying { what: what.into(), number: 1 });
        changed(|case| {
            case.endpoints =
                vec![EndpointReport { shown: shown.into(), standing, newest: None, batch: None }];
        })
    };
    let few = |believed: &str| {
        let report = |shown: &str, standing| EndpointReport {
            shown: shown.into(),
            standing,
            newest: None,
            batch: None,
        };
        let silent = || EndpointStatus::Outvoted(EndpointFault::Slow);
        changed(|case| {
            case.endpoints =
                vec![report(believed, EndpointStatus::Agrees), report("c", silent()), report("d", silent())];
        })
    };
    let decimals = |answer: u8| {
        let mut case = now(|_| ());
        let answer = Answer::Value(Bytes::copy_from_slice(B256::with_last_byte(answer).as_slice()));
        let (query, sentence) = (Query::Balance { address: VAULT }, String::new());
        let by = vec![ReadingSource { query, answer, sentence }];
        let (signature, part) = ("transfer(address,uint256)".into(), CallPart::Argument("amount".into()));
        case.decided = vec![Decided { signature, part, by }];
        case
    };
    let old = |made| changed(|case| case.block_age = Some(Age::Old { seconds: 100, allowed: 72, made }));
    let lowered = |from| changed(|case| case.council_quorum = from);
    vec![
        ("one RPC decides", "one-rpc-decides:", [6, 18].map(decimals)),
        ("endpoints", "rpc-lying", [endpoint("a", "slot 1"), endpoint("b", "slot 1")]),
        ("endpoints", "rpc-lying", [endpoint("a", "slot 1"), endpoint("a", "slot 2")]),
        ("most RPCs agree", "rpc-minority:", [few("a"), few("b")]),
        ("block age", "block-age:", [100, 200].map(old)),
        ("quorum", "quorum:1", [2, 3].map(lowered)),
    ]
}
