//! What a rehearsal changes, by the reader's own names.

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::{Address, B256, U256};
use serde_json::{Value, json};

use crate::chain::fork::{Outcome, Rehearsal, SlotNames, Write, name_slot};
use crate::chain::{BlockRef, Root, Standing, agreeing};
use crate::command::amount::ether;
use crate::command::rehearsed::{Rehearsed, Rehearsing};
use crate::command::subject::Subject;
use crate::council::AddressBook;
use crate::playbook::{Dictionary, Plan, Query};
use crate::safe::SENTINEL;
use crate::ui::{Text, Ui};

const INDENT: &str = "    ";
/// Changes beyond this number are counted and not listed.
const MOST_SHOWN: usize = 60;

/// The section of the review. What differs from the recorded rehearsal comes first.
pub fn show(ui: &Ui, subject: &Subject) {
    let heading = Text::new("  ").bold("What changes");
    match &subject.rehearsal {
        Rehearsing::Not if subject.online.is_some() => return,
        Rehearsing::Not => ui.say(&heading.warn("   not rehearsed: nothing was asked of the network")),
        Rehearsing::Failed(why) => {
            ui.say(&heading.bad("   NOT REHEARSED").add(&format!(": {why}")));
        }
        Rehearsing::Done(done) => {
            ui.say(&heading.dim(&format!("   rehearsed at block {}, {}", done.block, agreement(subject))));
            rehearsed(ui, subject, done);
        }
    }
    ui.blank();
}

/// `2 of 3 RPCs agree`, and who does not.
#[must_use]
pub fn agreement(subject: &Subject) -> String {
    let Some(online) = &subject.online else { return String::new() };
    let endpoints = online.link.endpoints();
    let (agree, of) = agreeing(&endpoints);
    let others: String = (endpoints.iter())
        .filter_map(|e| match &e.standing {
            Standing::Outvoted(fault) | Standing::Lying(fault) => Some(format!("; {} {fault}", e.shown)),
            Standing::SameAs(other) => Some(format!("; {} is the same as {other}", e.shown)),
            Standing::Agrees | Standing::Unasked => None,
        })
        .collect();
    let proven = proven(subject).map(|proven| format!(", {proven}")).unwrap_or_default();
    format!("{agree} of {of} RPCs agree{proven}{others}")
}

/// Against what everything that was read is proven, where that was asked for.
#[must_use]
pub fn proven(subject: &Subject) -> Option<String> {
    let online = subject.online.as_ref()?;
    Some(proven_at(online.proven?, &online.snapshot.header.block()))
}

/// A block that nobody knows can be made up, and everything proven in it: its hash is there to be compared.
#[must_use]
pub fn proven_at(root: Root, block: &BlockRef) -> String {
    let BlockRef { number, hash, .. } = block;
    match root {
        Root::InHash => format!("proven against the state root of block {number}, {hash}"),
        Root::Stated => format!(
            "proven against the state root that is stated for block {number}, {hash} (which is not worked out here)"
        ),
    }
}

fn rehearsed(ui: &Ui, subject: &Subject, done: &Rehearsed) {
    let say = |text: Text| ui.say(&Text::new(INDENT).then(text));
    for line in done.differs.iter().take(MOST_SHOWN) {
        say(Text::default().warn("not as recorded: ").add(line));
    }
    if done.ahead {
        say(Text::default().warn("as if it were next: what comes before it may change what it does"));
    }
    match outcome(&done.rehearsal, subject.plan(), &subject.names) {
        Ok(()) => {}
        Err(why) => say(Text::default().bad("IT FAILS: ").add(&why)),
    }
    for verdict in &done.after {
        let mark = if verdict.holds { Text::default().good("✓ ") } else { Text::default().bad("✗ ") };
        say(mark.add(&verdict.sentence));
    }
    let lines = changes(subject, &done.rehearsal);
    let (changes_nothing, more) = (lines.is_empty(), lines.len().saturating_sub(MOST_SHOWN));
    for line in lines.into_iter().take(MOST_SHOWN) {
        say(line);
    }
    if more > 0 {
        say(Text::default().warn(&format!("and {more} more changes: breakglass dry-run --json lists them")));
    }
    say(Text::default().dim(if changes_nothing { "nothing changes" } else { "nothing else" }));
}

