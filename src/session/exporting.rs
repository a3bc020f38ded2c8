//! `export`: the signatures kept here, as lines for a chat or as files; or the steps without this program.

use std::path::Path;

use crate::ceremony::aftermath::entering::now;
use crate::ceremony::named::NamedTransaction;
use crate::ceremony::order::Given;
use crate::ceremony::words::words_for;
use crate::error::{Error, Exit};
use crate::proposal::{OwnerSignature, Proposal};
use crate::safe::Nonces;
use crate::session::Session;
use crate::store;
use crate::ui::Text;
use crate::view::exported::Exported;
use crate::view::on_paper::by_hand::ByHand;

/// The flags of `export`.
pub struct ExportTerms<'w> {
    pub what: &'w [String],
    pub given: &'w Given,
    pub accept: &'w [String],
    /// The folder for files; `None` to print lines.
    pub to: Option<&'w Path>,
}

/// Prints the signatures of what was named, or copies them.
pub fn run(session: &Session, terms: &ExportTerms) -> Result<Exit, Error> {
    session.note_changes(&session.rests_of(terms.what, terms.given)?)?;
    let mut named = session.named(terms.what, terms.given)?;
    if named.len() == 1
        && let Some(only) = named.pop()
    {
        return one(session, terms, only);
    }
    let mut whole = Exit::Done;
    for (at, named) in named.into_iter().enumerate() {
        session.ui.say(&Text::default().bold(&named.title()));
        whole = whole.more_severe(session.ui.part(at, || session.ui.end(one(session, terms, named))));
    }
    Ok(whole)
}

/// Prints the steps without this program. Changed texts must be accepted first, because the steps are trusted later.
pub fn manual(session: &Session, terms: &ExportTerms) -> Result<Exit, Error> {
    let given = terms.given;
    session.require_accepted(&session.rests_of(terms.what, given)?, terms.accept)?;
    let at = given.nonce.map(|nonce| Nonces::new(nonce, nonce)).transpose();
    let at = at.map_err(|e| Error::new(Exit::Usage, e.to_string()))?;
    let cards = session.cards(terms.what, given, at)?;
    let pages: Vec<ByHand> = cards.iter().map(|card| ByHand::new(card, &session.council, now())).collect();
    for (at, page) in pages.iter().enumerate() {
        if at > 0 {
            session.ui.data("");
        }
        for line in page.lines() {
            session.ui.data(&line);
        }
    }
    session.ui.field("by_hand", &pages);
    Ok(Exit::Done)
}

fn one(session: &Session, terms: &ExportTerms, named: NamedTransaction) -> Result<Exit, Error> {
    let what = words_for(terms.what, terms.given);
    let proposal = named.into_proposal().ok_or_else(|| {
        Error::new(Exit::Failed, format!("nothing is kept here for lever {what}"))
            .hint(format!("breakglass sign {what} makes a signature"))
    })?;
    let (owners, _) = session.look_up_owners(session.safe_of(&proposal)?)?;
    let signatures = session.signatures(&proposal, &owners)?;
    let mut exported = Exported::new(&proposal, &signatures, &session.claims(&proposal));
    if let Some(folder) = terms.to {
        exported.files = copy(folder, &proposal, &signatures)?;
    }
    exported.data().iter().for_each(|line| session.ui.data(line));
    session.ui.show(&exported.lines_below());
    session.ui.object(&exported);
    Ok(Exit::Done)
}

/// Writes new files, all or none, into a folder that is not a link and is created if needed; returns their paths. It
/// can be repeated into the same folder as signatures come.
fn copy(folder: &Path, proposal: &Proposal, signatures: &[OwnerSignature]) -> Result<Vec<String>, Error> {
    let hash = proposal.hash();
    let mut files = vec![(folder.join(format!("{hash}.json")), proposal.to_json())];
    for signature in signatures {
        files.push((folder.join(format!("{hash}.{}.sig.json", signature.owner())), signature.to_json()));
    }
    store::create_folder(folder)?;
    store::keep_all(&files)?;
    Ok(files.into_iter().map(|(path, _)| path.display().to_string()).collect())
}
