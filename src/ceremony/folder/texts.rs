//! The council file and the playbooks that levers use, compared with what their reader accepted before. The shared
//! repository is not trusted: anybody who may push to it could change what a lever means.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ceremony::desk::Desk;
use crate::ceremony::drills::drill_names::pulled;
use crate::ceremony::enforce::{accept_changed, changed_digits};
use crate::ceremony::find::is_file;
use crate::ceremony::folder::own_settings::pins;
use crate::ceremony::order::Given;
use crate::council::{
    AcceptedText, PinStatus, Pins, SafeAt, TextDifference, TextDigest, council_at, council_of, difference,
    expand, playbook_of,
};
use crate::error::Error;
use crate::excerpt::mark_urls;
use crate::playbook::{Origin, Undo};
use crate::progress::Tone;
use crate::store::{SettingsFolder, real_path};

/// The texts that a command rests on: a Safe, and the playbooks that are used on it.
pub struct Rests {
    safe: SafeAt,
    playbooks: Vec<String>,
}

/// A text of the reader's own files.
pub struct PinnedText<'s> {
    pub name: String,
    /// Its keys among the pins.
    about: Vec<String>,
    /// The council files that name it.
    of: Vec<String>,
    text: &'s str,
    pub now: AcceptedText,
    pub note: &'static str,
}

/// The difference of a text from the accepted one.
pub enum News {
    /// No text was accepted before it.
    FirstUse,
    /// The council file was accepted before, without this text.
    Added,
    Changed(TextChange),
}

/// The change from the accepted text.
pub struct TextChange {
    pub from: AcceptedText,
    /// `None` if the text that was accepted is not at hand.
    pub difference: Option<TextDifference>,
    /// The file with the text that was accepted.
    pub kept: Option<PathBuf>,
}

impl News {
    /// Returns `true` if the whole change is shown.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::FirstUse | Self::Added => false,
            Self::Changed(change) => change.difference.as_ref().is_some_and(|found| found.is_whole),
        }
    }
}

/// The texts that a command rests on, and what was accepted before.
pub struct Texts<'d> {
    desk: &'d Desk<'d>,
    folder: Option<&'d SettingsFolder>,
    pins: Pins,
    items: Vec<PinnedText<'d>>,
}

impl<'s> PinnedText<'s> {
    fn council(desk: &'s Desk, safe: SafeAt) -> Self {
        let path = real_path(&desk.path).display().to_string();
        Self {
            about: vec![council_at(&path), council_of(safe)],
            of: Vec::new(),
            name: path,
            text: &desk.text,
            now: AcceptedText { digest: TextDigest::of(&desk.text), built_in: false },
            note: "",
        }
    }

    /// Returns a playbook's text; `None` if the playbook cannot be read, which the lever reports itself.
    fn playbook(desk: &'s Desk, id: &str, safe: SafeAt) -> Option<Self> {
        let entry = desk.catalogue.get(id).ok()?;
        let playbook = entry.playbook;
        let (name, built_in, note) = match entry.origin {
            Origin::Council(path) if desk.catalogue.is_built_in(id) => {
                (path, false, ", in the place of the built-in playbook")
            }
            Origin::Council(path) => (path, false, ""),
            Origin::BuiltIn => (format!("{id} (built into this program)"), true, ""),
        };
        let now = AcceptedText { digest: TextDigest::of(playbook.text()), built_in };
        Some(Self {
            name,
            about: vec![playbook_of(id, safe)],
            of: vec![council_of(safe)],
            text: playbook.text(),
            now,
            note,
        })
    }

    /// Returns the flag that accepts it.
    fn flag(&self) -> String {
        accept_changed(&self.now.digest.digits())
    }

    /// Returns `true` if a council file was accepted before, and this was not.
    fn is_new_to(&self, pins: &Pins) -> bool {
        self.of.iter().any(|council| pins.has(council))
    }

    /// Returns `true` if its digest is among these ids.
    pub fn is_accepted_by(&self, ids: &[String]) -> bool {
        let digits = self.now.digest.digits();
        ids.iter().filter_map(|id| changed_digits(id)).any(|given| given.eq_ignore_ascii_case(&digits))
    }
}

