//! Is the council file, and is each playbook that a lever uses, what its reader accepted before? Asked before any
//! review. The shared repository is not trusted: whoever may push to it could change what a lever means.

use std::collections::BTreeMap;
use std::path::Path;

use crate::ceremony::obey::{accept_changed, changed_digits};
use crate::ceremony::settings::pins;
use crate::ceremony::subject::is_file;
use crate::command::Session;
use crate::council::{
    Accepted, Difference, Mark, Pins, SafeAt, Standing, TextDigest, council_at, council_of, difference,
    playbook_of,
};
use crate::error::{Error, Exit};
use crate::excerpt::mark_urls;
use crate::playbook::{Origin, Undo};
use crate::store::{SettingsFolder, real_path};
use crate::ui::{Text, Ui};

/// What a command rests on: a Safe, and the playbooks that are used on it.
pub struct Rests {
    safe: SafeAt,
    playbooks: Vec<String>,
}

/// A text of the reader's own files.
struct Item<'s> {
    name: String,
    /// What the pins know it by.
    about: Vec<String>,
    /// The council files that name it.
    of: Vec<String>,
    text: &'s str,
    now: Accepted,
    note: &'static str,
}

impl<'s> Item<'s> {
    fn council(session: &'s Session, safe: SafeAt) -> Self {
        let path = real_path(&session.path).display().to_string();
        Self {
            about: vec![council_at(&path), council_of(safe)],
            of: Vec::new(),
            name: path,
            text: &session.text,
            now: Accepted { digest: TextDigest::of(&session.text), built_in: false },
            note: "",
        }
    }

    /// `None` for an id that names no readable playbook: the lever that needs it says so itself.
    fn playbook(session: &'s Session, id: &str, safe: SafeAt) -> Option<Self> {
        let entry = session.catalogue.get(id).ok()?;
        let playbook = entry.playbook;
        let (name, built_in, note) = match entry.origin {
            Origin::Council(path) if session.catalogue.is_built_in(id) => {
                (path, false, ", in the place of the built-in playbook")
            }
            Origin::Council(path) => (path, false, ""),
            Origin::BuiltIn => (format!("{id} (built into this program)"), true, ""),
        };
        let now = Accepted { digest: TextDigest::of(playbook.text()), built_in };
        Some(Self {
            name,
            about: vec![playbook_of(id, safe)],
            of: vec![council_of(safe)],
            text: playbook.text(),
            now,
            note,
        })
    }

    fn flag(&self) -> String {
        accept_changed(&self.now.digest.digits())
    }

    /// Returns `true` if a council file was accepted before, and this was not.
    fn is_new_to(&self, pins: &Pins) -> bool {
        self.of.iter().any(|council| pins.has(council))
    }

    fn is_accepted_by(&self, ids: &[String]) -> bool {
        let digits = self.now.digest.digits();
        ids.iter().filter_map(|id| changed_digits(id)).any(|given| given.eq_ignore_ascii_case(&digits))
    }
}

