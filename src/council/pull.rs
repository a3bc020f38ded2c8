//! The levers that a command pulls: the names that were typed and those left out, in the one form that all machines give.

use crate::shell::quoted;

/// The levers that a command names. The same for everybody who means the same, whatever the order of the words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pull {
    /// Levers, simple or combined, in the order of the council file. Empty for a playbook that no lever binds.
    pub names: Vec<String>,
    /// Simple levers that are left out of the combined ones, in the order of the council file.
    pub without: Vec<String>,
    /// The counter-playbooks were asked for.
    pub undo: bool,
    /// Safes by their names: the first approves the transaction on chain by one of its own, the next approves that one, and so
    /// on. Empty for the transaction itself.
    pub approve_as: Vec<String>,
}

impl Pull {
    /// One lever, simple or combined, and nothing left out.
    pub fn lever(name: &str, undo: bool) -> Self {
        Self { names: vec![name.into()], undo, ..Self::default() }
    }

    /// Returns the pull for a person: `freeze without bridge`, `vault + bridge`. `None` if no lever is named.
    pub fn title(&self) -> Option<String> {
        if self.names.is_empty() {
            return None;
        }
        let without = if self.without.is_empty() {
            String::new()
        } else {
            format!(" without {}", self.without.join(", "))
        };
        Some(self.approved(&format!("{}{without}", self.names.join(" + "))))
    }

    /// `vault, approved by foundation`
    pub fn approved(&self, title: &str) -> String {
        let by = |title: String, safe: &String| format!("{title}, approved by {safe}");
        self.approve_as.iter().fold(title.to_string(), by)
    }

    /// Reads the words of [`Self::words`]. `None` if they are of no lever, or of one whose name needs quotes.
    pub fn read(words: &str) -> Option<Self> {
        let mut pull = Self::default();
        let mut words = words.split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "--undo" => pull.undo = true,
                "--without" => pull.without.push(words.next()?.into()),
                "--approve-as" => pull.approve_as.push(words.next()?.into()),
                name => pull.names.push(name.into()),
            }
        }
        (!pull.names.is_empty()).then_some(pull)
    }

    /// Returns the pull as the words of a command: `freeze --without bridge`. `None` if no lever is named.
    pub fn words(&self) -> Option<String> {
        if self.names.is_empty() {
            return None;
        }
        let mut words: Vec<String> = self.names.iter().map(|name| quoted(name)).collect();
        words.extend(self.without.iter().map(|name| format!("--without {}", quoted(name))));
        words.extend(self.undo.then(|| "--undo".into()));
        words.extend(self.approve_as.iter().map(|safe| format!("--approve-as {}", quoted(safe))));
        Some(words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_reads_as_a_title_and_as_a_command() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        for (pulled, without, undo, title, words) in [
            (&["vault"][..], &[][..], false, "vault", "vault"),
            (&["vault"], &[], true, "vault", "vault --undo"),
            (&["vault", "bridge"], &[], false, "vault + bridge", "vault bridge"),
            (
                &["freeze"],
                &["bridge", "oracle"],
                false,
                "freeze without bridge, oracle",
                "freeze --without bridge --without oracle",
            ),
        ] {
            let pull = Pull { names: names(pulled), without: names(without), undo, approve_as: Vec::new() };
            assert_eq!(pull.title().as_deref(), Some(title));
            assert_eq!(pull.words().as_deref(), Some(words));
            assert_eq!(Pull::read(words), Some(pull));
        }
        assert_eq!((Pull::default().words(), Pull::read("--undo")), (None, None));
        let mut pull = Pull { approve_as: names(&["labs"]), ..Pull::lever("vault", true) };
        assert_eq!(pull.title().as_deref(), Some("vault, approved by labs"));
        assert_eq!(pull.words().as_deref(), Some("vault --undo --approve-as labs"));
        pull.approve_as.push("a b".into());
        assert_eq!(pull.words().as_deref(), Some("vault --undo --approve-as labs --approve-as 'a b'"));
        let read = Pull::read("vault --undo --approve-as labs").unwrap();
        assert_eq!(read.approve_as, ["labs"]);
        assert_eq!(Pull::lever("a;id", false).words().as_deref(), Some("'a;id'"), "a file may say any name");
    }
}
