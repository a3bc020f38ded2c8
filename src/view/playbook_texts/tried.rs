//! A playbook that was tried on a fork: the place, and the Safe.

use serde::Serialize;

use crate::ceremony::trials::trial::TrialRun;
use crate::council::Safe;

/// The place of a trial; its result is in the report.
#[derive(Debug, Serialize)]
pub struct Tried<'a> {
    playbook: &'a str,
    digest: String,
    safe: String,
    chain_id: u64,
    block: u64,
    rounds: u32,
    #[serde(skip)]
    by: &'a str,
    #[serde(skip)]
    chain: &'a str,
}

impl<'a> Tried<'a> {
    pub fn new(playbook: &'a str, safe: &'a Safe, tried: &TrialRun<'a>, rounds: u32) -> Self {
        Self {
            playbook,
            digest: tried.digest.to_string(),
            safe: safe.address.to_string(),
            chain_id: tried.chain.id,
            block: tried.block.number,
            rounds,
            by: &safe.name,
            chain: &tried.chain.name,
        }
    }

    pub fn headline(&self) -> String {
        let Self { playbook, block, chain, by, .. } = self;
        format!("{playbook} from block {block} of {chain}, by {by}")
    }
}
