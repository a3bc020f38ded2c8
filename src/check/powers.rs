//! Checks of contracts that have power beside the owners: modules act for the Safe without any owner, the fallback
//! handler answers for it, guards can stop it. Each must be pinned by the council.

use alloy::primitives::Address;

use super::description::{Description, Id};
use super::{Check, Facts, all};
use crate::safe::SafeVersion;
use crate::safe::deployments::{Contract, known_at};

pub(super) const CHECKS: [Check; 1] = [("powers beside the owners", |facts| {
    if facts.assumes_the_safe() {
        return Vec::new();
    }
    all(modules(facts).into_iter().chain(attachments(facts)))
})];

/// Modules, guards and the fallback handler: who else can act for the Safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PowerProblem {
    NoModules,
    ModulesPinned,
    Module(Address),
    ModuleGone(Address),
    AsPinned { what: Attachment, is: Address },
    NotAsPinned { what: Attachment, is: Address, pinned: Address },
    Unpinned { what: Attachment, is: Address },
    PublishedHandler(SafeVersion),
}

/// A single address that a Safe can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub enum Attachment {
    #[display("guard")]
    Guard,
    #[display("module guard")]
    ModuleGuard,
    #[display("fallback handler")]
    FallbackHandler,
}

impl Attachment {
    const fn kind(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::ModuleGuard => "module-guard",
            Self::FallbackHandler => "fallback-handler",
        }
    }
}

impl PowerProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::NoModules => Description::pass("modules", "no module can act for the Safe"),
            Self::ModulesPinned => Description::pass("modules", "its modules are pinned"),
            Self::Module(module) => Description::refuse(
                Id::of("module", module),
                format!("module {module} can act for the Safe without any owner"),
                "if the council enabled it, pin it: `modules` of the Safe in breakglass.toml",
            ),
            Self::ModuleGone(module) => Description::drift(
                Id::of("module-gone", module),
                format!("module {module} of your council file is not enabled in the Safe"),
                "find out who disabled it, and update breakglass.toml",
            ),
            Self::AsPinned { what, is } => {
                let none = if is.is_zero() { "no " } else { "" };
                Description::pass(what.kind(), format!("{none}{what}, as pinned"))
            }
            Self::NotAsPinned { what, is, pinned } => Description::drift(
                Id::of(what.kind(), is),
                format!(
                    "the Safe's {what} is {}, and your council file pins {}",
                    none_or(*is),
                    none_or(*pinned)
                ),
                "find out who changed it; if it was the council, update breakglass.toml",
            ),
            Self::Unpinned { what, is } => unpinned(*what, *is),
            Self::PublishedHandler(version) => Description::pass(
                Attachment::FallbackHandler.kind(),
                format!("its fallback handler is the published one of {version}"),
            ),
        }
    }
}

fn none_or(address: Address) -> String {
    if address.is_zero() { "none".into() } else { address.to_string() }
}

fn unpinned(what: Attachment, is: Address) -> Description {
    let id = Id::of(what.kind(), is);
    match what {
        Attachment::Guard => Description::warn(
            id,
            format!("the Safe has a guard, {is}: it can stop transactions"),
            "if the council put it there, pin it: `guard` of the Safe in breakglass.toml",
        ),
        Attachment::ModuleGuard => Description::warn(
            id,
            format!("the Safe has a module guard, {is}: it can stop its modules"),
            "if the council put it there, pin it: `module_guard` of the Safe in breakglass.toml",
        ),
        Attachment::FallbackHandler => Description::refuse(
            id,
            format!(
                "the Safe's fallback handler {is} is not a published one: it signs messages for the Safe"
            ),
            "if the council put it there, pin it: `fallback_handler` of the Safe in breakglass.toml",
        ),
    }
}

fn modules(facts: &Facts) -> Vec<PowerProblem> {
    let (enabled, pinned) =
        (&facts.state().modules, facts.council_safe.modules.as_deref().unwrap_or_default());
    let unpinned =
        enabled.iter().filter(|module| !pinned.contains(module)).copied().map(PowerProblem::Module);
    let gone =
        pinned.iter().filter(|module| !enabled.contains(module)).copied().map(PowerProblem::ModuleGone);
    let found: Vec<PowerProblem> = unpinned.chain(gone).collect();
    match found.is_empty() {
        false => found,
        true if enabled.is_empty() => vec![PowerProblem::NoModules],
        true => vec![PowerProblem::ModulesPinned],
    }
}

fn attachments(facts: &Facts) -> impl Iterator<Item = PowerProblem> {
    let (state, pinned) = (facts.state(), facts.council_safe);
    let all = [
        (Attachment::Guard, state.guard, pinned.guard),
        (Attachment::ModuleGuard, state.module_guard, pinned.module_guard),
        (Attachment::FallbackHandler, state.fallback_handler, pinned.fallback_handler),
    ];
    all.into_iter().filter_map(|(what, is, pinned)| attached(what, is, pinned))
}

/// Compares one attachment with its pin. `None` if there is none, and none is pinned.
fn attached(what: Attachment, is: Address, pinned: Option<Address>) -> Option<PowerProblem> {
    let published = || known_at(is).filter(|known| known.contract == Contract::FallbackHandler);
    match (pinned, what) {
        (Some(pinned), _) if pinned == is => Some(PowerProblem::AsPinned { what, is }),
        (Some(pinned), _) => Some(PowerProblem::NotAsPinned { what, is, pinned }),
        (None, _) if is.is_zero() => None,
        (None, Attachment::FallbackHandler) => Some(match published() {
            Some(known) => PowerProblem::PublishedHandler(known.version),
            None => PowerProblem::Unpinned { what, is },
        }),
        (None, Attachment::Guard | Attachment::ModuleGuard) => Some(PowerProblem::Unpinned { what, is }),
    }
}
