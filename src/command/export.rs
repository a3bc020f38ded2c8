//! `export`: the signatures kept here, as lines for a chat or as files for a stick.

use std::path::{Path, PathBuf};

use clap::ValueHint;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::entering::now;
use crate::ceremony::named::NamedTransaction;
use crate::ceremony::order::Given;
use crate::ceremony::words::words_for;
use crate::cli::args::{ARGUMENTS, Accept, Derive};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::proposal::OwnerSignature;
use crate::safe::Nonces;
use crate::session::Session;
use crate::store;
use crate::ui::Text;
use crate::view::by_hand::ByHand;

const EXAMPLES: &str = "\
Examples:
  breakglass export vault
  breakglass export vault --to /media/stick
  breakglass export vault --manual | lpr     for when breakglass is suspect";

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

    /// Print what to do by hand when this program is suspect
    ///
    /// Beforehand, on paper: the calls to type into Safe{Wallet}, lines for Foundry's cast that compute the same hashes, and
    /// whom to call. Of levers, not of files; at --nonce, or the next one.
    #[arg(long, conflicts_with = "to", help_heading = "Output")]
    manual: bool,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    accept: Accept,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given = args.derive.given();
    if args.manual {
        return manual(session, args, &given);
    }
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

/// Steps without this program. They rest on texts that their reader has accepted: they are trusted later.
fn manual(session: &Session, args: &Args, given: &Given) -> Result<Exit, Error> {
    session.require_accepted(&session.rests_of(&args.what, given)?, &args.accept.accept)?;
    let at = given.nonce.map(|nonce| Nonces::new(nonce, nonce)).transpose();
    let at = at.map_err(|e| Error::new(Exit::Usage, e.to_string()))?;
    let cards = session.cards(&args.what, given, at)?;
    let pages: Vec<ByHand> = cards.iter().map(|card| ByHand::new(card, &session.council, now())).collect();
    for (at, page) in pages.iter().enumerate() {
        if at > 0 {
            session.ui.data("");
        }
        for line in page.lines() {
            session.ui.data(&line);
        }
    }
    session.ui.object(&json!({ "by_hand": pages }));
    Ok(Exit::Done)
}

fn one(session: &Session, args: &Args, named: NamedTransaction) -> Result<Exit, Error> {
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
