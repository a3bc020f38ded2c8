//! Text that is safe to show: whatever a file, a chat or a server wrote cannot move the cursor, hide or reorder words,
//! fill the screen, or stand where a line of the program's own would begin.

use std::fmt::Write;

use dialoguer::console::Style;
use unicode_width::UnicodeWidthStr;

/// The most characters of one piece of text that are shown: about fifteen lines. A hash, an address or a sentence of
/// our own is far below it.
const LONGEST: usize = 1_200;
/// Longer runs of spaces are padding: no layout of ours has one.
const WIDEST_GAP: usize = 24;
/// Stands before every line but the first of a text that was wrapped, so that none of them looks like a line of its own.
const WRAPPED: &str = "↪ ";

/// The beginning of a text and how much is left out, every character of it visible, runs of spaces shortened.
pub fn bounded(text: &str) -> String {
    let mut out = String::new();
    let (mut length, mut gap) = (0, 0);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        gap = if c == ' ' { gap + 1 } else { 0 };
        if gap > WIDEST_GAP {
            continue;
        }
        let more = if is_hidden(c) { write_hidden(&mut out, c) } else { 1 };
        if more == 1 {
            out.push(c);
        }
        length += more;
        if length >= LONGEST {
            let left = rest.count();
            if left > 0 {
                // Writing to a String cannot fail.
                let _ = write!(out, "… ({left} more characters)");
            }
            break;
        }
    }
    out
}

/// The beginning of a text and how much is left out, for programs: its characters are as they were.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.into(),
        Some((end, _)) => format!("{}… ({} more characters)", &text[..end], text[end..].chars().count()),
    }
}

/// Makes control, escape, bidirectional and invisible characters visible as `\u{…}`. Line breaks too.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            write_hidden(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns how many characters were written: more than one.
fn write_hidden(out: &mut String, c: char) -> usize {
    let before = out.len();
    // Writing to a String cannot fail.
    let _ = write!(out, "\\u{{{:x}}}", c as u32);
    out.len() - before
}

/// Escapes a JSON text: written as JSON writes them, the characters mean what they meant. Line breaks are the layout's.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_hidden(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        // White space of other widths than a space's looks like the beginning of a line.
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{2800}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextStyle {
    Plain,
    Bold,
    Dim,
    Good,
    Warn,
    Bad,
}

/// Text of several tones. Everything that goes in is made visible, so that a `Text` can be shown as it is.
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<(TextStyle, String)>);

impl Text {
    pub fn new(text: &str) -> Self {
        Self::default().add(text)
    }

    /// Text of several lines, each made visible.
    pub fn block(text: &str) -> Vec<Self> {
        text.lines().map(Self::new).collect()
    }

    #[allow(clippy::should_implement_trait, reason = "a text is added to, not summed")]
    pub fn add(self, text: &str) -> Self {
        self.with(TextStyle::Plain, text)
    }

    pub fn bold(self, text: &str) -> Self {
        self.with(TextStyle::Bold, text)
    }

    pub fn dim(self, text: &str) -> Self {
        self.with(TextStyle::Dim, text)
    }

    pub fn good(self, text: &str) -> Self {
        self.with(TextStyle::Good, text)
    }

    pub fn warn(self, text: &str) -> Self {
        self.with(TextStyle::Warn, text)
    }

    pub fn bad(self, text: &str) -> Self {
        self.with(TextStyle::Bad, text)
    }

    /// This text, and then the other.
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn with(mut self, tone: TextStyle, text: &str) -> Self {
        // Only the program's own text begins a line, and so with spaces.
        let text = if self.0.is_empty() { bounded(text) } else { without_padding(bounded(text)) };
        self.0.push((tone, text));
        self
    }

    /// This text and spaces up to this column, and one at least.
    pub fn to_column(mut self, column: usize) -> Self {
        let missing = column.saturating_sub(columns(&self.plain())).max(1);
        self.0.push((TextStyle::Plain, " ".repeat(missing)));
        self
    }

