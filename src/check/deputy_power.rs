//! Checks of a deputy's module: its version, deputy, Safe and nonce on chain, and the calls that it makes the Safe do.

use alloy::primitives::{Address, B256};

use super::Facts;
use super::description::{Description, Id};
use crate::fork::FrameKind;
use crate::safe::PauseForm;

/// The answers of a deputy's module; `None` for each that it did not give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub address: Address,
    pub version: Option<String>,
    pub deputy: Option<Address>,
    /// The Safe that it acts for.
    pub acts_for: Option<Address>,
    /// It is enabled in every Safe that it needs.
    pub is_enabled: bool,
    pub is_used: Option<bool>,
    /// The nonce that `is_used` is about.
    pub nonce: B256,
    pub form: PauseForm,
    /// The deputy by the council file.
    pub named: (String, Address),
}

/// The module, the deputy and the call of an act of one key alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeputyProblem {
    Known(String),
    Unknown { module: Address, version: Option<String> },
    IsDeputy(String),
    NotTheDeputy { module: Address, is: Option<Address>, named: (String, Address) },
    ActsForIt,
    ActsForAnother { module: Address, is: Option<Address> },
    Enabled,
    NotEnabled(Address),
    Unused,
    Used { nonce: B256, already_done: Option<String> },
    MakesTheCall,
    MakesAnother { module: Address, made: Vec<String> },
}

impl DeputyProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::Known(version) => {
                Description::pass("module-version", format!("it is a DeputyPauseModule {version}"))
            }
            Self::Unknown { module, version } => Description::refuse(
                Id::of("module-version", module),
                format!(
                    "{module} is not a DeputyPauseModule that makes this call: it says version {}",
                    version.as_deref().unwrap_or("nothing")
                ),
                "1.x pauses with pause(string), 2.x with pause(address): correct the lever's module or playbook",
            ),
            Self::IsDeputy(name) => {
                Description::pass("deputy", format!("the module says that {name} is the deputy"))
            }
            Self::NotTheDeputy { module, is, named: (name, address) } => Description::refuse(
                Id::of("deputy", module).and(address),
                format!(
                    "{name} {address} is not the deputy of {module}: {}",
                    is.map_or_else(|| "it names none".into(), |is| format!("that is {is}"))
                ),
                "let the deputy act; if the council replaced them, correct breakglass.toml",
            ),
            Self::ActsForIt => Description::pass("module-safe", "the module acts for the lever's Safe"),
            Self::ActsForAnother { module, is } => Description::refuse(
                Id::of("module-safe", module),
                format!(
                    "{module} does not act for the lever's Safe: {}",
                    is.map_or_else(|| "it names none".into(), |is| format!("it acts for {is}"))
                ),
                "correct the lever's safe or module in breakglass.toml",
            ),
            Self::Enabled => Description::pass("module-enabled", "the module is enabled"),
            Self::NotEnabled(module) => Description::refuse(
                Id::of("module-enabled", module),
                format!("module {module} is not enabled in its Safe, so it cannot act"),
                "use a lever of the Safe itself, without by = \"deputy\"",
            ),
            Self::Unused => Description::pass("deputy-nonce", "the message was never used"),
            Self::Used { nonce, already_done } => used(nonce, already_done.as_deref()),
            Self::MakesTheCall => {
                Description::pass("module-call", "the module makes the Safe do this call, and no other")
            }
            Self::MakesAnother { module, made } => Description::refuse(
                Id::of("module-call", module).digest_all(made),
                format!(
                    "{module} makes the Safe do something else than your playbook: {}",
                    if made.is_empty() { "nothing".into() } else { made.join("; ") }
                ),
                "do not sign before you know why; correct the lever, or find out who replaced the module",
            ),
        }
    }
}

fn used(nonce: &B256, already_done: Option<&str>) -> Description {
    let id = Id::of("deputy-nonce", nonce);
    let sentence = format!("this signature was used before: nonce {nonce}");
    match already_done {
        Some(promised) => Description::already_done(id, sentence, promised),
        None => {
            Description::refuse(id, sentence, "each signature is good once: let the deputy sign a new one")
        }
    }
}

/// Checks the answers of the module, and the calls that the Safe made in the rehearsal.
pub(super) fn module(facts: &Facts, module: &Module) -> Vec<DeputyProblem> {
    let (address, is_version) = (module.address, |version: &&String| module.form.is_of_version(version));
    let safe = facts.proposal.safe().address;
    let mut all = vec![
        match module.version.as_ref().filter(is_version).filter(|_| module.is_used.is_some()) {
            Some(version) => DeputyProblem::Known(version.clone()),
            None => DeputyProblem::Unknown { module: address, version: module.version.clone() },
        },
        if module.deputy == Some(module.named.1) {
            DeputyProblem::IsDeputy(module.named.0.clone())
        } else {
            DeputyProblem::NotTheDeputy { module: address, is: module.deputy, named: module.named.clone() }
        },
        if module.acts_for == Some(safe) {
            DeputyProblem::ActsForIt
        } else {
            DeputyProblem::ActsForAnother { module: address, is: module.acts_for }
        },
        if module.is_enabled { DeputyProblem::Enabled } else { DeputyProblem::NotEnabled(address) },
    ];
    all.extend(module.is_used.map(|is_used| {
        let already_done = facts.already_done();
        if is_used {
            DeputyProblem::Used { nonce: module.nonce, already_done }
        } else {
            DeputyProblem::Unused
        }
    }));
    all.extend(calls_made(facts, address));
    all
}

/// Compares the calls that the Safe made in the rehearsal with those of the playbook. `None` if it reverted.
fn calls_made(facts: &Facts, module: Address) -> Option<DeputyProblem> {
    let (safe, rehearsal) = (facts.proposal.safe().address, facts.effects()?);
    let frames = rehearsal.trace.frames.iter();
    let made: Vec<_> = frames.filter(|f| f.from == safe && f.kind == FrameKind::Call).collect();
    let planned =
        facts.planned().iter().map(|planned| (planned.call.to, planned.call.value, &planned.call.data));
    if !rehearsal.trace.cut && made.iter().map(|f| (f.to, f.value, &f.input)).eq(planned) {
        return Some(DeputyProblem::MakesTheCall);
    }
    let made = made.iter().map(|frame| format!("{} to {}", frame.input, frame.to)).collect();
    Some(DeputyProblem::MakesAnother { module, made })
}
