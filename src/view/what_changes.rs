//! Effects of a rehearsal, by the reader's own names.

use std::collections::{BTreeSet, HashMap};

use alloy::dyn_abi::DynSolValue;
use alloy::primitives::{Address, B256, U256};
use serde_json::{Value, json};

use crate::ceremony::judged::Judged;
use crate::ceremony::rehearsal::{Performed, Rehearsing, outcome};
use crate::chain::{Standing, agreeing};
use crate::evm::amount::ether;
use crate::evm::{AddressBook, TokenChange, Write};
use crate::fork::{Moved, Outcome, Rehearsal, SlotNames, SlotTable};
use crate::playbook::{Dictionary, Plan};
use crate::proposal::Few;
use crate::safe::{SENTINEL, slot, slot_word};
use crate::ui::{Lines, Text};

const INDENT: &str = "    ";
/// Changes beyond this number are counted and not listed.
const MOST_SHOWN: usize = 60;
/// The same for what could be an owner or another address: each that the reader's own calls do not explain is refused.
const MOST_TELLING: usize = 200;

/// The section of the review. What differs from the recorded rehearsal comes first.
pub fn show(out: &mut Lines, judged: &Judged) {
    let heading = Text::new("  ").bold("What changes");
    match &judged.rehearsal {
        Rehearsing::Not if judged.seen.is_some() => return,
        Rehearsing::Not => out.say(&heading.warn("   not rehearsed: nothing was asked of the network")),
        Rehearsing::Failed(why) => {
            out.say(&heading.bad("   NOT REHEARSED").add(&format!(": {why}")));
        }
        Rehearsing::Done(done) => {
            out.say(&heading.dim(&format!("   rehearsed at block {}, {}", done.block, agreement(judged))));
            rehearsed(out, judged, done);
        }
    }
    out.blank();
}

/// `2 of 3 RPCs agree`, and who does not.
#[must_use]
pub fn agreement(judged: &Judged) -> String {
    let Some(online) = &judged.seen else { return String::new() };
    let endpoints = online.link.endpoints();
    let (agree, of) = agreeing(&endpoints);
    let others: String = (endpoints.iter())
        .filter_map(|e| match &e.standing {
            Standing::Outvoted(fault) | Standing::Lying(fault) => Some(format!("; {} {fault}", e.shown)),
            Standing::SameAs(other) => Some(format!("; {} is the same as {other}", e.shown)),
            Standing::Agrees | Standing::Unasked => None,
        })
        .collect();
    let proven = judged.proven().map(|proven| format!(", {proven}")).unwrap_or_default();
    format!("{agree} of {of} RPCs agree{proven}{others}")
}

fn rehearsed(out: &mut Lines, judged: &Judged, done: &Performed) {
    let mut say = |text: Text| out.say(&Text::new(INDENT).then(text));
    let mut differs = Few::default();
    done.differs.iter().for_each(|line| differs.push(|| line));
    for line in differs.first() {
        say(Text::default().warn("not as recorded: ").add(line));
    }
    if differs.more() > 0 {
        say(Text::default().warn(&format!("and {} more that are not as recorded", differs.more())));
    }
    if done.ahead {
        say(Text::default().warn("as if it were next: what comes before it may change what it does"));
    }
    match outcome(&done.rehearsal, judged.plan(), &judged.derived.names) {
        Ok(()) => {}
        Err(why) => say(Text::default().bad("IT FAILS: ").add(&why)),
    }
    for verdict in &done.after {
        let mark = if verdict.holds { Text::default().good("✓ ") } else { Text::default().bad("✗ ") };
        say(mark.add(&verdict.sentence));
    }
    for repeat in &done.once {
        let lever = repeat.lever.as_deref().unwrap_or_default();
        let text = format!(
            "if somebody else makes the call of {lever}, {}, first, all of it reverts",
            repeat.signature
        );
        say(Text::default().warn("! ").add(&text));
    }
    let (telling, others) = changes(judged, &done.rehearsal);
    let changes_nothing = telling.is_empty() && others.is_empty();
    let more = others.len().saturating_sub(MOST_SHOWN);
    let untold = telling.len().saturating_sub(MOST_TELLING);
    telling.into_iter().take(MOST_TELLING).for_each(&mut say);
    if untold > 0 {
        let text = format!("AND {untold} MORE that could be an owner, a role or another address: ");
        say(Text::default().bad(&text).add("breakglass dry-run --json lists them"));
    }
    others.into_iter().take(MOST_SHOWN).for_each(&mut say);
    if more > 0 {
        say(Text::default().warn(&format!("and {more} more changes: breakglass dry-run --json lists them")));
    }
    say(Text::default().dim(if changes_nothing { "nothing changes" } else { "nothing else" }));
}

