//! The effects of a rehearsal, with the reader's own names: the section of the review, and the object.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, Bytes};
use serde::{Serialize, Serializer};

use crate::ceremony::judged::Judged;
use crate::ceremony::rehearsal_result::{CompletedRehearsal, RehearsalResult, check_success};
use crate::chain::{EndpointStatus, agreeing};
use crate::evm::amount::ether;
use crate::evm::{AddressBook, TokenChange, Write};
use crate::fork::{BalanceChange, Rehearsal, RunResult};
use crate::playbook::Dictionary;
use crate::proposal::Truncated;
use crate::safe::{slot, slot_word};
use crate::ui::{Lines, Text};
use crate::view::review_lines::slot_words::{Names, as_address, shown};
use crate::view::review_lines::verdict_line::VerdictLine;

const INDENT: &str = "    ";
/// Changes beyond this number are counted and not listed.
const MOST_SHOWN: usize = 60;
/// The bound for slots that could hold an owner or another address: each that the reader's own calls do not explain is
/// refused.
const MOST_TELLING: usize = 200;

/// A completed rehearsal, as it is shown.
#[derive(Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a field of the object")]
pub struct EffectLines {
    rehearsed: bool,
    block: u64,
    read_at: Option<String>,
    agreement: String,
    proven: Option<String>,
    succeeds: bool,
    why_not: Option<String>,
    holds: bool,
    after: Vec<VerdictLine>,
    not_as_recorded: Vec<String>,
    as_if_next: bool,
    writes: Vec<SlotChange>,
    balances: Vec<Balance>,
    tokens: Vec<Tokens>,
    created: Vec<Party>,
    destroyed: Vec<Party>,
    events: Vec<Event>,
    gas: u64,
    gas_is_exact: bool,
    /// Calls that revert the whole transaction if somebody else makes them first.
    #[serde(skip)]
    once: Vec<String>,
}

/// The rehearsal of a proposal: its effects, or why it was not rehearsed.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Changes {
    Failed { rehearsed: bool, why: String },
    Done(Box<EffectLines>),
}

/// An address with the reader's own name for it. A script gets the address.
struct Party {
    address: Address,
    name: Option<String>,
}

/// A storage slot that changes.
#[derive(Serialize)]
struct SlotChange {
    address: Party,
    name: Option<String>,
    slot: B256,
    means: Option<String>,
    old: B256,
    new: B256,
    addresses: Vec<CouldBe>,
    /// Old and new as a person reads them.
    #[serde(skip)]
    shown: [String; 2],
    /// It could be an owner, a role, an implementation or another address: such slots have a bound of their own.
    #[serde(skip)]
    is_telling: bool,
}

/// An address that may lie in a slot.
#[derive(Serialize)]
struct CouldBe {
    byte: usize,
    old: Party,
    new: Party,
    /// It is the whole new word, which is shown anyway.
    #[serde(skip)]
    is_whole: bool,
}

