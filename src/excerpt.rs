//! Points at a place in a text: file, line, the line itself and a caret under the fault; and says what a TOML or JSON reader
//! found there in plain words. Pure.

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
        let message = plain(error.message(), "a table");
        match error.span() {
            Some(span) => Self::at(origin, text, span, message),
            None => Self::whole(origin, message),
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

/// Returns the JSON reader's error in plain words, after its place.
pub fn json_fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (line, column) = (error.line(), error.column());
    match text.strip_suffix(&format!(" at line {line} column {column}")) {
        Some(said) => format!("line {line}, column {column}: {}", plain(said, "an object in { }")),
        None => plain(&text, "an object in { }"),
    }
}

/// Returns a TOML or JSON reader's sentence without the words of the language that it is written in. `table` names what has
/// fields. A sentence that is not known stays as it is.
fn plain(message: &str, table: &str) -> String {
    let typed = ["invalid type: ", "invalid value: "].iter().find_map(|head| message.strip_prefix(head));
    if let Some((found, expected)) = typed.and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!("expected {}, found {}", expected_thing(expected, table), found_thing(found, table));
    }
    let counted = message.strip_prefix("invalid length ").and_then(|rest| rest.split_once(", expected "));
    if let Some((length, expected)) = counted {
        return format!("expected {}, found a list of {length}", expected_thing(expected, table));
    }
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("the field {field} is missing");
    }
    if let Some(field) = message.strip_prefix("duplicate field ") {
        return format!("the field {field} is there twice");
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return format!("unknown word {rest}");
    }
    match message {
        "expected value" | "expected ident" => "this is not JSON".into(),
        "trailing characters" => "more text follows after the end".into(),
        "string values must be quoted, expected literal string" => "a text must stand in quotes".into(),
        _ if message.starts_with("EOF while parsing") => "the text ends too early".into(),
        _ if message.starts_with("data did not match any variant") => {
            "it has none of the forms that it may have".into()
        }
        _ => message.into(),
    }
}

/// Returns what a reader expected, as a person would write it.
fn expected_thing(expected: &str, table: &str) -> String {
    match expected {
        "a map" => table.into(),
        "a sequence" => "a list in [ ]".into(),
        "a string" | "a borrowed string" => "a text in quotes".into(),
        "a boolean" => "true or false".into(),
        "u8" => "a whole number from 0 to 255".into(),
        "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number, 0 or more".into(),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        _ if expected.starts_with("struct ") => table.into(),
        _ => match expected.split_once(", represented as a hex string") {
            Some((bytes, _)) => format!("{bytes} in hexadecimal digits"),
            None => expected.into(),
        },
    }
}

/// Returns what a reader found; a long text is cut.
fn found_thing(found: &str, table: &str) -> String {
    const MOST: usize = 60;
    if let Some(text) = found.strip_prefix("string ") {
        let cut: String = text.chars().take(MOST).collect();
        let end = if cut.len() < text.len() { "…" } else { "" };
        return format!("the text {cut}{end}");
    }
    let number = ["integer ", "floating point "].iter().find_map(|head| found.strip_prefix(head));
    match found {
        "map" => table.into(),
        "sequence" => "a list".into(),
        "null" | "unit value" => "null".into(),
        _ => match (number, found.strip_prefix("boolean ")) {
            (Some(number), _) => format!("the number {number}"),
            (None, Some(word)) => word.into(),
            (None, None) => found.into(),
        },
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
    fn a_readers_fault_is_said_without_the_words_of_a_programmer() {
        for (said, plain_text) in [
            (
                "invalid type: string \"x, expected y\", expected struct WireSafe",
                "expected a table, found the text \"x, expected y\"",
            ),
            ("invalid type: map, expected a string", "expected a text in quotes, found a table"),
            (
                "invalid type: integer `1`, expected a borrowed string",
                "expected a text in quotes, found the number `1`",
            ),
            (
                "invalid value: integer `-1`, expected u64",
                "expected a whole number, 0 or more, found the number `-1`",
            ),
            (
                "invalid value: integer `300`, expected u8",
                "expected a whole number from 0 to 255, found the number `300`",
            ),
            ("invalid type: boolean `true`, expected a sequence", "expected a list in [ ], found `true`"),
            ("invalid type: sequence, expected a boolean", "expected true or false, found a list"),
            ("invalid type: null, expected a map", "expected a table, found null"),
            (
                "invalid type: floating point `1.5`, expected usize",
                "expected a whole number, 0 or more, found the number `1.5`",
            ),
            (
                "invalid type: integer `1`, expected 20 bytes, represented as a hex string of length 40, an array of u8, or raw bytes",
                "expected 20 bytes in hexadecimal digits, found the number `1`",
            ),
            ("invalid length 0, expected struct Wire with 9 elements", "expected a table, found a list of 0"),
            ("missing field `undo`", "the field `undo` is missing"),
            ("duplicate field `safe`", "the field `safe` is there twice"),
            ("unknown variant `paus`, expected `a` or `b`", "unknown word `paus`, expected `a` or `b`"),
            ("string values must be quoted, expected literal string", "a text must stand in quotes"),
            (
                "data did not match any variant of untagged enum Wire",
                "it has none of the forms that it may have",
            ),
            ("unknown field `waht`, expected `what`", "unknown field `waht`, expected `what`"),
        ] {
            assert_eq!(plain(said, "a table"), plain_text);
        }
        let long = format!("invalid type: string \"{}\", expected a boolean", "x".repeat(1_000));
        assert!(plain(&long, "a table").chars().count() < 120);
    }

    #[test]
    fn a_fault_in_json_has_its_place_first() {
        fn fault<T: serde::de::DeserializeOwned + fmt::Debug>(text: &str) -> String {
            json_fault(&serde_json::from_str::<T>(text).unwrap_err())
        }
        assert_eq!(fault::<bool>("hello"), "line 1, column 1: this is not JSON");
        assert_eq!(fault::<Vec<bool>>("[true,"), "line 1, column 6: the text ends too early");
        assert_eq!(fault::<bool>("true 1"), "line 1, column 6: more text follows after the end");
        let of_value =
            serde_json::from_value::<std::collections::BTreeMap<String, u8>>(serde_json::json!([]))
                .unwrap_err();
        assert_eq!(json_fault(&of_value), "expected an object in { }, found a list");
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
