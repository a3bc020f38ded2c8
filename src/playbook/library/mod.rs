//! Where playbooks are found: the council's own first, then the library built into the program.

pub(super) mod checked_files;
pub(super) mod dictionary;
pub(super) mod fit;
pub(super) mod one_line;
pub(super) mod scaffold;
pub(super) mod signatures;
mod symbols;

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use include_dir::{Dir, include_dir};

use super::claim::Claim;
use super::piece;
use super::{Playbook, PlaybookId, PlaybookKind, PlaybookSummary, Word};
use crate::excerpt::Fault;
use crate::near::near;

/// The ids that are listed when one is not known.
const MOST_MEANT: usize = 4;

static FOLDER: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/playbooks");

/// The library built into the program, every `.toml` of the `playbooks/` folder, by id.
static LIBRARY: LazyLock<BTreeMap<String, BuiltIn>> = LazyLock::new(|| {
    let files = FOLDER.dirs().flat_map(Dir::files);
    let entry = |file: &'static include_dir::File<'static>| {
        let id = file.path().to_str()?.strip_suffix(".toml")?.replace(std::path::MAIN_SEPARATOR, "/");
        Some((id, BuiltIn { text: file.contents_utf8()?, read: OnceLock::new() }))
    };
    files.filter_map(entry).collect()
});

/// A playbook built into the program: it is read when it is first asked for, and then no more.
struct BuiltIn {
    text: &'static str,
    read: OnceLock<Result<Playbook, Fault>>,
}

/// The built-in playbook of this id.
fn built_in(id: &str) -> Option<Result<&'static Playbook, Fault>> {
    let BuiltIn { text, read } = LIBRARY.get(id)?;
    let parse = || Playbook::parse(&format!("{id}.toml (built in)"), text);
    Some(read.get_or_init(parse).as_ref().map_err(Clone::clone))
}

/// Whose playbook it is.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
pub enum Origin {
    /// The council's own, with its path as shown.
    Council(String),
    #[display("built in")]
    BuiltIn,
}

/// A playbook and where it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct LibraryEntry<'a> {
    pub playbook: &'a Playbook,
    pub origin: Origin,
    /// The built-in playbook of the same id, if this is another text.
    pub replaces: Option<&'a Playbook>,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum LookupError {
    #[error("no playbook is called {id:?}; {hint}")]
    Unknown { id: String, hint: String },
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The playbooks that there are. The council's take the place of built-in ones of the same id.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// By id: the file's path as shown, and the playbook or what is wrong with it.
    council: BTreeMap<String, (String, Result<Playbook, Fault>)>,
    /// Council files of which not even the id can be told.
    unnamed: Vec<Fault>,
}

impl Catalogue {
    /// `council_files` are the path as shown and the text of each file in the council's folder.
    ///
    /// A fault in one file must not stop a lever that rests on another: it is told when its own id is asked for. The id
    /// of a file that is not a playbook is the one it states, or else the one that its path gives.
    pub fn new(council_files: Vec<(String, String)>) -> Self {
        let mut catalogue = Self::default();
        for (path, text) in council_files {
            catalogue.add(&path, &text);
        }
        catalogue
    }

    /// Adds a file of the council's.
    pub fn add(&mut self, path: &str, text: &str) {
        let read = Playbook::parse(path, text);
        let id = match &read {
            Ok(playbook) => Some(playbook.id.to_string()),
            Err(_) => stated_id(text),
        };
        self.insert(path, id, read);
    }

    /// Adds a file of the council's that cannot be read, and why.
    pub fn add_unreadable(&mut self, path: &str, why: &str) {
        self.insert(path, None, Err(Fault::whole(path, why)));
    }

    /// Puts a file in the place of whatever has its id.
    pub fn put(&mut self, path: &str, text: &str) -> Result<PlaybookId, Fault> {
        let playbook = Playbook::parse(path, text)?;
        let id = playbook.id.clone();
        self.council.insert(id.to_string(), (path.into(), Ok(playbook)));
        Ok(id)
    }

