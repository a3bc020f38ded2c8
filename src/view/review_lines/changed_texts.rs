//! Changes in the reader's own files since they accepted them.

use crate::ceremony::folder::texts::{News, PinnedText, TextChange};
use crate::council::Mark;
use crate::ui::{Lines, Text};

/// Returns the lines about a new or changed text.
pub fn lines(item: &PinnedText, news: &News) -> Lines {
    let mut out = Lines::default();
    match news {
        News::FirstUse => first_use(&mut out, item),
        News::Added => added(&mut out, item),
        News::Changed(change) => changed(&mut out, item, change),
    }
    out
}

fn first_use(out: &mut Lines, item: &PinnedText) {
    let text = format!("digest {}", item.now.digest.short());
    let line = Text::default().warn("first use: ").bold(&text).add(", compare it with a colleague");
    out.say(&line.dim(&format!("   {}{}", item.name, item.note)));
}

fn added(out: &mut Lines, item: &PinnedText) {
    out.blank();
    let heading = format!("NEW since you accepted the council file{}: ", item.note);
    out.say(&Text::default().bad(&heading).bold(&item.name));
    out.say(&Text::new(&format!("  digest  {}", item.now.digest.short())));
}

fn changed(out: &mut Lines, item: &PinnedText, change: &TextChange) {
    out.blank();
    let heading = format!("CHANGED since you accepted it{}: ", item.note);
    out.say(&Text::default().bad(&heading).bold(&item.name));
    out.say(&Text::new(&format!("  accepted  {}", change.from.digest.short())));
    out.say(&Text::new(&format!("  now       {}", item.now.digest.short())));
    let Some(difference) = &change.difference else {
        let text = "  the text that you accepted is not at hand, so no difference is shown";
        out.say(&Text::default().warn(text));
        return;
    };
    if difference.lines.is_empty() && difference.is_whole {
        out.say(&Text::new("  only the ends of lines"));
        return;
    }
    for (mark, line) in &difference.lines {
        let text = Text::new("  ");
        out.say(&match mark {
            Mark::Unchanged => text.dim("  ").dim(line),
            Mark::Removed => text.bad("- ").bad(line),
            Mark::Added => text.good("+ ").good(line),
        });
    }
    if let Some(kept) = change.kept.as_ref().filter(|_| !difference.is_whole) {
        let text = Text::default().warn("  there is more than is shown; what you accepted: ");
        out.say(&text.add(&kept.display().to_string()));
    }
}
