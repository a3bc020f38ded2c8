//! Texts that others wrote, in HTML.

use crate::ui::visible;

/// Returns the text with what hides or reorders words made visible. Its lines stay.
pub(super) fn shown(text: &str) -> String {
    text.split('\n').map(|line| visible(&line.replace('\t', "    "))).collect::<Vec<_>>().join("\n")
}

/// A text in which no character means anything to HTML.
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
