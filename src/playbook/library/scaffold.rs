//! A first playbook for a function: everything that follows from signatures is filled in, everything that only a person
//! knows says so.

use std::collections::BTreeMap;
use std::fmt::Write;

use alloy::dyn_abi::DynSolType;
use alloy::json_abi::Function;

use super::signatures::{DraftError, Signatures};
use crate::playbook::language::signature_text::written;
use crate::playbook::language::value::param_type;
use crate::playbook::{Playbook, PlaybookId};

/// Said where the author has to say it.
pub(in crate::playbook) const SAY: &str = "TO SAY";

/// A view whose value a rehearsal saw change, and its values as a playbook writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedChange {
    pub view: Function,
    pub before: String,
    pub after: String,
}

/// The beginnings of a first playbook.
#[derive(Debug)]
pub struct ScaffoldInput<'a> {
    pub id: &'a str,
    pub call: &'a str,
    /// The view that proves it.
    pub view: Option<&'a str>,
    /// The arguments of the rehearsal that saw the changes.
    pub given: &'a BTreeMap<String, String>,
    pub seen: &'a [ObservedChange],
}

/// A check before or after the steps, as text.
struct ScaffoldCheck {
    view: Function,
    args: Vec<String>,
    before: Option<String>,
    /// `None` where only a person can say it.
    after: Option<String>,
}

/// Returns the names and types of the params of a playbook that calls this.
pub fn params_of(function: &Function) -> Vec<(String, String)> {
    function.inputs.iter().enumerate().map(|(i, p)| (name_of(&p.name, i), full(p))).collect()
}

/// The text of a playbook that can be read, with what is left for its author to say.
/// Fails for an id or a function that is none, or nothing that proves it.
pub fn draft(from: &Signatures, wanted: &ScaffoldInput<'_>) -> Result<String, DraftError> {
    let id_ok = PlaybookId::new(wanted.id).filter(|id| {
        let kind = id.as_str().split('/').next();
        ["pause", "param", "rotate"].iter().any(|known| kind == Some(known))
    });
    let id = id_ok.ok_or_else(|| DraftError::Id(wanted.id.into()))?;
    let kind = id.as_str().split('/').next().unwrap_or_default();
    let function = from.function(wanted.call)?;
    let inputs = params_of(&function);
    let mut params = inputs.clone();
    let mut proofs = Vec::new();
    if let Some(text) = wanted.view {
        let view = from.function(text)?;
        if view.outputs.is_empty() {
            return Err(DraftError::View(text.into()));
        }
        proofs.push(by_view(view, &inputs, &mut params));
    }
    for seen in wanted.seen {
        if proofs.iter().all(|proof: &ScaffoldCheck| proof.view.selector() != seen.view.selector()) {
            proofs.push(by_change(seen, &inputs, wanted.given));
        }
    }
    if proofs.is_empty() {
        return Err(DraftError::NoProof);
    }
    let mut text = head(&id, kind, &from.errors());
    for (name, ty) in &params {
        let _ = write!(
            text,
            "\n[[param]]\nname = \"{name}\"\ntype = \"{ty}\"\ntitle = \"{SAY}: what it is, its unit and bounds\"\n"
        );
    }
    for proof in &proofs {
        if let Some(before) = &proof.before {
            let _ = write!(text, "\n[[before]]\n{}expect = \"{before}\"\n", asked(proof));
        }
    }
    step(&mut text, &function, &inputs, &proofs);
    for proof in &proofs {
        let after = proof.after.as_deref().unwrap_or("_");
        let _ = write!(text, "\n[[after]]\n{}expect = \"{after}\"\n", asked(proof));
    }
    Playbook::parse(id.as_str(), &text).map_err(|fault| DraftError::Signature(fault.to_string()))?;
    Ok(text)
}

fn head(id: &PlaybookId, kind: &str, errors: &[String]) -> String {
    let mut text = format!(
        "schema = 1\nid = \"{id}\"\nkind = \"{kind}\"\nfamily = \"{SAY}: the protocol\"\ntitle = \"{SAY}: what it does, in one line\"\n\
         severity = \"P1\"\ndoes_not_stop = \"{SAY}: what goes on although it is pulled\"\n\
         cost = \"{SAY}: what it costs users\"\nundo = {{ none = \"{SAY}: the id of its counter-playbook, or why there is none\" }}\n\
         source = \"{SAY}: where the functions were read\"\nrole = \"{SAY}: who may call it\"\n"
    );
    if !errors.is_empty() {
        let _ = writeln!(text, "errors = {errors:?}");
    }
    text.push_str("\n[[param]]\nname = \"target\"\ntype = \"address\"\ntitle = \"the contract\"\n");
    text
}

