//! The wishes of whoever acts as a deputy, or sends a deputy's signature, and the journal of it.

use std::path::Path;

use alloy::primitives::B256;

use crate::ceremony::deputy::deputy_act::{Act, How};
use crate::cli::args::{FeeArgs, KeyArgs};
use crate::council::{Arguments, Lever};
use crate::incident::{self, DeputyStep, Plain, TxStep};
use crate::session::Session;

/// A person's wishes.
pub struct DeputyTerms<'t> {
    pub lever: &'t str,
    pub set: &'t [(String, String)],
    pub accept: &'t [String],
    pub key: &'t KeyArgs,
    /// The file with the deputy's signature, which somebody else sends.
    pub relay: Option<&'t Path>,
    /// The file for the deputy's signature: nothing is sent.
    pub to: Option<&'t Path>,
    pub yes: bool,
    pub fees: FeeArgs,
}

/// One run: what was asked for, and by whose lever.
pub struct DeputyRun<'a> {
    pub session: &'a Session<'a>,
    pub terms: &'a DeputyTerms<'a>,
    pub lever: &'a Lever,
    pub set: Arguments,
    /// Names the message of this run, where no file brings one.
    pub nonce: B256,
}

impl DeputyRun<'_> {
    pub fn note(&self, act: &Act, step: TxStep) {
        let module = match &act.how {
            How::Key(_) => None,
            How::Module(pause, _) => Some(pause.module),
        };
        let deputed = DeputyStep {
            lever: Plain::cut(&self.lever.name),
            deputy: act.deputy.1,
            module,
            safe: Plain::cut(&act.safe.name),
            chain_id: act.judged.derived.chain.id,
            step,
        };
        self.session.note_act(incident::JournalAct::Deputy(deputed));
    }
}
