//! Adds one entry to the text of a council file. Comments, order and spacing of what is there stay. Pure.

use toml_edit::{DocumentMut, Item, Table, TableLike};

/// The kinds of entries, as the file names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub enum EntryKind {
    #[display("chain")]
    Chain,
    Safe,
    #[display("signer")]
    Signer,
    #[display("target")]
    Target,
    #[display("lever")]
    Lever,
    #[display("person")]
    Person,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    pub kind: EntryKind,
    pub name: String,
    /// In the order in which they are written.
    pub fields: Vec<(String, toml::Value)>,
}

impl NewEntry {
    /// Returns an entry with these texts; fields without one are left out.
    pub fn of_texts(kind: EntryKind, name: &str, texts: &[(&str, Option<&str>)]) -> Self {
        let fields = texts.iter().filter_map(|(key, text)| Some((*key, (*text)?.into())));
        Self::new(kind, name, fields)
    }

    pub fn new<'k>(
        kind: EntryKind,
        name: &str,
        fields: impl IntoIterator<Item = (&'k str, toml::Value)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(key, value)| (key.to_string(), value));
        Self { kind, name: name.into(), fields: fields.collect() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    Text(String),
    /// The file says the same already.
    AlreadyThere,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EditError {
    #[error("{kind} {name} is there already, and says otherwise: edit it by hand")]
    Taken { kind: EntryKind, name: String },
    #[error("[{0}] is not written as tables: edit it by hand")]
    Shape(&'static str),
    #[error("it cannot be edited: {0}")]
    Text(String),
}

impl EntryKind {
    const fn table(self) -> &'static str {
        match self {
            Self::Chain => "chains",
            Self::Safe => "safes",
            Self::Signer => "signers",
            Self::Target => "targets",
            Self::Lever => "levers",
            Self::Person => "people",
        }
    }
}

/// Adds an entry behind the others of its kind. A target that is there gets the chains that it does not have yet. The
/// new text is TOML; whether it is a council file is for [`super::Council::parse`] to say.
/// Fails if another entry has the name, or the text is not TOML with tables.
pub fn add_entry(text: &str, entry: &NewEntry) -> Result<Edited, EditError> {
    let wrong = |why: String| EditError::Text(why);
    let mut document: DocumentMut =
        text.parse().map_err(|e: toml_edit::TomlError| wrong(e.message().into()))?;
    let there: toml::Table = toml::from_str(text).map_err(|e| wrong(e.message().into()))?;
    let table = entry.kind.table();
    let named = there.get(table).and_then(|all| all.get(&entry.name));
    let taken = || EditError::Taken { kind: entry.kind, name: entry.name.clone() };
    let missing: Vec<&(String, toml::Value)> = match named {
        None => entry.fields.iter().collect(),
        Some(toml::Value::Table(old)) => {
            let is_new = |(key, _): &&(String, toml::Value)| !old.contains_key(key);
            let is_same = |(key, value): &(String, toml::Value)| old.get(key).is_none_or(|old| old == value);
            let grows = entry.kind == EntryKind::Target;
            let new: Vec<_> = entry.fields.iter().filter(is_new).collect();
            if !entry.fields.iter().all(is_same)
                || !grows && (!new.is_empty() || old.len() != entry.fields.len())
            {
                return Err(taken());
            }
            new
        }
        Some(_) => return Err(taken()),
    };
    if named.is_some() && missing.is_empty() {
        return Ok(Edited::AlreadyThere);
    }
    let shape = || EditError::Shape(table);
    let all = document.entry(table).or_insert_with(only_subtables).as_table_like_mut().ok_or_else(shape)?;
    if named.is_none() {
        let mut new = Table::new();
        new.decor_mut().set_prefix("\n");
        all.insert(&entry.name, Item::Table(new));
    }
    let place = all.get_mut(&entry.name).and_then(Item::as_table_like_mut).ok_or_else(shape)?;
    for (key, value) in missing {
        set(place, key, value)?;
    }
    Ok(Edited::Text(document.to_string()))
}

/// A table that is written only as those in it: `[levers.vault]`.
fn only_subtables() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn set(table: &mut dyn TableLike, key: &str, value: &toml::Value) -> Result<(), EditError> {
    let value: toml_edit::Value =
        value.to_string().parse().map_err(|e: toml_edit::TomlError| EditError::Text(e.message().into()))?;
    table.insert(key, Item::Value(value));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# Read it aloud together.
schema = 1
name = \"Example\"   # ours

[chains.mainnet]
id = 1

# The one that pauses.
[levers.vault]
playbook = \"pause/oz-pausable\"
[levers.vault.set]
target = \"vault\" # the proxy

[targets]
vault = { mainnet = \"0x01\" }

# Ends here.
";

    fn entry(kind: EntryKind, name: &str, fields: &[(&str, &str)]) -> NewEntry {
        NewEntry::new(kind, name, fields.iter().map(|(key, value)| (*key, (*value).into())))
    }

    fn added(kind: EntryKind, name: &str, fields: &[(&str, &str)]) -> String {
        match add_entry(FILE, &entry(kind, name, fields)) {
            Ok(Edited::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_that_was_there_stays_and_the_new_entry_stands_behind_its_kind() {
        let text = added(EntryKind::Lever, "bridge", &[("playbook", "pause/x"), ("safe", "guardian")]);
        let new = "\n[levers.bridge]\nplaybook = \"pause/x\"\nsafe = \"guardian\"\n";
        assert_eq!(text, FILE.replace("# the proxy\n", &format!("# the proxy\n{new}")));
        let text = added(EntryKind::Signer, "alice", &[("address", "0x\"2")]);
        assert!(text.contains("\n[signers.alice]\naddress = '0x\"2'\n"), "{text}");
        assert_eq!(text.replace("\n[signers.alice]\naddress = '0x\"2'\n", ""), FILE);
        let text = added(EntryKind::Target, "vault", &[("base", "0x02")]);
        assert_eq!(text, FILE.replace("\"0x01\" }", "\"0x01\" , base = \"0x02\" }"));
    }

    #[test]
    fn an_equal_entry_is_already_there_and_a_different_one_is_refused() {
        let again = |kind, name: &str, fields: &[(&str, &str)]| add_entry(FILE, &entry(kind, name, fields));
        assert_eq!(again(EntryKind::Target, "vault", &[("mainnet", "0x01")]), Ok(Edited::AlreadyThere));
        for (kind, name, fields) in [
            (EntryKind::Target, "vault", &[("mainnet", "0x02")][..]),
            (EntryKind::Chain, "mainnet", &[("id", "1")]),
            (EntryKind::Lever, "vault", &[("playbook", "pause/oz-pausable")]),
        ] {
            assert_eq!(again(kind, name, fields), Err(EditError::Taken { kind, name: name.into() }));
        }
        let number = NewEntry {
            fields: vec![("id".into(), toml::Value::Integer(1))],
            ..entry(EntryKind::Chain, "mainnet", &[])
        };
        assert_eq!(add_entry(FILE, &number), Ok(Edited::AlreadyThere));
        assert!(matches!(
            add_entry("levers = 5", &entry(EntryKind::Lever, "a", &[])),
            Err(EditError::Shape("levers"))
        ));
        assert!(matches!(add_entry("a = ", &entry(EntryKind::Lever, "a", &[])), Err(EditError::Text(_))));
    }
}
