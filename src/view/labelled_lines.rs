//! Lines with labels above a question: some may be left out, and long words are shortened where they have no room.

use crate::ui::{Lines, Text};

/// The column where the values begin.
const VALUES: usize = 11;

/// Lines, some of which are left out where there are too many.
#[derive(Default)]
pub(super) struct ReviewBlock(Vec<(Text, bool)>);

impl ReviewBlock {
    pub fn line(&mut self, line: Text) {
        self.0.push((line, true));
    }

    /// A line that is left out first.
    pub fn spare(&mut self, line: Text) {
        self.0.push((line, false));
    }

    pub fn field(&mut self, label: &str, value: Text) {
        self.line(labelled(label, value));
    }

    /// Returns at most so many lines, unless more are needed; each is cut to the width.
    pub fn into_lines(mut self, most: usize, width: usize) -> Lines {
        while self.0.len() > most
            && let Some(at) = self.0.iter().rposition(|(_, needed)| !needed)
        {
            self.0.remove(at);
        }
        self.0.into_iter().map(|(line, _)| line.cut(width)).collect()
    }
}

pub(super) fn labelled(label: &str, value: Text) -> Text {
    Text::new("   ").dim(label).to_column(VALUES).then(value)
}

/// Returns `true` if the text has room beside its label.
pub(super) fn fits(text: &str, width: usize) -> bool {
    VALUES + text.chars().count() <= width
}

/// The text with its addresses and hashes shortened where it has no room else; they stand whole above.
pub(super) fn compact(text: &str, width: usize) -> String {
    if fits(text, width) {
        return text.into();
    }
    let is_long = |word: &str| word.len() >= 40 && word.starts_with("0x") && word.is_ascii();
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    parts
        .map(|part| {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_long(word) { format!("{}{}", short(word), &part[word.len()..]) } else { part.into() }
        })
        .collect()
}

/// `0x7099…79C8`
pub(super) fn short(address: &str) -> String {
    match (address.get(..6), address.get(address.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) => format!("{first}…{last}"),
        _ => address.into(),
    }
}

/// Returns a hash as a Ledger writes it: its digits in capitals.
pub(super) fn digits(hash: &str) -> String {
    hash.trim_start_matches("0x").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_lines_lose_the_spare_ones_from_below() {
        let mut block = ReviewBlock::default();
        for (text, is_spare) in [("1", false), ("2", true), ("3", false), ("4", true)] {
            if is_spare { block.spare(Text::new(text)) } else { block.line(Text::new(text)) }
        }
        let plain = |lines: &Lines| lines.iter().map(Text::plain).collect::<String>();
        assert_eq!(plain(&block.into_lines(3, 80)), "123");
        let mut needed = ReviewBlock::default();
        (0..5).for_each(|_| needed.line(Text::new("n")));
        assert_eq!(plain(&needed.into_lines(3, 80)), "nnnnn", "what is needed is never left out");
    }
}
