//! The digests that a person has accepted: of the council file and of the playbooks that its levers use.
//!
//! A shared repository can be changed by whoever may push to it; what was accepted on this machine cannot. A council
//! file is pinned by its path and by every Safe that it speaks for: a copy at another path, or under another name,
//! still speaks for the same Safe. A playbook is pinned by its id and the Safe: a file that takes the place of a
//! built-in playbook changes what that id means.

use std::collections::BTreeMap;
use std::fmt::Write;

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::digest::TextDigest;
use crate::excerpt::Fault;
use crate::safe::BadHash;

const VERSION: u32 = 1;
const HEAD: &str = "# Written by breakglass: what you accepted. Your own settings are in ../config.toml.\n";

/// A Safe, by the id of its chain.
pub type SafeAt = (u64, Address);

/// Accepted: a text, and whether it was the program's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedText {
    pub digest: TextDigest,
    pub built_in: bool,
}

/// The accepted digests, by what they are of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(BTreeMap<String, AcceptedText>);

/// The standing of a text to what was accepted before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinStatus {
    /// No text was accepted yet.
    First,
    /// It was accepted.
    Same,
    /// Another text was accepted.
    Changed { from: AcceptedText },
}

pub fn council_at(path: &str) -> String {
    format!("council file {path}")
}

/// A council file, by a Safe that it speaks for.
pub fn council_of((chain, safe): SafeAt) -> String {
    format!("council of {chain}:{safe}")
}

/// A playbook as it is used on a Safe.
pub fn playbook_of(id: &str, (chain, safe): SafeAt) -> String {
    format!("playbook {id} of {chain}:{safe}")
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePins {
    version: u32,
    accepted: Vec<Spanned<WirePin>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePin {
    what: String,
    digest: String,
    #[serde(default)]
    built_in: bool,
}

impl Pins {
    /// Adds what one file says; what it says later replaces what was said before.
    /// The error has the line and the word at fault.
    pub fn read(&mut self, origin: &str, text: &str) -> Result<(), Fault> {
        let wire: WirePins = toml::from_str(text).map_err(|e| Fault::toml(origin, text, &e))?;
        if wire.version != VERSION {
            let message =
                format!("version {} is newer than this program, which reads {VERSION}", wire.version);
            return Err(Fault::whole(origin, message));
        }
        for pin in wire.accepted {
            let span = pin.span();
            let WirePin { what, digest, built_in } = pin.into_inner();
            let digest =
                digest.parse().map_err(|why: BadHash| Fault::at(origin, text, span, why.to_string()))?;
            self.0.insert(what, AcceptedText { digest, built_in });
        }
        Ok(())
    }

    /// The file that says what is new in these, beside what is accepted already; `None` if nothing is.
    pub fn file_of(&self, pins: &BTreeMap<String, AcceptedText>) -> Option<String> {
        let mut text = format!("{HEAD}version = {VERSION}\n");
        let new = pins.iter().filter(|(what, pin)| self.0.get(*what) != Some(pin));
        let before = text.len();
        for (what, pin) in new {
            let what = toml::Value::String(what.clone());
            let built_in = if pin.built_in { "built_in = true\n" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(text, "\n[[accepted]]\nwhat = {what}\ndigest = \"{}\"\n{built_in}", pin.digest);
        }
        (text.len() > before).then_some(text)
    }

    /// Returns `true` if something was accepted of it.
    pub fn has(&self, what: &str) -> bool {
        self.0.contains_key(what)
    }

    /// Returns the standing of a text that is about all of these. A built-in playbook that another version of the program brings
    /// is the program's, which the person trusts.
    pub fn decide(&self, about: &[String], now: AcceptedText) -> PinStatus {
        let mut standing = PinStatus::First;
        for accepted in about.iter().filter_map(|what| self.0.get(what)) {
            if accepted.digest != now.digest && !(accepted.built_in && now.built_in) {
                return PinStatus::Changed { from: *accepted };
            }
            standing = PinStatus::Same;
        }
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFE: SafeAt = (1, Address::ZERO);

    fn pin(text: &str) -> AcceptedText {
        AcceptedText { digest: TextDigest::of(text), built_in: false }
    }

    fn pins(of: &[(String, AcceptedText)]) -> Pins {
        let mut pins = Pins::default();
        let text = pins.file_of(&of.iter().cloned().collect()).unwrap();
        pins.read("1.toml", &text).unwrap();
        pins
    }

    #[test]
    fn a_change_is_found_at_the_same_path_and_in_a_copy_elsewhere() {
        let about = |path: &str| [council_at(path), council_of(SAFE)];
        assert_eq!(Pins::default().decide(&about("/a"), pin("one")), PinStatus::First);
        let of_one = about("/a").map(|what| (what, pin("one")));
        let pins = pins(&of_one);
        let changed = PinStatus::Changed { from: pin("one") };
        assert_eq!(pins.decide(&about("/a"), pin("one")), PinStatus::Same);
        assert_eq!(pins.decide(&about("/a"), pin("two")), changed);
        assert_eq!(pins.decide(&about("/copy"), pin("two")), changed, "another path, the same Safe");
        assert_eq!(pins.decide(&about("/copy"), pin("one")), PinStatus::Same);
        let other = [council_at("/a"), council_of((5, Address::ZERO))];
        assert_eq!(pins.decide(&other, pin("two")), changed, "the same path, another Safe");
        let other = [council_at("/copy"), council_of((5, Address::ZERO))];
        assert_eq!(pins.decide(&other, pin("two")), PinStatus::First);
    }

    /// The text accepted last counts: going back to an older one is a change too.
    #[test]
    fn an_older_text_is_a_change_again() {
        let mut pins = pins(&[(council_of(SAFE), pin("one"))]);
        let newer = BTreeMap::from([(council_of(SAFE), pin("two"))]);
        pins.read("2.toml", &pins.file_of(&newer).unwrap()).unwrap();
        assert_eq!(pins.decide(&[council_of(SAFE)], pin("one")), PinStatus::Changed { from: pin("two") });
        assert_eq!(pins.file_of(&newer), None, "nothing is written twice");
    }

    #[test]
    fn a_file_in_the_place_of_a_built_in_playbook_is_a_change_and_another_program_version_is_none() {
        let about = [playbook_of("pause/oz-pausable", SAFE)];
        let built_in = |text| AcceptedText { built_in: true, ..pin(text) };
        let pins = pins(&[(about[0].clone(), built_in("one"))]);
        assert_eq!(pins.decide(&about, pin("two")), PinStatus::Changed { from: built_in("one") });
        assert_eq!(pins.decide(&about, pin("one")), PinStatus::Same);
        assert_eq!(pins.decide(&about, built_in("two")), PinStatus::Same);
    }

    #[test]
    fn a_malformed_file_is_a_fault_with_its_line() {
        let entry = "version = 1\n[[accepted]]\nwhat = \"x\"\ndigest = ";
        for (text, expected) in [
            ("version = 1\nacepted = []".to_string(), "1.toml:2:1: unknown field"),
            (format!("{entry}\"0x12\""), "1.toml:2:1: \"0x12\" is not a digest of a text"),
            (format!("{entry}12"), "1.toml:4:10: "),
        ] {
            let fault = Pins::default().read("1.toml", &text).unwrap_err().to_string();
            assert!(fault.starts_with(expected) && fault.contains('^'), "{fault}");
        }
        let fault = Pins::default().read("1.toml", "version = 2\naccepted = []").unwrap_err().to_string();
        assert!(fault.contains("version 2 is newer"), "{fault}");
    }
}
