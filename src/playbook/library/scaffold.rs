//! A first playbook for a function: everything that follows from signatures is filled in, everything that only a person
//! knows says so.

use std::fmt::Write;

use alloy::dyn_abi::DynSolType;
use alloy::json_abi::{self, Function, JsonAbi};

use crate::playbook::language::value::{param_type, parse_error, parse_function};
use crate::playbook::{Playbook, PlaybookId};

/// Said where the author has to say it.
pub(in crate::playbook) const SAY: &str = "TO SAY";

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum DraftError {
    #[error("{0:?} is not an id such as \"pause/my-vault\": pause, param or rotate, a slash and a name")]
    Id(String),
    #[error("{0}")]
    Signature(String),
    #[error("the ABI cannot be read: {0}")]
    Abi(String),
    #[error("the ABI has {count} functions called {name:?}; {hint}")]
    Named { name: String, count: usize, hint: String },
    #[error(
        "{0:?} is not a view without arguments that returns something: write name()(type), and other checks by hand"
    )]
    View(String),
}

/// Where signatures come from.
#[derive(Debug)]
pub struct Signatures(Option<JsonAbi>);

impl Signatures {
    /// As written on the command line.
    #[must_use]
    pub const fn written() -> Self {
        Self(None)
    }

    /// From a contract's ABI, or an artifact that has one.
    ///
    /// # Errors
    /// A text that is neither.
    pub fn abi(text: &str) -> Result<Self, DraftError> {
        let wrong = |e: serde_json::Error| DraftError::Abi(e.to_string());
        let mut value: serde_json::Value = serde_json::from_str(text).map_err(wrong)?;
        if let Some(abi) = value.get_mut("abi") {
            value = abi.take();
        }
        serde_json::from_value(value).map(|abi| Self(Some(abi))).map_err(wrong)
    }

    /// The contract's own errors that a playbook can name.
    fn errors(&self) -> Vec<String> {
        let all = self.0.iter().flat_map(JsonAbi::errors).map(json_abi::Error::signature);
        all.filter(|signature| parse_error(signature).is_ok()).collect()
    }

    fn function(&self, text: &str) -> Result<Function, DraftError> {
        let Some(abi) = &self.0 else { return parse_function(text).map_err(DraftError::Signature) };
        let all = || abi.functions().filter(|f| f.name == text || f.signature() == text);
        match (all().next(), all().count()) {
            (Some(function), 1) => Ok(function.clone()),
            (_, count) => {
                let known = if count == 0 { abi.functions().collect::<Vec<_>>() } else { all().collect() };
                let known = known.iter().map(|f| f.signature()).collect::<Vec<_>>().join(", ");
                let hint = if known.is_empty() { "it has none".into() } else { format!("known: {known}") };
                Err(DraftError::Named { name: text.into(), count, hint })
            }
        }
    }
}

/// The text of a playbook that can be read, with what is left for its author to say.
///
/// # Errors
/// An id or a function that is none.
pub fn draft(id: &str, from: &Signatures, call: &str, view: &str) -> Result<String, DraftError> {
    let id_ok = PlaybookId::new(id).filter(|id| {
        let kind = id.as_str().split('/').next();
        ["pause", "param", "rotate"].iter().any(|known| kind == Some(known))
    });
    let id = id_ok.ok_or_else(|| DraftError::Id(id.into()))?;
    let kind = id.as_str().split('/').next().unwrap_or_default();
    let function = from.function(call)?;
    let proving = from.function(view)?;
    if proving.outputs.is_empty() || !proving.inputs.is_empty() {
        return Err(DraftError::View(view.into()));
    }
    let view = proving;
    let inputs: Vec<(String, String)> =
        function.inputs.iter().enumerate().map(|(i, p)| (name_of(&p.name, i), full(p))).collect();
    let written =
        function.inputs.iter().zip(&inputs).map(|(p, (name, ty))| {
            if p.ty.starts_with("tuple") { ty.clone() } else { format!("{ty} {name}") }
        });
    let written = written.collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "schema = 1\nid = \"{id}\"\nkind = \"{kind}\"\nfamily = \"{SAY}: the protocol\"\ntitle = \"{SAY}: what it does, in one line\"\n\
         severity = \"P1\"\ndoes_not_stop = \"{SAY}: what goes on although it is pulled\"\n\
         cost = \"{SAY}: what it costs users\"\nundo = {{ none = \"{SAY}: the id of its counter-playbook, or why there is none\" }}\n\
         source = \"{SAY}: where the functions were read\"\nrole = \"{SAY}: who may call it\"\n\n\
         [[param]]\nname = \"target\"\ntype = \"address\"\ntitle = \"the contract\"\n"
    );
    let errors = from.errors();
    if !errors.is_empty() {
        text = text.replacen("\n\n[[param]]", &format!("\nerrors = {errors:?}\n\n[[param]]"), 1);
    }
    for (name, ty) in &inputs {
        let _ = write!(
            text,
            "\n[[param]]\nname = \"{name}\"\ntype = \"{ty}\"\ntitle = \"{SAY}: what it is, its unit and bounds\"\n"
        );
    }
    let args = inputs.iter().map(|(name, _)| format!("\"{{{name}}}\"")).collect::<Vec<_>>().join(", ");
    let _ = write!(text, "\n[[step]]\nto = \"{{target}}\"\ncall = \"{}({written})\"\n", function.name);
    if !inputs.is_empty() {
        let _ = writeln!(text, "args = [{args}]");
    }
    text.push_str("tried = true\n");
    text.push_str(&proof(&view, &inputs));
    Playbook::parse(id.as_str(), &text).map_err(|fault| DraftError::Signature(fault.to_string()))?;
    Ok(text)
}