impl Session<'_> {
    /// What a lever or a proposal file rests on.
    pub fn rests_of(&self, what: &str, undo: bool) -> Result<Rests, Error> {
        if !is_file(what) {
            let lever = self.lever(what)?;
            return self.rests_on(&lever.playbook, &lever.safe, undo);
        }
        let proposal = self.read_once(Path::new(what))?;
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

    /// What a playbook on a Safe rests on.
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

    fn items(&self, rests: &[Rests]) -> Vec<Item<'_>> {
        let mut items: Vec<Item> = Vec::new();
        for rest in rests {
            let playbooks = rest.playbooks.iter().filter_map(|id| Item::playbook(self, id, rest.safe));
            for item in [Item::council(self, rest.safe)].into_iter().chain(playbooks) {
                // The council file of several Safes is one text: one question.
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

    /// Asks for a yes to each text that changed since it was accepted; says the digests of what is used for the first
    /// time. What is accepted is kept, and is not asked for again.
    pub fn require_accepted(&self, rests: &[Rests], ids: &[String]) -> Result<(), Error> {
        let folder = SettingsFolder::find();
        let pins = pins(self.ui, folder.as_ref())?;
        let items = self.items(rests);
        let mut new = BTreeMap::new();
        let open = |item: &&Item| {
            let is_open = match pins.decide(&item.about, item.now) {
                Standing::Same => false,
                Standing::First => !item.now.built_in && item.is_new_to(&pins),
                Standing::Changed { .. } => true,
            };
            is_open && !item.is_accepted_by(ids)
        };
        let flags: Vec<String> = items.iter().filter(open).map(Item::flag).collect();
        for item in &items {
            match pins.decide(&item.about, item.now) {
                Standing::Same => {}
                Standing::First if item.now.built_in => {}
                // The levers were accepted, and what this one does was not there to be.
                Standing::First if item.is_new_to(&pins) => {
                    show_new(self.ui, item);
                    if !item.is_accepted_by(ids) {
                        self.ask(item, false, &flags.join(" "))?;
                    }
                    self.ui.say(&Text::default().good("accepted: ").add(&item.name));
                }
                Standing::First => first_use(self.ui, item),
                Standing::Changed { from } => {
                    let whole = show_change(self.ui, folder.as_ref(), item, from);
                    if !item.is_accepted_by(ids) {
                        self.ask(item, whole, &flags.join(" "))?;
                    }
                    self.ui.say(&Text::default().good("accepted: ").add(&item.name));
                }
            }
            new.extend(item.about.iter().map(|what| (what.clone(), item.now)));
        }
        if items.iter().any(|item| pins.decide(&item.about, item.now) != Standing::Same) {
            self.pin_all(&pins, &mut new);
        }
        keep(self.ui, folder.as_ref(), &pins, &new, |digest| self.text_of(digest));
        Ok(())
    }

    fn ask(&self, item: &Item, whole: bool, flags: &str) -> Result<(), Error> {
        let digits = item.now.digest.digits();
        let (question, word) = if whole {
            ("Is this change what your council agreed on? Type yes".to_string(), "yes")
        } else {
            // Whoever has not seen all of it has to have compared it.
            (format!("Not all of it is shown. Compare the files; then type {digits}"), digits.as_str())
        };
        if self.ui.typed(&question, word, flags)? {
            return Ok(());
        }
        Err(Error::new(Exit::Refused, format!("the change of {} was not accepted", item.name)).hint(
            "nothing was signed; ask in person who changed it, and compare its digest with a colleague",
        ))
    }

    /// With the council file, every playbook that its levers use is accepted, unless another was before: one that is
    /// changed later is found, whichever lever is used first.
    fn pin_all(&self, pins: &Pins, new: &mut BTreeMap<String, Accepted>) {
        let now = Accepted { digest: TextDigest::of(&self.text), built_in: false };
        for safe in self.council.safes.values() {
            let Some(chain) = self.council.chain_of(safe) else { continue };
            let at = (chain.id, safe.address);
            new.insert(council_of(at), now);
            for lever in self.council.levers.values().filter(|lever| lever.safe == safe.name) {
                let ids = self.with_undo(&lever.playbook, true);
                for item in ids.iter().filter_map(|id| Item::playbook(self, id, at)) {
                    for what in item.about.into_iter().filter(|what| !pins.has(what)) {
                        new.entry(what).or_insert(item.now);
                    }
                }
            }
        }
    }

    /// The text of these files with this digest.
    fn text_of(&self, digest: TextDigest) -> Option<&str> {
        let playbooks = self.council.levers.values().flat_map(|lever| self.with_undo(&lever.playbook, true));
        let texts = playbooks.filter_map(|id| Some(self.catalogue.get(&id).ok()?.playbook.text()));
        [self.text.as_str()].into_iter().chain(texts).find(|text| TextDigest::of(text) == digest)
    }

    /// For a command that signs and sends nothing: one line for each text that changed.
    pub fn note_changes(&self, rests: &Rests) -> Result<(), Error> {
        let pins = pins(self.ui, SettingsFolder::find().as_ref())?;
        for item in self.items(std::slice::from_ref(rests)) {
            if let Standing::Changed { .. } = pins.decide(&item.about, item.now) {
                let text = format!("{} changed since you accepted it; sign shows the difference", item.name);
                self.ui.say(&Text::default().warn("note: ").add(&text));
            }
        }
        Ok(())
    }
}

fn first_use(ui: &Ui, item: &Item) {
    let text = format!("digest {}", item.now.digest.short());
    let line = Text::default().warn("first use: ").bold(&text).add(", compare it with a colleague");
    ui.say(&line.dim(&format!("   {}{}", item.name, item.note)));
}

fn show_new(ui: &Ui, item: &Item) {
    ui.blank();
    let heading = format!("NEW since you accepted the council file{}: ", item.note);
    ui.say(&Text::default().bad(&heading).bold(&item.name));
    ui.say(&Text::new(&format!("  digest  {}", item.now.digest.short())));
}

/// A text without the keys in its addresses. A digest stands for each address, so that a change of it is seen.
fn comparable(text: &str) -> String {
    mark_urls(text, |address| format!("…{}", TextDigest::of(address).digits()))
}

/// Shows what changed; returns `true` if that is all of it.
fn show_change(ui: &Ui, folder: Option<&SettingsFolder>, item: &Item, from: Accepted) -> bool {
    ui.blank();
    let heading = format!("CHANGED since you accepted it{}: ", item.note);
    ui.say(&Text::default().bad(&heading).bold(&item.name));
    ui.say(&Text::new(&format!("  accepted  {}", from.digest.short())));
    ui.say(&Text::new(&format!("  now       {}", item.now.digest.short())));
    let old = folder.and_then(|folder| folder.text(&from.digest.to_string()).ok());
    let Some(old) = old else {
        ui.say(
            &Text::default().warn("  the text that you accepted is not at hand, so no difference is shown"),
        );
        return false;
    };
    let Difference { lines, is_whole } = difference(&old, &comparable(item.text));
    if lines.is_empty() && is_whole {
        ui.say(&Text::new("  only the ends of lines"));
        return is_whole;
    }
    for (mark, line) in &lines {
        let text = Text::new("  ");
        ui.say(&match mark {
            Mark::Unchanged => text.dim("  ").dim(line),
            Mark::Removed => text.bad("- ").bad(line),
            Mark::Added => text.good("+ ").good(line),
        });
    }
    if let Some(folder) = folder.filter(|_| !is_whole) {
        let kept = folder.text_path(&from.digest.to_string());
        ui.say(
            &Text::default()
                .warn("  there is more than is shown; what you accepted: ")
                .add(&kept.display().to_string()),
        );
    }
    is_whole
}

/// Keeps what is new, the texts first. Nobody is stopped where that cannot be written: it is asked again next time.
fn keep<'t>(
    ui: &Ui,
    folder: Option<&SettingsFolder>,
    pins: &Pins,
    new: &BTreeMap<String, Accepted>,
    text_of: impl Fn(TextDigest) -> Option<&'t str>,
) {
    let (Some(folder), Some(file)) = (folder, pins.file_of(new)) else { return };
    for digest in new.values().map(|accepted| accepted.digest) {
        if let Some(text) = text_of(digest) {
            // Without it, a change can still be found, only not shown.
            let _ = folder.keep_text(&digest.to_string(), &comparable(text));
        }
    }
    if let Err(error) = folder.keep_acceptance(&file) {
        let text = format!("what you accepted could not be kept, and is asked again next time: {error}");
        ui.say(&Text::default().warn("note: ").add(&text));
    }
}
