//! "Did you mean …": the name that was probably meant, for every message about an unknown name.

use strsim::osa_distance;

/// Names that are longer are not compared: nobody typed one.
const LONGEST: usize = 100;

/// Returns the candidate nearest to `name`, if one is near enough to be a slip of the fingers; the first of equals. A swap of
/// neighbours is one slip.
pub fn near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter(|candidate| name.len() <= LONGEST && candidate.len() <= LONGEST)
        .map(|candidate| (osa_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The end of a message about an unknown name: the near one, or all there are.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(meant) = near(name, known.clone()) {
        return format!("did you mean {meant:?}?");
    }
    let all = known.into_iter().collect::<Vec<_>>().join(", ");
    if all.is_empty() { "there are none".into() } else { format!("known: {all}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let names = ["target", "fee", "vault"];
        for (typed, meant) in [("traget", "target"), ("tarrget", "target"), ("fe", "fee"), ("Vault", "vault")]
        {
            assert_eq!(near(typed, names), Some(meant), "{typed}");
        }
        for typed in ["", "owner", "t", "vlt"] {
            assert_eq!(near(typed, names), None, "{typed}");
        }
    }

    #[test]
    fn the_hint_lists_all_when_none_is_near() {
        assert_eq!(hint("ffe", ["fee"]), "did you mean \"fee\"?");
        assert_eq!(hint("owner", ["fee", "vault"]), "known: fee, vault");
        assert_eq!(hint("owner", []), "there are none");
    }
}