/// Skipping and proving by the view: true where it is a bool, the argument where one has its type.
fn proof(view: &Function, inputs: &[(String, String)]) -> String {
    let signature = view.signature_with_outputs();
    let given = match &view.outputs[..] {
        [only] if param_type(only) == Ok(DynSolType::Bool) => Some("true".to_string()),
        [only] => {
            let same: Vec<_> = inputs.iter().filter(|(_, ty)| *ty == full(only)).collect();
            if let [(name, _)] = same[..] { Some(format!("{{{name}}}")) } else { None }
        }
        _ => None,
    };
    let skip = given.as_ref().map(|done| {
        format!("skip_if = {{ view = \"{signature}\", on = \"{{target}}\", expect = \"{done}\" }}\n")
    });
    let done = given.as_deref().unwrap_or("_");
    let after = format!("\n[[after]]\nview = \"{signature}\"\non = \"{{target}}\"\nexpect = \"{done}\"\n");
    skip.unwrap_or_default() + &after
}

/// A name that a playbook takes: `newOwner` → `new_owner`; `value1` where there is none.
fn name_of(name: &str, position: usize) -> String {
    let mut out = String::new();
    for c in name.chars().filter(char::is_ascii_alphanumeric) {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    let taken = ["target", "safe", "chain_id"].contains(&out.as_str())
        || crate::playbook::language::builtin::is_reserved(&out);
    if taken || !out.starts_with(|c: char| c.is_ascii_lowercase()) {
        return format!("value{}", position + 1);
    }
    out
}

fn full(param: &alloy::json_abi::Param) -> String {
    param.selector_type().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABI: &str = r#"{"abi": [
        {"type":"function","name":"setCap","inputs":[{"name":"newCap","type":"uint256"}],"outputs":[],"stateMutability":"nonpayable"},
        {"type":"function","name":"stop","inputs":[{"name":"who","type":"tuple[]","components":[{"name":"a","type":"address"},{"name":"n","type":"uint8"}]}],"outputs":[],"stateMutability":"nonpayable"},
        {"type":"function","name":"cap","inputs":[],"outputs":[{"name":"","type":"uint256"}],"stateMutability":"view"},
        {"type":"function","name":"stopped","inputs":[],"outputs":[{"name":"","type":"bool"}],"stateMutability":"view"},
        {"type":"error","name":"TooLow","inputs":[{"name":"cap","type":"uint256"}]}
    ]}"#;

    #[test]
    fn a_draft_can_be_read_and_proves_itself() {
        let text = draft("pause/x", &Signatures::written(), "pause()", "paused()(bool)").unwrap();
        let playbook = Playbook::parse("x", &text).unwrap();
        assert!(playbook.steps[0].tried);
        assert_eq!(playbook.steps[0].skip_if[0].to_string(), "{target} paused() is true");
        assert_eq!(playbook.after[0].to_string(), "{target} paused() is true");
        let abi = Signatures::abi(ABI).unwrap();
        let text = draft("param/cap", &abi, "setCap", "cap").unwrap();
        assert!(
            text.ends_with("view = \"cap()(uint256)\"\non = \"{target}\"\nexpect = \"{new_cap}\"\n"),
            "{text}"
        );
        assert!(text.contains("\nerrors = [\"TooLow(uint256)\"]\n\n[[param]]"), "{text}");
        assert!(text.contains("call = \"setCap(uint256 new_cap)\"\nargs = [\"{new_cap}\"]"), "{text}");
        let text = draft("pause/x", &abi, "stop", "stopped").unwrap();
        assert!(text.contains("call = \"stop((address,uint8)[])\"\nargs = [\"{who}\"]"), "{text}");
    }

    #[test]
    fn what_cannot_be_drafted_is_named() {
        let abi = Signatures::abi(ABI).unwrap();
        for (id, from, call, view, message) in [
            ("x", &abi, "stop", "stopped", "\"x\" is not an id such as"),
            ("rest/x", &abi, "stop", "stopped", "\"rest/x\" is not an id such as"),
            ("pause/x", &abi, "halt", "stopped", "the ABI has 0 functions called \"halt\"; known: "),
            ("pause/x", &Signatures::written(), "halt", "f()(bool)", "\"halt\" is not a function signature"),
            ("pause/x", &abi, "stop", "setCap", "\"setCap\" is not a view without arguments"),
        ] {
            let why = draft(id, from, call, view).unwrap_err().to_string();
            assert!(why.starts_with(message), "{why}");
        }
        assert!(Signatures::abi("7").is_err() && Signatures::abi("{").is_err());
    }
}
