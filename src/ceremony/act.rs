//! One lever of an order: a playbook with its arguments, from the reader's own files and command line alone.

use alloy::primitives::Address;

use crate::ceremony::desk::Desk;
use crate::council::Arguments;
use crate::error::{Error, Exit};
use crate::playbook::{LibraryEntry, Origin, Param, Playbook, Undo};
use crate::proposal::BoundLever;

/// One lever: a playbook with its arguments.
#[derive(Clone, Debug)]
pub struct BoundPlaybook<'a> {
    pub lever: Option<String>,
    pub entry: LibraryEntry<'a>,
    /// The lever's own playbook, even if its undo is pulled: the arguments are given for it.
    pub(super) own: &'a Playbook,
    /// The arguments as given: the lever's and those of `--set`.
    pub given: Arguments,
    /// The arguments of the playbook: as given, or those of its undo.
    pub(super) args: Arguments,
    /// Contracts that the lever declares to change as well.
    pub changes: Vec<Address>,
}

impl<'a> BoundPlaybook<'a> {
    /// Returns a playbook with its arguments; with `undo`, those of the counter-playbook.
    pub(super) fn new(
        desk: &'a Desk,
        lever: Option<String>,
        undo: bool,
        playbook: &str,
        given: Arguments,
    ) -> Result<Self, Error> {
        let mut entry = desk.catalogue.get(playbook)?;
        let own = entry.playbook;
        let mut args = given.clone();
        if undo {
            let (counter, counter_args) =
                entry.playbook.undo_args(&given).ok_or_else(|| no_undo(entry.playbook))?;
            entry = desk.catalogue.get(counter.as_str())?;
            args = counter_args;
        }
        Ok(Self { lever, entry, own, given, args, changes: Vec::new() })
    }

    /// Returns a lever of the council file, with arguments for what it leaves open.
    pub(super) fn lever(desk: &'a Desk, name: &str, undo: bool, set: &Arguments) -> Result<Self, Error> {
        let lever = desk.lever(name)?;
        let own = desk.catalogue.get(&lever.playbook).map(|entry| entry.playbook).ok();
        let names = desk.council.safes.get(&lever.safe).map(|safe| desk.council.names_on(&safe.chain));
        let names = names.unwrap_or_default();
        let params = own.map_or(&[][..], |own| &own.params);
        let for_undo = |key: &String| params.iter().any(|param| param.for_undo && param.name == *key);
        let mut args = lever.set.clone();
        for (key, value) in set {
            // Values that only the undo needs may differ from the council file: they are read when the act is made.
            let is_same = |fixed: &str| {
                fixed == value || own.is_some_and(|own| own.is_same_argument(key, fixed, value, &names))
            };
            let fixed = args.get(key).filter(|_| !for_undo(key));
            // Another text for the same value does not replace the file's.
            if fixed.is_some_and(|fixed| is_same(fixed)) {
                continue;
            }
            if let Some(fixed) = fixed {
                let message =
                    format!("lever {name} fixes {key} to {fixed:?}; {value:?} cannot be set instead");
                return Err(Error::new(Exit::Usage, message)
                    .hint("without the lever: --playbook ID --safe NAME --set …"));
            }
            args.insert(key.clone(), value.clone());
        }
        let act = Self::new(desk, Some(name.into()), undo, &lever.playbook, args)?;
        Ok(Self { changes: lever.changes.clone(), ..act })
    }

    /// Returns the lever's own playbook, even if its undo is pulled.
    pub const fn own_playbook(&self) -> &'a Playbook {
        self.own
    }

    /// Returns `true` if its undo restores values that were in force before.
    pub fn has_former(&self) -> bool {
        self.own.params.iter().any(Param::is_former)
    }

    /// Returns the values in force before the act that its undo needs and nobody gave.
    pub fn missing_former(&self) -> Vec<String> {
        let former = self.own.params.iter().filter(|param| param.is_former());
        former.map(|param| param.name.clone()).filter(|name| !self.given.contains_key(name)).collect()
    }

    /// Returns the arguments as given, without the values that were in force before the act.
    pub fn without_former(&self) -> Arguments {
        let given = self.given.iter().filter(|(name, _)| !self.own.is_former(name));
        given.map(|(name, text)| (name.clone(), text.clone())).collect()
    }

    /// Returns an undo that restores these values, unless others were given.
    pub(super) fn restoring(&self, was: &Arguments) -> Self {
        let mut given = was.clone();
        given.extend(self.given.clone());
        let args = self.own.undo_args(&given).map_or_else(|| self.args.clone(), |(_, args)| args);
        Self { given, args, ..self.clone() }
    }

    /// Returns a playbook of the program itself, which has no lever.
    pub(super) const fn of_program(playbook: &'static Playbook, args: Arguments) -> Self {
        let entry = LibraryEntry { playbook, origin: Origin::BuiltIn, replaces: None };
        Self { lever: None, entry, own: playbook, given: Arguments::new(), args, changes: Vec::new() }
    }

    pub(super) fn bound(&self) -> BoundLever {
        let playbook = self.entry.playbook;
        BoundLever {
            lever: self.lever.clone(),
            playbook: playbook.id.clone(),
            digest: playbook.digest(),
            text: playbook.text().into(),
            args: self.given.clone(),
        }
    }
}

fn no_undo(playbook: &Playbook) -> Error {
    let why = match &playbook.undo {
        Undo::None { why } => why.as_str(),
        Undo::Playbook { .. } => "its counter-playbook is missing",
    };
    Error::new(Exit::Usage, format!("{} cannot be taken back: {why}", playbook.id))
}
