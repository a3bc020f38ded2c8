//! Points at a place in a text: file, line, the line itself and a caret under the fault. Pure.

use std::fmt;
use std::ops::Range;

/// A fault in a text that a person wrote, shown as `file:line:column` with the line and a caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    origin: String,
    message: String,
    place: Option<TextPosition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TextPosition {
    line: usize,
    column: usize,
    /// The number of characters of `text` before the fault.
    caret: usize,
    text: String,
    width: usize,
}

impl Fault {
    /// `span` is in bytes of `text`; a span that does not fit the text is shown as the nearest that does.
    pub fn at(origin: &str, text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let start = (0..=span.start.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_text = text[line_start..].lines().next().unwrap_or("");
        let before = text[line_start..start].chars().count();
        // Hidden before it is cut: half of an address does not look like one.
        let (line_text, caret) = window(&hide_urls(line_text), before);
        let room = line_text.chars().count().saturating_sub(caret).max(1);
        let width = text.get(start..span.end).map_or(1, |t| t.chars().count()).clamp(1, room);
        let place = TextPosition {
            line: text[..start].matches('\n').count() + 1,
            column: before + 1,
            caret,
            text: line_text,
            width,
        };
        Self { origin: one_line(origin), message: one_line(&hide_urls(&message.into())), place: Some(place) }
    }

    /// Returns the number of the line, from 1 on; `None` for a fault of the whole text.
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.line)
    }

    pub fn whole(origin: &str, message: impl Into<String>) -> Self {
        Self { origin: one_line(origin), message: one_line(&message.into()), place: None }
    }

    /// Returns the TOML reader's error at its place.
    pub fn toml(origin: &str, text: &str, error: &toml::de::Error) -> Self {
        match error.span() {
            Some(span) => Self::at(origin, text, span, error.message()),
            None => Self::whole(origin, error.message()),
        }
    }

    /// Where, and what is wrong, in one line.
    pub fn headline(&self) -> String {
        match &self.place {
            Some(place) => format!("{}:{}:{}: {}", self.origin, place.line, place.column, self.message),
            None => format!("{}: {}", self.origin, self.message),
        }
    }

    /// The line itself and the caret; empty for a fault of the whole text.
    pub fn excerpt(&self) -> String {
        let Some(place) = &self.place else { return String::new() };
        let gutter = " ".repeat(place.line.to_string().len());
        let indent: String =
            place.text.chars().take(place.caret).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let caret = "^".repeat(place.width);
        format!("{gutter} |\n{} | {}\n{gutter} | {indent}{caret}", place.line, place.text)
    }
}

/// Returns, of a line that is too long to be shown, the part around the character at `at`, and where that stands in it.
fn window(line: &str, at: usize) -> (String, usize) {
    const BEFORE: usize = 60;
    const MOST: usize = 160;
    let count = line.chars().count();
    let at = at.min(count);
    if count <= MOST {
        return (line.into(), at);
    }
    let skipped = at.saturating_sub(BEFORE);
    let mut part: String = line.chars().skip(skipped).take(MOST).collect();
    if skipped + MOST < count {
        part.push('…');
    }
    if skipped == 0 { (part, at) } else { (format!("…{part}"), at - skipped + 1) }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        if self.place.is_some() {
            write!(f, "\n{}", self.excerpt())?;
        }
        Ok(())
    }
}

/// A name or a value out of the text may hold line breaks, which would let it forge a line of ours.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() })
        .collect()
}

impl std::error::Error for Fault {}

/// An address of a server may hold a key: whatever follows the host is replaced by an ellipsis.
pub fn hide_urls(text: &str) -> String {
    mark_urls(text, |_| "…".into())
}

/// Hides URLs with `mark` of the whole address in the place of what is not shown.
pub fn mark_urls(text: &str, mark: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        let end = tail.find(|c: char| c.is_whitespace() || "\"'`,)]}>".contains(c)).unwrap_or(tail.len());
        let address = &tail[..end];
        // A backslash ends the host as a slash does, for whoever sends the request.
        let authority = address.split(['/', '\\', '?', '#']).next().unwrap_or("");
        let host = authority.rsplit('@').next().unwrap_or("");
        out.push_str(head);
        out.push_str(host);
        if host.len() < address.len() && address != format!("{host}/") {
            out.push('/');
            out.push_str(&mark(address));
        }
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_the_word() {
        let text = "schema = 1\nkind = \"paus\"\n";
        let fault = Fault::at("a.toml", text, 18..24, "unknown kind \"paus\"");
        assert_eq!(
            fault.to_string(),
            "a.toml:2:8: unknown kind \"paus\"\n  |\n2 | kind = \"paus\"\n  |        ^^^^^^"
        );
    }

    #[test]
    fn of_a_long_line_the_part_around_the_fault_is_shown() {
        let text = format!("a = \"{}\", {}", "x".repeat(100_000), "y".repeat(100_000));
        let fault = Fault::at("a.toml", &text, 100_008..100_011, "m");
        let excerpt = fault.excerpt();
        let lines: Vec<&str> = excerpt.lines().collect();
        assert_eq!(fault.headline(), "a.toml:1:100009: m");
        assert!(lines[1].starts_with("1 | …xxx") && lines[1].ends_with("yyy…"), "{excerpt}");
        assert!(lines[1].chars().count() < 180, "{excerpt}");
        let caret = lines[2].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[1].chars().nth(caret), Some('y'), "{excerpt}");
    }

    #[test]
    fn no_span_panics() {
        for text in ["", "é", "a\né\n"] {
            for start in 0..6 {
                for end in 0..6 {
                    let _ = Fault::at("x", text, Range { start, end }, "m").to_string();
                }
            }
        }
    }

    #[test]
    fn keys_in_addresses_are_hidden() {
        for (text, shown) in [
            ("rpc = [\"https://eth.example/v2/SECRET\"]", "rpc = [\"https://eth.example/…\"]"),
            ("http://u:SECRET@h:8545 down", "http://h:8545/… down"),
            ("https://h?key=SECRET", "https://h/…"),
            (r"https://evil\@good.example/v2", "https://evil/…"),
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("https://h/ and wss://k/SECRET", "https://h and wss://k/…"),
        ] {
            assert_eq!(hide_urls(text), shown);
        }
    }
}
