//! Arguments of the command line, each given to the lever that it is for: `--set bridge.fee=30`.

use std::collections::BTreeMap;

use crate::near::hint;

/// Parameter → text.
pub type Arguments = BTreeMap<String, String>;

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ArgumentError {
    #[error("--set {key}: no lever that is pulled is called {lever:?}; {hint}")]
    UnknownLever { key: String, lever: String, hint: String },
    #[error("--set {param}: no lever that is pulled leaves it open; {hint}")]
    NotOpen { param: String, hint: String },
    #[error(
        "--set {param}: {} leave it open; say which: {}",
        .levers.join(", "),
        .levers.iter().map(|lever| format!("--set {lever}.{param}=…")).collect::<Vec<_>>().join(" ")
    )]
    Ambiguous { param: String, levers: Vec<String> },
    #[error("--set {lever}.{param} is given twice")]
    Twice { lever: String, param: String },
}

/// Gives each argument to its lever. `open` has for each lever that is pulled the parameters that its council file leaves
/// open. One that names no lever goes to the only one that has such a parameter, or to the only lever.
/// Fails for an argument for a lever that is not pulled, for none or for several, or given twice.
pub fn by_lever(
    set: &Arguments,
    open: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, Arguments>, ArgumentError> {
    let mut found: BTreeMap<String, Arguments> =
        open.keys().map(|lever| (lever.clone(), Arguments::new())).collect();
    for (key, value) in set {
        let (lever, param) = match key.split_once('.') {
            Some((lever, param)) if found.contains_key(lever) => (lever.to_string(), param.to_string()),
            Some((lever, _)) => {
                let hint = hint(lever, open.keys().map(String::as_str));
                return Err(ArgumentError::UnknownLever { key: key.clone(), lever: lever.into(), hint });
            }
            None => (only_lever(key, open)?, key.clone()),
        };
        let args = found.entry(lever.clone()).or_default();
        if args.insert(param.clone(), value.clone()).is_some() {
            return Err(ArgumentError::Twice { lever, param });
        }
    }
    Ok(found)
}

fn only_lever(param: &str, open: &BTreeMap<String, Vec<String>>) -> Result<String, ArgumentError> {
    if let (1, Some(only)) = (open.len(), open.keys().next()) {
        // Its own parameters are told by its playbook, with what it fixes.
        return Ok(only.clone());
    }
    let levers: Vec<&String> =
        open.iter().filter(|(_, params)| params.iter().any(|p| p == param)).map(|(lever, _)| lever).collect();
    match levers[..] {
        [one] => Ok(one.clone()),
        [] => {
            let mut params: Vec<&str> = open.values().flatten().map(String::as_str).collect();
            params.sort_unstable();
            params.dedup();
            Err(ArgumentError::NotOpen { param: param.into(), hint: hint(param, params) })
        }
        _ => Err(ArgumentError::Ambiguous {
            param: param.into(),
            levers: levers.into_iter().cloned().collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(set: &[(&str, &str)], open: &[(&str, &[&str])]) -> Result<String, String> {
        let set = set.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let params = |params: &[&str]| params.iter().map(ToString::to_string).collect();
        let open = open.iter().map(|(lever, list)| (lever.to_string(), params(list))).collect();
        let found = by_lever(&set, &open).map_err(|error| error.to_string())?;
        let each = |(lever, args): (&String, &Arguments)| {
            args.iter().map(|(param, value)| format!("{lever}.{param}={value}")).collect::<Vec<_>>()
        };
        Ok(found.iter().flat_map(each).collect::<Vec<_>>().join(" "))
    }

    const TWO: &[(&str, &[&str])] = &[("bridge", &["fee", "cap"]), ("vault", &["fee", "owner"])];

    #[test]
    fn each_argument_reaches_its_lever() {
        assert_eq!(
            given(&[("bridge.fee", "30"), ("owner", "bob")], TWO).unwrap(),
            "bridge.fee=30 vault.owner=bob"
        );
        assert_eq!(
            given(&[("bridge.fee", "1"), ("vault.fee", "2")], TWO).unwrap(),
            "bridge.fee=1 vault.fee=2"
        );
        // With one lever its playbook says what is unknown or fixed.
        let one: &[(&str, &[&str])] = &[("fee", &["fee"])];
        assert_eq!(given(&[("fee.fee", "1"), ("target", "x")], one).unwrap(), "fee.fee=1 fee.target=x");
    }

    #[test]
    fn an_argument_for_none_or_for_several_is_refused_by_name() {
        for (set, expected) in [
            (
                &[("fee", "30")][..],
                "bridge, vault leave it open; say which: --set bridge.fee=… --set vault.fee=…",
            ),
            (&[("bridg.fee", "30")], "no lever that is pulled is called \"bridg\"; did you mean \"bridge\"?"),
            (
                &[("ownr", "bob")],
                "--set ownr: no lever that is pulled leaves it open; did you mean \"owner\"?",
            ),
            (&[("owner", "a"), ("vault.owner", "b")], "--set vault.owner is given twice"),
        ] {
            let error = given(set, TWO).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
