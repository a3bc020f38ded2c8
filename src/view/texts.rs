//! Changes in the reader's own files since they accepted them.

use crate::ceremony::texts::{Change, Item, News};
use crate::council::Mark;
use crate::ui::{Text, Ui};

/// Shows what is new about a text.
pub fn show(ui: &Ui, item: &Item, news: &News) {
    match news {
        News::FirstUse => first_use(ui, item),
        News::Added => added(ui, item),
        News::Changed(change) => changed(ui, item, change),
    }
}

fn first_use(ui: &Ui, item: &Item) {
    let text = format!("digest {}", item.now.digest.short());
    let line = Text::default().warn("first use: ").bold(&text).add(", compare it with a colleague");
    ui.say(&line.dim(&format!("   {}{}", item.name, item.note)));
}

fn added(ui: &Ui, item: &Item) {
    ui.blank();
    let heading = format!("NEW since you accepted the council file{}: ", item.note);
    ui.say(&Text::default().bad(&heading).bold(&item.name));
    ui.say(&Text::new(&format!("  digest  {}", item.now.digest.short())));
}

fn changed(ui: &Ui, item: &Item, change: &Change) {
    ui.blank();
    let heading = format!("CHANGED since you accepted it{}: ", item.note);
    ui.say(&Text::default().bad(&heading).bold(&item.name));
    ui.say(&Text::new(&format!("  accepted  {}", change.from.digest.short())));
    ui.say(&Text::new(&format!("  now       {}", item.now.digest.short())));
    let Some(difference) = &change.difference else {
        let text = "  the text that you accepted is not at hand, so no difference is shown";
        ui.say(&Text::default().warn(text));
        return;
    };
    if difference.lines.is_empty() && difference.is_whole {
        ui.say(&Text::new("  only the ends of lines"));
        return;
    }
    for (mark, line) in &difference.lines {
        let text = Text::new("  ");
        ui.say(&match mark {
            Mark::Unchanged => text.dim("  ").dim(line),
            Mark::Removed => text.bad("- ").bad(line),
            Mark::Added => text.good("+ ").good(line),
        });
    }
    if let Some(kept) = change.kept.as_ref().filter(|_| !difference.is_whole) {
        let text = Text::default().warn("  there is more than is shown; what you accepted: ");
        ui.say(&text.add(&kept.display().to_string()));
    }
}