    fn insert(&mut self, path: &str, id: Option<String>, read: Result<Playbook, Fault>) {
        match (id.or_else(|| path_id(path)), read) {
            (None, Err(fault)) => self.unnamed.push(fault),
            (None, Ok(_)) => {}
            (Some(id), mut read) => {
                if let Some((first, _)) = self.council.get(&id) {
                    read = Err(Fault::whole(path, format!("{first} is the playbook {id} already")));
                }
                self.council.insert(id, (path.into(), read));
            }
        }
    }

    /// The playbook with this id.
    /// The error names the nearest ids.
    pub fn get(&self, id: &str) -> Result<LibraryEntry<'_>, LookupError> {
        if let Some((path, read)) = self.council.get(id) {
            let playbook = read.as_ref().map_err(Clone::clone)?;
            let built_in = built_in(id).and_then(Result::ok);
            let replaces = built_in.filter(|built_in| built_in.text() != playbook.text());
            return Ok(LibraryEntry { playbook, origin: Origin::Council(path.clone()), replaces });
        }
        match built_in(id) {
            Some(playbook) => {
                Ok(LibraryEntry { playbook: playbook?, origin: Origin::BuiltIn, replaces: None })
            }
            None => Err(LookupError::Unknown { id: id.into(), hint: self.hint(id) }),
        }
    }

    /// All playbooks that can be read, in the order of their ids.
    pub fn all(&self) -> Vec<LibraryEntry<'_>> {
        self.ids().into_iter().filter_map(|id| self.get(id).ok()).collect()
    }

    /// All of [`Catalogue::all`] in brief, in its order; of the library, without reading the whole of it.
    pub fn summaries(&self) -> Vec<(PlaybookSummary, Origin, &str)> {
        let brief = |id: &str| match self.council.get(id) {
            Some((path, Ok(playbook))) => {
                Some((PlaybookSummary::from(playbook), Origin::Council(path.clone()), playbook.text()))
            }
            Some((_, Err(_))) => None,
            None => {
                let BuiltIn { text, .. } = LIBRARY.get(id)?;
                Some((PlaybookSummary::of_text(text)?, Origin::BuiltIn, *text))
            }
        };
        self.ids().into_iter().filter_map(brief).collect()
    }

    /// Returns the faults of council files of which not even the id can be told. Each may have been meant to take the
    /// place of a built-in playbook.
    pub fn unnamed(&self) -> &[Fault] {
        &self.unnamed
    }

    /// Returns the faults of the council's other files.
    pub fn faults(&self) -> Vec<Fault> {
        let wrong = self.council.values().filter_map(|(_, read)| read.as_ref().err());
        self.unnamed.iter().chain(wrong).cloned().collect()
    }

    /// Returns what is wrong with a playbook beside the others, or missing from it though it can be read.
    pub fn lint(&self, playbook: &Playbook) -> Vec<String> {
        let mut found = Vec::new();
        let all = playbook.params.iter().map(|p| (p.name.clone(), String::new())).collect();
        if let Some((id, args)) = playbook.undo_args(&all) {
            match self.get(id.as_str()) {
                Err(error) => found.push(format!("its undo: {error}")),
                Ok(entry) => found.extend(argument_faults(playbook, entry.playbook, &args)),
            }
        }
        if playbook.before.is_empty()
            && playbook.steps.iter().any(|step| step.skip_if.is_empty() && !step.tried)
        {
            found.push(
                "there is no [[before]], and a step without skip_if and tried: it cannot tell when it must not be done".into(),
            );
        }
        if playbook.steps.iter().any(|step| step.each.is_some())
            && playbook.after.iter().all(|claim| claim.each.is_none())
        {
            found.push(
                "a step is repeated over a list, and no [[after]] is: what it did to each item is not proven"
                    .into(),
            );
        }
        let of_before = |claim: &&Claim| playbook.before.iter().any(|before| before.fact == claim.fact);
        if let Some(claim) = playbook.after.iter().filter(|claim| claim.kept.is_none()).find(of_before) {
            found.push(format!(
                "[[after]] {claim} is in [[before]] too, so it proves nothing: take it out, or say in kept why it is looked at"
            ));
        }
        let unsaid = playbook.text().lines().zip(1..).filter(|(line, _)| line.contains(scaffold::SAY));
        let unsaid = unsaid.map(|(_, number)| number.to_string()).collect::<Vec<_>>();
        if !unsaid.is_empty() {
            let lines = unsaid.join(", ");
            found.push(format!(
                "replace {:?} in line {lines}: the scaffold leaves this to you",
                scaffold::SAY
            ));
        }
        found
    }

    /// The ids of all playbooks, in order, without reading any.
    pub fn ids(&self) -> Vec<&str> {
        let own = self.council.keys().map(String::as_str);
        let mut ids: Vec<&str> = own.chain(LIBRARY.keys().map(String::as_str)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Returns `true` if the program has a playbook of this id, also where a file of the council's takes its place.
    pub fn is_built_in(&self, id: &str) -> bool {
        LIBRARY.contains_key(id)
    }

    /// The nearest ids, by the whole id or by its name alone; all of the same kind, or all, when none is near.
    fn hint(&self, id: &str) -> String {
        let ids = self.ids();
        let name = |id: &str| id.rsplit('/').next().map(str::to_string).unwrap_or_default();
        let mut meant: Vec<&str> = ids.iter().copied().filter(|known| name(known) == name(id)).collect();
        meant.extend(near(id, ids.iter().copied()));
        let names: Vec<String> = ids.iter().map(|known| name(known)).collect();
        if let Some(close) = near(&name(id), names.iter().map(String::as_str)) {
            meant.extend(ids.iter().filter(|known| name(known) == close));
        }
        if meant.is_empty() {
            let words = |id: &str| name(id).split('-').map(str::to_string).collect::<Vec<_>>();
            let asked = words(id);
            meant.extend(ids.iter().filter(|known| asked.iter().all(|word| words(known).contains(word))));
        }
        meant.sort_unstable();
        meant.dedup();
        if meant.is_empty() {
            return format!("none of the {} is near", ids.len());
        }
        if meant.len() > MOST_MEANT {
            return format!(
                "{} have such a name: breakglass playbook list {} shows them",
                meant.len(),
                name(id)
            );
        }
        format!("did you mean {}?", meant.join(" or "))
    }
}

/// The fault of arguments that an undo is given and does not take.
fn argument_faults(playbook: &Playbook, undo: &Playbook, args: &BTreeMap<String, String>) -> Vec<String> {
    let (id, counter) = (&playbook.id, &undo.id);
    let lacks = undo.params.iter().filter(|p| p.default.is_none() && !args.contains_key(&p.name));
    let lacks = lacks.map(|p| format!("its undo {counter} needs {}, which {id} does not give", p.name));
    let piece = piece::lists(playbook).is_some() && piece::lists(undo).is_none();
    let piece = piece.then(|| format!("its undo {counter} cannot be cut into pieces, and {id} can"));
    let unknown = args.keys().filter(|name| !undo.params.iter().any(|p| p.name == **name));
    let unknown = unknown.map(|name| format!("its undo {counter} has no argument {name}"));
    lacks.chain(unknown).chain(piece).collect()
}

/// The id that a file states, if it can be found in one that is not a playbook.
fn stated_id(text: &str) -> Option<String> {
    let stated = |line: &str| {
        let value = line.trim().strip_prefix("id")?.trim_start().strip_prefix('=')?.trim();
        let id = value.strip_prefix('"')?.split('"').next()?;
        PlaybookId::new(id).map(|id| id.to_string())
    };
    text.lines().take_while(|line| !line.trim_start().starts_with('[')).find_map(stated)
}

/// The id that a file's place gives, as in the library: `playbooks/pause/mine.toml` is pause/mine.
fn path_id(path: &str) -> Option<String> {
    let (folders, name) = path.strip_suffix(".toml")?.rsplit_once(['/', '\\'])?;
    let kind = folders.rsplit(['/', '\\']).next()?;
    PlaybookKind::ALL.iter().find(|(word, _)| *word == kind)?;
    PlaybookId::new(&format!("{kind}/{name}")).map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn files(folder: &Path, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, into);
            } else {
                into.push(path.to_str().unwrap().to_string());
            }
        }
    }

    #[test]
    fn every_file_is_in_the_library() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/");
        let mut found = Vec::new();
        files(Path::new(folder), &mut found);
        let mut found: Vec<_> =
            found.iter().filter_map(|p| p.strip_prefix(folder).unwrap().strip_suffix(".toml")).collect();
        found.sort_unstable();
        assert_eq!(found, LIBRARY.keys().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn every_playbook_of_the_library_is_good_and_so_is_its_undo() {
        let catalogue = Catalogue::new(vec![]);
        let faults: Vec<String> = catalogue.faults().iter().map(ToString::to_string).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n\n"));
        for entry in catalogue.all() {
            let playbook = entry.playbook;
            let all = playbook.params.iter().map(|p| (p.name.clone(), "1".to_string())).collect();
            let Some((undo, args)) = playbook.undo_args(&all) else { continue };
            let undo = catalogue.get(undo.as_str()).unwrap().playbook;
            let needed = |p: &&crate::playbook::Param| p.default.is_none();
            for param in undo.params.iter().filter(needed) {
                assert!(args.contains_key(&param.name), "{} → {} lacks {}", playbook.id, undo.id, param.name);
            }
            for name in args.keys() {
                assert!(undo.params.iter().any(|p| p.name == *name), "{} has no {name}", undo.id);
            }
        }
        for id in LIBRARY.keys() {
            assert_eq!(catalogue.get(id).unwrap().playbook.id.as_str(), id);
        }
    }

    #[test]
    fn the_councils_own_comes_first() {
        let text = catalogue_text("pause/oz-pausable");
        let catalogue = Catalogue::new(vec![("playbooks/mine.toml".into(), text.clone())]);
        let entry = catalogue.get("pause/oz-pausable").unwrap();
        assert_eq!(entry.origin.to_string(), "playbooks/mine.toml");
        assert_eq!(catalogue.all().len(), LIBRARY.len());
        assert_eq!(catalogue.get("pause/oz-pausable-undo").unwrap().origin, Origin::BuiltIn);
        let twice = Catalogue::new(vec![("a.toml".into(), text.clone()), ("b.toml".into(), text)]);
        let fault = twice.get("pause/oz-pausable").unwrap_err();
        assert_eq!(fault.to_string(), "b.toml: a.toml is the playbook pause/oz-pausable already");
    }

    fn catalogue_text(id: &str) -> String {
        Catalogue::new(vec![]).get(id).unwrap().playbook.text().to_string()
    }

    #[test]
    fn a_broken_file_stops_only_its_own_lever() {
        let text = catalogue_text("pause/oz-pausable").replace("pause()", "pause(");
        let catalogue = Catalogue::new(vec![("mine.toml".into(), text)]);
        assert!(catalogue.get("pause/oz-pausable-undo").is_ok());
        let fault = catalogue.get("pause/oz-pausable").unwrap_err().to_string();
        assert!(fault.starts_with("mine.toml:") && fault.contains("is not a function signature"), "{fault}");
        assert_eq!(catalogue.faults().len(), 1);
        assert_eq!(catalogue.all().len(), LIBRARY.len() - 1);
    }

    #[test]
    fn a_file_without_an_id_is_known_by_its_place_or_left_out() {
        let idless = || "kind = \"pause\"".to_string();
        let placed = Catalogue::new(vec![("playbooks/pause/oz-pausable.toml".into(), idless())]);
        assert!(placed.get("pause/oz-pausable").is_err(), "the built-in one must not take its place");
        assert!(placed.get("pause/oz-pausable-undo").is_ok() && placed.unnamed().is_empty());
        let nowhere = Catalogue::new(vec![("playbooks/mine.toml".into(), idless())]);
        assert!(nowhere.get("pause/oz-pausable").is_ok());
        assert_eq!(nowhere.faults().len(), 1);
        assert!(nowhere.unnamed()[0].headline().starts_with("playbooks/mine.toml:"));
    }

    #[test]
    fn an_unknown_id_comes_with_near_ones() {
        let catalogue = Catalogue::new(vec![]);
        for (id, hint) in [
            ("pause/oz-pauseable", "did you mean pause/oz-pausable?"),
            ("oz-pausable", "did you mean pause/oz-pausable?"),
            ("rotate/swap", "did you mean rotate/safe-swap-owner?"),
            ("rotate/xyz", "none of the "),
        ] {
            let message = catalogue.get(id).unwrap_err().to_string();
            assert!(message.starts_with(&format!("no playbook is called {id:?}; {hint}")), "{message}");
        }
    }
}
