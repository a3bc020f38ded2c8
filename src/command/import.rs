//! `import`: signatures from files, folders, standard input, a whole pasted chat. Nothing that a source says about
//! itself is believed: every hash is recomputed, every signer recovered.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use clap::ValueHint;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use crate::ceremony::importing::{Taken, nothing_taken};
use crate::ceremony::order::Given;
use crate::command::Session;
use crate::command::args::{ARGUMENTS, Derive};
use crate::command::complete;
use crate::error::{Error, Exit};
use crate::incident::{Act, MOST_LISTED};
use crate::proposal::{Few, Finds, Gathered, OwnerSignature, Tally, find_signatures};
use crate::store::{self, Foreign, StoreError};
use crate::ui::{Text, has_terminal};

/// The most files that are read, and the most bytes of all of them: far above what any council hands over at once.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;
/// The most signatures that are listed one by one.
const LISTED: usize = 20;

/// The signatures that were found, by where they were.
#[derive(Default)]
struct Sources {
    origins: Vec<String>,
    finds: Vec<Finds>,
    bytes: usize,
    /// Texts in which bytes that are not UTF-8 were passed over.
    damaged: Few<String>,
    /// Files or folders that cannot be read.
    failed: Few<Error>,
    /// Files over the bound.
    left: usize,
}

const EXAMPLES: &str = "\
Examples:
  pbpaste | breakglass import vault
  breakglass import vault /media/stick chat.txt";

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
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let (what, from) = args.split(session);
    let given = args.derive.given();
    session.note_changes(&session.rests_of(&what, &given)?)?;
    receive(session, &what, &given, &from)?.report(session)
}

impl Args {
    /// What was named, and where to look. A lever's name is a lever here too: a file that is called so is `./vault`.
    fn split(&self, session: &Session) -> (Vec<String>, Vec<PathBuf>) {
        let mut what = vec![self.what.clone()];
        let mut from = Vec::new();
        for path in &self.from {
            match path.to_str().filter(|name| session.is_lever(name).is_ok()) {
                Some(name) => what.push(name.into()),
                None => from.push(path.clone()),
            }
        }
        (what, from)
    }
}

/// What was handed over, and what became of it.
pub struct Received {
    sources: Sources,
    taken: Taken,
}

/// Reads what is handed over, and keeps what is an owner's signature.
pub fn receive(
    session: &Session,
    what: &[String],
    given: &Given,
    from: &[PathBuf],
) -> Result<Received, Error> {
    let sources = read(session, from);
    let taken = session.take_in(what, given, &sources.finds)?;
    note(session, &taken);
    Ok(Received { sources, taken })
}

/// Whose signatures were taken in, an entry for each proposal.
fn note(session: &Session, taken: &Taken) {
    for proposal in &taken.proposals {
        let of = taken.gathered.new.iter().filter(|signature| signature.hash() == proposal.hash());
        let owners: Vec<Address> = of.map(OwnerSignature::owner).collect();
        for owners in owners.chunks(MOST_LISTED) {
            session.note(Act::Imported { owners: owners.to_vec() }, proposal);
        }
    }
}

/// Where to look; standard input when nothing is named. What cannot be read is named, and the rest is read all the
/// same.
fn read(session: &Session, from: &[PathBuf]) -> Sources {
    let stdin = [PathBuf::from("-")];
    let from = if from.is_empty() { &stdin[..] } else { from };
    let mut sources = Sources::default();
    for path in from {
        if path == Path::new("-") {
            let origin = "standard input";
            if has_terminal() {
                session
                    .ui
                    .say(&Text::new("paste the chat or the lines, then press Ctrl-D on a line of its own:"));
                sources.add(origin.into(), store::read_stdin);
            } else {
                sources.add(origin.into(), || session.ui.receive(origin, store::read_stdin));
            }
        } else if store::is_folder(path) {
            match store::files_below(path, "json", MOST_FILES) {
                Ok(files) => {
                    sources.left += files.left;
                    files.paths.iter().for_each(|file| sources.add_file(file));
                }
                Err(error) => sources.failed.push(|| error.into()),
            }
        } else {
            let origin = path.display().to_string();
            sources.add(origin.clone(), || session.ui.receive(&origin, || store::read_foreign(path)));
        }
    }
    sources
}