impl Desk<'_> {
    /// Returns the texts that levers and proposal files rest on.
    pub fn rests_of(&self, what: &[String], given: &Given) -> Result<Vec<Rests>, Error> {
        self.require_known(what)?;
        let (files, levers): (Vec<&String>, Vec<&String>) = what.iter().partition(|what| is_file(what));
        let mut rests =
            files.into_iter().map(|file| self.rests_of_file(file)).collect::<Result<Vec<_>, _>>()?;
        if !levers.is_empty() {
            let names = pulled(&levers)?;
            let expansion = expand(&self.council, &names, &given.without, given.undo)?;
            for name in expansion.levers() {
                let lever = self.lever(name)?;
                rests.push(self.rests_on(&lever.playbook, &lever.safe, given.undo)?);
            }
        }
        Ok(rests)
    }

    fn rests_of_file(&self, path: &str) -> Result<Rests, Error> {
        let proposal = self.read_once(Path::new(path))?;
        let proposal = proposal.innermost();
        let binding = proposal.binding();
        let mut playbooks = Vec::new();
        for bound in binding.levers() {
            playbooks.extend(self.with_undo(bound.playbook.as_str(), binding.undo()));
            if let Some(lever) = bound.lever.as_ref().and_then(|name| self.council.levers.get(name)) {
                playbooks.extend(self.with_undo(&lever.playbook, binding.undo()));
            }
        }
        let safe = proposal.safe();
        Ok(Rests { safe: (safe.chain_id, safe.address), playbooks })
    }

    /// Returns the texts that a playbook on a Safe rests on.
    pub fn rests_on(&self, playbook: &str, safe: &str, undo: bool) -> Result<Rests, Error> {
        let safe = self.safe(safe)?;
        let safe = (self.chain_of(safe)?.id, safe.address);
        Ok(Rests { safe, playbooks: self.with_undo(playbook, undo) })
    }

    fn with_undo(&self, id: &str, undo: bool) -> Vec<String> {
        let counter = match self.catalogue.get(id).map(|entry| &entry.playbook.undo) {
            Ok(Undo::Playbook { id, .. }) if undo => Some(id.to_string()),
            _ => None,
        };
        [id.to_string()].into_iter().chain(counter).collect()
    }

    fn items(&self, rests: &[Rests]) -> Vec<PinnedText<'_>> {
        let mut items: Vec<PinnedText> = Vec::new();
        for rest in rests {
            let playbooks = rest.playbooks.iter().filter_map(|id| PinnedText::playbook(self, id, rest.safe));
            for item in [PinnedText::council(self, rest.safe)].into_iter().chain(playbooks) {
                // The council file of several Safes is one text and one question.
                match items.iter_mut().find(|known| known.name == item.name && known.now == item.now) {
                    Some(known) => {
                        known.about.extend(item.about);
                        known.of.extend(item.of);
                    }
                    None => items.push(item),
                }
            }
        }
        items
    }

    fn pin_all(&self, pins: &Pins, new: &mut BTreeMap<String, AcceptedText>) {
        let now = AcceptedText { digest: TextDigest::of(&self.text), built_in: false };
        for safe in self.council.safes.values() {
            let Some(chain) = self.council.chain_of(safe) else { continue };
            let at = (chain.id, safe.address);
            new.insert(council_of(at), now);
            for lever in self.council.levers.values().filter(|lever| lever.safe == safe.name) {
                let ids = self.with_undo(&lever.playbook, true);
                for item in ids.iter().filter_map(|id| PinnedText::playbook(self, id, at)) {
                    for what in item.about.into_iter().filter(|what| !pins.has(what)) {
                        new.entry(what).or_insert(item.now);
                    }
                }
            }
        }
    }

    /// Returns the text of these files with this digest.
    fn text_of(&self, digest: TextDigest) -> Option<&str> {
        let playbooks = self.council.levers.values().flat_map(|lever| self.with_undo(&lever.playbook, true));
        let texts = playbooks.filter_map(|id| Some(self.catalogue.get(&id).ok()?.playbook.text()));
        [self.text.as_str()].into_iter().chain(texts).find(|text| TextDigest::of(text) == digest)
    }
}

