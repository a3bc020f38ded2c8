//! Words as a shell reads them: commands are copied from the screen, and may hold what a stranger chose.

/// Returns the text as a shell reads it as one word.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,=@%+".contains(c);
    let plain = !word.is_empty() && word.chars().all(is_plain);
    if plain { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quoted_text_is_one_word_when_pasted() {
        for (word, expected) in [
            ("", "''"),
            ("target=vault", "target=vault"),
            ("fee=1.5%", "fee=1.5%"),
            ("a=$(curl x|sh)", "'a=$(curl x|sh)'"),
            ("a=x;id", "'a=x;id'"),
            ("a='; id #", r"'a='\''; id #'"),
            ("a=\nid", "'a=\nid'"),
            ("a=~/x", "'a=~/x'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