/// The places that change and that no check after the calls reads, by name: each contract with what changes in it. The
/// Safe's own nonce counts up with every transaction, and is none of them.
#[must_use]
pub fn beside(judged: &Judged, rehearsal: &Rehearsal) -> Vec<String> {
    let names = Names::new(judged, rehearsal);
    let name = |address| judged.derived.names.name(address).map_or_else(|| shortened(address), String::from);
    let safe = judged.derived.safe.address;
    let is_nonce = |write: &Write| write.address == safe && write.slot == slot_word(slot::NONCE);
    let unread =
        |write: &&Write| !names.read_by.contains_key(&(write.address, write.slot)) && !is_nonce(write);
    let mut places: Vec<String> = Vec::new();
    for write in rehearsal.writes.iter().filter(unread) {
        let what = names.by_place(write).unwrap_or_else(|| "storage".into());
        places.push(format!("{} {what}", name(write.address)));
    }
    places.extend(rehearsal.balances.iter().map(|change| format!("{} ETH", name(change.address))));
    let token = |change: &TokenChange| format!("{} {}", name(change.holder), name(change.token));
    places.extend(rehearsal.tokens.iter().map(token));
    places.extend(rehearsal.created.iter().map(|address| format!("{} created", name(*address))));
    places.extend(rehearsal.destroyed.iter().map(|address| format!("{} DESTROYED", name(*address))));
    let mut seen = BTreeSet::new();
    places.retain(|place| seen.insert(place.clone()));
    places
}

/// `0x7099…79C8`
#[must_use]
pub fn shortened(address: Address) -> String {
    let text = address.to_string();
    format!("{}…{}", &text[..6], &text[text.len() - 4..])
}

/// One line for each contract that changes, and under it what changes in it: first all that could be an owner, a role, an
/// implementation or another address, which no bound may hide, and then the rest.
fn changes(judged: &Judged, rehearsal: &Rehearsal) -> (Vec<Text>, Vec<Text>) {
    let names = Names::new(judged, rehearsal);
    let tells = |write: &&Write| !write.addresses().is_empty() || names.by_place(write).is_some();
    let (telling, dull): (Vec<&Write>, Vec<&Write>) = rehearsal.writes.iter().partition(tells);
    let mut others = beside_storage(judged, rehearsal);
    others.extend(written(judged, &names, &dull));
    (written(judged, &names, &telling), others)
}

/// The slots by contract, each with the addresses that may lie in it.
fn written(judged: &Judged, names: &Names, writes: &[&Write]) -> Vec<Text> {
    let mut lines = Vec::new();
    let mut at = None;
    for write in writes {
        if at != Some(write.address) {
            at = Some(write.address);
            lines.push(place(judged, write.address));
        }
        let line = match names.of(write) {
            Some(name) => Text::new("  ").bold(&name),
            None => Text::new("  ").add(&format!("slot {}", write.slot)),
        };
        let [old, new] = shown(judged, write);
        lines.push(line.add("   ").add(&old).dim(" → ").add(&new));
        let whole = |moved: &Moved| moved.at == 12 && as_address(write.new).is_some();
        for moved in write.addresses().iter().filter(|moved| !whole(moved)) {
            let [old, new] = [moved.old, moved.new].map(|address| named(&judged.derived.names, address));
            let place = format!("    in it, from byte {}, could be   ", moved.at);
            lines.push(Text::new(&place).warn(&old).dim(" → ").warn(&new));
        }
    }
    lines
}

/// Ether, tokens, and contracts that come and go.
fn beside_storage(judged: &Judged, rehearsal: &Rehearsal) -> Vec<Text> {
    let mut lines = Vec::new();
    for change in &rehearsal.balances {
        let line = place(judged, change.address);
        lines.push(match change.new.checked_sub(change.old) {
            Some(gain) => line.add("   receives ").bold(&ether(gain)),
            None => line.add("   sends ").bold(&ether(change.old.saturating_sub(change.new))),
        });
    }
    for change in &rehearsal.tokens {
        let token = named(&judged.derived.names, change.token);
        let line = place(judged, change.holder);
        let amounts = match change.received.checked_sub(change.sent) {
            Some(gain) => format!("   receives {gain}"),
            None => format!("   sends {}", change.sent.saturating_sub(change.received)),
        };
        lines.push(line.bold(&amounts).add(&format!(" of token {token}, in its smallest unit")));
    }
    for (what, addresses) in [("created", &rehearsal.created), ("DESTROYED", &rehearsal.destroyed)] {
        lines.extend(addresses.iter().map(|address| place(judged, *address).add("   ").warn(what)));
    }
    lines
}