impl<'d> Texts<'d> {
    pub fn of(desk: &'d Desk, rests: &[Rests]) -> Result<Self, Error> {
        let pins = pins(desk.progress, desk.settings.as_ref())?;
        Ok(Self { desk, folder: desk.settings.as_ref(), pins, items: desk.items(rests) })
    }

    /// Returns each new or changed text.
    pub fn news(&self) -> impl Iterator<Item = (&PinnedText<'d>, News)> {
        self.items.iter().filter_map(|item| Some((item, self.news_of(item)?)))
    }

    fn news_of(&self, item: &PinnedText) -> Option<News> {
        match self.pins.decide(&item.about, item.now) {
            PinStatus::Same => None,
            PinStatus::First if item.now.built_in => None,
            PinStatus::First if item.is_new_to(&self.pins) => Some(News::Added),
            PinStatus::First => Some(News::FirstUse),
            PinStatus::Changed { from } => Some(News::Changed(self.change(item, from))),
        }
    }

    fn change(&self, item: &PinnedText, from: AcceptedText) -> TextChange {
        let digest = from.digest.to_string();
        let old = self.folder.and_then(|folder| folder.text(&digest).ok());
        TextChange {
            from,
            difference: old.map(|old| difference(&old, &comparable(item.text))),
            kept: self.folder.map(|folder| folder.text_path(&digest)),
        }
    }

    /// Returns the flags that accept what is not accepted yet.
    pub fn flags(&self, ids: &[String]) -> String {
        let is_open = |item: &&PinnedText| match self.pins.decide(&item.about, item.now) {
            PinStatus::Same => false,
            PinStatus::First => !item.now.built_in && item.is_new_to(&self.pins),
            PinStatus::Changed { .. } => true,
        };
        let open = self.items.iter().filter(is_open).filter(|item| !item.is_accepted_by(ids));
        open.map(PinnedText::flag).collect::<Vec<_>>().join(" ")
    }

    /// Records all of them as accepted. With a new council file, every playbook that its levers use is recorded too,
    /// unless it was before, so that a later change is found whichever lever is used first.
    pub fn accept(&self) {
        let mut new = BTreeMap::new();
        for item in &self.items {
            new.extend(item.about.iter().map(|what| (what.clone(), item.now)));
        }
        if self.items.iter().any(|item| self.pins.decide(&item.about, item.now) != PinStatus::Same) {
            self.desk.pin_all(&self.pins, &mut new);
        }
        self.keep(&new);
    }

    /// Records what is new, the texts first. If that cannot be written, it is asked again next time.
    fn keep(&self, new: &BTreeMap<String, AcceptedText>) {
        let (Some(folder), Some(file)) = (self.folder, self.pins.file_of(new)) else { return };
        for digest in new.values().map(|accepted| accepted.digest) {
            if let Some(text) = self.desk.text_of(digest) {
                // Without it, a change can still be found, only not shown.
                let _ = folder.keep_text(&digest.to_string(), &comparable(text));
            }
        }
        if let Err(error) = folder.keep_acceptance(&file) {
            let text = format!("what you accepted could not be kept, and is asked again next time: {error}");
            self.desk.progress.tell(Tone::Warn, "note: ", &text);
        }
    }
}