#[derive(Serialize)]
struct Balance {
    address: Party,
    old: String,
    new: String,
    /// The verb, and the ether that is gained or lost.
    #[serde(skip)]
    moved: (&'static str, String),
}

#[derive(Serialize)]
struct Tokens {
    token: Party,
    holder: Party,
    received: String,
    sent: String,
    /// The verb, and the number of the smallest unit that is gained or lost.
    #[serde(skip)]
    moved: String,
}

#[derive(Serialize)]
struct Event {
    address: Party,
    name: Option<String>,
    says: Option<String>,
    topics: Vec<B256>,
    data: Bytes,
}

/// Adds the section of the review. Differences from the recorded rehearsal come first.
pub fn show(out: &mut Lines, judged: &Judged) {
    let heading = Text::new("  ").bold("What changes");
    match Changes::of(judged) {
        None if judged.seen.is_some() => return,
        None => out.say(&heading.warn("   not rehearsed: nothing was asked of the network")),
        Some(Changes::Failed { why, .. }) => {
            out.say(&heading.bad("   NOT REHEARSED").add(&format!(": {why}")));
        }
        Some(Changes::Done(rehearsed)) => {
            let text = format!("   rehearsed at block {}, {}", rehearsed.block, rehearsed.agreement);
            out.say(&heading.dim(&text));
            rehearsed.lines().iter().for_each(|line| out.say(&Text::new(INDENT).then(line.clone())));
        }
    }
    out.blank();
}

impl Changes {
    /// Returns the changes; `None` if nothing was to be rehearsed.
    pub fn of(judged: &Judged) -> Option<Self> {
        match &judged.rehearsal {
            RehearsalResult::NotWanted => None,
            RehearsalResult::Failed(why) => Some(Self::Failed { rehearsed: false, why: why.clone() }),
            RehearsalResult::Done(done) => Some(Self::Done(Box::new(EffectLines::new(judged, done)))),
        }
    }
}

/// Returns how many RPCs agree, and which do not: `2 of 3 RPCs agree`.
pub fn agreement(judged: &Judged) -> String {
    let Some(online) = &judged.seen else { return String::new() };
    let endpoints = online.link.endpoints();
    let (agree, of) = agreeing(&endpoints);
    let others: String = (endpoints.iter())
        .filter_map(|e| match &e.standing {
            EndpointStatus::Outvoted(fault) | EndpointStatus::Lying(fault) => {
                Some(format!("; {} {fault}", e.shown))
            }
            EndpointStatus::SameAs(other) => Some(format!("; {} is the same as {other}", e.shown)),
            EndpointStatus::Agrees | EndpointStatus::Unasked => None,
        })
        .collect();
    let proven = judged.proven().map(|proven| format!(", {proven}")).unwrap_or_default();
    format!("{agree} of {of} RPCs agree{proven}{others}")
}

impl EffectLines {
    fn new(judged: &Judged, done: &CompletedRehearsal) -> Self {
        let (rehearsal, book) = (&done.rehearsal, &judged.derived.names);
        let slots = Names::new(judged, rehearsal);
        let words = Dictionary::new(judged.derived.own.iter().flat_map(|own| own.order.playbooks()));
        let events = rehearsal.events.iter().map(|log| Event {
            address: Party::new(book, log.address),
            name: book.name(log.address).map(Into::into),
            says: words.event(log, book),
            topics: log.topics().to_vec(),
            data: log.data.data.clone(),
        });
        let once = done.once.iter().map(|repeat| {
            let lever = repeat.lever.as_deref().unwrap_or_default();
            format!(
                "if somebody else makes the call of {lever}, {}, first, all of it reverts",
                repeat.signature
            )
        });
        let parties = |addresses: &[Address]| addresses.iter().map(|one| Party::new(book, *one)).collect();
        Self {
            rehearsed: true,
            block: done.block,
            read_at: judged.read_at(),
            agreement: agreement(judged),
            proven: judged.proven(),
            succeeds: rehearsal.outcome == RunResult::Succeeded,
            why_not: check_success(rehearsal, judged.plan(), book).err(),
            holds: done.holds(),
            after: VerdictLine::all(&done.after),
            not_as_recorded: done.differs.clone(),
            as_if_next: done.ahead,
            writes: rehearsal.writes.iter().map(|write| SlotChange::new(judged, &slots, write)).collect(),
            balances: rehearsal.balances.iter().map(|change| Balance::new(book, change)).collect(),
            tokens: rehearsal.tokens.iter().map(|change| Tokens::new(book, change)).collect(),
            created: parties(&rehearsal.created),
            destroyed: parties(&rehearsal.destroyed),
            events: events.collect(),
            gas: rehearsal.gas_used,
            gas_is_exact: done.is_signed,
            once: once.collect(),
        }
    }

    fn lines(&self) -> Vec<Text> {
        let mut lines = Vec::new();
        let mut differs = Truncated::default();
        self.not_as_recorded.iter().for_each(|line| differs.push(|| line));
        lines.extend(differs.first().iter().map(|line| Text::default().warn("not as recorded: ").add(line)));
        if differs.more() > 0 {
            let text = format!("and {} more that are not as recorded", differs.more());
            lines.push(Text::default().warn(&text));
        }
        if self.as_if_next {
            let text = "simulated as if the nonces before it had changed nothing";
            lines.push(Text::default().warn(text));
        }
        lines.extend(self.why_not.iter().map(|why| Text::default().bad("IT FAILS: ").add(why)));
        lines.extend(self.after.iter().map(VerdictLine::text));
        lines.extend(self.once.iter().map(|text| Text::default().warn("! ").add(text)));
        self.changes(&mut lines);
        lines
    }

    /// Adds one line for each contract that changes, and its changes below it: first slots that could hold an owner, a
    /// role, an implementation or another address, then the rest.
    fn changes(&self, lines: &mut Vec<Text>) {
        let telling = self.slots(true);
        let mut others = self.beside_storage();
        others.extend(self.slots(false));
        let changes_nothing = telling.is_empty() && others.is_empty();
        let more = others.len().saturating_sub(MOST_SHOWN);
        let untold = telling.len().saturating_sub(MOST_TELLING);
        lines.extend(telling.into_iter().take(MOST_TELLING));
        if untold > 0 {
            let text = format!("AND {untold} MORE that could be an owner, a role or another address: ");
            lines.push(Text::default().bad(&text).add("breakglass dry-run --json lists them"));
        }
        lines.extend(others.into_iter().take(MOST_SHOWN));
        if more > 0 {
            let text = format!("and {more} more changes: breakglass dry-run --json lists them");
            lines.push(Text::default().warn(&text));
        }
        lines.push(Text::default().dim(if changes_nothing { "nothing changes" } else { "nothing else" }));
    }

