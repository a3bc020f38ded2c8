//! The levers of a proposal file, and what was pulled: wire forms and their way into [`Binding`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::proposal_error::{FIRST, LEVERS, ProposalError, at_most, field};
use super::{Binding, BoundLever};
use crate::council::Pull;
use crate::playbook::{PlaybookDigest, PlaybookId};

/// As many as a council file has.
const MOST_LEVERS: usize = 500;
const MOST_ARGUMENTS: usize = 50;
/// Twice the most data that a transaction can carry, in hexadecimal.
const LONGEST_ARGUMENT: usize = 512 << 10;

/// The playbook of version 1.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WirePlaybook {
    id: String,
    digest: String,
    lever: Option<String>,
    undo: bool,
    arguments: BTreeMap<String, String>,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WirePull {
    names: Vec<String>,
    without: Vec<String>,
    undo: bool,
}

impl From<&Pull> for WirePull {
    fn from(pull: &Pull) -> Self {
        Self { names: pull.names.clone(), without: pull.without.clone(), undo: pull.undo }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireProposalLever {
    lever: Option<String>,
    playbook: String,
    digest: String,
    arguments: BTreeMap<String, String>,
    /// Left out where a lever before it has the text with this digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

pub(super) fn levers(binding: &Binding) -> Vec<WireProposalLever> {
    let mut written = BTreeSet::new();
    let wire = |bound: &BoundLever| WireProposalLever {
        lever: bound.lever.clone(),
        playbook: bound.playbook.to_string(),
        digest: bound.digest.to_string(),
        arguments: bound.args.clone(),
        text: written.insert(bound.digest).then(|| bound.text.to_string()),
    };
    binding.levers().iter().map(wire).collect()
}

/// The pull and its levers; those of version 1 are one lever, or none but the playbook.
pub(super) fn lever_list(
    version: u32,
    playbook: Option<WirePlaybook>,
    pull: Option<WirePull>,
    levers: Vec<WireProposalLever>,
) -> Result<(Pull, Vec<WireProposalLever>), ProposalError> {
    match (version, playbook, pull) {
        (FIRST, Some(old), None) if levers.is_empty() => {
            let names = old.lever.iter().cloned().collect();
            let lever = WireProposalLever {
                lever: old.lever,
                playbook: old.id,
                digest: old.digest,
                arguments: old.arguments,
                text: Some(old.text),
            };
            Ok((Pull { names, undo: old.undo, ..Pull::default() }, vec![lever]))
        }
        (LEVERS, None, Some(WirePull { names, without, undo })) => {
            Ok((Pull { names, without, undo, approve_as: Vec::new() }, levers))
        }
        (FIRST, ..) => Err(ProposalError::Json("version 1 has one playbook, and no levers".into())),
        _ => Err(ProposalError::Json("version 2 has pull and levers, and no playbook beside them".into())),
    }
}

pub(super) fn check_levers(levers: &[WireProposalLever], pull: &Pull) -> Result<(), ProposalError> {
    let arguments = levers.iter().map(|lever| &lever.arguments);
    let most = arguments.clone().map(BTreeMap::len).max().unwrap_or_default();
    let longest = arguments.flat_map(BTreeMap::values).map(String::len).max().unwrap_or_default();
    at_most([
        ("levers", levers.len(), MOST_LEVERS),
        ("names of levers", pull.names.len() + pull.without.len(), MOST_LEVERS),
        ("arguments", most, MOST_ARGUMENTS),
        ("characters in one argument", longest, LONGEST_ARGUMENT),
    ])
}

pub(super) fn binding(pull: Pull, wire: Vec<WireProposalLever>) -> Result<Binding, ProposalError> {
    // A text is hashed and kept once, however many levers name it.
    let mut texts: BTreeMap<String, (PlaybookDigest, Arc<str>)> = BTreeMap::new();
    let mut levers = Vec::new();
    for WireProposalLever { lever, playbook, digest: stated, arguments: args, text } in wire {
        if let Some(text) = text {
            let digest = PlaybookDigest::of(&text);
            if stated != digest.to_string() {
                let computed = digest.to_string();
                return Err(ProposalError::Altered { what: "the playbook digest", stated, computed });
            }
            texts.insert(stated.clone(), (digest, text.into()));
        }
        let Some((digest, text)) = texts.get(&stated).cloned() else {
            return Err(ProposalError::NoText { lever: lever.unwrap_or_default(), digest: stated });
        };
        let playbook = PlaybookId::new(&playbook)
            .ok_or_else(|| field("levers.playbook", &playbook, "is not a playbook's name"))?;
        levers.push(BoundLever { lever, playbook, digest, text, args });
    }
    Ok(Binding::new(pull, levers)?)
}