/// Returns a text without the keys in its addresses: a digest takes the place of each, so that a change of it is seen.
fn comparable(text: &str) -> String {
    mark_urls(text, |address| format!("…{}", TextDigest::of(address).digits()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::tests::{Home, at, proposed};

    fn ids(rests: &[Rests]) -> Vec<Vec<String>> {
        rests.iter().map(|rests| rests.playbooks.clone()).collect()
    }

    #[test]
    fn a_command_rests_on_each_playbook_that_its_levers_use() {
        let home = Home::new();
        let desk = home.desk();
        let of = |what: &[&str], given: &Given| {
            let what: Vec<String> = what.iter().map(ToString::to_string).collect();
            desk.rests_of(&what, given).map(|rests| ids(&rests))
        };
        let pause = "pause/oz-pausable".to_string();
        assert_eq!(of(&["freeze"], &Given::default()).unwrap(), [[pause.clone()], [pause.clone()]]);
        let without = Given { without: vec!["bridge".into()], ..Given::default() };
        assert_eq!(of(&["freeze"], &without).unwrap(), [[pause.clone()]]);
        let undo = Given { undo: true, ..Given::default() };
        let both = [pause.clone(), "pause/oz-pausable-undo".into()];
        assert_eq!(of(&["vault"], &undo).unwrap(), [both]);
        let file = home.write("vault.json", &proposed(&desk, &["vault"], &at(4), 0));
        assert_eq!(of(&[&file], &Given::default()).unwrap(), [[pause.clone(), pause.clone()]]);
        assert!(of(&[], &Given::default()).unwrap().is_empty());
        let error = of(&["vualt"], &Given::default()).unwrap_err();
        assert!(error.hints.contains(&"did you mean vault?".to_string()), "{:?}", error.hints);
    }

    /// The council file of two levers is one text, and so is the playbook of both.
    #[test]
    fn each_text_is_asked_about_once() {
        let home = Home::new();
        let desk = home.desk();
        let rests = desk.rests_of(&["freeze".into()], &Given::default()).unwrap();
        let items = desk.items(&rests);
        assert_eq!(items.len(), 2);
        assert!(items[1].now.built_in && items[1].name.starts_with("pause/oz-pausable (built"));
        assert!(!items[0].now.built_in && items[0].of.is_empty() && items[1].of.len() == 2);
        let digits = items[0].now.digest.digits();
        assert_eq!(items[0].flag(), format!("--accept changed:{digits}"));
        let by = |id: String| items[0].is_accepted_by(&[id]);
        assert!(by(format!("changed:{}", digits.to_uppercase())));
        assert!(
            !by(digits.clone()) && !by("changed:00".into()) && !items[1].is_accepted_by(&[items[0].flag()])
        );
        assert_eq!(desk.text_of(items[0].now.digest), Some(desk.text.as_str()));
        assert!(desk.text_of(items[1].now.digest).unwrap().contains("id = \"pause/oz-pausable\""));
        assert_eq!(desk.text_of(TextDigest::of("other")), None);
        let mut new = BTreeMap::new();
        desk.pin_all(&Pins::default(), &mut new);
        assert!(items.iter().flat_map(|item| &item.of).all(|council| new.contains_key(council)));
        assert!(items[1].about.iter().all(|about| new.contains_key(about)));
        assert!(!items[1].is_new_to(&Pins::default()), "no council file was accepted before");
    }

    /// The council file is one text for both of them, and is accepted for both.
    #[test]
    fn a_text_of_two_safes_is_accepted_for_both() {
        let home = Home::new();
        let desk = home.desk();
        let of = |safe: &str| desk.rests_on("pause/oz-pausable", safe, false).unwrap();
        let items = desk.items(&[of("guardian"), of("labs")]);
        assert_eq!(items.len(), 2);
        for safe in ["guardian", "labs"] {
            let council = council_of((1, desk.safe(safe).unwrap().address));
            assert!(items[0].about.contains(&council) && items[1].of.contains(&council), "{safe}");
        }
    }

    #[test]
    fn a_key_in_an_address_is_not_kept_and_its_change_is_found() {
        let text = |key: &str| format!("rpc = [\"https://rpc.example/{key}\"]");
        let (one, other) = (comparable(&text("secretkey1")), comparable(&text("secretkey2")));
        assert!(one != other && !one.contains("secretkey1"), "{one}");
        assert_eq!(comparable("schema = 1"), "schema = 1");
    }

    #[test]
    fn only_a_change_with_all_its_lines_is_whole() {
        let from = AcceptedText { digest: TextDigest::of("a"), built_in: false };
        let changed = |difference| News::Changed(TextChange { from, difference, kept: None });
        assert!(!News::FirstUse.is_whole() && !News::Added.is_whole() && !changed(None).is_whole());
        assert!(changed(Some(difference("a\n", "b\n"))).is_whole());
    }
}