impl Sources {
    fn add_file(&mut self, path: &Path) {
        self.add(path.display().to_string(), || store::read_foreign(path));
    }

    fn add(&mut self, origin: String, read: impl FnOnce() -> Result<Foreign, StoreError>) {
        if self.finds.len() >= MOST_FILES || self.bytes >= MOST_BYTES {
            self.left += 1;
            return;
        }
        match read() {
            Ok(Foreign { text, is_damaged }) => {
                self.bytes += text.len();
                self.finds.push(find_signatures(&text));
                if is_damaged {
                    self.damaged.push(|| origin.clone());
                }
                self.origins.push(origin);
            }
            Err(error) => self.failed.push(|| error.into()),
        }
    }

    /// Where it is from and what is wrong with it, of the first of each kind.
    fn refused<'s>(&'s self, gathered: &'s Gathered) -> impl Iterator<Item = (&'s str, String)> {
        let damaged = self.finds.iter().zip(&self.origins).flat_map(|(finds, origin)| {
            finds.damaged.first().iter().map(|damaged| {
                let head: String = damaged.line.chars().take(20).collect();
                (origin.as_str(), format!("the line {head}… cannot be read: {}", damaged.why))
            })
        });
        let strange = gathered.refused.first().iter();
        let strange = strange
            .filter_map(|refusal| Some((self.origins.get(refusal.text)?.as_str(), refusal.why.clone())));
        damaged.take(Few::<()>::SHOWN).chain(strange)
    }

    fn damaged_lines(&self) -> usize {
        self.finds.iter().map(|finds| finds.damaged.count()).sum()
    }
}

impl Received {
    /// What was refused, by where it is from: the files that were named first.
    fn refused(&self) -> Vec<(String, String)> {
        let file = self.taken.refused_files.iter();
        let file = file.map(|(path, why)| (path.clone(), format!("the proposal is not kept: {why}")));
        let others = self.sources.refused(&self.taken.gathered);
        file.chain(others.map(|(origin, why)| (origin.to_string(), why))).collect()
    }

    /// Says what was taken in and what was refused. Returns the refusals.
    pub fn show(&self, session: &Session) -> Vec<(String, String)> {
        let gathered = &self.taken.gathered;
        list(session, "taken in  ", Text::good, &gathered.new);
        list(session, "known     ", Text::dim, &gathered.known);
        let refused = self.refused();
        for (origin, why) in &refused {
            session.ui.say(&Text::default().bad("refused   ").add(&format!("{origin}: {why}")));
        }
        let listed = refused.len() - self.taken.refused_files.len();
        for sentence in leftovers(&self.sources, gathered, listed) {
            session.ui.say(&Text::default().warn("! ").add(&sentence));
        }
        session.ui.object(&object(&self.sources, &self.taken, &refused));
        refused
    }

    /// The same; an error if anything could not be read or kept.
    pub fn require_read(&self, session: &Session) -> Result<(), Error> {
        self.show(session);
        failure(&self.sources, &self.taken.unkept).map_or(Ok(()), Err)
    }

    /// The same, and what is to be done next.
    fn report(&self, session: &Session) -> Result<Exit, Error> {
        let Self { sources, taken: Taken { gathered, unkept, refused_files, tallies, .. } } = self;
        let refused = self.show(session);
        if let Some(error) = failure(sources, unkept) {
            return Err(error);
        }
        if gathered.new.is_empty() && gathered.known.is_empty() && gathered.spare.is_empty() {
            let first = refused.first().map(|(origin, why)| (origin.as_str(), why.as_str()));
            let error = nothing_taken(first, !refused_files.is_empty());
            return Err(tallies.iter().fold(error, |error, tally| error.hint(tally.to_string())));
        }
        for tally in tallies {
            session.ui.say(&Text::default().bold(&tally.to_string()));
        }
        Ok(if refused.is_empty() { Exit::Done } else { Exit::Refused })
    }
}

