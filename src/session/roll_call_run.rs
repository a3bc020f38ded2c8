//! `doctor --roll-call`: a dated sentence that each owner signs, and the lines that come back.

use std::path::Path;

use alloy::primitives::Address;

use crate::cli::args::KeyArgs;
use crate::clock;
use crate::council::{Signer, TextDigest};
use crate::error::{Error, Exit};
use crate::incident::{Journal, JournalAct, Plain};
use crate::readiness::roll_call::{Proof, Statement, day, find_lines};
use crate::session::Session;
use crate::session::machine::keys::{self, KeyPurpose};
use crate::store;
use crate::ui::Text;
use crate::view::roll_lines::{LinesRead, RollCallSentence};

/// The most lines of one journal that are verified: the last ones.
const MOST_RECORDED: usize = 1_000;

/// Returns the proofs that a journal keeps, each verified again, because anybody may have written the file.
pub fn recorded_proofs(journal: &Journal) -> Vec<Proof> {
    let lines = journal.iter().rev().filter_map(|entry| match &entry.draft.act {
        JournalAct::RollCall { line, .. } => Some(line.to_string()),
        _ => None,
    });
    let last: Vec<String> = lines.take(MOST_RECORDED).collect();
    last.iter().rev().filter_map(|line| line.parse().ok()).collect()
}

/// Signs the sentence with the reader's key, and keeps and prints the line. Without a key, prints the sentence of each
/// signer.
pub fn sign(session: &Session, key: &KeyArgs, person: Option<&str>) -> Result<Exit, Error> {
    let (date, council) = (day(clock::seconds()), TextDigest::of(&session.text));
    let owners: Vec<Address> = session.council.signers.values().map(|signer| signer.address).collect();
    let named = match keys::find(session.ui, key, KeyPurpose::Signing) {
        Ok(named) => named,
        Err(error) if error.exit == Exit::Usage && person.is_none() => {
            return Ok(list(session, date, council));
        }
        Err(error) => return Err(error),
    };
    let person = keys::person(session.ui, &session.council, person)?;
    let mut signer = keys::open(session.ui, key, &named)?;
    let of: Vec<Address> = person.map_or(owners, |one| vec![one]);
    let owner = signer.choose_owner(session.ui, &session.council, &of)?;
    let statement = Statement { date, owner, council };
    let text = statement.text().ok_or_else(|| Error::new(Exit::Failed, "the sentence is not readable"))?;
    session.ui.say(&Text::new("This sentence is signed. It approves nothing:"));
    session.ui.say(&Text::default().bold(&text.to_string()));
    let signature = signer.sign_text(&text, owner)?;
    let proof =
        Proof::verify(statement, signature).map_err(|bad| Error::new(Exit::Refused, bad.to_string()))?;
    proof
        .check_today(&session.council, date)
        .map_err(|bad| Error::new(Exit::Usage, bad.to_string()).hint("sign with the key of a signer"))?;
    keep(session, &proof)?;
    session.ui.data(&proof.to_string());
    session.ui.say(&Text::new("send this line to the others: breakglass doctor --lines - reads it"));
    let (name, owner, line) = (None, owner.to_string(), proof.to_string());
    session.ui.object(&RollCallSentence { name, owner, sentence: text.to_string(), line });
    Ok(Exit::Done)
}

/// Prints the sentence of each signer, for any wallet that signs personal messages.
fn list(session: &Session, date: jiff::civil::Date, council: TextDigest) -> Exit {
    let sentence = |signer: &Signer| {
        let statement = Statement { date, owner: signer.address, council };
        RollCallSentence {
            name: Some(signer.name.clone()),
            owner: signer.address.to_string(),
            sentence: statement.to_string(),
            line: format!("{} SIGNATURE", statement.head()),
        }
    };
    let all: Vec<RollCallSentence> = session.council.signers.values().map(sentence).collect();
    all.iter().flat_map(RollCallSentence::data).for_each(|line| session.ui.data(&line));
    session.ui.say(&Text::new(
        "with a key of this machine: breakglass doctor --roll-call --ledger, or --keystore FILE",
    ));
    session.ui.field("sentences", &all);
    Exit::Done
}

/// Imports lines that others sent. A line that is refused does not stop the others.
pub fn import_lines(session: &Session, path: &Path) -> Result<Exit, Error> {
    let foreign = store::read_given(path)?;
    let today = day(clock::seconds());
    let known = recorded_proofs(&Journal::read(&session.incidents.journal().read()?));
    let is_of_today = |proof: &Proof| proof.check_today(&session.council, today).err();
    let (found, bad) = find_lines(&foreign.text, is_of_today);
    let (again, taken): (Vec<Proof>, Vec<Proof>) = found.into_iter().partition(|proof| known.contains(proof));
    let refused = bad.map(ToString::to_string);
    for why in refused.sentences() {
        session.ui.say(&Text::default().bad("refused: ").add(&why));
    }
    for proof in &taken {
        keep(session, proof)?;
        session.ui.say(&Text::default().good("kept: ").add(&name(session, proof)));
    }
    for proof in &again {
        session.ui.say(&Text::new(&format!("{}: known already", name(session, proof))));
    }
    let names = |proofs: &[Proof]| proofs.iter().map(|proof| name(session, proof)).collect::<Vec<_>>();
    let read = LinesRead { kept: names(&taken), known: names(&again), refused: refused.sentences() };
    if taken.is_empty() && again.is_empty() {
        let message = if refused.is_empty() {
            "no line of a roll call was found".to_string()
        } else {
            format!("{} lines were refused, and none was kept", refused.count())
        };
        let exit = if refused.is_empty() { Exit::Failed } else { Exit::Refused };
        return Err(Error::new(exit, message).hint("a line begins with bgroll1").having_done(&read));
    }
    session.ui.object(&read);
    Ok(Exit::Done)
}

fn name(session: &Session, proof: &Proof) -> String {
    let Statement { date, owner, .. } = proof.statement();
    format!("{} on {date}", session.council.signer_name(*owner))
}

fn keep(session: &Session, proof: &Proof) -> Result<(), Error> {
    let line = Plain::new(&proof.to_string()).map_err(|why| Error::new(Exit::Failed, why.to_string()))?;
    session.write(JournalAct::RollCall { owner: proof.statement().owner, line })
}
