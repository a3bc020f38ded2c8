//! The calls and events of a rehearsal, in the words of the reader's own playbooks.

use alloy::primitives::{Log, hex};
use serde_json::{Value, json};

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::evm::decode_revert;
use crate::fork::{End, Frame, Trace};
use crate::playbook::{Dictionary, Entry};
use crate::ui::{Lines, Text};

/// Frames and events that are printed.
const MOST_SHOWN: usize = 1_000;
/// Bytes of a call's data that are printed where no playbook knows the call.
const SHOWN_DATA: usize = 36;

/// The words of the judged's own playbook go before those of the others.
fn dictionary(desk: &Desk, judged: &Judged) -> Dictionary {
    let own = judged.derived.own.iter().flat_map(|own| own.order.playbooks());
    let all: Vec<Entry> = desk.catalogue.all();
    Dictionary::new(own.chain(all.iter().map(|entry| entry.playbook)))
}

#[must_use]
pub fn lines(desk: &Desk, judged: &Judged) -> Lines {
    let mut out = Lines::default();
    let Some(done) = judged.rehearsal.done() else { return out };
    let words = dictionary(desk, judged);
    let Trace { frames, cut } = &done.rehearsal.trace;
    out.say(&Text::new("  ").bold("Calls"));
    for frame in frames.iter().take(MOST_SHOWN) {
        out.say(&call(judged, &words, frame));
    }
    if *cut || frames.len() > MOST_SHOWN {
        out.say(&Text::new("    ").warn("… and more calls than are shown"));
    }
    out.blank();
    out.say(&Text::new("  ").bold("Events"));
    for log in done.rehearsal.events.iter().take(MOST_SHOWN) {
        let says = words.event(log, &judged.derived.names).unwrap_or_else(|| unknown(log));
        out.say(&place(judged, Text::new("    "), log.address).add(&format!("  {says}")));
    }
    if done.rehearsal.events.len() > MOST_SHOWN {
        out.say(&Text::new("    ").warn("… and more events than are shown"));
    }
    out.blank();
    out
}

fn call(judged: &Judged, words: &Dictionary, frame: &Frame) -> Text {
    let lead = Text::new(&format!("    {}{} ", "  ".repeat(frame.depth), frame.kind.as_str()));
    let data = || {
        let shown = hex::encode(&frame.input[..frame.input.len().min(SHOWN_DATA)]);
        format!("0x{shown}{}", if frame.input.len() > SHOWN_DATA { "…" } else { "" })
    };
    let says = words.call(&frame.input, &judged.derived.names).unwrap_or_else(data);
    let line = place(judged, lead, frame.to).add(&format!("  {says}"));
    match &frame.end {
        End::Returned => line,
        End::Reverted => {
            let errors = judged.plan().map_or(&[][..], |plan| &plan.errors);
            line.bad(&format!("  reverts: {}", decode_revert(&frame.output, errors)))
        }
        End::Halted(why) => line.bad(&format!("  stops: {why}")),
    }
}

fn place(judged: &Judged, lead: Text, address: alloy::primitives::Address) -> Text {
    match judged.derived.names.name(address) {
        Some(name) => lead.bold(name).add(&format!(" {address}")),
        None => lead.add(&address.to_string()),
    }
}

fn unknown(log: &Log) -> String {
    let topic = log.topics().first().map_or("without a topic".into(), ToString::to_string);
    format!("event {topic}, {} bytes", log.data.data.len())
}

/// For `--json`; null where nothing was rehearsed.
#[must_use]
pub fn object(desk: &Desk, judged: &Judged) -> Value {
    let Some(done) = judged.rehearsal.done() else { return Value::Null };
    let words = dictionary(desk, judged);
    let frame = |frame: &Frame| {
        json!({
            "depth": frame.depth, "kind": frame.kind.as_str(), "from": frame.from.to_string(),
            "to": frame.to.to_string(), "value": frame.value.to_string(), "input": frame.input,
            "says": words.call(&frame.input, &judged.derived.names),
            "output": frame.output, "succeeded": frame.succeeded(), "gas": frame.gas_used,
        })
    };
    json!(done.rehearsal.trace.frames.iter().map(frame).collect::<Vec<_>>())
}
