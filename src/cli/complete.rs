//! Completions for the shell: names from the council file of the command line that is being typed. Quiet whatever is
//! wrong with it, and offline.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap_complete::engine::ValueCompleter;
use clap_complete::{CompleteEnv, CompletionCandidate, PathCompleter};

use crate::ceremony::desk::Desk;
use crate::council::Lever;
use crate::playbook::{Catalogue, Param, PlaybookKind};
use crate::progress::SILENT;
use crate::store;

/// The variable by which the shell's script asks: it names the shell.
pub const VARIABLE: &str = "BREAKGLASS_COMPLETE";

/// Answers the shell if it asks; returns `true` if it did.
pub fn answered(commands: impl Fn() -> clap::Command, args: &[OsString]) -> clap::error::Result<bool> {
    let here = store::working_folder().ok();
    CompleteEnv::with_factory(commands).var(VARIABLE).try_complete(args, here.as_deref())
}

/// The words of the command line that is being typed.
fn words() -> Vec<String> {
    let all = store::arguments().skip_while(|word| word != "--").skip(2);
    all.map(|word| word.to_string_lossy().into_owned()).collect()
}

fn desk() -> Option<Desk<'static>> {
    desk_of(&words())
}

/// Returns the kind of a lever of the council file that these words name.
pub fn lever_kind(words: &[String], lever: &str) -> Option<PlaybookKind> {
    let desk = desk_of(words)?;
    let playbook = &desk.council.levers.get(lever)?.playbook;
    Some(desk.catalogue.get(playbook).ok()?.playbook.kind)
}

fn desk_of(words: &[String]) -> Option<Desk<'static>> {
    let after = words.iter().skip_while(|word| *word != "--council").nth(1).map(PathBuf::from);
    let named = words.iter().find_map(|word| word.strip_prefix("--council=")).map(PathBuf::from);
    let named = named.or(after).or_else(|| store::variable("BREAKGLASS_COUNCIL").map(PathBuf::from));
    Desk::load(&SILENT, named.as_deref()).ok()
}

fn begins<'n>(current: &OsStr, names: impl Iterator<Item = (&'n str, String)>) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    let fitting = names.filter(|(name, _)| name.starts_with(&*typed));
    fitting.map(|(name, help)| CompletionCandidate::new(name).help(Some(help.into()))).collect()
}

/// Levers, and files of proposals.
pub fn levers(current: &OsStr) -> Vec<CompletionCandidate> {
    let kind = words().first().and_then(|verb| kind_of(verb));
    let mut found = Vec::new();
    if let Some(desk) = desk() {
        let title = |lever: &Lever| {
            let playbook = desk.catalogue.get(&lever.playbook).ok()?.playbook;
            kind.is_none_or(|kind| kind == playbook.kind).then(|| playbook.title.clone())
        };
        let levers = desk.council.levers.values();
        let simple = levers.filter_map(|lever| Some((lever.name.as_str(), title(lever)?)));
        // All of them: they may pull several kinds.
        let combined = desk.council.combined.values().map(|combined| {
            let pulls = || format!("pulls {}", combined.pull.join(", "));
            (combined.name.as_str(), combined.title.clone().unwrap_or_else(pulls))
        });
        found = begins(current, simple.chain(combined));
    }
    if kind.is_none() {
        let is_json = |path: &Path| path.extension().is_some_and(|e| e == "json");
        found.extend(PathCompleter::file().filter(is_json).complete(current));
    }
    found
}

/// The kind of lever that a verb is for.
fn kind_of(verb: &str) -> Option<PlaybookKind> {
    [PlaybookKind::Pause, PlaybookKind::Param, PlaybookKind::Rotate]
        .into_iter()
        .find(|kind| kind.to_string() == verb)
}

pub fn safes(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(desk) = desk() else { return Vec::new() };
    let safes = desk.council.safes.values();
    begins(current, safes.map(|safe| (safe.name.as_str(), format!("{} on {}", safe.address, safe.chain))))
}

pub fn targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(desk) = desk() else { return Vec::new() };
    let targets = desk.council.targets.iter();
    begins(
        current,
        targets.map(|(name, places)| {
            let chains: Vec<&str> = places.keys().map(String::as_str).collect();
            (name.as_str(), format!("on {}", chains.join(", ")))
        }),
    )
}

pub fn chains(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(desk) = desk() else { return Vec::new() };
    let chains = desk.council.chains.values();
    begins(current, chains.map(|chain| (chain.name.as_str(), format!("chain id {}", chain.id))))
}

pub fn signers(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(desk) = desk() else { return Vec::new() };
    let signers = desk.council.signers.values();
    begins(current, signers.map(|signer| (signer.name.as_str(), signer.address.to_string())))
}

pub fn playbooks(current: &OsStr) -> Vec<CompletionCandidate> {
    let catalogue = desk().map_or_else(|| Catalogue::new(Vec::new()), |desk| desk.catalogue);
    let all = catalogue.summaries();
    begins(current, all.iter().map(|(summary, ..)| (summary.id.as_str(), summary.title.clone())))
}

/// `NAME=` of what the lever on the command line leaves open, or of the playbook that is named there.
pub fn arguments(current: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(desk), words) = (desk(), words()) else { return Vec::new() };
    let mut found = Vec::new();
    let open = |params: &[Param], set: &dyn Fn(&str) -> bool| -> Vec<(String, String)> {
        let open = params.iter().filter(|param| !set(&param.name));
        open.map(|param| (format!("{}=", param.name), param.ask())).collect()
    };
    for word in &words {
        if let Some(lever) = desk.council.levers.get(word) {
            if let Ok(entry) = desk.catalogue.get(&lever.playbook) {
                found.extend(open(&entry.playbook.params, &|name| lever.set.contains_key(name)));
            }
        } else if let Ok(entry) = desk.catalogue.get(word) {
            found.extend(open(&entry.playbook.params, &|_| false));
        }
    }
    begins(current, found.iter().map(|(name, help)| (name.as_str(), help.clone())))
}

/// Keystores of Foundry's folder by name, and files.
pub fn keystores(current: &OsStr) -> Vec<CompletionCandidate> {
    let names = store::keystores();
    let mut found =
        begins(current, names.iter().map(|name| (name.as_str(), "a keystore of Foundry's".into())));
    found.extend(PathCompleter::file().complete(current));
    found
}