/// The call, left out where what the first check promises is so already.
fn step(text: &mut String, function: &Function, inputs: &[(String, String)], proofs: &[ScaffoldCheck]) {
    let written =
        function.inputs.iter().zip(inputs).map(|(p, (name, ty))| {
            if p.ty.starts_with("tuple") { ty.clone() } else { format!("{ty} {name}") }
        });
    let written = written.collect::<Vec<_>>().join(", ");
    let args = inputs.iter().map(|(name, _)| format!("\"{{{name}}}\"")).collect::<Vec<_>>().join(", ");
    let _ = write!(text, "\n[[step]]\nto = \"{{target}}\"\ncall = \"{}({written})\"\n", function.name);
    if !inputs.is_empty() {
        let _ = writeln!(text, "args = [{args}]");
    }
    text.push_str("tried = true\n");
    let known = proofs.iter().find_map(|proof| Some((proof, proof.after.as_ref()?)));
    if let Some((proof, after)) = known {
        let asked = asked(proof).trim_end().replace('\n', ", ");
        let _ = writeln!(text, "skip_if = {{ {asked}, expect = \"{after}\" }}");
    }
}

/// The lines that ask a view.
fn asked(proof: &ScaffoldCheck) -> String {
    let args = proof.args.iter().map(|arg| format!("\"{arg}\"")).collect::<Vec<_>>().join(", ");
    let args = if args.is_empty() { String::new() } else { format!("args = [{args}]\n") };
    format!("view = \"{}\"\non = \"{{target}}\"\n{args}", written(&proof.view))
}

/// By a view: it becomes true where it is a bool, or the argument where one has its type. What it is asked with are the
/// call's own arguments where one fits, else params of its own.
fn by_view(view: Function, inputs: &[(String, String)], params: &mut Vec<(String, String)>) -> ScaffoldCheck {
    let mut args = Vec::new();
    for (i, input) in view.inputs.iter().enumerate() {
        let ty = full(input);
        let same: Vec<_> = inputs.iter().filter(|(_, other)| *other == ty).collect();
        let named = same.iter().find(|(name, _)| *name == name_of(&input.name, i));
        let name = match (named, &same[..]) {
            (Some((name, _)), _) | (None, [(name, _)]) => name.clone(),
            _ => {
                let own = name_of(&input.name, i);
                let is_taken = params.iter().any(|(name, _)| *name == own);
                let own = if is_taken { format!("{own}_of_view") } else { own };
                params.push((own.clone(), ty));
                own
            }
        };
        args.push(format!("{{{name}}}"));
    }
    let after = match &view.outputs[..] {
        [only] if param_type(only) == Ok(DynSolType::Bool) => Some("true".to_string()),
        [only] => {
            let is_free =
                |(name, ty): &&(String, String)| *ty == full(only) && !args.contains(&format!("{{{name}}}"));
            let same: Vec<_> = inputs.iter().filter(is_free).collect();
            if let [(name, _)] = same[..] { Some(format!("{{{name}}}")) } else { None }
        }
        _ => None,
    };
    ScaffoldCheck { view, args, before: None, after }
}

