//! Lists of playbooks: by protocol, each undo with its act.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Selector;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::ceremony::discovery::contract::ContractLocation;
use crate::playbook::{Dictionary, Fit, LibraryEntry, Origin, PlaybookKind, PlaybookSummary};
use crate::shell::quoted;
use crate::view::playbook_texts::playbook_text::Brief;

/// The most lines of a list without a filter, so that it is read by scrolling once.
const MOST_LINES: usize = 58;
/// Columns of a protocol's name.
const WIDEST_NAME: usize = 18;
/// The most playbooks shown that fit a contract only in part.
const MOST_PARTS: usize = 8;

/// The playbooks of one protocol, without those that only undo another.
#[derive(Debug)]
pub struct ProtocolPlaybooks<'a> {
    pub protocol: String,
    pub acts: Vec<&'a PlaybookSummary>,
}

/// Returns the acts by protocol: the council's own first, then by name. An undo is left out if its act is listed.
pub fn shelves(listed: &[(PlaybookSummary, Origin)]) -> Vec<ProtocolPlaybooks<'_>> {
    let undone = undo_ids(listed.iter().map(|(summary, _)| summary));
    let mut shelves: BTreeMap<(bool, String), Vec<&PlaybookSummary>> = BTreeMap::new();
    for (summary, origin) in listed.iter().filter(|(summary, _)| !is_folded(summary, &undone)) {
        let key = match (origin, &summary.family) {
            (Origin::Council(_), _) => (false, "your own".into()),
            (Origin::BuiltIn, family) => (true, family.clone().unwrap_or_default()),
        };
        shelves.entry(key).or_default().push(summary);
    }
    let mut shelves: Vec<_> = shelves
        .into_iter()
        .map(|((built_in, protocol), acts)| (built_in, ProtocolPlaybooks { protocol, acts }))
        .collect();
    shelves.sort_by_key(|(built_in, shelf)| (*built_in, shelf.protocol.to_lowercase()));
    shelves.into_iter().map(|(_, shelf)| shelf).collect()
}

/// Returns the ids of the playbooks that undo another.
fn undo_ids<'a>(summaries: impl IntoIterator<Item = &'a PlaybookSummary>) -> BTreeSet<&'a str> {
    summaries.into_iter().filter_map(|summary| summary.undo.as_deref()).collect()
}

fn is_folded(summary: &PlaybookSummary, undone: &BTreeSet<&str>) -> bool {
    summary.id.ends_with("-undo") && undone.contains(summary.id.as_str())
}

