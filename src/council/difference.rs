//! The changes from one text to another, line by line, of bounded length.

use similar::{ChangeTag, TextDiff};

/// Longer texts are not compared: the work grows with the product of their lengths.
const MOST_LINES: usize = 4_000;
const SHOWN_LINES: usize = 200;
const SHOWN_CHARS: usize = 200;
/// Unchanged lines shown around each change.
const CONTEXT: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Unchanged,
    Removed,
    Added,
}

/// The lines that changed, with some around them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextDifference {
    pub lines: Vec<(Mark, String)>,
    /// Returns `false` if a line, or the end of one, is left out.
    pub is_whole: bool,
}

/// Compares two texts; both are somebody's, and may be made to be slow or long.
pub fn difference(old: &str, new: &str) -> TextDifference {
    if old.lines().count() + new.lines().count() > MOST_LINES {
        return TextDifference { lines: Vec::new(), is_whole: false };
    }
    let diff = TextDiff::from_lines(old, new);
    let mut difference = TextDifference { lines: Vec::new(), is_whole: true };
    for group in diff.grouped_ops(CONTEXT) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            if difference.lines.len() == SHOWN_LINES {
                difference.is_whole = false;
                return difference;
            }
            let mark = match change.tag() {
                ChangeTag::Equal => Mark::Unchanged,
                ChangeTag::Delete => Mark::Removed,
                ChangeTag::Insert => Mark::Added,
            };
            let (line, is_whole) = shown(change.value().trim_end_matches(['\n', '\r']));
            difference.is_whole &= is_whole || mark == Mark::Unchanged;
            difference.lines.push((mark, line));
        }
    }
    difference
}

/// The beginning of a line, and whether that is all of it.
fn shown(line: &str) -> (String, bool) {
    match line.char_indices().nth(SHOWN_CHARS) {
        None => (line.to_string(), true),
        Some((at, _)) => {
            let rest = line[at..].chars().count();
            (format!("{} … and {rest} more characters", &line[..at]), false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(difference: &TextDifference) -> String {
        let sign = |mark: &Mark| match mark {
            Mark::Unchanged => ' ',
            Mark::Removed => '-',
            Mark::Added => '+',
        };
        let lines = difference.lines.iter().map(|(mark, line)| format!("{}{line}", sign(mark)));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_changed_lines_are_shown_with_what_stands_around_them() {
        let old = "a\nb\nc\nthreshold = 3\nd\ne\nf\ng\n";
        let new = old.replace("= 3", "= 1");
        let found = difference(old, &new);
        assert_eq!(text(&found), " b\n c\n-threshold = 3\n+threshold = 1\n d\n e");
        assert!(found.is_whole);
        assert_eq!(difference(old, old), TextDifference { lines: Vec::new(), is_whole: true });
    }

    #[test]
    fn a_shortened_change_is_never_called_whole() {
        let lines = |n: usize| "x\n".repeat(n);
        let many = difference("", &lines(SHOWN_LINES + 1));
        assert_eq!((many.lines.len(), many.is_whole), (SHOWN_LINES, false));
        assert!(difference("", &lines(SHOWN_LINES)).is_whole);
        let wide = difference("", &format!("{}modules = []\n", " ".repeat(SHOWN_CHARS)));
        assert!(!wide.is_whole && wide.lines[0].1.ends_with("… and 12 more characters"), "{wide:?}");
        let huge = difference(&lines(MOST_LINES), &"y\n".repeat(MOST_LINES));
        assert_eq!(huge, TextDifference { lines: Vec::new(), is_whole: false });
    }
}