/// By what a rehearsal saw: the argument where the value is one. Only a switch has a value that it must have before: another
/// may be anything by then.
fn by_change(
    seen: &ObservedChange,
    inputs: &[(String, String)],
    given: &BTreeMap<String, String>,
) -> ScaffoldCheck {
    let ty = seen.view.outputs.first().map(full).unwrap_or_default();
    let is_it = |(name, other): &&(String, String)| *other == ty && given.get(name) == Some(&seen.after);
    let argument = inputs.iter().find(is_it).map(|(name, _)| format!("{{{name}}}"));
    ScaffoldCheck {
        view: seen.view.clone(),
        args: Vec::new(),
        before: (ty == "bool").then(|| seen.before.clone()),
        after: Some(argument.unwrap_or_else(|| seen.after.clone())),
    }
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
    use crate::playbook::language::signature_text::parse_function;

    const ABI: &str = r#"{"abi": [
        {"type":"function","name":"setCap","inputs":[{"name":"newCap","type":"uint256"}],"outputs":[],"stateMutability":"nonpayable"},
        {"type":"function","name":"stop","inputs":[{"name":"who","type":"tuple[]","components":[{"name":"a","type":"address"},{"name":"n","type":"uint8"}]}],"outputs":[],"stateMutability":"nonpayable"},
        {"type":"function","name":"cap","inputs":[],"outputs":[{"name":"","type":"uint256"}],"stateMutability":"view"},
        {"type":"function","name":"stopped","inputs":[],"outputs":[{"name":"","type":"bool"}],"stateMutability":"view"},
        {"type":"error","name":"TooLow","inputs":[{"name":"cap","type":"uint256"}]}
    ]}"#;

    const NONE: BTreeMap<String, String> = BTreeMap::new();

    fn with(from: &Signatures, id: &str, call: &str, view: Option<&str>) -> Result<String, DraftError> {
        draft(from, &ScaffoldInput { id, call, view, given: &NONE, seen: &[] })
    }

    #[test]
    fn a_draft_can_be_read_and_proves_itself() {
        let text = with(&Signatures::written(), "pause/x", "pause()", Some("paused()(bool)")).unwrap();
        let playbook = Playbook::parse("x", &text).unwrap();
        assert!(playbook.steps[0].tried);
        assert_eq!(playbook.steps[0].skip_if[0].to_string(), "{target} paused() is true");
        assert_eq!(playbook.after[0].to_string(), "{target} paused() is true");
        let abi = Signatures::abi(ABI).unwrap();
        let text = with(&abi, "param/cap", "setCap", Some("cap")).unwrap();
        assert!(
            text.ends_with("view = \"cap()(uint256)\"\non = \"{target}\"\nexpect = \"{new_cap}\"\n"),
            "{text}"
        );
        assert!(text.contains("\nerrors = [\"TooLow(uint256)\"]\n\n[[param]]"), "{text}");
        assert!(text.contains("call = \"setCap(uint256 new_cap)\"\nargs = [\"{new_cap}\"]"), "{text}");
        let text = with(&abi, "pause/x", "stop", Some("stopped")).unwrap();
        assert!(text.contains("call = \"stop((address,uint8)[])\"\nargs = [\"{who}\"]"), "{text}");
    }

    /// A view's arguments come from the call where they can, and else from params of its own.
    #[test]
    fn a_view_may_have_arguments() {
        let view = Some("capOf(address,bytes32 key)(uint256)");
        let text =
            with(&Signatures::written(), "param/x", "setCap(address asset, uint256 cap)", view).unwrap();
        let playbook = Playbook::parse("x", &text).unwrap();
        assert_eq!(playbook.after[0].to_string(), "{target} capOf({asset}, {key}) is {cap}");
        assert_eq!(playbook.steps[0].skip_if[0].to_string(), "{target} capOf({asset}, {key}) is {cap}");
        let names: Vec<&str> = playbook.params.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["target", "asset", "cap", "key"]);
    }

    /// So that a check can look at the fields that matter.
    #[test]
    fn a_view_that_returns_several_values_keeps_their_names() {
        let view = Some("state(uint64 lane)((bool enabled,uint128 rate) bucket)");
        let text = with(&Signatures::written(), "pause/x", "stop(uint64 lane)", view).unwrap();
        let playbook =
            Playbook::parse("x", &text.replace("expect = \"_\"", "expect = { enabled = \"false\" }"))
                .unwrap();
        assert_eq!(playbook.after[0].to_string(), "{target} state({lane}) is enabled false");
    }

    #[test]
    fn changes_in_a_rehearsal_become_checks() {
        let seen = |view: &str, before: &str, after: &str| ObservedChange {
            view: parse_function(view).unwrap(),
            before: before.into(),
            after: after.into(),
        };
        let given = BTreeMap::from([("fee".to_string(), "30".to_string())]);
        let seen = [
            seen("paused()(bool)", "false", "true"),
            seen("feeBps()(uint256)", "10", "30"),
            seen("last()(uint256)", "1", "2"),
        ];
        let wanted = ScaffoldInput {
            id: "param/x",
            call: "setFee(uint256 fee)",
            view: None,
            given: &given,
            seen: &seen,
        };
        let playbook = Playbook::parse("x", &draft(&Signatures::written(), &wanted).unwrap()).unwrap();
        let after: Vec<String> = playbook.after.iter().map(ToString::to_string).collect();
        assert_eq!(
            after,
            ["{target} paused() is true", "{target} feeBps() is {fee}", "{target} last() is 2"]
        );
        let before: Vec<String> = playbook.before.iter().map(ToString::to_string).collect();
        assert_eq!(before, ["{target} paused() is false"]);
    }

    #[test]
    fn a_part_that_cannot_be_drafted_is_named() {
        let abi = Signatures::abi(ABI).unwrap();
        for (id, from, call, view, message) in [
            ("x", &abi, "stop", Some("stopped"), "\"x\" is not an id such as"),
            ("rest/x", &abi, "stop", Some("stopped"), "\"rest/x\" is not an id such as"),
            ("pause/x", &abi, "halt", Some("stopped"), "the ABI has 0 functions called \"halt\"; known: "),
            (
                "pause/x",
                &Signatures::written(),
                "halt",
                Some("f()(bool)"),
                "\"halt\" is not a function signature",
            ),
            ("pause/x", &abi, "stop", Some("setCap"), "\"setCap\" is not a view that returns something"),
            ("pause/x", &abi, "stop", None, "nothing proves it: pass --view"),
        ] {
            let why = with(from, id, call, view).unwrap_err().to_string();
            assert!(why.starts_with(message), "{why}");
        }
        assert!(Signatures::abi("7").is_err() && Signatures::abi("{").is_err());
    }
}