/// Returns one or more lines for each protocol, at most [`MOST_LINES`] in all.
pub fn overview(shelves: &[ProtocolPlaybooks<'_>], width: usize) -> Vec<String> {
    let name_width =
        shelves.iter().map(|shelf| shelf.protocol.width()).max().unwrap_or_default().min(WIDEST_NAME);
    let room = width.saturating_sub(name_width + 2);
    let left = shelves.len().saturating_sub(MOST_LINES);
    let shown = &shelves[..shelves.len() - left];
    let words: Vec<Vec<String>> = shown.iter().map(words).collect();
    let needs: Vec<usize> = words.iter().map(|words| wrapped(words, room).len()).collect();
    let mut lines = Vec::new();
    for (((shelf, words), need), most) in
        shown.iter().zip(&words).zip(&needs).zip(allotted(&needs, MOST_LINES))
    {
        let text = if *need > most { cut(words, room, most) } else { wrapped(words, room) };
        for (at, line) in text.iter().enumerate() {
            let name = if at == 0 { shelf.protocol.as_str() } else { "" };
            let gap = " ".repeat((name_width + 2).saturating_sub(name.width()).max(1));
            lines.push(format!("{name}{gap}{line}"));
        }
    }
    if left > 0 {
        lines.push(format!("and {left} more protocols"));
    }
    lines
}

/// Returns how many of `most` lines each gets: as many as it needs; if that is too much, the longest get fewer.
fn allotted(needs: &[usize], most: usize) -> Vec<usize> {
    let mut given = needs.to_vec();
    while given.iter().sum::<usize>() > most {
        let Some(longest) = given.iter_mut().max().filter(|longest| **longest > 1) else { break };
        *longest -= 1;
    }
    given
}

/// Returns the names by kind without their common beginning: `pause`, `freeze,`, `pool,` …
fn words(shelf: &ProtocolPlaybooks<'_>) -> Vec<String> {
    let name =
        |summary: &PlaybookSummary| summary.id.split_once('/').map_or("", |(_, name)| name).to_string();
    let names: Vec<String> = shelf.acts.iter().map(|summary| name(summary)).collect();
    let common = common_beginning(&names);
    let mut words = Vec::new();
    for kind in [PlaybookKind::Pause, PlaybookKind::Param, PlaybookKind::Rotate] {
        let of_kind = || shelf.acts.iter().zip(&names).filter(|(summary, _)| summary.kind == kind);
        let count = of_kind().count();
        for (at, (_, name)) in of_kind().enumerate() {
            let label = if at == 0 { format!("{kind}: ") } else { String::new() };
            let end = if at + 1 == count { "" } else { "," };
            words.push(format!("{label}{}{end}", &name[common..]));
        }
    }
    words
}

/// Returns the length of the common beginning of all names, up to a hyphen; 0 for a single name.
fn common_beginning(names: &[String]) -> usize {
    let Some((first, rest)) = names.split_first().filter(|(_, rest)| !rest.is_empty()) else { return 0 };
    let is_common = |end: &usize| rest.iter().all(|name| name.starts_with(&first[..*end]));
    first.match_indices('-').map(|(at, _)| at + 1).filter(is_common).max().unwrap_or(0)
}

/// Puts words into lines of at most `room` columns, two of them between kinds.
fn wrapped(words: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in words {
        let Some(line) = lines.last_mut() else { break };
        let gap = match line.chars().last() {
            None => "",
            Some(',') => " ",
            Some(_) => "  ",
        };
        if line.is_empty() || line.width() + gap.len() + word.width() + 2 <= room {
            line.push_str(gap);
            line.push_str(word);
        } else {
            lines.push(word.clone());
        }
    }
    lines
}

/// Returns the first lines, and how many words are left out.
fn cut(words: &[String], room: usize, most: usize) -> Vec<String> {
    let room = room.saturating_sub(" … 100 more".width());
    let mut kept = words.len();
    while kept > 1 && wrapped(&words[..kept], room).len() > most {
        kept -= 1;
    }
    let mut lines = wrapped(&words[..kept], room);
    let more = format!(" … {} more", words.len() - kept);
    lines.iter_mut().last().into_iter().for_each(|line| line.push_str(&more));
    lines
}

/// Returns the rows of a list with a filter: a row for the protocol, and one for each act below it.
pub fn rows(shelves: &[ProtocolPlaybooks<'_>]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for shelf in shelves {
        rows.push(vec![shelf.protocol.clone()]);
        rows.extend(shelf.acts.iter().map(|summary| {
            vec![
                format!("  {}", summary.id),
                summary.title.clone(),
                undo(summary),
                summary.severity.to_string(),
            ]
        }));
    }
    rows
}

/// Returns the undo in a word: `-undo`, `another` act, `itself` with other arguments, or `none`.
fn undo(summary: &PlaybookSummary) -> String {
    match &summary.undo {
        None => "none".into(),
        Some(id) if *id == summary.id => "itself".into(),
        Some(id) => id.strip_prefix(&summary.id).unwrap_or("another").into(),
    }
}

/// The header of [`fitting`].
pub const FITTING: [&str; 4] = ["playbook", "takes it as", "undo", "functions"];

/// Returns the rows of the playbooks that fit a contract: first those whose functions are all found, then a few of
/// which some are missing.
pub fn fitting(found: &[(LibraryEntry<'_>, Fit<'_>)]) -> Vec<Vec<String>> {
    let summaries: Vec<PlaybookSummary> =
        found.iter().map(|(entry, _)| PlaybookSummary::from(entry.playbook)).collect();
    let undone = undo_ids(&summaries);
    let acts = found.iter().zip(&summaries).filter(|(_, summary)| !is_folded(summary, &undone));
    let (whole, parts): (Vec<_>, Vec<_>) = acts.partition(|((_, fit), _)| fit.is_whole());
    let row = |((_, fit), summary): &(&(LibraryEntry<'_>, Fit<'_>), &PlaybookSummary)| {
        let found = if fit.is_whole() {
            format!("{} found", fit.known())
        } else {
            format!("{} missing", fit.lacks.len())
        };
        vec![summary.id.clone(), fit.param.clone(), undo(summary), found]
    };
    whole.iter().map(row).chain(parts.iter().take(MOST_PARTS).map(row)).collect()
}

/// Returns the command that binds one of these rows to the contract: the first that pauses, if one does.
pub fn binding_command(rows: &[Vec<String>], contract: &str) -> Option<String> {
    let pauses = rows.iter().find(|row| row.first().is_some_and(|id| id.starts_with("pause/")));
    let [id, param, ..] = &pauses.or(rows.first())?[..] else { return None };
    Some(format!("breakglass council add lever NAME {id} {param}={}", quoted(contract)))
}

/// A contract's functions, and the playbooks that fit it.
#[derive(Debug, Serialize)]
pub struct FittingObject<'a> {
    address: String,
    chain: &'a str,
    chain_id: u64,
    functions: Vec<FunctionObject>,
    playbooks: Vec<FitObject<'a>>,
}

