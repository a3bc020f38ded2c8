//! Signatures of functions, events and errors as people write them: from an ABI, or copied out of Solidity.

use alloy::dyn_abi::Specifier;
use alloy::json_abi::{Error, Event, Function, Param};

use super::value::{is_moderate, is_supported, param_type};

/// A function signature `name(types)` or `name(types)(returns)`; names are allowed, also of the fields of a struct.
pub(in crate::playbook) fn parse_function(text: &str) -> Result<Function, String> {
    let (bare, names) = without_field_names(text);
    let mut function = is_readable(text).then(|| Function::parse(&bare).ok()).flatten();
    if let Some(function) = &mut function {
        let mut names = names.into_iter();
        function.inputs.iter_mut().chain(&mut function.outputs).for_each(|p| name_fields(p, &mut names));
    }
    function
        .filter(|f| f.inputs.iter().chain(&f.outputs).all(|p| param_type(p).is_ok()))
        .ok_or_else(|| wrong(text, "a function signature such as name(uint256,address)"))
}

/// An event signature `Name(type indexed,type)`; names are allowed.
pub(in crate::playbook) fn parse_event(text: &str) -> Result<Event, String> {
    let event = is_readable(text).then(|| Event::parse(&without_field_names(text).0).ok()).flatten();
    event
        .filter(|e| !e.anonymous && e.inputs.iter().all(|p| p.resolve().is_ok_and(|t| is_supported(&t))))
        .filter(|e| e.num_topics() <= 4)
        .ok_or_else(|| wrong(text, "an event signature such as Paused(address indexed,uint256)"))
}

/// An error signature `Name(types)`; names are allowed.
pub(in crate::playbook) fn parse_error(text: &str) -> Result<Error, String> {
    let error = is_readable(text).then(|| Error::parse(&without_field_names(text).0).ok()).flatten();
    error
        .filter(|e| e.inputs.iter().all(|p| param_type(p).is_ok()))
        .ok_or_else(|| wrong(text, "an error signature such as NotOwner(address who)"))
}

/// A function with what it returns, its names and those of the fields of structs included.
pub(in crate::playbook) fn written(function: &Function) -> String {
    let list = |params: &[Param]| params.iter().map(written_param).collect::<Vec<_>>().join(",");
    let inputs = function.inputs.iter().map(|p| p.selector_type().into_owned()).collect::<Vec<_>>().join(",");
    format!("{}({inputs})({})", function.name, list(&function.outputs))
}

fn written_param(param: &Param) -> String {
    let fields = || param.components.iter().map(written_param).collect::<Vec<_>>().join(",");
    let ty = match param.ty.strip_prefix("tuple") {
        Some(brackets) => format!("({}){brackets}", fields()),
        None => param.ty.clone(),
    };
    if param.name.is_empty() { ty } else { format!("{ty} {}", param.name) }
}

/// A name with a dot, such as `IVault.Config`, would be taken for a number, whatever it is in the sources.
fn is_readable(text: &str) -> bool {
    is_moderate(text) && !text.contains('.')
}

/// A name of Solidity's sources is not a type of the ABI: the message says what to write for it.
fn wrong(text: &str, expected: &str) -> String {
    let types = text.split_once('(').map_or("", |(_, types)| types);
    let mut words = types.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.'));
    let source_name = words.find(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
    let hint = source_name.map_or_else(String::new, |name| {
        format!("; for {name} write uint8 if it is an enum, address if it is a contract, (type,type) if it is a struct")
    });
    format!("{text:?} is not {expected}{hint}")
}

fn name_fields(param: &mut Param, names: &mut impl Iterator<Item = String>) {
    for field in &mut param.components {
        name_fields(field, names);
        field.name = names.next().unwrap_or_default();
    }
}

/// Returns the text without the names of the fields of structs, and these names: each after those inside of it.
fn without_field_names(text: &str) -> (String, Vec<String>) {
    let (mut bare, mut names, mut rest) = (String::new(), Vec::new(), text);
    // The lists of what is taken and of what is returned.
    while let Some((before, inner, after)) = bracketed(rest).filter(|_| is_readable(text)) {
        let params = parts(inner).into_iter().map(|param| match bracketed(param) {
            Some((head, fields, tail)) => format!("{head}({}){tail}", bare_fields(fields, &mut names)),
            None => param.into(),
        });
        let params = params.collect::<Vec<String>>().join(",");
        bare.extend([before, "(", &params, ")"]);
        rest = after;
    }
    (bare + rest, names)
}

fn bare_fields(text: &str, names: &mut Vec<String>) -> String {
    let field = |field: &str| {
        let (ty, name) = if let Some((head, fields, tail)) = bracketed(field) {
            let (brackets, name) = tail.split_once(char::is_whitespace).unwrap_or((tail, ""));
            (format!("{}({}){brackets}", head.trim(), bare_fields(fields, names)), name)
        } else {
            let (ty, name) = field.trim().split_once(char::is_whitespace).unwrap_or((field.trim(), ""));
            (ty.to_string(), name)
        };
        names.push(name.trim().into());
        ty
    };
    parts(text).into_iter().map(field).collect::<Vec<_>>().join(",")
}

/// Returns the text before the first bracket, in it and after it. `None` without a bracket, or if it is not closed.
fn bracketed(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find('(')?;
    let mut depth = 0_usize;
    let close = text[open..].char_indices().find(|(_, c)| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth - 1,
            _ => depth,
        };
        depth == 0
    });
    let close = open + close?.0;
    Some((&text[..open], &text[open + 1..close], &text[close + 1..]))
}