/// Whether it succeeds, or the innermost reason why not.
pub fn outcome(rehearsal: &Rehearsal, plan: Option<&Plan>, names: &AddressBook) -> Result<(), String> {
    let errors = plan.map_or(&[][..], |plan| &plan.errors);
    let reason = || match rehearsal.reverts.last() {
        Some(revert) => format!("{} ({})", revert.reason(errors), named(names, revert.by)),
        None => "no reason given".into(),
    };
    match rehearsal.outcome {
        Outcome::Succeeded => Ok(()),
        Outcome::Failed => Err(format!("the Safe reports ExecutionFailure and uses its nonce: {}", reason())),
        Outcome::Reverted => Err(reason()),
        Outcome::Unannounced => Err("the Safe does not announce its success".into()),
    }
}

/// One line for each contract that changes, and under it what changes in it.
fn changes(subject: &Subject, rehearsal: &Rehearsal) -> Vec<Text> {
    let mut lines = Vec::new();
    let mut at = None;
    for write in &rehearsal.writes {
        if at != Some(write.address) {
            at = Some(write.address);
            lines.push(place(subject, write.address));
        }
        let line = match slot_name(subject, rehearsal, write.address, write.slot) {
            Some(name) => Text::new("  ").bold(&name),
            None => Text::new("  ").add(&format!("slot {}", write.slot)),
        };
        let [old, new] = shown(subject, write);
        lines.push(line.add("   ").add(&old).dim(" → ").add(&new));
    }
    for change in &rehearsal.balances {
        let line = place(subject, change.address);
        lines.push(match change.new.checked_sub(change.old) {
            Some(gain) => line.add("   receives ").bold(&ether(gain)),
            None => line.add("   sends ").bold(&ether(change.old.saturating_sub(change.new))),
        });
    }
    for change in &rehearsal.tokens {
        let token = named(&subject.names, change.token);
        let line = place(subject, change.holder);
        let amounts = match change.received.checked_sub(change.sent) {
            Some(gain) => format!("   receives {gain}"),
            None => format!("   sends {}", change.sent.saturating_sub(change.received)),
        };
        lines.push(line.bold(&amounts).add(&format!(" of token {token}, in its smallest unit")));
    }
    for (what, addresses) in [("created", &rehearsal.created), ("DESTROYED", &rehearsal.destroyed)] {
        lines.extend(addresses.iter().map(|address| place(subject, *address).add("   ").warn(what)));
    }
    lines
}

fn place(subject: &Subject, address: Address) -> Text {
    match subject.names.name(address) {
        Some(name) => Text::default().bold(name).add(&format!("   {address}")),
        None => Text::new(&address.to_string()),
    }
}

fn named(names: &AddressBook, address: Address) -> String {
    names.name(address).map_or_else(|| address.to_string(), |name| format!("{name} {address}"))
}

/// What the slot is called: by its place in a known contract, or by the check that reads it.
fn slot_name(subject: &Subject, rehearsal: &Rehearsal, address: Address, slot: B256) -> Option<String> {
    let mut addresses: Vec<Address> = subject.state().owners.list().to_vec();
    addresses.extend(rehearsal.writes.iter().flat_map(|w| [w.old, w.new]).filter_map(as_address));
    let mut modules = subject.state().modules.clone();
    modules.extend(&addresses);
    let names = SlotNames {
        safe: subject.safe.address,
        owners: &addresses,
        modules: &modules,
        hash: Some(subject.proposal.hash()),
        read_by_checks: &[],
        roles: &subject.plan().map(|plan| roles(plan, &addresses)).unwrap_or_default(),
    };
    let by_place = name_slot(address, slot, &names);
    let own = by_place.map(|name| match name.rsplit_once(' ') {
        // The name ends in an address: the reader's own word for it.
        Some((what, last)) => match last.parse().ok().and_then(|a: Address| subject.names.name(a)) {
            Some(word) => format!("{what} {word} {last}"),
            None => name.clone(),
        },
        None => name,
    });
    own.or_else(|| {
        let plan = subject.plan()?;
        let reads =
            |query: &Query| rehearsal.read_by.get(query).is_some_and(|s| s.contains(&(address, slot)));
        let check = plan.after.iter().find(|check| check.queries().iter().any(reads))?;
        Some(format!("read by {}", check.label()))
    })
}

