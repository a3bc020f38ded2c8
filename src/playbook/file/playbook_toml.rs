//! The TOML form of a playbook, every field of it. Nothing here is believed: `file` reads it into types.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub(in crate::playbook) type Text = Spanned<String>;

/// `for = { pool = "{pools}" }`: the name of an item, and the list.
pub(in crate::playbook) type Repeats = Spanned<BTreeMap<Text, Text>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::playbook) struct Wire {
    pub schema: Spanned<u32>,
    pub id: Text,
    pub kind: Text,
    /// The protocol that it is for.
    pub family: Option<Text>,
    pub title: Text,
    #[serde(default)]
    pub summary: String,
    pub severity: Text,
    pub does_not_stop: Text,
    pub cost: Text,
    pub undo: Spanned<toml::Value>,
    pub source: Text,
    pub role: Option<String>,
    /// Anybody may do it.
    #[serde(default)]
    pub anyone: bool,
    pub delay: Option<Text>,
    /// Why it may be pulled again when it is done.
    pub repeatable: Option<Text>,
    #[serde(default)]
    pub changes: Vec<Text>,
    /// Errors that its contracts revert with, so that a failure can be said in words.
    #[serde(default)]
    pub errors: Vec<Text>,
    /// Why no errors are named.
    pub no_errors: Option<Text>,
    #[serde(default)]
    pub param: Vec<WireParam>,
    #[serde(default)]
    pub read: Vec<Spanned<WireAsk>>,
    #[serde(default)]
    pub before: Vec<Spanned<WireAsk>>,
    #[serde(default)]
    pub step: Vec<WireStep>,
    #[serde(default)]
    pub after: Vec<Spanned<WireAsk>>,
    pub example: Option<Spanned<WireExample>>,
}

/// One set of arguments, and exactly the calldata that they give.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::playbook) struct WireExample {
    #[serde(default)]
    pub set: BTreeMap<String, Text>,
    #[serde(default)]
    pub read: BTreeMap<String, Text>,
    pub calldata: Spanned<Vec<Text>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::playbook) struct WireParam {
    pub name: Text,
    #[serde(rename = "type")]
    pub ty: Text,
    #[serde(default)]
    pub title: String,
    pub unit: Option<Text>,
    pub decimals: Option<Spanned<toml::Value>>,
    pub min: Option<Text>,
    pub max: Option<Text>,
    pub max_change: Option<Text>,
    pub current: Option<Text>,
    pub zero: Option<Text>,
    /// Only the undo needs it.
    #[serde(default)]
    pub for_undo: bool,
    /// The value in force before the act, which only the undo needs.
    pub was: Option<Text>,
    /// The names of its bits.
    pub flags: Option<Spanned<BTreeMap<String, u64>>>,
    /// The names of its values, such as those of an enum.
    pub choices: Option<Spanned<BTreeMap<String, u64>>>,
    pub default: Option<Text>,
}

/// A read, a check or a condition: which fields go together is for `file` to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::playbook) struct WireAsk {
    pub name: Option<Text>,
    pub view: Option<Text>,
    pub slot: Option<Text>,
    pub balance: Option<Text>,
    pub code: Option<Text>,
    pub time: Option<Text>,
    pub event: Option<Text>,
    pub reverts: Option<Text>,
    pub succeeds: Option<Text>,
    pub on: Option<Text>,
    pub args: Option<Spanned<Vec<Text>>>,
    pub from: Option<Text>,
    #[serde(rename = "type")]
    pub ty: Option<Text>,
    pub token: Option<Text>,
    /// A text, or a table of fields.
    pub expect: Option<Spanned<toml::Value>>,
    pub expect_not: Option<Text>,
    pub at_least: Option<Text>,
    pub at_most: Option<Text>,
    pub contains: Option<Text>,
    pub lacks: Option<Text>,
    pub same_items: Option<Text>,
    /// Why it may hold before the steps already.
    pub kept: Option<Text>,
    #[serde(rename = "for")]
    pub each: Option<Repeats>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::playbook) struct WireStep {
    pub to: Text,
    pub call: Text,
    pub args: Option<Spanned<Vec<Text>>>,
    pub value: Option<Text>,
    /// An address whose 20 bytes follow the arguments.
    pub append: Option<Text>,
    /// `true` if the call is tried, from the Safe and alone, before anybody signs.
    pub tried: Option<Spanned<bool>>,
    #[serde(rename = "for")]
    pub each: Option<Repeats>,
    pub skip_if: Option<Spanned<WireAsk>>,
    #[serde(default)]
    pub skip_if_all: Vec<Spanned<WireAsk>>,
}

/// The long form of `undo`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::playbook) struct WireUndo {
    pub playbook: Option<String>,
    pub set: Option<BTreeMap<String, String>>,
    pub none: Option<String>,
}
