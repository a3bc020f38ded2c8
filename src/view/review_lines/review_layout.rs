//! Lines with labels above a question: optional ones are left out, and long words are shortened, if there is no room.

use crate::evm::abbreviated;
use crate::proposal::Truncated;
use crate::ui::{Lines, Text};

/// The column in which the values begin.
const VALUES: usize = 11;

/// Lines, of which optional ones are left out if there are too many.
#[derive(Default)]
pub(in crate::view) struct ReviewBlock(Vec<BlockLine>);

struct BlockLine {
    text: Text,
    is_needed: bool,
    /// The text in two lines, if there is room for one more.
    in_two: Option<[Text; 2]>,
}

impl ReviewBlock {
    pub fn line(&mut self, line: Text) {
        self.0.push(BlockLine { text: line, is_needed: true, in_two: None });
    }

    /// Adds a line that is left out first.
    pub fn optional_line(&mut self, line: Text) {
        self.0.push(BlockLine { text: line, is_needed: false, in_two: None });
    }

    /// Adds prose that takes a second line rather than be cut, if nothing else is left out for it.
    pub fn prose(&mut self, label: &str, prose: &str, width: usize) {
        let in_two = split(prose, width.saturating_sub(VALUES))
            .map(|(first, second)| [labelled(label, Text::new(first)), labelled("", Text::new(second))]);
        self.0.push(BlockLine { text: labelled(label, Text::new(prose)), is_needed: true, in_two });
    }

    pub fn field(&mut self, label: &str, value: Text) {
        self.line(labelled(label, value));
    }

    /// Returns at most `most` lines, unless more are needed; each is cut to the width.
    pub fn into_lines(mut self, most: usize, width: usize) -> Lines {
        while self.0.len() > most
            && let Some(at) = self.0.iter().rposition(|line| !line.is_needed)
        {
            self.0.remove(at);
        }
        let mut room = most.saturating_sub(self.0.len());
        let mut lines = Vec::new();
        for BlockLine { text, in_two, .. } in self.0 {
            match in_two.filter(|_| room > 0) {
                Some(both) => {
                    room -= 1;
                    lines.extend(both);
                }
                None => lines.push(text),
            }
        }
        lines.into_iter().map(|line| line.cut(width)).collect()
    }
}

/// Splits a text before the first word that does not fit in this many columns; `None` if all of it fits.
fn split(text: &str, columns: usize) -> Option<(&str, &str)> {
    let end = text.char_indices().nth(columns)?.0;
    let is_word_end = text.get(end..)?.starts_with(' ');
    let at = if is_word_end { end } else { text.get(..end)?.rfind(' ')? };
    Some((text.get(..at)?, text.get(at + 1..)?))
}

pub(in crate::view) fn labelled(label: &str, value: Text) -> Text {
    Text::new("   ").dim(label).to_column(VALUES).then(value)
}

/// Returns `true` if the text fits beside its label.
pub(in crate::view) fn fits(text: &str, width: usize) -> bool {
    VALUES + text.chars().count() <= width
}

/// Returns the text, with its addresses and hashes shortened if it does not fit; the details have them whole.
pub(in crate::view) fn compact(text: &str, width: usize) -> String {
    if fits(text, width) {
        return text.into();
    }
    let is_long = |word: &str| word.len() >= 40 && word.starts_with("0x") && word.is_ascii();
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    parts
        .map(|part| {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_long(word) { format!("{}{}", abbreviated(word), &part[word.len()..]) } else { part.into() }
        })
        .collect()
}

/// Returns a hash as a Ledger writes it: its digits in capitals.
pub(in crate::view) fn digits(hash: &str) -> String {
    hash.trim_start_matches("0x").to_uppercase()
}

/// Returns the first items as one text, and how many more there are.
pub(super) fn truncated_list(items: &[String]) -> String {
    let first = items.get(..Truncated::<()>::SHOWN).unwrap_or(items).join(", ");
    let more = items.len().saturating_sub(Truncated::<()>::SHOWN);
    if more == 0 { first } else { format!("{first}, and {more} more") }
}

/// Adds the first lines, and how many more there are.
pub(super) fn say_truncated(out: &mut Lines, lines: impl Iterator<Item = Text>, what: &str) {
    let mut few = Truncated::default();
    lines.for_each(|line| few.push(|| line));
    few.first().iter().for_each(|line| out.say(line));
    if few.more() > 0 {
        out.say(&Text::new("    ").warn("! ").add(&format!("{} {what}", few.more())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_takes_a_second_line_only_if_there_is_room() {
        let plain = |most| {
            let mut block = ReviewBlock::default();
            block.prose("cost", "one two three", 20);
            block.prose("misses", "four five six", 20);
            block.into_lines(most, 20).iter().map(Text::plain).collect::<Vec<_>>()
        };
        assert_eq!(plain(2), ["   cost    one two…", "   misses  four fiv…"]);
        assert_eq!(plain(3), ["   cost    one two", "           three", "   misses  four fiv…"]);
        assert_eq!(plain(9).len(), 4);
        assert_eq!(split("one two", 7), None);
        assert_eq!(split("äöü two", 5), Some(("äöü", "two")));
        assert_eq!(split("undivided", 4), None);
    }

    #[test]
    fn the_last_optional_lines_are_left_out_first() {
        let mut block = ReviewBlock::default();
        for (text, is_spare) in [("1", false), ("2", true), ("3", false), ("4", true)] {
            if is_spare { block.optional_line(Text::new(text)) } else { block.line(Text::new(text)) }
        }
        let plain = |lines: &Lines| lines.iter().map(Text::plain).collect::<String>();
        assert_eq!(plain(&block.into_lines(3, 80)), "123");
        let mut needed = ReviewBlock::default();
        (0..5).for_each(|_| needed.line(Text::new("n")));
        assert_eq!(plain(&needed.into_lines(3, 80)), "nnnnn", "what is needed is never left out");
    }
}