/// Which memberships may change: of the roles and the addresses among the arguments.
fn roles(plan: &Plan, known: &[Address]) -> Vec<(B256, Address, String)> {
    let given = plan.args.iter().filter_map(|arg| arg.value.as_address());
    let accounts: Vec<Address> = given.chain(known.iter().copied()).collect();
    let roles = plan.args.iter().filter_map(|arg| match &arg.value {
        DynSolValue::FixedBytes(word, 32) => Some((*word, format!("{} {}", arg.name, arg.text))),
        _ => None,
    });
    roles.flat_map(|(role, name)| accounts.iter().map(move |who| (role, *who, name.clone()))).collect()
}

/// The address that a word is, if it looks like one.
fn as_address(word: B256) -> Option<Address> {
    let number = U256::from_be_bytes(word.0);
    (word[..12].iter().all(|byte| *byte == 0) && number >> 64 != U256::ZERO).then(|| Address::from_word(word))
}

/// Old and new alike: as numbers, as addresses, or else as the words they are.
fn shown(subject: &Subject, write: &Write) -> [String; 2] {
    let words = [write.old, write.new];
    let numbers = words.map(|word| U256::from_be_bytes(word.0));
    if numbers.iter().all(|number| *number >> 64 == U256::ZERO) {
        return numbers.map(|number| number.to_string());
    }
    let end = |word: B256| word.is_zero() || word == SENTINEL.into_word();
    if words.iter().all(|word| end(*word) || as_address(*word).is_some()) {
        return words.map(|word| match as_address(word) {
            Some(address) => named(&subject.names, address),
            None => Address::from_word(word).to_string(),
        });
    }
    words.map(|word| word.to_string())
}

/// For `--json`.
#[must_use]
pub fn object(subject: &Subject) -> Value {
    let done = match &subject.rehearsal {
        Rehearsing::Not => return Value::Null,
        Rehearsing::Failed(why) => return json!({ "rehearsed": false, "why": why }),
        Rehearsing::Done(done) => done,
    };
    let rehearsal = &done.rehearsal;
    let text = |word: U256| word.to_string();
    let writes = rehearsal.writes.iter().map(|w| {
        json!({
            "address": w.address.to_string(), "name": subject.names.name(w.address),
            "slot": w.slot, "means": slot_name(subject, rehearsal, w.address, w.slot),
            "old": w.old, "new": w.new,
        })
    });
    let balances = rehearsal
        .balances
        .iter()
        .map(|b| json!({ "address": b.address.to_string(), "old": text(b.old), "new": text(b.new) }));
    let tokens = rehearsal.tokens.iter().map(|t| {
        json!({
            "token": t.token.to_string(), "holder": t.holder.to_string(),
            "received": text(t.received), "sent": text(t.sent),
        })
    });
    let words = Dictionary::new(subject.own.iter().map(|(order, _)| order.entry.playbook));
    let events = rehearsal.events.iter().map(|log| {
        json!({
            "address": log.address.to_string(), "name": subject.names.name(log.address),
            "says": words.event(log, &subject.names), "topics": log.topics(), "data": log.data.data,
        })
    });
    let events: Vec<Value> = events.collect();
    json!({
        "rehearsed": true,
        "block": done.block,
        "agreement": agreement(subject),
        "proven": proven(subject),
        "succeeds": rehearsal.outcome == Outcome::Succeeded,
        "why_not": outcome(rehearsal, subject.plan(), &subject.names).err(),
        "holds": done.holds(),
        "after": done.after.iter().map(|v| json!({ "holds": v.holds, "sentence": v.sentence })).collect::<Vec<_>>(),
        "not_as_recorded": done.differs,
        "as_if_next": done.ahead,
        "writes": writes.collect::<Vec<_>>(),
        "balances": balances.collect::<Vec<_>>(),
        "tokens": tokens.collect::<Vec<_>>(),
        "created": rehearsal.created.iter().map(Address::to_string).collect::<Vec<_>>(),
        "destroyed": rehearsal.destroyed.iter().map(Address::to_string).collect::<Vec<_>>(),
        "events": events,
        "gas": rehearsal.gas_used,
        "gas_is_exact": done.is_signed,
    })
}
