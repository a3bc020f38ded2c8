//! `import`: signatures from files, folders, standard input, a whole pasted chat. Nothing that a source says about
//! itself is believed: every hash is recomputed, every signer recovered.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use clap::ValueHint;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use crate::ceremony::find::{Purpose, is_file};
use crate::ceremony::words::words_for;
use crate::command::Session;
use crate::command::args::{ARGUMENTS, Derive};
use crate::command::complete;
use crate::error::{Error, Exit};
use crate::incident::{Act, MOST_LISTED};
use crate::proposal::{
    Few, Finds, Gathered, OwnerSignature, Proposal, SafeOwners, Wanted, find_signatures, gather,
};
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

/// The proposals that signatures may be for, and the file that was named if it is not what the reader's own files give.
#[derive(Default)]
struct Targets {
    /// The one that was named first.
    proposals: Vec<(Proposal, SafeOwners)>,
    refused: Option<Refused>,
}

/// A proposal file that is not kept.
struct Refused {
    path: String,
    why: String,
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

    /// Files or folders; `-`, or none, for standard input
    #[arg(help_heading = ARGUMENTS, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    from: Vec<PathBuf>,

    #[command(flatten)]
    derive: Derive,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    session.note_changes(&session.rests_of(std::slice::from_ref(&args.what), &args.derive.given())?)?;
    let sources = read(session, &args.from);
    let targets = targets(session, args, &sources.finds)?;
    let wanted: Vec<Wanted> = targets.proposals.iter().map(wanted).collect();
    let mut gathered = gather(&sources.finds, &wanted);
    for target in &wanted {
        let signs = |s: &OwnerSignature| s.hash() == target.proposal.hash();
        if gathered.new.iter().any(signs) {
            gathered = gathered.beside(&session.signatures(target.proposal, &target.owners)?);
        }
    }
    let unkept = keep(session, &mut gathered);
    note(session, &targets.proposals, &gathered.new);
    let what = words_for(std::slice::from_ref(&args.what), &args.derive.given());
    report(session, &what, &sources, &gathered, &unkept, targets.refused.as_ref())
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
        let strange =
            strange.filter_map(|(text, why)| Some((self.origins.get(*text)?.as_str(), why.clone())));
        damaged.take(Few::<()>::SHOWN).chain(strange)
    }

    fn damaged_lines(&self) -> usize {
        self.finds.iter().map(|finds| finds.damaged.count()).sum()
    }
}

fn wanted((proposal, owners): &(Proposal, SafeOwners)) -> Wanted<'_> {
    Wanted { proposal, owners: owners.clone() }
}

/// All that are kept here, and what was named: a file, if the reader's own files give it, or else the lever derived now.
fn targets(session: &Session, args: &Args, found: &[Finds]) -> Result<Targets, Error> {
    let mut targets = Targets::default();
    let given = session.made_before(&args.what, &args.derive.given())?;
    let safe = match &given {
        Some(proposal) => session.safe_of(proposal)?,
        None => session.safe(&session.lever(&args.what)?.safe)?,
    };
    if is_file(&args.what)
        && let Some(proposal) = &given
        && let Err(why) = session.derives(proposal)
    {
        targets.refused = Some(Refused { path: args.what.clone(), why });
    }
    let owners = session.look_up_owners(safe)?;
    for proposal in session.kept()? {
        let of = session.safe_of(&proposal)?;
        let owners = if of.name == safe.name { Some(owners.clone()) } else { session.owners(of, None) };
        targets.proposals.extend(owners.map(|owners| (proposal, owners)));
    }
    if targets.refused.is_some() {
        return Ok(targets);
    }
    let fit = |proposals: &[(Proposal, SafeOwners)]| {
        let wanted: Vec<Wanted> = proposals.iter().map(wanted).collect();
        !gather(found, &wanted).new.is_empty()
    };
    let is_empty = found.iter().all(|finds| finds.stated.is_empty() && finds.bare.is_empty());
    match given {
        Some(proposal) if is_file(&args.what) => {
            let named = (proposal, owners);
            if fit(std::slice::from_ref(&named)) {
                let (proposal, hash) = (&named.0, named.0.hash().to_string());
                session.incidents.keep_proposal(&hash, &proposal.to_json())?;
                say_foreign(session, args, proposal)?;
            }
            targets.proposals.retain(|(kept, _)| kept.hash() != named.0.hash());
            targets.proposals.insert(0, named);
        }
        Some(proposal) if is_empty || fit(&targets.proposals) => {
            targets.proposals.sort_by_key(|(target, _)| target.hash() != proposal.hash());
        }
        // Nothing here fits: the lever may mean a transaction that was never proposed on this machine.
        _ => {
            let derived = session.look_one(&args.what, &args.derive.given(), Purpose::Sign)?.online.derived;
            let named = (derived.proposal.clone(), derived.owners.clone());
            if fit(std::slice::from_ref(&named)) {
                derived.keep(session)?;
            }
            targets.proposals.insert(0, named);
        }
    }
    Ok(targets)
}

