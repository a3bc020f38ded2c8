//! `dry-run`: rehearses now, and says whether it succeeds and leaves what the playbook promises.

use serde_json::{Value, json};

use crate::chain::{Chain, Options};
use crate::cli;
use crate::command::session::{Session, resolve};
use crate::command::subject::{Purpose, Subject, View};
use crate::command::{effects, show, trace};
use crate::council::{self, RpcAddress};
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::ui::Ui;

pub fn run(session: &Session, args: &cli::DryRun) -> Result<Exit, Error> {
    session.note_changes(&session.rests_of(&args.what, args.derive.undo)?)?;
    let view = |safe: &council::Safe| {
        let link = match &args.fork_url {
            Some(url) => fork(session.ui, session.chain_of(safe)?, url)?,
            None => session.connect(safe)?,
        };
        Ok(View { link, at: args.at.map_or(BlockTag::Latest, BlockTag::Number) })
    };
    let mut subject = session.subject_in(&args.what, &args.derive, Purpose::Finish, view, |_, _| None)?;
    subject.prove(session.ui, args.proofs)?;
    show::review(session, &subject, &subject.findings(false));
    if args.trace {
        trace::show(session, &subject);
    }
    session.ui.object(&object(session, &subject, args.trace));
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
    if let Err(why) = effects::outcome(&done.rehearsal, subject.plan(), &subject.names) {
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
pub fn fork(ui: &Ui, chain: &council::Chain, url: &str) -> Result<Chain, Error> {
    let url = RpcAddress::parse(url).and_then(|address| resolve(ui, &address)).map_err(|e| {
        Error::new(Exit::Usage, format!("--fork-url: {e}"))
            .hint("--fork-url https://…, or --fork-url '${NAME}' in single quotes")
    })?;
    let options = Options { parallel: chain.parallel, ..Options::default() };
    Ok(Chain::new(&chain.name, chain.id, vec![url], 1, chain.batch, options)?)
}

fn object(session: &Session, subject: &Subject, with_trace: bool) -> Value {
    let mut object = effects::object(subject);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("decided_by_the_chain".into(), show::decided_object(subject));
        fields.insert("safe_tx_hash".into(), json!(subject.proposal.hash().to_string()));
        if let Some(online) = &subject.online {
            fields.insert("rounds".into(), json!(online.link.rounds()));
        }
        if with_trace {
            fields.insert("trace".into(), trace::object(session, subject));
        }
    }
    object
}
