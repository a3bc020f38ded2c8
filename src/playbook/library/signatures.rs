//! Where the signatures of a first playbook come from: the command line, a contract's ABI, or its code on chain. Pure.

use std::collections::BTreeMap;

use alloy::json_abi::{self, Function, JsonAbi, StateMutability};
use alloy::primitives::Selector;

use crate::evm::FoundFunction;
use crate::excerpt::json_fault;
use crate::playbook::Playbook;
use crate::playbook::language::signature_text::{parse_error, parse_function};

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
    #[error("{0:?} is not a view that returns something: write name()(type)")]
    View(String),
    #[error("the contract's code has no function {0:?}; {1}")]
    NotInCode(String, String),
    #[error("what {0:?} is called is not known: it takes ({1}); write its signature, such as \"stop({1})\"")]
    Nameless(String, String),
    #[error("nothing proves it: pass --view, or let a rehearsal look with --at and --safe")]
    NoProof,
}

/// Where signatures come from.
#[derive(Debug)]
pub struct Signatures(SignatureSource);

#[derive(Debug)]
enum SignatureSource {
    Written,
    Abi(JsonAbi),
    /// The functions of a contract's code, and signatures by which some of them go.
    Code(Vec<FoundFunction>, BTreeMap<Selector, Function>),
}

impl Signatures {
    /// As written on the command line.
    pub const fn written() -> Self {
        Self(SignatureSource::Written)
    }

    /// From a contract's ABI, or an artifact that has one.
    /// Fails for a text that is neither.
    pub fn abi(text: &str) -> Result<Self, DraftError> {
        let wrong = |e: serde_json::Error| DraftError::Abi(json_fault(&e));
        let mut value: serde_json::Value = serde_json::from_str(text).map_err(wrong)?;
        if let Some(abi) = value.get_mut("abi") {
            value = abi.take();
        }
        serde_json::from_value(value).map(|abi| Self(SignatureSource::Abi(abi))).map_err(wrong)
    }

    /// From the functions of a contract's code, with the names that these playbooks have for them.
    pub fn code<'p>(found: Vec<FoundFunction>, playbooks: impl IntoIterator<Item = &'p Playbook>) -> Self {
        let mut names = BTreeMap::new();
        for function in playbooks.into_iter().flat_map(Playbook::functions) {
            let is_there = found.iter().any(|known| known.selector == function.selector());
            if is_there && (!function.outputs.is_empty() || !names.contains_key(&function.selector())) {
                names.insert(function.selector(), function.clone());
            }
        }
        Self(SignatureSource::Code(found, names))
    }

    /// Returns the views without arguments whose result is known, and how many others there are.
    pub fn bare_views(&self) -> (Vec<Function>, usize) {
        match &self.0 {
            SignatureSource::Written => (Vec::new(), 0),
            SignatureSource::Abi(abi) => {
                let is_bare = |f: &&Function| {
                    let reads = matches!(f.state_mutability, StateMutability::View | StateMutability::Pure);
                    reads && f.inputs.is_empty() && !f.outputs.is_empty()
                };
                (abi.functions().filter(is_bare).cloned().collect(), 0)
            }
            SignatureSource::Code(found, names) => {
                let bare: Vec<_> = found.iter().filter(|f| f.is_view && f.arguments.is_empty()).collect();
                let known = bare.iter().filter_map(|f| names.get(&f.selector));
                let known: Vec<_> = known.filter(|f| !f.outputs.is_empty()).cloned().collect();
                let others = bare.len() - known.len();
                (known, others)
            }
        }
    }

    /// The contract's own errors that a playbook can name.
    pub(super) fn errors(&self) -> Vec<String> {
        let SignatureSource::Abi(abi) = &self.0 else { return Vec::new() };
        let all = abi.errors().map(json_abi::Error::signature);
        all.filter(|signature| parse_error(signature).is_ok()).collect()
    }

    /// Returns a function by its signature or, where the contract is known, by its name or selector.
    /// Fails for a text that is none, or that the contract does not have.
    pub fn function(&self, text: &str) -> Result<Function, DraftError> {
        match &self.0 {
            SignatureSource::Written => parse_function(text).map_err(DraftError::Signature),
            SignatureSource::Abi(abi) => {
                let all = || abi.functions().filter(|f| f.name == text || f.signature() == text);
                match (all().next(), all().count()) {
                    (Some(function), 1) => Ok(function.clone()),
                    (_, count) => {
                        let known =
                            if count == 0 { abi.functions().collect::<Vec<_>>() } else { all().collect() };
                        Err(DraftError::Named { name: text.into(), count, hint: listed(known) })
                    }
                }
            }
            SignatureSource::Code(found, names) => in_code(text, found, names),
        }
    }
}

fn listed<'f>(known: impl IntoIterator<Item = &'f Function>) -> String {
    let known = known.into_iter().map(Function::signature).collect::<Vec<_>>().join(", ");
    if known.is_empty() { "it has none that is known".into() } else { format!("known: {known}") }
}

fn in_code(
    text: &str,
    found: &[FoundFunction],
    names: &BTreeMap<Selector, Function>,
) -> Result<Function, DraftError> {
    let missing = || DraftError::NotInCode(text.into(), listed(names.values()));
    if text.contains('(') {
        let function = parse_function(text).map_err(DraftError::Signature)?;
        let selector = function.selector();
        return if found.iter().any(|f| f.selector == selector) { Ok(function) } else { Err(missing()) };
    }
    if let Ok(selector) = text.parse::<Selector>() {
        let there = found.iter().find(|f| f.selector == selector).ok_or_else(missing)?;
        let types = there.arguments.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        return names.get(&selector).cloned().ok_or_else(|| DraftError::Nameless(text.into(), types));
    }
    let called: Vec<&Function> = names.values().filter(|f| f.name == text).collect();
    match called[..] {
        [one] => Ok(one.clone()),
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use alloy::dyn_abi::DynSolType;

    use super::*;

    #[test]
    fn a_function_is_found_in_code_by_its_name_signature_or_selector() {
        let library = crate::playbook::Catalogue::new(Vec::new());
        let found = |signature: &str, is_view| FoundFunction {
            selector: parse_function(signature).unwrap().selector(),
            arguments: Vec::new(),
            is_view,
        };
        let all = vec![found("pause()", false), found("paused()", true), found("mine(uint256)", false)];
        let all: Vec<_> = all
            .into_iter()
            .map(|f| FoundFunction { arguments: vec![DynSolType::Uint(256)], ..f })
            .map(|f| if f.is_view { FoundFunction { arguments: Vec::new(), ..f } } else { f })
            .collect();
        let code = Signatures::code(all, library.all().iter().map(|entry| entry.playbook));
        assert_eq!(code.function("pause").unwrap().signature(), "pause()");
        assert_eq!(code.function("0x8456cb59").unwrap().signature(), "pause()");
        assert_eq!(code.function("paused").unwrap().signature_with_outputs(), "paused()(bool)");
        assert_eq!(code.function("mine(uint256)").unwrap().name, "mine");
        assert_eq!(code.bare_views().0.len(), 1);
        let selector = parse_function("mine(uint256)").unwrap().selector().to_string();
        for (text, message) in [
            (selector.as_str(), "is not known: it takes (uint256)"),
            ("unpause()", "the contract's code has no function \"unpause()\"; known: "),
            ("mine", "the contract's code has no function \"mine\""),
        ] {
            let why = code.function(text).unwrap_err().to_string();
            assert!(why.contains(message), "{why}");
        }
    }
}