/// The parts between commas that are in no bracket.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_signature_panics(text in "[a-zA-Z]{0,4}[()\\[\\],a-z0-9 ]{0,40}") {
            let _ = (parse_function(&text), parse_event(&text), parse_error(&text));
        }
    }

    #[test]
    fn signatures_as_people_write_them() {
        assert_eq!(parse_function("paused()(bool)").unwrap().signature_with_outputs(), "paused()(bool)");
        assert_eq!(parse_function("setFee(uint256 fee)").unwrap().signature(), "setFee(uint256)");
        assert_eq!(parse_function("f((address,uint256)[])").unwrap().signature(), "f((address,uint256)[])");
        assert_eq!(parse_event("Paused(address account)").unwrap().signature(), "Paused(address)");
        // A selector is the hash of the full type names.
        assert_eq!(
            parse_function("f(uint,int[] x,(uint,bool))").unwrap().signature(),
            "f(uint256,int256[],(uint256,bool))"
        );
        assert_eq!(parse_event("E(uint indexed)").unwrap().signature(), "E(uint256)");
        assert_eq!(
            parse_function("function f(bytes calldata data) external view returns (uint8 n)")
                .unwrap()
                .signature_with_outputs(),
            "f(bytes)(uint8)"
        );
        for bad in [
            "",
            "pause",
            "pause(",
            "pause()extra!",
            "f(foo)",
            "f(uint256[0])",
            "f((uint256 a)",
            "f(uint256))",
        ] {
            assert!(parse_function(bad).is_err(), "{bad}");
        }
    }

    /// As a struct is returned: the fields keep their names, at every depth.
    #[test]
    fn the_fields_of_structs_may_have_names() {
        let text = "f((uint64 id,(bool on,uint128 rate) out)[] all,bool)(((bytes32[] keys,(bool a,bool) b) inner,uint8 n) config)";
        let function = parse_function(text).unwrap();
        assert_eq!(
            function.signature_with_outputs(),
            "f((uint64,(bool,uint128))[],bool)(((bytes32[],(bool,bool)),uint8))"
        );
        let names =
            |param: &Param| param.components.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&function.inputs[0]), ["id", "out"]);
        assert_eq!(names(&function.inputs[0].components[1]), ["on", "rate"]);
        assert_eq!(names(&function.outputs[0]), ["inner", "n"]);
        assert_eq!(names(&function.outputs[0].components[0]), ["keys", "b"]);
        assert_eq!(names(&function.outputs[0].components[0].components[1]), ["a", ""]);
        let returned = "(((bytes32[] keys,(bool a,bool) b) inner,uint8 n) config)";
        assert_eq!(written(&function), format!("f((uint64,(bool,uint128))[],bool){returned}"));
        assert_eq!(parse_function(&written(&function)).unwrap().outputs, function.outputs);
        assert_eq!(parse_event("E((uint8 a,bool b) indexed x)").unwrap().signature(), "E((uint8,bool))");
        assert_eq!(parse_error("E((uint8 a,bool b)[2] x)").unwrap().signature(), "E((uint8,bool)[2])");
    }

    #[test]
    fn a_name_of_the_sources_is_told_apart_from_a_type() {
        let why = |text| parse_function(text).unwrap_err();
        assert!(why("pause(PauseType kind)").contains("; for PauseType write uint8 if it is an enum"));
        assert!(why("f(uint8,IVault.Config)").contains("; for IVault.Config write uint8"));
        assert!(parse_event("Paused(Kind kind)").unwrap_err().contains("for Kind write"));
        assert_eq!(why("pause("), "\"pause(\" is not a function signature such as name(uint256,address)");
    }
}
