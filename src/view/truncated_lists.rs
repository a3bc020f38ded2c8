//! The first items of a list whose length a stranger's file decides, and how many more there are.

use crate::proposal::Truncated;
use crate::ui::{Lines, Text};

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
