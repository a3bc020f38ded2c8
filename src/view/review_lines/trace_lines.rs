//! The calls and events of a rehearsal, in the words of the reader's own playbooks: lines, and the calls as JSON.

use alloy::primitives::{Address, Bytes, Log, hex};
use serde::{Serialize, Serializer};

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::evm::{AddressBook, decode_revert};
use crate::fork::{End, Frame, Trace};
use crate::playbook::{Dictionary, LibraryEntry};
use crate::ui::{Lines, Text};

/// The most frames and events that are printed.
const MOST_SHOWN: usize = 1_000;
/// The bytes of a call's data that are printed if no playbook knows the call.
const SHOWN_DATA: usize = 36;

/// The calls and events of a rehearsal. As JSON it is the list of calls: the events stand beside it.
pub struct CallTree {
    calls: Vec<TraceCall>,
    /// There are more calls than were recorded.
    is_cut: bool,
    events: Vec<(Option<String>, Address, String)>,
}

/// One call or creation.
#[derive(Serialize)]
struct TraceCall {
    depth: usize,
    kind: &'static str,
    from: String,
    to: String,
    value: String,
    input: Bytes,
    says: Option<String>,
    output: Bytes,
    succeeded: bool,
    gas: u64,
    #[serde(skip)]
    name: Option<String>,
    /// Why it failed.
    #[serde(skip)]
    failure: Option<String>,
}

impl CallTree {
    /// Returns the calls of a rehearsal; `None` if nothing was rehearsed.
    pub fn new(desk: &Desk, judged: &Judged) -> Option<Self> {
        let rehearsal = &judged.rehearsal.done()?.rehearsal;
        let (words, book) = (dictionary(desk, judged), &judged.derived.names);
        let errors = judged.plan().map_or(&[][..], |plan| &plan.errors);
        let name = |address| book.name(address).map(String::from);
        let Trace { frames, cut } = &rehearsal.trace;
        let call = |frame: &Frame| TraceCall {
            failure: match &frame.end {
                End::Returned => None,
                End::Reverted => Some(format!("reverts: {}", decode_revert(&frame.output, errors))),
                End::Halted(why) => Some(format!("stops: {why}")),
            },
            ..TraceCall::new(frame, &words, book)
        };
        let event = |log: &Log| {
            (name(log.address), log.address, words.event(log, book).unwrap_or_else(|| unknown(log)))
        };
        Some(Self {
            calls: frames.iter().map(call).collect(),
            is_cut: *cut,
            events: rehearsal.events.iter().map(event).collect(),
        })
    }

    pub fn lines(&self) -> Lines {
        let mut out = Lines::default();
        out.say(&Text::new("  ").bold("Calls"));
        self.calls.iter().take(MOST_SHOWN).for_each(|call| out.say(&call.line()));
        if self.is_cut || self.calls.len() > MOST_SHOWN {
            out.say(&Text::new("    ").warn("… and more calls than are shown"));
        }
        out.blank();
        out.say(&Text::new("  ").bold("Events"));
        for (name, address, says) in self.events.iter().take(MOST_SHOWN) {
            let place = place(Text::new("    "), name.as_deref(), &address.to_string());
            out.say(&place.add(&format!("  {says}")));
        }
        if self.events.len() > MOST_SHOWN {
            out.say(&Text::new("    ").warn("… and more events than are shown"));
        }
        out.blank();
        out
    }
}

impl Serialize for CallTree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.calls.serialize(serializer)
    }
}

impl TraceCall {
    fn new(frame: &Frame, words: &Dictionary, book: &AddressBook) -> Self {
        Self {
            depth: frame.depth,
            kind: frame.kind.as_str(),
            from: frame.from.to_string(),
            to: frame.to.to_string(),
            value: frame.value.to_string(),
            input: frame.input.clone(),
            says: words.call(&frame.input, book),
            output: frame.output.clone(),
            succeeded: frame.succeeded(),
            gas: frame.gas_used,
            name: book.name(frame.to).map(Into::into),
            failure: None,
        }
    }

    fn line(&self) -> Text {
        let lead = Text::new(&format!("    {}{} ", "  ".repeat(self.depth), self.kind));
        let data = || {
            let shown = hex::encode(&self.input[..self.input.len().min(SHOWN_DATA)]);
            format!("0x{shown}{}", if self.input.len() > SHOWN_DATA { "…" } else { "" })
        };
        let says = self.says.clone().unwrap_or_else(data);
        let line = place(lead, self.name.as_deref(), &self.to).add(&format!("  {says}"));
        match &self.failure {
            None => line,
            Some(why) => line.bad(&format!("  {why}")),
        }
    }
}

/// Returns the dictionary of the proposal's own playbooks, then of all others.
fn dictionary(desk: &Desk, judged: &Judged) -> Dictionary {
    let own = judged.derived.own.iter().flat_map(|own| own.order.playbooks());
    let all: Vec<LibraryEntry> = desk.catalogue.all();
    Dictionary::new(own.chain(all.iter().map(|entry| entry.playbook)))
}

fn place(lead: Text, name: Option<&str>, address: &str) -> Text {
    match name {
        Some(name) => lead.bold(name).add(&format!(" {address}")),
        None => lead.add(address),
    }
}

fn unknown(log: &Log) -> String {
    let topic = log.topics().first().map_or("without a topic".into(), ToString::to_string);
    format!("event {topic}, {} bytes", log.data.data.len())
}
