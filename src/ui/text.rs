//! Text that is safe to show: whatever a file, a chat or a server wrote cannot move the cursor, hide or reorder words.

use std::fmt::Write;

use dialoguer::console::Style;

/// Makes control, escape, bidirectional and invisible characters visible as `\u{…}`. Line breaks too.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// The same for JSON: written as JSON writes them, the characters mean what they meant. Line breaks are the layout's.
#[must_use]
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
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Bold,
    Dim,
    Good,
    Warn,
    Bad,
}

/// Text of several tones. Everything that goes in is made visible, so that a `Text` can be shown as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<(Tone, String)>);

impl Text {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::default().add(text)
    }

    /// Text of several lines, each made visible.
    #[must_use]
    pub fn block(text: &str) -> Vec<Self> {
        text.lines().map(Self::new).collect()
    }

    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "a text is added to, not summed")]
    pub fn add(self, text: &str) -> Self {
        self.with(Tone::Plain, text)
    }

    #[must_use]
    pub fn bold(self, text: &str) -> Self {
        self.with(Tone::Bold, text)
    }

    #[must_use]
    pub fn dim(self, text: &str) -> Self {
        self.with(Tone::Dim, text)
    }

    #[must_use]
    pub fn good(self, text: &str) -> Self {
        self.with(Tone::Good, text)
    }

    #[must_use]
    pub fn warn(self, text: &str) -> Self {
        self.with(Tone::Warn, text)
    }

    #[must_use]
    pub fn bad(self, text: &str) -> Self {
        self.with(Tone::Bad, text)
    }

    /// This text, and then the other.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn with(mut self, tone: Tone, text: &str) -> Self {
        self.0.push((tone, visible(text)));
        self
    }

    /// The text without tones.
    #[must_use]
    pub fn plain(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The text broken between words into lines of at most `width` columns; what follows the first is indented as it
    /// is, and two columns more. A word that is too long (an address, a path) is left whole.
    pub(super) fn wrapped(&self, width: usize) -> Vec<Self> {
        let indent = self.plain().chars().take_while(|c| *c == ' ').count() + 2;
        let mut lines = vec![Self::default()];
        let mut used = 0;
        for (tone, text) in &self.0 {
            for word in text.split_inclusive(' ') {
                let length = word.trim_end().chars().count();
                if used > indent && used + length > width && length > 0 {
                    lines.last_mut().iter_mut().for_each(|line| line.trim_end());
                    lines.push(Self::default().add(&" ".repeat(indent)));
                    used = indent;
                }
                if let Some(line) = lines.last_mut() {
                    line.0.push((*tone, word.to_string()));
                }
                used += word.chars().count();
            }
        }
        lines
    }

    /// A space after the last column would be a line of its own.
    fn trim_end(&mut self) {
        if let Some((_, last)) = self.0.last_mut() {
            last.truncate(last.trim_end().len());
        }
    }

    /// The text for standard error, coloured where that is a terminal and nobody asked for none.
    pub(super) fn painted(&self) -> String {
        let style = |tone: Tone| {
            let style = Style::new().for_stderr();
            match tone {
                Tone::Plain => style,
                Tone::Bold => style.bold(),
                Tone::Dim => style.dim(),
                Tone::Good => style.green(),
                Tone::Warn => style.yellow().bold(),
                Tone::Bad => style.red().bold(),
            }
        };
        self.0.iter().map(|(tone, text)| style(*tone).apply_to(text).to_string()).collect()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_deceive_is_written_out() {
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
        assert_eq!(lines, ["    one two", "      three", "      four"]);
        let address = "0xe26cB48B1Ce98801b8aDf284181727CC87162962";
        assert_eq!(Text::new(address).wrapped(20).len(), 1, "an address stays whole");
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
            let squeezed = |t: &str| t.split_whitespace().collect::<String>();
            let lines: Vec<String> = Text::new(&text).wrapped(width).iter().map(Text::plain).collect();
            prop_assert_eq!(squeezed(&lines.join(" ")), squeezed(&text));
        }

        #[test]
        fn no_control_character_survives(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(is_hidden));
        }
    }
}
