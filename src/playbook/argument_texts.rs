//! The texts of a playbook's parameters: given, or its defaults. Pure.

use std::collections::BTreeMap;

use super::piece::PIECE;
use super::plan::{Inputs, PlanError};
use super::{Param, Playbook};
use crate::near::hint;

/// Parameter → its text, and `true` if it is the default.
pub(super) type Texts<'a> = BTreeMap<&'a str, (&'a str, bool)>;

/// Returns the text of each parameter. Every fault of the names is told at once, before anything is asked.
pub(super) fn texts<'a>(playbook: &'a Playbook, inputs: &Inputs<'a>) -> Result<Texts<'a>, PlanError> {
    let id = playbook.id.to_string();
    let known: Vec<&str> = playbook.params.iter().map(|p| p.name.as_str()).collect();
    if let Some(name) = inputs.args.keys().find(|name| *name != PIECE && !known.contains(&name.as_str())) {
        return Err(PlanError::Unknown { playbook: id, name: name.clone(), hint: hint(name, known) });
    }
    let mut texts = Texts::new();
    let mut missing = Vec::new();
    for param in &playbook.params {
        match (inputs.args.get(&param.name), &param.default) {
            (Some(text), _) => drop(texts.insert(&param.name, (text, false))),
            (None, _) if param.for_undo => {}
            (None, Some(text)) => drop(texts.insert(&param.name, (text, true))),
            (None, None) => missing.push(param),
        }
    }
    if missing.is_empty() {
        return Ok(texts);
    }
    let names = missing.iter().map(|p| p.name.clone()).collect();
    Err(PlanError::Missing { playbook: id, names, asks: missing.iter().map(|p| p.ask()).collect() })
}

pub(super) fn text_of<'a>(param: &Param, texts: &Texts<'a>) -> &'a str {
    texts.get(param.name.as_str()).map_or("", |(text, _)| *text)
}

pub(super) fn wrong_argument(param: &Param, text: &str, why: String) -> PlanError {
    PlanError::Argument { name: param.name.clone(), text: text.into(), why }
}

pub(super) fn wrong_piece(text: &str, why: String) -> PlanError {
    PlanError::Argument { name: PIECE.into(), text: text.into(), why }
}
