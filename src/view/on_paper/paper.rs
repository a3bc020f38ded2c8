//! Lines for paper: plain text of at most 80 columns, wrapped and never cut.

use alloy::primitives::hex;
use unicode_width::UnicodeWidthStr;

const WIDTH: usize = 80;
/// The column in which the values of fields begin.
const VALUES: usize = 14;

/// A page that is written from top to bottom.
#[derive(Debug, Default)]
pub struct Paper(Vec<String>);

impl Paper {
    /// Adds one line of our own, known to fit.
    pub fn line(&mut self, line: &str) {
        self.text(0, line);
    }

    pub fn blank(&mut self) {
        self.0.push(String::new());
    }

    /// Adds a text that is wrapped between words, and inside a word only if that is longer than a line.
    pub fn text(&mut self, indent: usize, text: &str) {
        self.wrapped(&" ".repeat(indent), indent, text);
    }

    /// Adds a line that is copied as it is, without an indent.
    pub fn verbatim(&mut self, line: &str) {
        self.0.push(line.to_string());
    }

    /// Adds a value to type, below its label if it does not fit beside it.
    pub fn pair(&mut self, label: &str, value: &str) {
        const LABEL: usize = 26;
        if LABEL + value.width() <= WIDTH {
            self.0.push(format!("      {label:<20}{value}"));
        } else {
            self.0.push(format!("      {label}"));
            self.text(6, value);
        }
    }

    /// Adds a label and its value; further lines of the value stand below it.
    pub fn field(&mut self, label: &str, value: &str) {
        self.wrapped(&format!("   {label:<width$}", width = VALUES - 3), VALUES, value);
    }

    fn wrapped(&mut self, head: &str, indent: usize, text: &str) {
        let mut line = head.to_string();
        let mut is_empty = true;
        for word in text.split(' ') {
            for part in parts(word, WIDTH - indent) {
                let gap = usize::from(!is_empty);
                if line.width() + gap + part.width() > WIDTH && !is_empty {
                    self.0.push(line.trim_end().to_string());
                    line = " ".repeat(indent);
                    is_empty = true;
                }
                if !is_empty {
                    line.push(' ');
                }
                line.push_str(&part);
                is_empty = false;
            }
        }
        self.0.push(line.trim_end().to_string());
    }

    pub fn into_lines(self) -> Vec<String> {
        self.0
    }
}

/// Returns a word in pieces that fit a line.
fn parts(word: &str, room: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    for c in word.chars() {
        if parts.last().is_some_and(|part| part.width() + c.to_string().width() > room) {
            parts.push(String::new());
        }
        parts.iter_mut().last().into_iter().for_each(|part| part.push(c));
    }
    parts
}

/// Returns bytes as a Ledger writes them.
pub fn upper(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode_upper(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_printed_and_no_line_is_wider_than_the_paper() {
        let address = "0x12975173B87F7595EE45dFFb2Ab812ECE596Bf84";
        let long = "ab".repeat(120);
        let mut paper = Paper::default();
        paper.field("to", &format!("vault {address} {address} {long} 大大大"));
        paper.text(3, "one two");
        let lines = paper.into_lines();
        assert!(lines.iter().all(|line| line.width() <= WIDTH), "{lines:#?}");
        // An address is on one line.
        assert_eq!(lines.iter().filter(|line| line.contains(address)).count(), 2);
        let all: String = lines.concat().split_whitespace().collect();
        assert_eq!(all, format!("tovault{address}{address}{long}大大大onetwo"));
        assert_eq!(lines.last().unwrap(), "   one two");
    }
}
