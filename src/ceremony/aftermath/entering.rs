//! Entries that commands add to this machine's journal.

use crate::ceremony::desk::Desk;
use crate::clock;
use crate::council::TextDigest;
use crate::error::{Error, Exit};
use crate::incident::{
    BadEntry, JournalAct, LONGEST_LINE, Plain, TransactionRef, UnnumberedEntry, Utc, next,
};
use crate::near::hint;
use crate::proposal::Proposal;
use crate::store::{CutOff, NewLine};

impl Desk<'_> {
    /// Returns the reference to a proposal for a journal entry.
    pub fn about(&self, proposal: &Proposal) -> TransactionRef {
        let id = proposal.safe();
        let safe = self.council.safe_at(id.chain_id, id.address).map_or("?", |safe| safe.name.as_str());
        let what = proposal.binding().pull().words().unwrap_or_else(|| proposal.binding().title());
        TransactionRef {
            what: Plain::cut(&what),
            safe: Plain::cut(safe),
            address: id.address,
            chain_id: id.chain_id,
            nonce: proposal.nonce(),
            safe_tx_hash: proposal.hash(),
        }
    }

    /// Adds an entry to the journal. Returns the incomplete last line if one was cut off.
    pub fn enter(&self, act: JournalAct, about: Option<TransactionRef>) -> Result<Option<CutOff>, Error> {
        let draft = UnnumberedEntry {
            time: now(),
            who: self.own_settings()?.me.as_deref().map(Plain::cut),
            program: Plain::cut(&program()),
            council: TextDigest::of(&self.text),
            act,
            about,
        };
        let line = |tail: &[u8]| match next(tail, draft) {
            Ok(append) => Ok(NewLine { completes: append.completes, line: append.line }),
            Err(bad) => Err(too_long(&bad)),
        };
        self.incidents.journal().append(line)
    }

    /// Returns the name of a person or a signer of the council file, for the journal.
    pub fn known_name(&self, name: &str) -> Result<Plain, Error> {
        let council = &self.council;
        let known = || council.people.keys().chain(council.signers.keys()).map(String::as_str);
        if known().all(|one| one != name) {
            let message = format!(
                "nobody is called {name:?} in the council file; {}",
                hint(name, known().collect::<Vec<_>>())
            );
            return Err(Error::new(Exit::Usage, message).hint("[people] and [signers] have the names"));
        }
        Plain::new(name).map_err(|why| Error::new(Exit::Usage, format!("the name {name:?}: {why}")))
    }
}

/// Returns the time as the journal has it.
pub fn now() -> Utc {
    Utc::from_millis(u64::try_from(clock::now().as_millis()).unwrap_or(u64::MAX))
}

fn too_long(bad: &BadEntry) -> Error {
    Error::new(Exit::Failed, format!("the journal has lines of at most {LONGEST_LINE} bytes: {bad}"))
}

/// Returns version and build; the build is `BREAKGLASS_BUILD` at compile time.
fn program() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let build = option_env!("BREAKGLASS_BUILD").map(|build| format!("+{build}")).unwrap_or_default();
    let debug = if cfg!(debug_assertions) { " (debug)" } else { "" };
    format!("{version}{build}{debug}")
}
