//! Entries of the commands into the journal. One that cannot be written stops no command.

use alloy::primitives::Address;

use crate::error::Error;
use crate::incident::{JournalAct, MOST_LISTED, Plain, TransactionRef};
use crate::proposal::Proposal;
use crate::session::Session;
use crate::store::CutOff;
use crate::ui::Text;

impl Session<'_> {
    /// Adds an entry about a proposal. One that cannot be written is reported once, and stops nothing.
    pub fn note(&self, act: JournalAct, proposal: &Proposal) {
        let about = self.about(proposal);
        if proposal.is_drill() {
            // A drill is never entered as a real act.
            for step in act.in_drill() {
                self.note_about(JournalAct::Drill { step }, Some(about.clone()));
            }
        } else {
            self.note_about(act, Some(about));
        }
    }

    pub fn note_signed(&self, owner: Address, proposal: &Proposal) {
        self.note(JournalAct::Signed { owner, name: self.signer_name(owner) }, proposal);
    }

    pub fn signer_name(&self, owner: Address) -> Option<Plain> {
        self.council.signer_at(owner).map(|signer| Plain::cut(&signer.name))
    }

    /// Adds an entry without a transaction. One that cannot be written is reported once, and stops nothing.
    pub fn note_act(&self, act: JournalAct) {
        self.note_about(act, None);
    }

    /// Adds entries of what was accepted, by the words of `--accept`; none if nothing was.
    pub fn note_accepted(&self, ids: &[String], proposal: Option<&Proposal>) {
        for ids in ids.chunks(MOST_LISTED) {
            let ids = ids.iter().map(|id| Plain::cut(id)).collect();
            match proposal {
                Some(proposal) => self.note(JournalAct::Accepted { ids }, proposal),
                None => self.note_act(JournalAct::Accepted { ids }),
            }
        }
    }

    /// Adds an entry about any transaction. One that cannot be written is reported once, and stops nothing.
    pub fn note_about(&self, act: JournalAct, about: Option<TransactionRef>) {
        match self.enter(act, about) {
            Ok(cut_off) => self.say_cut_off(cut_off),
            Err(error) => {
                let text = format!("the journal was not written: {error}. What you did counts all the same");
                self.ui.say_once(&Text::default().warn("! ").add(&text));
            }
        }
    }

    /// Adds an entry that is the purpose of the command. Fails if it cannot be written.
    pub fn write(&self, act: JournalAct) -> Result<(), Error> {
        self.enter(act, None).map(|cut_off| self.say_cut_off(cut_off))
    }

    fn say_cut_off(&self, cut_off: Option<CutOff>) {
        if let Some(CutOff { bytes, kept }) = cut_off {
            let text = format!(
                "the journal's last line was not written to its end: {bytes} bytes were cut off, and are kept in {}",
                kept.display()
            );
            self.ui.say(&Text::default().warn("note: ").add(&text));
        }
    }
}
