//! `dry-run`: rehearses now, and says whether it succeeds and leaves what the playbook promises.

use alloy::primitives::hex;
use serde_json::{Value, json};

use crate::chain::fork::{End, Frame};
use crate::chain::{BlockTag, Chain, Options};
use crate::cli;
use crate::command::session::Session;
use crate::command::subject::{Purpose, Subject, View};
use crate::command::{effects, show};
use crate::council::{self, RpcAddress};
use crate::error::{Error, Exit};
use crate::ui::Text;

/// Frames of a trace that are printed.
const MOST_FRAMES: usize = 1_000;
/// Bytes of a call's data that are printed.
const SHOWN_DATA: usize = 36;

pub fn run(session: &Session, args: &cli::DryRun) -> Result<Exit, Error> {
    let view = |safe: &council::Safe| {
        let link = match &args.fork_url {
            Some(url) => fork(session.chain_of(safe)?, url)?,
            None => session.connect(safe)?,
        };
        Ok(View { link, at: args.at.map_or(BlockTag::Latest, BlockTag::Number) })
    };
    let subject = session.subject_in(&args.what, &args.derive, Purpose::Finish, view, |_, _| None)?;
    show::review(session, &subject, &subject.findings(false));
    if args.trace {
        trace(session, &subject);
    }
    session.ui.object(&object(&subject, args.trace));
    let Some(done) = subject.rehearsal.done() else {
        return Err(match subject.rehearsal.failure() {
            Some(why) => {
                Error::new(Exit::Network, why).hint("nothing is shown of a rehearsal that lacks a value")
            }
            None => Error::new(
                Exit::Drift,
                format!("nonce {} is used: there is nothing to rehearse", subject.proposal.nonce()),
            )
            .hint("breakglass status tells what became of it; --at BLOCK rehearses it in the past"),
        });
    };
    if let Err(why) = effects::outcome(&done.rehearsal) {
        return Err(Error::new(Exit::Failed, format!("the rehearsal fails: {why}")));
    }
    if let Some(verdict) = done.after.iter().find(|verdict| !verdict.holds) {
        return Err(Error::new(Exit::Failed, format!("it would not do its work: {}", verdict.sentence)));
    }
    let gas = done.rehearsal.gas_used;
    session.ui.data(&format!("would succeed at block {}, {gas} gas", done.block));
    Ok(Exit::Done)
}

/// One endpoint of the caller's choice in place of the council's.
pub fn fork(chain: &council::Chain, url: &str) -> Result<Chain, Error> {
    let url = RpcAddress::new(url)
        .resolve(|name| std::env::var(name).ok())
        .map_err(|e| Error::new(Exit::Usage, format!("--fork-url: {e}")))?;
    Ok(Chain::new(&chain.name, chain.id, vec![url], 1, chain.batch, Options::default())?)
}

fn trace(session: &Session, subject: &Subject) {
    let ui = session.ui;
    let Some(done) = subject.rehearsal.done() else { return };
    let trace = &done.rehearsal.trace;
    ui.say(&Text::new("  ").bold("Calls"));
    for frame in trace.frames.iter().take(MOST_FRAMES) {
        let name = subject.names.name(frame.to).map_or(String::new(), |name| format!("{name} "));
        let data = hex::encode(&frame.input[..frame.input.len().min(SHOWN_DATA)]);
        let rest = if frame.input.len() > SHOWN_DATA { "…" } else { "" };
        let line = Text::new(&format!("    {}{} ", "  ".repeat(frame.depth), frame.kind.as_str()))
            .bold(&name)
            .add(&format!("{}  0x{data}{rest}", frame.to));
        ui.say(&match &frame.end {
            End::Returned => line,
            End::Reverted => line.bad("  reverts"),
            End::Halted(why) => line.bad(&format!("  stops: {why}")),
        });
    }
    if trace.cut || trace.frames.len() > MOST_FRAMES {
        ui.say(&Text::new("    ").warn("… and more calls than are shown"));
    }
    ui.blank();
}

fn object(subject: &Subject, with_trace: bool) -> Value {
    let mut object = effects::object(subject);
    let frame = |frame: &Frame| {
        json!({
            "depth": frame.depth, "kind": frame.kind.as_str(), "from": frame.from.to_string(),
            "to": frame.to.to_string(), "value": frame.value.to_string(), "input": frame.input,
            "output": frame.output, "succeeded": frame.succeeded(), "gas": frame.gas_used,
        })
    };
    if let Some(fields) = object.as_object_mut() {
        fields.insert("safe_tx_hash".into(), json!(subject.proposal.hash().to_string()));
        if let Some(online) = &subject.online {
            fields.insert("rounds".into(), json!(online.link.rounds()));
        }
        if let (true, Some(done)) = (with_trace, subject.rehearsal.done()) {
            let frames: Vec<Value> = done.rehearsal.trace.frames.iter().map(frame).collect();
            fields.insert("trace".into(), json!(frames));
        }
    }
    object
}