fn list(session: &Session, what: &str, tone: impl Fn(Text, &str) -> Text, signatures: &[OwnerSignature]) {
    for signature in signatures.iter().take(LISTED) {
        let owner = signature.owner();
        let name = match session.name_of(owner) {
            name if name == owner.to_string() => name,
            name => format!("{name} {owner}"),
        };
        let line = format!("{name} for {}", signature.hash());
        session.ui.say(&tone(Text::default(), what).add(&line));
    }
    if signatures.len() > LISTED {
        let more = format!("and {} more", signatures.len() - LISTED);
        session.ui.say(&tone(Text::default(), what).add(&more));
    }
}

/// Returns a sentence for each thing that was counted and not listed, or not looked at.
fn leftovers(sources: &Sources, gathered: &Gathered, listed: usize) -> Vec<String> {
    let mut sentences = Vec::new();
    for ((hash, owner), count) in gathered.spare.iter().take(LISTED) {
        sentences.push(format!("{owner} has signed {hash} already: {count} more of theirs not needed"));
    }
    for origin in sources.damaged.first() {
        sentences.push(format!("{origin}: bytes that are not text (UTF-8) were passed over"));
    }
    let counted = [
        (gathered.spare.len().saturating_sub(LISTED), "more owners who signed several times"),
        (sources.damaged.more(), "more files with bytes that are not text"),
        (
            (sources.damaged_lines() + gathered.refused.count()).saturating_sub(listed),
            "more that were refused, not listed",
        ),
        (
            gathered.not_looked_at,
            "signatures not looked at: there are too many. Pass fewer, the missing owner's first",
        ),
        (sources.left, "files not read: there are too many. Name the files that you mean"),
    ];
    sentences.extend(counted.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    sentences
}

fn object(sources: &Sources, taken: &Taken, refused: &[(String, String)]) -> Value {
    let gathered = &taken.gathered;
    let owners = |list: &[OwnerSignature]| {
        list.iter()
            .map(|s| json!({ "owner": s.owner().to_string(), "safe_tx_hash": s.hash().to_string() }))
            .collect::<Vec<_>>()
    };
    let spare = gathered.spare.iter().map(|((hash, owner), count)| {
        json!({ "owner": owner.to_string(), "safe_tx_hash": hash.to_string(), "count": count })
    });
    let refused: Vec<_> =
        refused.iter().map(|(origin, why)| json!({ "origin": origin, "why": why })).collect();
    let tallies: Vec<_> = taken.tallies.iter().map(tally_object).collect();
    json!({
        "tallies": tallies,
        "taken": owners(&gathered.new),
        "known": owners(&gathered.known),
        "not_needed": spare.collect::<Vec<_>>(),
        "refused": refused,
        "refused_count": sources.damaged_lines() + gathered.refused.count(),
        "not_looked_at": gathered.not_looked_at,
        "files_not_read": sources.left + sources.failed.count(),
    })
}

fn tally_object(tally: &Tally) -> Value {
    json!({
        "safe_tx_hash": tally.hash.to_string(),
        "signed": tally.signed,
        "missing": tally.missing,
        "threshold": tally.threshold,
        "next": tally.next(),
    })
}

/// Returns the error for what could not be kept or read, beside what was taken in all the same.
fn failure(sources: &Sources, unkept: &Few<Error>) -> Option<Error> {
    let (failed, what) = match (unkept.first().first(), sources.failed.first().first()) {
        (Some(error), _) => (error, "could not be kept"),
        (None, error) => (error?, "could not be read"),
    };
    let others = unkept.count() + sources.failed.count() - 1;
    let more = if others > 0 { format!("; {others} more {what}") } else { String::new() };
    let mut error = Error::new(Exit::Failed, format!("{}{more}", failed.message));
    error.hints.clone_from(&failed.hints);
    if !sources.finds.is_empty() {
        error = error.hint("what else was given has been read, and what was good in it is kept");
    }
    Some(error)
}
