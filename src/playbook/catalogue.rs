//! Where playbooks are found: the council's own first, then the library built into the program.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use super::Playbook;
use super::near::near;
use crate::excerpt::Fault;

/// Every file of the `playbooks/` folder: id and text.
macro_rules! library {
    ($($id:literal),* $(,)?) => {
        &[$(($id, include_str!(concat!("../../playbooks/", $id, ".toml")))),*]
    };
}

const LIBRARY: &[(&str, &str)] = library![
    "param/fee-bps",
    "param/fee-bps-undo",
    "pause/oz-pausable",
    "pause/oz-pausable-undo",
    "rotate/safe-swap-owner",
];

/// Whose playbook it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The council's own, with its path as shown.
    Council(String),
    BuiltIn,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Council(path) => f.write_str(path),
            Self::BuiltIn => f.write_str("built in"),
        }
    }
}

/// A playbook and where it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    pub playbook: &'a Playbook,
    pub origin: Origin,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum LookupError {
    #[error("no playbook is called {id:?}; {hint}")]
    Unknown { id: String, hint: String },
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The playbooks that there are. The council's take the place of built-in ones of the same id.
#[derive(Debug)]
pub struct Catalogue {
    council: BTreeMap<String, (String, Playbook)>,
    /// Read when first asked for; one for each entry of the library.
    built_in: Vec<OnceLock<Result<Playbook, Fault>>>,
}

impl Catalogue {
    /// `council_files` are the path as shown and the text of each file in the council's folder.
    ///
    /// # Errors
    /// A file that is not a playbook, or two of one id.
    pub fn new(council_files: Vec<(String, String)>) -> Result<Self, Fault> {
        let mut council: BTreeMap<String, (String, Playbook)> = BTreeMap::new();
        for (path, text) in council_files {
            let playbook = Playbook::parse(&path, &text)?;
            let id = playbook.id.to_string();
            if let Some((first, _)) = council.get(&id) {
                return Err(Fault::whole(&path, format!("{first} is the playbook {id} already")));
            }
            council.insert(id, (path, playbook));
        }
        Ok(Self { council, built_in: LIBRARY.iter().map(|_| OnceLock::new()).collect() })
    }

    /// The playbook with this id.
    ///
    /// # Errors
    /// When there is none, with the nearest ids.
    pub fn get(&self, id: &str) -> Result<Entry<'_>, LookupError> {
        if let Some((path, playbook)) = self.council.get(id) {
            return Ok(Entry { playbook, origin: Origin::Council(path.clone()) });
        }
        match self.built_in(id) {
            Some(playbook) => Ok(Entry { playbook: playbook?, origin: Origin::BuiltIn }),
            None => Err(LookupError::Unknown { id: id.into(), hint: self.hint(id) }),
        }
    }

    /// All playbooks in the order of their ids.
    ///
    /// # Errors
    /// When a built-in playbook is faulty, which a test rules out.
    pub fn all(&self) -> Result<Vec<Entry<'_>>, Fault> {
        let entry = |id: &str| match self.get(id) {
            Ok(entry) => Ok(entry),
            Err(LookupError::Fault(fault)) => Err(fault),
            Err(unknown) => Err(Fault::whole(id, unknown.to_string())),
        };
        self.ids().into_iter().map(entry).collect()
    }

    /// The ids of all playbooks, in order, without reading any.
    #[must_use]
    pub fn ids(&self) -> Vec<&str> {
        let own = self.council.keys().map(String::as_str);
        let mut ids: Vec<&str> = own.chain(LIBRARY.iter().map(|(id, _)| *id)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn built_in(&self, id: &str) -> Option<Result<&Playbook, Fault>> {
        let index = LIBRARY.iter().position(|(known, _)| *known == id)?;
        let parse = || Playbook::parse(&format!("{id}.toml (built in)"), LIBRARY[index].1);
        Some(self.built_in.get(index)?.get_or_init(parse).as_ref().map_err(Clone::clone))
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
        meant.sort_unstable();
        meant.dedup();
        if meant.is_empty() {
            return format!("known: {}", ids.join(", "));
        }
        format!("did you mean {}?", meant.join(" or "))
    }
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
            found.iter().map(|p| p.strip_prefix(folder).unwrap().strip_suffix(".toml").unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, LIBRARY.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    }

    #[test]
    fn every_playbook_of_the_library_is_good_and_so_is_its_undo() {
        let catalogue = Catalogue::new(vec![]).unwrap();
        for entry in catalogue.all().unwrap_or_else(|fault| panic!("{fault}")) {
            let playbook = entry.playbook;
            let all = playbook.params.iter().map(|p| (p.name.clone(), "1".to_string())).collect();
            let Some((undo, args)) = playbook.undo_args(&all) else { continue };
            let undo = catalogue.get(undo.as_str()).unwrap().playbook;
            let needed = |p: &&super::super::Param| p.default.is_none();
            for param in undo.params.iter().filter(needed) {
                assert!(args.contains_key(&param.name), "{} → {} lacks {}", playbook.id, undo.id, param.name);
            }
            for name in args.keys() {
                assert!(undo.params.iter().any(|p| p.name == *name), "{} has no {name}", undo.id);
            }
        }
        for (id, _) in LIBRARY {
            assert_eq!(catalogue.get(id).unwrap().playbook.id.as_str(), *id);
        }
    }

    #[test]
    fn the_councils_own_comes_first() {
        let text = LIBRARY[2].1.to_string();
        let catalogue = Catalogue::new(vec![("playbooks/mine.toml".into(), text.clone())]).unwrap();
        let entry = catalogue.get("pause/oz-pausable").unwrap();
        assert_eq!(entry.origin.to_string(), "playbooks/mine.toml");
        assert_eq!(catalogue.all().unwrap().len(), LIBRARY.len());
        assert_eq!(catalogue.get("pause/oz-pausable-undo").unwrap().origin, Origin::BuiltIn);
        let twice =
            Catalogue::new(vec![("a.toml".into(), text.clone()), ("b.toml".into(), text)]).unwrap_err();
        assert_eq!(twice.to_string(), "b.toml: a.toml is the playbook pause/oz-pausable already");
    }

    #[test]
    fn an_unknown_id_comes_with_near_ones() {
        let catalogue = Catalogue::new(vec![]).unwrap();
        for (id, hint) in [
            ("pause/oz-pauseable", "did you mean pause/oz-pausable?"),
            ("oz-pausable", "did you mean pause/oz-pausable?"),
            ("rotate/swap", "known: param/fee-bps, "),
        ] {
            let message = catalogue.get(id).unwrap_err().to_string();
            assert!(message.starts_with(&format!("no playbook is called {id:?}; {hint}")), "{message}");
        }
    }
}
