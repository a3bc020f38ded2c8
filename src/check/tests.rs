//! Each attack of record, as values.

mod approved;
mod code;
mod control;
mod deputy;
mod done;
mod edges;
mod effects;
mod faults;
mod list;
mod moved;
mod rehearsal;
mod safe;
mod sentences;
mod silent;
mod words;

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256};

use super::{Check, Facts, Finding, Level, Match, Past, Problem};
use crate::chain::{Age, EndpointReport};
use crate::council;
use crate::evm::{AccountKind, Block, BlockHash, Keys, Readings, Write};
use crate::fork::{Rehearsal, RunResult, Trace};
use crate::playbook::{Change, Decided, LibraryEntry, Plan, PlannedCall, PlaybookDigest, Verdict};
use crate::proposal::{Binding, BoundLever, Contender, Proposal, RecordedCode};
use crate::safe::{Call, Nonce, Operation, Owners, SafeId, SafeState, SafeTx, SafeVersion, slot, slot_word};

const SAFE: Address = Address::repeat_byte(5);
const VAULT: Address = Address::repeat_byte(9);
const THIEF: Address = Address::repeat_byte(0x66);
const OWNER: Address = Address::repeat_byte(1);
const MODULE: Address = Address::repeat_byte(8);

pub(super) fn proposal() -> Proposal {
    proposing(SafeTx::new(VAULT, U256::ZERO, Bytes::new(), Operation::Call, Nonce::from(3)))
}

pub(crate) fn proposing(tx: SafeTx) -> Proposal {
    let id = SafeId { chain_id: 1, address: SAFE, version: SafeVersion::V1_4_1 };
    let state = SafeState {
        singleton: Address::repeat_byte(6),
        fallback_handler: Address::repeat_byte(7),
        modules: vec![MODULE],
        ..SafeState::bare(id, Owners::new(vec![OWNER, Address::repeat_byte(2)], 1).unwrap(), Nonce::from(3))
    };
    let binding = Binding::one(BoundLever::of(None, "pause/x", "", &[]), false);
    let block = Block { number: 1, hash: BlockHash::claimed(B256::ZERO) };
    Proposal::new(tx, state, block, binding, Readings::default())
}

fn plan(changes: &[Change]) -> Plan {
    let call = Call { to: VAULT, value: U256::from(10), data: Bytes::new() };
    Plan {
        args: vec![],
        reads: vec![],
        calls: vec![PlannedCall {
            call,
            signature: "pause()".into(),
            arguments: vec![],
            to_name: None,
            step: 0,
        }],
        piece: None,
        skipped: vec![],
        before: vec![],
        after: vec![],
        kept: vec![],
        changes: changes.to_vec(),
        errors: vec![],
        decided: vec![],
        rests_on: Readings::default(),
    }
}

fn rehearsal() -> Rehearsal {
    Rehearsal {
        outcome: RunResult::Succeeded,
        reverts: vec![],
        trace: Trace::default(),
        events: vec![],
        writes: vec![write(SAFE, slot_word(slot::NONCE), 4)],
        balances: vec![],
        tokens: vec![],
        created: vec![],
        destroyed: vec![],
        gas_used: 1,
        gas_limit: 1 << 24,
        timestamp: 0,
        answers: Readings::default(),
        read_by: BTreeMap::new(),
        code: BTreeMap::new(),
        read: Keys::default(),
    }
}

fn write(address: Address, slot: B256, new: u8) -> Write {
    Write { address, slot, old: B256::ZERO, new: B256::with_last_byte(new) }
}

fn to(address: Address, slot: B256, new: Address) -> Write {
    Write { new: new.into_word(), ..write(address, slot, 0) }
}