    /// Returns the slots by contract, each with the addresses that may lie in it.
    fn slots(&self, is_telling: bool) -> Vec<Text> {
        let mut lines = Vec::new();
        let mut at = None;
        for write in self.writes.iter().filter(|write| write.is_telling == is_telling) {
            if at != Some(write.address.address) {
                at = Some(write.address.address);
                lines.push(write.address.text());
            }
            let line = match &write.means {
                Some(name) => Text::new("  ").bold(name),
                None => Text::new("  ").add(&format!("slot {}", write.slot)),
            };
            let [old, new] = &write.shown;
            lines.push(line.add("   ").add(old).dim(" → ").add(new));
            for CouldBe { byte, old, new, .. } in write.addresses.iter().filter(|one| !one.is_whole) {
                let place = format!("    in it, from byte {byte}, could be   ");
                lines.push(Text::new(&place).warn(&old.named()).dim(" → ").warn(&new.named()));
            }
        }
        lines
    }

    /// Returns the changes of ether and tokens, and contracts that are created or destroyed.
    fn beside_storage(&self) -> Vec<Text> {
        let mut lines = Vec::new();
        for Balance { address, moved: (verb, amount), .. } in &self.balances {
            lines.push(address.text().add("   ").add(verb).add(" ").bold(amount));
        }
        for Tokens { holder, token, moved, .. } in &self.tokens {
            let of = format!(" of token {}, in its smallest unit", token.named());
            lines.push(holder.text().bold(&format!("   {moved}")).add(&of));
        }
        for (what, addresses) in [("created", &self.created), ("DESTROYED", &self.destroyed)] {
            lines.extend(addresses.iter().map(|one| one.text().add("   ").warn(what)));
        }
        lines
    }
}

impl SlotChange {
    fn new(judged: &Judged, slots: &Names, write: &Write) -> Self {
        let book = &judged.derived.names;
        let addresses = write.addresses();
        let is_telling = !addresses.is_empty() || slots.by_place(write).is_some();
        let could_be = addresses.into_iter().map(|moved| CouldBe {
            byte: moved.at,
            old: Party::new(book, moved.old),
            new: Party::new(book, moved.new),
            is_whole: moved.at == 12 && as_address(write.new).is_some(),
        });
        Self {
            address: Party::new(book, write.address),
            name: book.name(write.address).map(Into::into),
            slot: write.slot,
            means: slots.name(write),
            old: write.old,
            new: write.new,
            addresses: could_be.collect(),
            shown: shown(judged, write),
            is_telling,
        }
    }
}

impl Balance {
    fn new(book: &AddressBook, change: &BalanceChange) -> Self {
        let (old, new) = (change.old, change.new);
        let moved = match new.checked_sub(old) {
            Some(gain) => ("receives", ether(gain)),
            None => ("sends", ether(old.saturating_sub(new))),
        };
        Self { address: Party::new(book, change.address), old: old.to_string(), new: new.to_string(), moved }
    }
}

impl Tokens {
    fn new(book: &AddressBook, change: &TokenChange) -> Self {
        let (received, sent) = (change.received, change.sent);
        let moved = match received.checked_sub(sent) {
            Some(gain) => format!("receives {gain}"),
            None => format!("sends {}", sent.saturating_sub(received)),
        };
        Self {
            token: Party::new(book, change.token),
            holder: Party::new(book, change.holder),
            received: received.to_string(),
            sent: sent.to_string(),
            moved,
        }
    }
}

impl Party {
    fn new(book: &AddressBook, address: Address) -> Self {
        Self { address, name: book.name(address).map(Into::into) }
    }

    fn named(&self) -> String {
        let address = self.address;
        self.name.as_ref().map_or_else(|| address.to_string(), |name| format!("{name} {address}"))
    }

    fn text(&self) -> Text {
        match &self.name {
            Some(name) => Text::default().bold(name).add(&format!("   {}", self.address)),
            None => Text::new(&self.address.to_string()),
        }
    }
}

impl Serialize for Party {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.address)
    }
}

/// Returns the names of the places that change and that no check after the calls reads, without the Safe's own nonce.
pub fn unchecked_changes(judged: &Judged, rehearsal: &Rehearsal) -> Vec<String> {
    let names = Names::new(judged, rehearsal);
    let name = |address| judged.derived.names.name_or_digits(address);
    let safe = judged.derived.safe.address;
    let is_nonce = |write: &Write| write.address == safe && write.slot == slot_word(slot::NONCE);
    let unread = |write: &&Write| !names.is_read(write) && !is_nonce(write);
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
