//! `armed`: what is signed ahead, what it is still worth, and how it is ended.

use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::armed_sets::Group;
use crate::ceremony::order::Given;
use crate::cli::args::ARGUMENTS;
use crate::cli::complete;
use crate::clock;
use crate::error::{Error, Exit};
use crate::readiness::assessment::{Usability, assess};
use crate::session::Session;
use crate::ui::Text;
use crate::view::armed_lines;

const EXAMPLES: &str = "\
Examples:
  breakglass armed
  breakglass armed vault";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers; without one, all that is signed ahead
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    lever: Vec<String>,

    /// Take it back: the lever's counter-playbook
    #[arg(long)]
    undo: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given = Given { undo: args.undo, ..Given::default() };
    let groups = session.armed(&args.lever, &given)?;
    if groups.is_empty() {
        session.ui.object(&json!({ "armed": [] }));
        let what = if args.lever.is_empty() { "LEVER".into() } else { args.lever.join(" ") };
        session.ui.say(&Text::new("nothing is signed ahead"));
        let how =
            format!("breakglass sign {what} --nonces A..B --to FILE, then breakglass import {what} FILE");
        session.ui.say(&Text::default().dim("  → ").add(&how));
        return Ok(Exit::Done);
    }
    let (mut objects, mut whole) = (Vec::new(), Exit::Done);
    for group in &groups {
        let (object, exit) = one(session, group)?;
        objects.push(object);
        whole = whole.graver(exit);
    }
    session.ui.object(&json!({ "armed": objects }));
    Ok(whole)
}

/// Shows one transaction. What is stale is told by the exit code as well; what is dead is nobody's worry.
fn one(session: &Session, group: &Group) -> Result<(serde_json::Value, Exit), Error> {
    let examined = session.examine(group)?;
    let armed = assess(&examined.signatures, examined.threshold_then, &examined.now);
    let name = |owner| session.name_of(owner);
    session.ui.show(&armed_lines::armed(&examined, &armed, clock::seconds(), &name));
    session.ui.blank();
    let is_dead = matches!(armed.by, Usability::Nobody(_));
    let exit = if is_dead || examined.is_good() { Exit::Done } else { Exit::Drift };
    Ok((armed_lines::object(&examined, &armed), exit))
}
