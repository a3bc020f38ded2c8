//! Imports signatures from files, folders, standard input or a whole pasted chat: reads within bounds, keeps and
//! reports them. No statement of a source is trusted: every hash is recomputed, every signer recovered.

use std::path::{Path, PathBuf};

use crate::ceremony::folder::sets::{AheadImport, KeptAhead};
use crate::ceremony::order::Given;
use crate::ceremony::signatures::importing::{ImportResult, no_signature_error};
use crate::error::{Error, Exit};
use crate::incident::{DrillStep, JournalAct, MOST_LISTED, Plain, Utc};
use crate::proposal::{Finds, GatherResult, OwnerSignature, Truncated, find_signatures};
use crate::safe::listed;
use crate::session::Session;
use crate::store::{self, ForeignText, StoreError};
use crate::ui::{Text, has_terminal};
use crate::view::armed_texts;
use crate::view::armed_texts::KeptObject;
use crate::view::imported::{Imported, ImportedLine, RefusedImport, SigningProgress, Spare};
use alloy::primitives::Address;

/// The most files that are read, and the most bytes of all of them: far more than a council exchanges at once.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;

/// The signatures that were found, by their source.
#[derive(Default)]
struct Sources {
    origins: Vec<String>,
    finds: Vec<Finds>,
    bytes: usize,
    /// Texts in which bytes that are not UTF-8 were skipped.
    damaged: Truncated<String>,
    /// Files or folders that cannot be read.
    failed: Truncated<Error>,
    /// The number of files over the bound.
    left: usize,
}

/// The texts that were read, and the signatures that were imported from them.
pub struct Received {
    sources: Sources,
    taken: ImportResult,
    /// The signatures made ahead.
    ahead: AheadImport,
}

/// Reads the sources and keeps each owner's signature. Of a set signed ahead it keeps one signature fewer than the
/// threshold, unless it shall be `complete`.
pub fn receive(
    session: &Session,
    what: &[String],
    given: &Given,
    from: &[PathBuf],
    complete: bool,
) -> Result<Received, Error> {
    let sources = read(session, from);
    let mut ahead = AheadImport::default();
    let has_others = sources.finds.iter().any(|finds| !finds.is_empty());
    if let Some(first) = sources.finds.iter().position(|finds| !finds.ahead.is_empty()) {
        match session.import_ahead(what, given, &sources.finds, complete) {
            Ok(taken) => ahead = taken,
            // Anybody can post a line of a set, so that it must not keep other signatures out.
            Err(error) if has_others => {
                ahead.refused.push(|| (first, format!("what is signed ahead is left out: {error}")));
            }
            Err(error) => return Err(error),
        }
        ahead.kept.iter().for_each(|kept| note_ahead(session, kept));
    }
    let taken = if ahead.kept.is_empty() || has_others {
        session.import(what, given, &sources.finds)?
    } else {
        ImportResult::default()
    };
    note(session, &taken, &sources);
    Ok(Received { sources, taken, ahead })
}

fn note_ahead(session: &Session, kept: &KeptAhead) {
    let mut owners: Vec<Address> = kept.signed.iter().map(|one| one.signature.owner()).collect();
    owners.sort();
    owners.dedup();
    let nonces = Plain::cut(&listed(kept.signed.iter().map(|one| one.nonce)));
    for owners in owners.chunks(MOST_LISTED) {
        let act = JournalAct::ImportedAhead { owners: owners.to_vec(), nonces: nonces.clone() };
        session.note(act, &kept.proposal);
    }
}