#[derive(Debug, Serialize)]
struct FunctionObject {
    selector: String,
    signature: Option<String>,
}

#[derive(Debug, Serialize)]
struct FitObject<'a> {
    #[serde(flatten)]
    brief: Brief,
    given_as: &'a str,
    calls: Vec<&'a String>,
    lacks: &'a [String],
}

impl<'a> FittingObject<'a> {
    /// Returns the object. `has` are the selectors in the contract's code; `words` knows their names.
    pub fn new(
        place: ContractLocation<'a>,
        has: &BTreeSet<Selector>,
        words: &Dictionary,
        found: &'a [(LibraryEntry<'_>, Fit<'_>)],
    ) -> Self {
        let function = |selector: &Selector| FunctionObject {
            selector: selector.to_string(),
            signature: words.signature(*selector),
        };
        let playbook = |(entry, fit): &'a (LibraryEntry<'_>, Fit<'_>)| FitObject {
            brief: Brief::from(entry),
            given_as: &fit.param,
            calls: fit.calls.values().collect(),
            lacks: &fit.lacks,
        };
        Self {
            address: place.address.to_string(),
            chain: &place.chain.name,
            chain_id: place.chain.id,
            functions: has.iter().map(function).collect(),
            playbooks: found.iter().map(playbook).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::Catalogue;

    fn library() -> Vec<(PlaybookSummary, Origin)> {
        let catalogue = Catalogue::new(Vec::new());
        catalogue.summaries().into_iter().map(|(summary, origin, _)| (summary, origin)).collect()
    }

    #[test]
    fn the_list_of_the_library_is_bounded_and_names_every_protocol() {
        let listed = library();
        let shelves = shelves(&listed);
        for width in [80, 100, 120] {
            let lines = overview(&shelves, width);
            assert!(lines.len() <= MOST_LINES, "{} lines", lines.len());
            assert!(lines.iter().all(|line| line.width() <= width), "{}", lines.join("\n"));
            for shelf in &shelves {
                assert!(
                    lines.iter().any(|line| line.starts_with(shelf.protocol.as_str())),
                    "{}",
                    shelf.protocol
                );
            }
        }
    }

    #[test]
    fn an_undo_is_listed_only_if_its_act_is_not() {
        let mut listed = library();
        listed.retain(|(summary, _)| summary.id.starts_with("pause/oz-pausable"));
        let ids = |listed: &[(PlaybookSummary, Origin)]| -> Vec<String> {
            shelves(listed).iter().flat_map(|s| s.acts.iter().map(|a| a.id.clone())).collect()
        };
        assert_eq!(ids(&listed), ["pause/oz-pausable", "pause/oz-pausable-many"]);
        listed.retain(|(summary, _)| summary.id == "pause/oz-pausable-undo");
        assert_eq!(ids(&listed), ["pause/oz-pausable-undo"]);
    }

    #[test]
    fn the_command_that_binds_a_playbook_prefers_one_that_pauses() {
        let row = |id: &str, param: &str| vec![id.to_string(), param.to_string()];
        let rows = [row("param/fee-bps", "target"), row("pause/circle-fiat-token", "token")];
        let told = |rows: &[Vec<String>]| binding_command(rows, "my vault");
        assert_eq!(
            told(&rows).as_deref(),
            Some("breakglass council add lever NAME pause/circle-fiat-token token='my vault'")
        );
        assert!(told(&rows[..1]).unwrap().ends_with(" param/fee-bps target='my vault'"));
        assert_eq!(told(&[]), None);
    }

    #[test]
    fn the_councils_own_playbooks_come_first() {
        let mut listed = library();
        for (_, origin) in listed.iter_mut().filter(|(summary, _)| summary.id == "pause/sky-osm") {
            *origin = Origin::Council("playbooks/mine.toml".into());
        }
        let shelves = shelves(&listed);
        assert_eq!((shelves[0].protocol.as_str(), shelves[0].acts.len()), ("your own", 1));
    }

    #[test]
    fn names_are_shortened_by_their_common_beginning() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
        assert_eq!(common_beginning(&names(&["aave-v3-pool", "aave-v3-reserve"])), 8);
        assert_eq!(common_beginning(&names(&["aave-v3-pool", "aavegotchi"])), 0);
        assert_eq!(common_beginning(&names(&["pyth-refresh"])), 0);
        assert_eq!(allotted(&[5, 1, 3], 6), [3, 1, 2]);
        assert_eq!(allotted(&[1, 1, 1], 2), [1, 1, 1]);
    }
}
