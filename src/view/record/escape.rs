//! Escapes for texts of others in HTML.

use crate::ui::visible;

/// Returns the text with invisible and reordering characters made visible. Its lines stay.
pub(super) fn shown(text: &str) -> String {
    text.split('\n').map(|line| visible(&line.replace('\t', "    "))).collect::<Vec<_>>().join("\n")
}

/// Returns a text in which no character has a meaning in HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