/// Enters the imported signatures into the journal: one entry for each proposal, and for each signature of a drill,
/// with the time that its line claims.
fn note(session: &Session, taken: &ImportResult, sources: &Sources) {
    for proposal in &taken.proposals {
        if proposal.is_drill() {
            let of = taken.gathered.new.iter().filter(|signature| signature.hash() == proposal.hash());
            for signature in of {
                let (owner, made) = (signature.owner(), sources.claimed_time(signature));
                session.note(JournalAct::Drill { step: DrillStep::Imported { owner, made } }, proposal);
            }
            continue;
        }
        let of = taken.gathered.new.iter().filter(|signature| signature.hash() == proposal.hash());
        let owners: Vec<Address> = of.map(OwnerSignature::owner).collect();
        for owners in owners.chunks(MOST_LISTED) {
            session.note(JournalAct::Imported { owners: owners.to_vec() }, proposal);
        }
    }
}

/// Reads the sources, or standard input if none is named. One that cannot be read is reported, and does not stop the
/// others.
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
    /// Returns the time at which a signature was made, as a line with it claims.
    fn claimed_time(&self, signature: &OwnerSignature) -> Option<Utc> {
        let mut stated = self.finds.iter().flat_map(|finds| &finds.stated);
        let seconds = stated.find_map(|stated| {
            let is_it = stated.bytes == *signature.ecdsa().bytes();
            stated.claims.as_ref().filter(|_| is_it).and_then(|claims| claims.made)
        })?;
        Some(Utc::from_millis(seconds.saturating_mul(1_000)))
    }

    fn add_file(&mut self, path: &Path) {
        self.add(path.display().to_string(), || store::read_foreign(path));
    }

    fn add(&mut self, origin: String, read: impl FnOnce() -> Result<ForeignText, StoreError>) {
        if self.finds.len() >= MOST_FILES || self.bytes >= MOST_BYTES {
            self.left += 1;
            return;
        }
        match read() {
            Ok(ForeignText { text, is_damaged }) => {
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

    /// Returns the first refused lines and signatures, each with its source and the reason.
    fn refused<'s>(&'s self, gathered: &'s GatherResult) -> impl Iterator<Item = RefusedImport> {
        let damaged = self.finds.iter().zip(&self.origins).flat_map(|(finds, origin)| {
            finds.damaged.first().iter().map(|damaged| {
                let head: String = damaged.line.chars().take(20).collect();
                let why = format!("the line {head}… cannot be read: {}", damaged.why);
                RefusedImport { origin: origin.clone(), why }
            })
        });
        let strange = gathered.refused.first().iter().filter_map(|refusal| {
            Some(RefusedImport { origin: self.origins.get(refusal.text)?.clone(), why: refusal.why.clone() })
        });
        damaged.take(Truncated::<()>::SHOWN).chain(strange)
    }

    /// Returns the first refused signatures made ahead, each with its source and the reason.
    fn refused_ahead<'s>(&'s self, ahead: &'s AheadImport) -> impl Iterator<Item = RefusedImport> {
        let first = ahead.refused.first().iter();
        first.filter_map(|(text, why)| {
            Some(RefusedImport { origin: self.origins.get(*text)?.clone(), why: why.clone() })
        })
    }

    fn damaged_lines(&self) -> usize {
        self.finds.iter().map(|finds| finds.damaged.count()).sum()
    }
}

