//! `drill`: a lever as a drill: derived and rehearsed at today's state, and announced.

use std::path::PathBuf;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::enforce::enforce;
use crate::ceremony::judged::Judged;
use crate::ceremony::together::advise;
use crate::cli::args::{ARGUMENTS, Accept, Derive, Proofs};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::incident::JournalAct;
use crate::proposal::DrillName;
use crate::session::each_part::each;
use crate::session::solo::{self, Keystores};
use crate::session::{Session, drilled};
use crate::store;
use crate::ui::Text;
use crate::view::drill_lines;

const EXAMPLES: &str = "\
Examples:
  breakglass drill vault
  breakglass drill freeze --without bridge
  breakglass sign drill:vault-n42-7f3a   next, each owner
  breakglass broadcast drill:vault-n42-7f3a --chat chat.txt
  breakglass drill vault --solo          alone, with the owners' keystores";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers of the council file; each Safe's part is a drill of its own
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    lever: Vec<String>,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    accept: Accept,

    #[command(flatten)]
    proofs: Proofs,

    /// Play all roles on this machine, with keystores: for the first try
    ///
    /// The keystores that are named sign in turn, or those in Foundry's folder that are owners', until enough have; then it
    /// is proven, and the times are shown.
    #[arg(long)]
    solo: bool,

    /// With --solo: an owner's keystore, a file or its name; may be given again
    #[arg(long, value_name = "FILE", requires = "solo", help_heading = "Key", add = ArgValueCompleter::new(complete::keystores))]
    keystore: Vec<PathBuf>,

    /// With --solo: a file with the password, for all or for each in turn
    #[arg(long, value_name = "FILE", requires = "solo", help_heading = "Key", value_hint = ValueHint::FilePath)]
    password_file: Vec<PathBuf>,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let (given, accept) = (args.derive.given(), &args.accept.accept);
    let orders = session.drills_of(&args.lever, &given)?;
    session.require_accepted(&session.rests_of(&args.lever, &given)?, accept)?;
    let parts = session.look_at_drills(orders, &given);
    each(session, parts, args.proofs.proofs, false, |judged| announce(session, args, &judged))
}

fn announce(session: &Session, args: &Args, judged: &Judged) -> Result<Exit, Error> {
    let (ui, accept) = (session.ui, &args.accept.accept);
    let summary = session.review(judged, accept);
    ui.object(&json!({ "summary": summary }));
    enforce(&judged.findings, accept).map_err(|error| advise(session, judged, error))?;
    let drill = judged.proposal();
    let words = session.words_of(drill, &args.lever);
    let path = judged.derived.keep(session)?;
    session.note(JournalAct::Proposed {}, drill);
    session.note_accepted(accept, Some(drill));
    if args.solo {
        return solo(session, args, judged);
    }
    let line = drill_lines::announcement(drill, &words);
    ui.say(&Text::default().good("DRILL announced ").add(&store::from_here(&path).display().to_string()));
    ui.say(&Text::new("paste this line into the chat, and tell the others in another way that it is yours:"));
    ui.data(&line);
    ui.say(
        &Text::new("next, when their lines are in the chat: ").bold(&format!("breakglass broadcast {words}")),
    );
    ui.object(&json!({
        "purpose": "drill",
        "announcement": line,
        "drill": words,
        "proposal": path.display().to_string(),
        "safe_tx_hash": drill.hash().to_string(),
        "domain_hash": drill.hashes().domain.to_string(),
        "message_hash": drill.hashes().message.to_string(),
        "nonce": drill.nonce().to_string(),
        "safe": judged.derived.safe.address.to_string(),
        "chain_id": judged.derived.chain.id,
        "signed_chain_id": drill.domain().chain_id(),
    }));
    Ok(Exit::Done)
}

/// Plays all roles on this machine: a drill by one person is not announced to others.
fn solo(session: &Session, args: &Args, judged: &Judged) -> Result<Exit, Error> {
    let keys = Keystores { named: &args.keystore, password_files: &args.password_file };
    solo::sign(session, judged, &keys)?;
    let Some(name) = DrillName::of(judged.proposal()) else { return Ok(Exit::Done) };
    let given = session.given_of(judged.proposal());
    drilled::broadcast(session, &[name.to_string()], &given, &args.accept.accept, args.proofs.proofs)
}
