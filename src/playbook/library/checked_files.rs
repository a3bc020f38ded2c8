//! Playbook files that are checked together: a counter-playbook may lie in another of them. Pure.

use serde::Serialize;

use super::Catalogue;
use crate::playbook::Playbook;

/// One of the files, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedFile {
    pub file: String,
    pub faults: Vec<String>,
    /// Weak points, which are not faults.
    pub warnings: Vec<String>,
    /// `false` if its calldata is compared with nothing.
    #[serde(skip)]
    pub has_example: bool,
}

/// Checks the texts of files, each with the others beside it; an error is why a file could not be read.
pub fn check_files(texts: &[(String, Result<String, String>)]) -> Vec<CheckedFile> {
    let mut catalogue = Catalogue::new(Vec::new());
    for (file, text) in texts {
        if let Ok(text) = text {
            catalogue.add(file, text);
        }
    }
    let check = |(file, text): &(String, Result<String, String>)| {
        let read = text.as_ref().map_err(Clone::clone);
        let read = read.and_then(|text| Playbook::parse(file, text).map_err(|fault| fault.to_string()));
        let faults = match &read {
            Ok(playbook) => match catalogue.get(playbook.id.as_str()) {
                Ok(_) => catalogue.lint(playbook),
                Err(fault) => vec![fault.to_string()],
            },
            Err(fault) => vec![fault.clone()],
        };
        let warnings = read.as_ref().map(Playbook::warnings).unwrap_or_default();
        let has_example = read.is_ok_and(|playbook| playbook.example.is_some());
        CheckedFile { file: file.clone(), faults, warnings, has_example }
    };
    texts.iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: &str) -> String {
        let catalogue = Catalogue::new(Vec::new());
        catalogue.get(id).unwrap().playbook.text().to_string()
    }

    #[test]
    fn a_file_is_checked_beside_the_others() {
        let (act, undo) = (text("pause/oz-pausable"), text("pause/oz-pausable-undo"));
        let good = [("a.toml".to_string(), Ok(act.clone())), ("b.toml".to_string(), Ok(undo))];
        let checked = check_files(&good);
        assert!(checked.iter().all(|one| one.faults.is_empty()), "{checked:?}");
        let twice = [("a.toml".to_string(), Ok(act.clone())), ("b.toml".to_string(), Ok(act))];
        let checked = check_files(&twice);
        assert!(checked[1].faults[0].contains("a.toml is the playbook pause/oz-pausable already"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_fault_and_stops_no_other() {
        let texts = [
            ("a.toml".to_string(), Err("a.toml: too large".to_string())),
            ("b.toml".to_string(), Ok("schema = ".to_string())),
            ("c.toml".to_string(), Ok(text("pause/oz-pausable"))),
        ];
        let checked = check_files(&texts);
        assert_eq!(checked[0].faults, ["a.toml: too large"]);
        assert!(!checked[1].faults.is_empty());
        assert!(checked[2].faults.is_empty() && checked[2].has_example);
    }
}