impl Received {
    /// Returns the result as it is shown. The files that were named come first among what was refused.
    fn imported(&self, session: &Session) -> Imported {
        let Self { sources, taken, ahead } = self;
        let gathered = &taken.gathered;
        let lines = |signatures: &[OwnerSignature]| {
            let line = |one: &OwnerSignature| {
                let safe = one.through().last().map(|safe| format!(", for {}", session.name_of(*safe)));
                let name = session.name_of(one.owner());
                let note = format!("{}{}", safe.unwrap_or_default(), taken.approval(one.hash()));
                ImportedLine::new(one.owner(), one.hash(), &name, &note)
            };
            signatures.iter().map(line).collect::<Vec<_>>()
        };
        let mut all_taken = lines(&gathered.new);
        all_taken.extend(taken.verified.wallets.iter().map(|wallet| {
            let owner = wallet.signature().owner;
            ImportedLine::new(owner, wallet.hash(), &session.name_of(owner), ", a contract that says yes")
        }));
        all_taken.extend(taken.verified.approved.iter().map(|(hash, owner)| {
            ImportedLine::new(*owner, *hash, &session.name_of(*owner), ", approved on chain")
        }));
        let spare = gathered.spare.iter().map(|((hash, owner), count)| Spare {
            owner: owner.to_string(),
            safe_tx_hash: hash.to_string(),
            count: *count,
        });
        let files = taken.refused_files.iter().map(|(path, why)| RefusedImport {
            origin: path.clone(),
            why: format!("the proposal is not kept: {why}"),
        });
        let listed: Vec<RefusedImport> =
            sources.refused(gathered).chain(sources.refused_ahead(ahead)).collect();
        Imported {
            taken: all_taken,
            known: lines(&gathered.known),
            not_needed: spare.collect(),
            refused_listed: listed.len(),
            refused: files.chain(listed).collect(),
            refused_count: sources.damaged_lines() + gathered.refused.count() + ahead.refused.count(),
            not_looked_at: gathered.unread + ahead.unread,
            files_not_read: sources.left + sources.failed.count(),
            tallies: taken.tallies.iter().map(SigningProgress::from).collect(),
            files_over_bound: sources.left,
            damaged: (sources.damaged.first().to_vec(), sources.damaged.more()),
        }
    }

    /// Shows what was imported and what was refused. Fails if a source could not be read or a signature could not be
    /// kept.
    pub fn require_read(&self, session: &Session) -> Result<Imported, Error> {
        let imported = self.imported(session);
        for kept in &self.ahead.kept {
            session.ui.show(&armed_texts::import_result(kept, |owner| session.name_of(owner)));
        }
        session.ui.show(&imported.lines());
        session.ui.object(&imported);
        session.ui.field("ahead", &self.ahead.kept.iter().map(KeptObject::from).collect::<Vec<_>>());
        failure(&self.sources, &self.taken.unkept).map_or(Ok(imported), Err)
    }

    /// Shows the result and the progress of each proposal. Fails if anything could not be read or kept, or if there was
    /// no owner's signature.
    pub fn report(&self, session: &Session) -> Result<Exit, Error> {
        let ImportResult { gathered, refused_files, tallies, .. } = &self.taken;
        let imported = self.require_read(session)?;
        let is_none = gathered.new.is_empty() && gathered.known.is_empty() && gathered.spare.is_empty();
        let is_none = is_none && self.ahead.kept.is_empty();
        if is_none && self.taken.verified.wallets.is_empty() && self.taken.verified.approved.is_empty() {
            let first = imported.refused.first().map(|one| (one.origin.as_str(), one.why.as_str()));
            let error = no_signature_error(first, !refused_files.is_empty());
            return Err(tallies.iter().fold(error, |error, tally| error.hint(tally.to_string())));
        }
        for tally in tallies {
            session.ui.say(&Text::default().bold(&tally.to_string()));
        }
        Ok(if imported.is_whole() { Exit::Done } else { Exit::Refused })
    }
}

/// Returns the error for what could not be kept or read; the rest was imported.
fn failure(sources: &Sources, unkept: &Truncated<Error>) -> Option<Error> {
    let (failed, what) = match (unkept.first().first(), sources.failed.first().first()) {
        (Some(error), _) => (error, "could not be kept"),
        (None, error) => (error?, "could not be read"),
    };
    let others = unkept.count() + sources.failed.count() - 1;
    let more = if others > 0 { format!("; {others} more {what}") } else { String::new() };
    let mut error = Error::new(Exit::Failed, format!("{}{more}", failed.message));
    error.hints.clone_from(&failed.hints);
    if !sources.finds.is_empty() {
        error = error.hint("the rest was read, and every good signature in it is kept");
    }
    Some(error)
}
