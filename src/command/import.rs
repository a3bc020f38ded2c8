//! `import`: signatures from files, folders, standard input, a whole pasted chat.

use std::path::PathBuf;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, Derive};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::proposal::DrillName;
use crate::session::Session;
use crate::session::incoming::receive;

const EXAMPLES: &str = "\
Examples:
  pbpaste | breakglass import vault
  breakglass import vault /media/stick chat.txt
  age -d set.age | breakglass import vault";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// A lever or a proposal file
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: String,

    /// Files, folders or more levers; `-`, or none, for standard input
    #[arg(help_heading = ARGUMENTS, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    from: Vec<PathBuf>,

    #[command(flatten)]
    derive: Derive,

    /// Keep as many signatures of a set signed ahead as the threshold asks for
    ///
    /// Without it one less is kept of each nonce, and the last one is made when it is needed: whoever has a complete set
    /// can use it without asking anybody.
    #[arg(long, help_heading = "Checks")]
    complete: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let (what, from) = args.split(session);
    let given = args.derive.given();
    session.note_changes(&session.rests_of(&what, &given)?)?;
    receive(session, &what, &given, &from, args.complete)?.report(session)
}

impl Args {
    /// Returns the words that name proposals, and the paths to search. A lever's name means the lever here too: a file
    /// of the same name is written `./vault`.
    fn split(&self, session: &Session) -> (Vec<String>, Vec<PathBuf>) {
        let mut what = vec![self.what.clone()];
        let mut from = Vec::new();
        for path in &self.from {
            let is_named =
                |name: &&str| DrillName::looks_like_drill_name(name) || session.require_lever(name).is_ok();
            match path.to_str().filter(is_named) {
                Some(name) => what.push(name.into()),
                None => from.push(path.clone()),
            }
        }
        (what, from)
    }
}