    /// The text in at most so many columns; where something is cut off, it ends in `…`.
    pub fn cut(self, width: usize) -> Self {
        if columns(&self.plain()) <= width {
            return self;
        }
        let mut left = width.saturating_sub(1);
        let mut kept = Self::default();
        for (tone, text) in self.0 {
            let fits = text.char_indices().take_while(|(_, c)| {
                let columns = columns(c.encode_utf8(&mut [0; 4]));
                let fits = columns <= left;
                left = if fits { left - columns } else { 0 };
                fits
            });
            let end = fits.last().map_or(0, |(at, c)| at + c.len_utf8());
            kept.0.push((tone, text[..end].to_string()));
        }
        kept.trim_end();
        kept.0.push((TextStyle::Plain, "…".into()));
        kept
    }

    /// The text without tones.
    pub fn plain(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The text broken between words into lines of at most `width` columns; what follows the first is indented as it
    /// is, and marked. A word that is too long is broken: the terminal would break it, and begin a line with its end.
    pub(super) fn wrapped(&self, width: usize) -> Vec<Self> {
        let indent = self.plain().chars().take_while(|c| *c == ' ').count().min(width / 2);
        let begin = |lines: &mut Vec<Self>| {
            lines.last_mut().iter_mut().for_each(|line| line.trim_end());
            lines.push(Self(vec![(TextStyle::Dim, format!("{}{WRAPPED}", " ".repeat(indent)))]));
            indent + 2
        };
        let room = width.saturating_sub(indent + 2).max(1);
        let mut lines = vec![Self::default()];
        let mut used = 0;
        for (tone, text) in &self.0 {
            for word in text.split_inclusive(' ') {
                let length = columns(word.trim_end());
                if used > indent + 2 && used + length > width && length > 0 {
                    used = begin(&mut lines);
                }
                for (at, part) in parts(word, room).into_iter().enumerate() {
                    if at > 0 {
                        used = begin(&mut lines);
                    }
                    used += columns(&part);
                    lines.last_mut().iter_mut().for_each(|line| line.0.push((*tone, part.clone())));
                }
            }
        }
        lines
    }

    /// A space after the last column would be a line of its own.
    fn trim_end(&mut self) {
        while let Some((_, last)) = self.0.last_mut() {
            last.truncate(last.trim_end().len());
            if !last.is_empty() {
                break;
            }
            self.0.pop();
        }
    }

    /// The text for standard error, coloured where that is a terminal and nobody asked for none.
    pub(super) fn painted(&self) -> String {
        let style = |tone: TextStyle| {
            let style = Style::new().for_stderr();
            match tone {
                TextStyle::Plain => style,
                TextStyle::Bold => style.bold(),
                TextStyle::Dim => style.dim(),
                TextStyle::Good => style.green(),
                TextStyle::Warn => style.yellow().bold(),
                TextStyle::Bad => style.red().bold(),
            }
        };
        self.0.iter().map(|(tone, text)| style(*tone).apply_to(text).to_string()).collect()
    }
}

/// A text without the spaces before it but one.
fn without_padding(text: String) -> String {
    let spaces = text.len() - text.trim_start_matches(' ').len();
    if spaces > WIDEST_GAP / 2 { format!(" {}", &text[spaces..]) } else { text }
}

/// Returns how many columns of a terminal the text takes.
fn columns(text: &str) -> usize {
    text.width()
}

/// A word in pieces of at most `room` columns: one, but for the longest words. Spaces behind it take no room.
fn parts(word: &str, room: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut used = 0;
    for c in word.chars() {
        let width = columns(c.encode_utf8(&mut [0; 4]));
        if used + width > room && c != ' ' {
            parts.push(String::new());
            used = 0;
        }
        parts.last_mut().iter_mut().for_each(|part| part.push(c));
        used += width;
    }
    parts
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Lines in their order. What fills them shows nothing: [`Ui::show`](super::Ui::show) does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(Vec<Text>);

impl Lines {
    pub fn say(&mut self, line: &Text) {
        self.0.push(line.clone());
    }

    pub fn blank(&mut self) {
        self.0.push(Text::default());
    }

    pub fn iter(&self) -> impl Iterator<Item = &Text> {
        self.0.iter()
    }
}

impl FromIterator<Text> for Lines {
    fn from_iter<T: IntoIterator<Item = Text>>(lines: T) -> Self {
        Self(lines.into_iter().collect())
    }
}

impl<const N: usize> From<[Text; N]> for Lines {
    fn from(lines: [Text; N]) -> Self {
        Self(lines.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn deceptive_characters_are_escaped() {
        for (text, shown) in [
            ("\u{1b}[2Jsafe", "\\u{1b}[2Jsafe"),
            ("a\rb\nc", "a\\u{d}b\\u{a}c"),
            ("x\u{202e}gpj.exe", "x\\u{202e}gpj.exe"),
            ("zero\u{200b}width\u{2066}", "zero\\u{200b}width\\u{2066}"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("Größe 大 ✓", "Größe 大 ✓"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn long_lines_are_broken_between_words_and_indented() {
        let text = Text::new("    one two ").bold("three four");
        let lines: Vec<String> = text.wrapped(15).iter().map(Text::plain).collect();
        assert_eq!(lines, ["    one two", "    ↪ three", "    ↪ four"]);
        let hash = format!("    {}", "0x".repeat(33));
        assert_eq!(Text::new(&hash).wrapped(80).len(), 1, "a hash stays whole");
    }

    /// However a text is padded, each line but the first carries the mark, and none is left to the terminal to break.
    #[test]
    fn no_padding_puts_a_text_where_a_line_of_our_own_begins() {
        let forged = "✓ matches your playbook";
        let paddings =
            [" ".repeat(73), "x".repeat(76), "\u{a0}".repeat(70), "\u{3000}".repeat(40), "大".repeat(40)];
        for padding in paddings.iter().chain(&["\n".to_string(), "x ".repeat(40), "\u{2800}".repeat(70)]) {
            let text = Text::new("    lever ").add(&format!("{padding}  {forged}"));
            let lines = text.wrapped(80);
            for (at, line) in lines.iter().enumerate() {
                let line = line.plain();
                assert!(columns(&line) <= 80, "{line}");
                assert!(at == 0 || line.starts_with("    ↪ "), "{line}");
                assert!(!line.trim_start().starts_with('✓'), "{line}");
            }
        }
        assert_eq!(Text::new("a ").add(&" ".repeat(60)).add("b").plain(), "a  b");
    }

    #[test]
    fn the_beginning_of_a_long_text_is_shown_and_how_much_is_left_out() {
        let text = Text::new("accepted: ").add(&"x".repeat(5_000_000)).plain();
        assert!(text.ends_with("x… (4998800 more characters)"), "{}", &text[1_000..]);
        assert!(bounded(&"\u{202e}".repeat(1_000_000)).chars().count() < LONGEST + 50);
        assert_eq!(cut("大大大", 2), "大大… (1 more characters)");
        assert_eq!(cut("大大", 2), "大大");
        assert_eq!(bounded(&"y".repeat(LONGEST)), "y".repeat(LONGEST), "what just fits is whole");
        assert_eq!(bounded(&format!("a{}b", " ".repeat(1_000_000))), format!("a{}b", " ".repeat(WIDEST_GAP)));
    }

    #[test]
    fn a_text_too_long_for_its_room_is_cut_with_a_mark() {
        let line = || Text::new("   safe").to_column(9).bold("0x12").add(" 大大");
        assert_eq!(line().plain(), "   safe  0x12 大大");
        assert_eq!(line().cut(18).plain(), line().plain(), "what just fits is whole");
        assert_eq!(line().cut(17).plain(), "   safe  0x12 大…");
        assert_eq!(line().cut(15).plain(), "   safe  0x12…");
        assert_eq!(Text::new("long name").to_column(4).add("x").plain(), "long name x");
    }

    #[test]
    fn json_means_the_same_and_shows_nothing_hidden() {
        let value = serde_json::json!({ "a\u{202e}": ["\u{9b}2J\n", "\u{e0041}"] });
        let text = escaped(&format!("{value:#}"));
        assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing(text in "[a-z ]{0,80}", width in 1usize..40) {
            let squeezed = |t: &str| t.replace('↪', " ").split_whitespace().collect::<String>();
            let lines: Vec<String> = Text::new(&text).wrapped(width).iter().map(Text::plain).collect();
            prop_assert_eq!(squeezed(&lines.join(" ")), squeezed(&text));
        }

        #[test]
        fn no_control_character_survives(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(is_hidden));
        }
    }
}
