//! `export`: the signatures kept here, as lines for a chat or as files for a stick.

use std::path::{Path, PathBuf};

use clap::ValueHint;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::named::Named;
use crate::ceremony::words::words_for;
use crate::command::Session;
use crate::command::args::{ARGUMENTS, Derive};
use crate::command::complete;
use crate::error::{Error, Exit};
use crate::proposal::OwnerSignature;
use crate::store;
use crate::ui::Text;

const EXAMPLES: &str = "\
Examples:
  breakglass export vault
  breakglass export vault --to /media/stick";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers or proposal files; levers named together are pulled together
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    /// Copy proposal and signatures here, as files
    ///
    /// Into this folder, which is made if need be, instead of printing lines.
    #[arg(long, value_name = "FOLDER", help_heading = "Output", value_hint = ValueHint::DirPath)]
    to: Option<PathBuf>,

    #[command(flatten)]
    derive: Derive,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given = args.derive.given();
    session.note_changes(&session.rests_of(&args.what, &given)?)?;
    let mut named = session.named(&args.what, &given)?;
    if named.len() == 1
        && let Some(only) = named.pop()
    {
        return one(session, args, only);
    }
    let mut whole = Exit::Done;
    for (at, named) in named.into_iter().enumerate() {
        session.ui.say(&Text::default().bold(&named.title()));
        whole = whole.graver(session.ui.part(at, || session.ui.end(one(session, args, named))));
    }
    Ok(whole)
}

fn one(session: &Session, args: &Args, named: Named) -> Result<Exit, Error> {
    let what = words_for(&args.what, &args.derive.given());
    let proposal = named.into_proposal().ok_or_else(|| {
        Error::new(Exit::Failed, format!("nothing is kept here for lever {what}"))
            .hint(format!("breakglass sign {what} makes a signature"))
    })?;
    let (owners, _) = session.look_up_owners(session.safe_of(&proposal)?)?;
    let signatures = session.signatures(&proposal, &owners)?;
    let claims = session.claims(&proposal);
    let lines: Vec<String> = signatures.iter().map(|signature| signature.line(&claims)).collect();
    let mut files = Vec::new();
    if let Some(folder) = &args.to {
        files = copy(folder, &proposal.hash().to_string(), &proposal.to_json(), &signatures)?;
        for file in &files {
            session.ui.data(file);
        }
    } else {
        for line in &lines {
            session.ui.data(line);
        }
    }
    if signatures.is_empty() {
        session.ui.say(&Text::default().warn("no signatures yet").add(&format!(" for {}", proposal.hash())));
    }
    session.ui.object(&json!({
        "safe_tx_hash": proposal.hash().to_string(), "lines": lines, "files": files,
    }));
    Ok(Exit::Done)
}

/// Writes new files only, all or none, into a folder that is not a link and is made if need be; returns their paths. A
/// stick may be filled again as signatures come.
fn copy(
    folder: &Path,
    hash: &str,
    proposal: &str,
    signatures: &[OwnerSignature],
) -> Result<Vec<String>, Error> {
    let mut files = vec![(folder.join(format!("{hash}.json")), proposal.to_string())];
    for signature in signatures {
        files.push((folder.join(format!("{hash}.{}.sig.json", signature.owner())), signature.to_json()));
    }
    store::create_folder(folder)?;
    store::keep_all(&files)?;
    Ok(files.into_iter().map(|(path, _)| path.display().to_string()).collect())
}