/// All that a check reads. It gives no finding until a test changes it.
#[derive(Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Case {
    proposal: Proposal,
    matching: Match,
    before: Vec<Verdict>,
    foreign: Vec<(String, String)>,
    endpoints: Vec<EndpointReport>,
    block_age: Option<Age>,
    council_quorum: usize,
    others: Vec<(Nonce, String)>,
    keeper: Option<Contender>,
    signers: usize,
    after_now: Vec<Verdict>,
    signing: bool,
    announced: bool,
    rehearsed_otherwise: Vec<String>,
    not_rehearsed: Option<&'static str>,
    decided: Vec<Decided>,
    entries: Vec<LibraryEntry<'static>>,
    plan: Option<Plan>,
    council_safe: council::Safe,
    now: Option<SafeState>,
    answers: Option<Readings>,
    rehearsal: Rehearsal,
    after: Vec<Verdict>,
    code_then: Vec<RecordedCode>,
    past: Past,
    is_from_file: bool,
    proxy_code: Option<B256>,
    accounts: BTreeMap<Address, AccountKind>,
    pins: BTreeMap<Address, Vec<B256>>,
    changes: Vec<Address>,
    is_rehearsed: bool,
}

impl Case {
    fn new(rehearsal: Rehearsal) -> Self {
        let council_safe = council::Safe {
            name: "guardian".into(),
            chain: "c".into(),
            address: SAFE,
            version: None,
            owners: None,
            modules: None,
            guard: None,
            module_guard: None,
            fallback_handler: None,
            proxy_code: None,
            batch: None,
        };
        Self {
            proposal: proposal(),
            matching: Match::Same,
            before: vec![],
            foreign: vec![],
            endpoints: vec![],
            block_age: None,
            council_quorum: 1,
            others: vec![],
            keeper: None,
            signers: 0,
            after_now: vec![],
            signing: true,
            announced: false,
            rehearsed_otherwise: vec![],
            not_rehearsed: None,
            decided: vec![],
            entries: Vec::new(),
            plan: Some(plan(&[])),
            council_safe,
            now: None,
            answers: None,
            rehearsal,
            after: vec![],
            code_then: vec![],
            past: Past::NotAsked,
            is_from_file: false,
            proxy_code: None,
            accounts: BTreeMap::new(),
            pins: BTreeMap::new(),
            changes: vec![],
            is_rehearsed: true,
        }
    }

    fn all<F: Into<Finding>>(&self, check: impl Fn(&Facts) -> Vec<F>) -> Vec<Finding> {
        let facts = Facts {
            proposal: &self.proposal,
            matching: &self.matching,
            plan: self.plan.as_ref(),
            council_safe: &self.council_safe,
            now: self.now.as_ref(),
            answers: self.answers.as_ref(),
            before: &self.before,
            foreign: &self.foreign,
            past: &self.past,
            is_from_file: self.is_from_file,
            signing: self.signing,
            announced: self.announced,
            nonce_named: false,
            endpoints: &self.endpoints,
            block_age: self.block_age,
            quorum: 1,
            council_quorum: self.council_quorum,
            others: &self.others,
            keeper: self.keeper.as_ref(),
            signers: self.signers,
            after_now: &self.after_now,
            rehearsal: self.is_rehearsed.then_some(&self.rehearsal),
            after: &self.after,
            rehearsed_otherwise: &self.rehearsed_otherwise,
            not_rehearsed: self.not_rehearsed,
            code_then: &self.code_then,
            proxy_code: self.proxy_code,
            accounts: &self.accounts,
            owner_safes: &[],
            pins: &self.pins,
            decided: &self.decided,
            entries: &self.entries,
            changes: &self.changes,
        };
        check(&facts).into_iter().map(Into::into).collect()
    }

    /// Returns the findings of some checks that do not pass: the id without the digest at its end, and the level.
    fn found<F: Into<Finding>>(&self, check: impl Fn(&Facts) -> Vec<F>) -> Vec<(String, Level)> {
        let all = self.all(check).into_iter().filter(|f| f.level != Level::Pass);
        all.map(|f| (without_digest(&f.id).to_string(), f.level)).collect()
    }
}

fn without_digest(id: &str) -> &str {
    match id.rsplit_once(':') {
        Some((id, digest)) if digest.len() == 16 && digest.chars().all(|c| c.is_ascii_hexdigit()) => id,
        _ => id,
    }
}

/// The problems of one file's checks.
fn run(checks: &[Check], facts: &Facts) -> Vec<Problem> {
    checks.iter().flat_map(|(_, check)| check(facts)).collect()
}

fn refused(id: &str) -> Vec<(String, Level)> {
    vec![(id.to_string(), Level::Refuse)]
}