fn place(judged: &Judged, address: Address) -> Text {
    match judged.derived.names.name(address) {
        Some(name) => Text::default().bold(name).add(&format!("   {address}")),
        None => Text::new(&address.to_string()),
    }
}

fn named(names: &AddressBook, address: Address) -> String {
    names.name(address).map_or_else(|| address.to_string(), |name| format!("{name} {address}"))
}

/// Names of slots, by the addresses that a rehearsal is about.
struct Names<'a> {
    judged: &'a Judged<'a>,
    table: SlotTable,
    /// The slots that the checks read, with their names.
    read_by: HashMap<(Address, B256), String>,
}

impl<'a> Names<'a> {
    fn new(judged: &'a Judged<'a>, rehearsal: &'a Rehearsal) -> Self {
        let mut addresses: Vec<Address> = judged.state().owners.list().to_vec();
        let written = rehearsal.writes.iter().flat_map(|w| [w.old, w.new]).filter_map(as_address);
        addresses.extend(written.collect::<BTreeSet<_>>());
        let mut modules = judged.state().modules.clone();
        modules.extend(&addresses);
        let table = SlotTable::new(&SlotNames {
            safe: judged.derived.safe.address,
            owners: &addresses,
            modules: &modules,
            hash: Some(judged.proposal().hash()),
            read_by_checks: &[],
            roles: &judged.plan().map(|plan| roles(plan, &addresses)).unwrap_or_default(),
        });
        let mut read_by = HashMap::new();
        for check in judged.plan().into_iter().flat_map(|plan| &plan.after) {
            let queries = check.queries();
            for place in queries.iter().filter_map(|query| rehearsal.read_by.get(query)).flatten() {
                read_by.entry(*place).or_insert_with(|| format!("read by {}", check.label()));
            }
        }
        Self { judged, table, read_by }
    }

    /// By its place in a known contract, or by the check that reads it.
    fn of(&self, write: &Write) -> Option<String> {
        self.by_place(write).or_else(|| self.read_by.get(&(write.address, write.slot)).cloned())
    }

    fn by_place(&self, write: &Write) -> Option<String> {
        let name = self.table.name(write.address, write.slot)?;
        // The name ends in an address: the reader's own word for it.
        let own = name.rsplit_once(' ').and_then(|(what, last)| {
            let word = self.judged.derived.names.name(last.parse().ok()?)?;
            Some(format!("{what} {word} {last}"))
        });
        Some(own.unwrap_or_else(|| name.to_string()))
    }
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
fn shown(judged: &Judged, write: &Write) -> [String; 2] {
    let words = [write.old, write.new];
    let numbers = words.map(|word| U256::from_be_bytes(word.0));
    if numbers.iter().all(|number| *number >> 64 == U256::ZERO) {
        return numbers.map(|number| number.to_string());
    }
    let end = |word: B256| word.is_zero() || word == SENTINEL.into_word();
    if words.iter().all(|word| end(*word) || as_address(*word).is_some()) {
        return words.map(|word| match as_address(word) {
            Some(address) => named(&judged.derived.names, address),
            None => Address::from_word(word).to_string(),
        });
    }
    words.map(|word| word.to_string())
}

/// For `--json`.
#[must_use]
pub fn object(judged: &Judged) -> Value {
    let done = match &judged.rehearsal {
        Rehearsing::Not => return Value::Null,
        Rehearsing::Failed(why) => return json!({ "rehearsed": false, "why": why }),
        Rehearsing::Done(done) => done,
    };
    let rehearsal = &done.rehearsal;
    let text = |word: U256| word.to_string();
    let names = Names::new(judged, rehearsal);
    let writes = rehearsal.writes.iter().map(|w| {
        let could_be = w.addresses().into_iter().map(
            |moved| json!({ "byte": moved.at, "old": moved.old.to_string(), "new": moved.new.to_string() }),
        );
        json!({
            "address": w.address.to_string(), "name": judged.derived.names.name(w.address),
            "slot": w.slot, "means": names.of(w), "old": w.old, "new": w.new,
            "addresses": could_be.collect::<Vec<_>>(),
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
    let words = Dictionary::new(judged.derived.own.iter().flat_map(|own| own.order.playbooks()));
    let events = rehearsal.events.iter().map(|log| {
        json!({
            "address": log.address.to_string(), "name": judged.derived.names.name(log.address),
            "says": words.event(log, &judged.derived.names), "topics": log.topics(), "data": log.data.data,
        })
    });
    let events: Vec<Value> = events.collect();
    json!({
        "rehearsed": true,
        "block": done.block,
        "read_at": judged.read_at(),
        "agreement": agreement(judged),
        "proven": judged.proven(),
        "succeeds": rehearsal.outcome == Outcome::Succeeded,
        "why_not": outcome(rehearsal, judged.plan(), &judged.derived.names).err(),
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