/// Whoever signs or sends it later has to know that these were not their own choice.
fn say_foreign(session: &Session, args: &Args, proposal: &Proposal) -> Result<(), Error> {
    let foreign = session.foreign(proposal, &args.derive.given().arguments()?);
    if !foreign.is_empty() {
        let first = foreign.iter().take(Few::<()>::SHOWN);
        let list: Vec<String> = first.map(|(name, value)| format!("{name} = {value}")).collect();
        let more = match foreign.len() - list.len() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let text = format!("{} leaves open, and the file chose: {}{more}", lever(proposal), list.join(", "));
        session.ui.say(&Text::default().warn("! ").add(&text));
    }
    Ok(())
}

fn lever(proposal: &Proposal) -> String {
    let binding = proposal.binding();
    let what = if binding.is_of_levers() { "lever" } else { "playbook" };
    format!("{what} {}", binding.title())
}

/// Keeps what is new. One that cannot be kept does not end the keeping of the rest: it is taken out and told.
fn keep(session: &Session, gathered: &mut Gathered) -> Few<Error> {
    let mut unkept = Few::default();
    gathered.new.retain(|signature| {
        let (hash, owner) = (signature.hash().to_string(), signature.owner().to_string());
        match session.incidents.keep_signature(&hash, &owner, &signature.to_json()) {
            Ok(_) => true,
            Err(error) => {
                unkept.push(|| Error::from(error).about(&format!("the signature of {owner}")));
                false
            }
        }
    });
    unkept
}

/// Whose signatures were taken in, an entry for each proposal.
fn note(session: &Session, proposals: &[(Proposal, SafeOwners)], new: &[OwnerSignature]) {
    for (proposal, _) in proposals {
        let of = new.iter().filter(|signature| signature.hash() == proposal.hash());
        let owners: Vec<Address> = of.map(OwnerSignature::owner).collect();
        for owners in owners.chunks(MOST_LISTED) {
            session.note(Act::Imported { owners: owners.to_vec() }, proposal);
        }
    }
}

fn report(
    session: &Session,
    what: &str,
    sources: &Sources,
    gathered: &Gathered,
    unkept: &Few<Error>,
    forged: Option<&Refused>,
) -> Result<Exit, Error> {
    list(session, "taken in  ", Text::good, &gathered.new);
    list(session, "known     ", Text::dim, &gathered.known);
    let mut refused: Vec<_> = sources.refused(gathered).collect();
    let over = leftovers(sources, gathered, refused.len());
    if let Some(Refused { path, why }) = forged {
        refused.insert(0, (path, format!("the proposal is not kept: {why}")));
    }
    for (origin, why) in &refused {
        session.ui.say(&Text::default().bad("refused   ").add(&format!("{origin}: {why}")));
    }
    for sentence in over {
        session.ui.say(&Text::default().warn("! ").add(&sentence));
    }
    let object = object(sources, gathered, &refused);
    if let Some(error) = failure(sources, unkept, &object) {
        return Err(error);
    }
    if gathered.new.is_empty() && gathered.known.is_empty() && gathered.spare.is_empty() {
        let why = match refused.first() {
            Some((origin, why)) => format!("no signature was taken in: {origin}: {why}"),
            None => "no signature was found in what was given".into(),
        };
        if forged.is_some() {
            let fix = "do not sign it; ask in person where it comes from, or update your council file and playbooks";
            return Err(Error::new(Exit::Refused, why).hint(fix).having_done(object));
        }
        return Err(Error::new(Exit::Failed, why)
            .hint("ask its signer for the whole line again: it begins with bgsig2"));
    }
    session
        .ui
        .say(&Text::default().dim("  → ").add(&format!("breakglass status {what} tells who is missing")));
    session.ui.object(&object);
    Ok(Exit::Done)
}

fn list(session: &Session, what: &str, tone: impl Fn(Text, &str) -> Text, signatures: &[OwnerSignature]) {
    for signature in signatures.iter().take(LISTED) {
        let owner = signature.owner();
        let signer = session.council.signers.values().find(|signer| signer.address == owner);
        let name = signer.map(|signer| format!("{} ", signer.name)).unwrap_or_default();
        let line = format!("{name}{owner} for {}", signature.hash());
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

fn object(sources: &Sources, gathered: &Gathered, refused: &[(&str, String)]) -> Value {
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
    json!({
        "taken": owners(&gathered.new),
        "known": owners(&gathered.known),
        "not_needed": spare.collect::<Vec<_>>(),
        "refused": refused,
        "refused_count": sources.damaged_lines() + gathered.refused.count(),
        "not_looked_at": gathered.not_looked_at,
        "files_not_read": sources.left + sources.failed.count(),
    })
}

/// Returns the error for what could not be kept or read, beside what was taken in all the same.
fn failure(sources: &Sources, unkept: &Few<Error>, object: &Value) -> Option<Error> {
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
    Some(error.having_done(object.clone()))
}
