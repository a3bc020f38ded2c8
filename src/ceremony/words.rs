//! The words that name a lever or a proposal in a command that is printed for everybody: its levers and open arguments,
//! but no path, acceptance or setting of this machine.

use std::path::Path;

use crate::ceremony::desk::Desk;
use crate::ceremony::order::Given;
use crate::proposal::Proposal;
use crate::shell::quoted;

/// Returns the words for typed levers or files, of which only the name is kept.
pub fn words_for(what: &[String], given: &Given) -> String {
    let name = |what: &String| {
        let name = Path::new(what).file_name();
        quoted(&name.map_or_else(|| what.as_str().into(), |name| name.to_string_lossy()))
    };
    let mut words: Vec<String> = what.iter().map(name).collect();
    words.extend(given.without.iter().map(|lever| format!("--without {}", quoted(lever))));
    words.extend(given.undo.then(|| "--undo".into()));
    words.extend(given.approve_as.iter().map(|safe| format!("--approve-as {}", quoted(safe))));
    let set = given.set.iter().map(|(key, value)| format!("--set {}", quoted(&format!("{key}={value}"))));
    words.extend(set);
    words.join(" ")
}

impl Desk<'_> {
    /// Returns the words for a proposal: its levers, or else the name of the file that it was read from.
    pub fn words_of(&self, proposal: &Proposal, what: &[String]) -> String {
        let file = || words_for(what, &Given::default());
        let command = || proposal.binding().command(&self.council);
        self.words_of_drill(proposal).or_else(command).unwrap_or_else(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_command_has_no_path_and_quoted_words() {
        let set = |set: &[(&str, &str)]| set.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let given = Given {
            sender: None,
            approve_as: vec!["labs".into()],
            hashes: Vec::new(),
            set: set(&[("fee", "0.5 %"), ("to", "$(x)")]),
            undo: true,
            nonce: None,
            without: vec!["a".into()],
        };
        assert_eq!(
            words_for(&["fee".into()], &given),
            "fee --without a --undo --approve-as labs --set 'fee=0.5 %' --set 'to=$(x)'"
        );
        for (what, expected) in [
            ("/home/alice/a b/proposal.json", "proposal.json"),
            ("./incidents/x y.json", "'x y.json'"),
            ("vault", "vault"),
        ] {
            assert_eq!(words_for(&[what.into()], &Given::default()), expected);
        }
    }
}
