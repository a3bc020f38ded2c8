//! The pages that a Ledger is about to show, for its person to compare line by line.

use alloy::primitives::Address;

use crate::device::{Page, Prediction, Status};
use crate::ui::{Text, Ui};

/// Shows what the device can show: the pages that are the same whatever its settings, then each possible rest.
pub fn show(ui: &Ui, status: &Status, key: Address, why: &str, predicted: &[Prediction]) {
    let app = format!("   Ethereum app {}, key of {key}", status.version);
    ui.say(&Text::new("  ").bold("On your Ledger").add(&app));
    ui.say(&Text::new("    ").dim(why));
    if predicted.iter().any(|one| !one.screens.recorded) {
        let text = "this model, app version or network was not recorded: a page may break at another word";
        ui.say(&Text::new("    ").dim(text));
    }
    let Some((first, others)) = predicted.split_first() else { return };
    let pages = &first.screens.pages;
    let same = others.iter().fold(pages.len(), |same, other| same.min(common(pages, &other.screens.pages)));
    list(ui, pages, 0, same);
    for one in predicted.iter().filter(|_| !others.is_empty()) {
        let text = format!("with {}: {} pages", one.settings.describe(predicted), one.screens.pages.len());
        ui.say(&Text::new("    ").bold(&text));
        list(ui, &one.screens.pages, same, one.screens.pages.len());
    }
}

/// How many pages at the beginning are the same.
fn common(pages: &[Page], others: &[Page]) -> usize {
    pages.iter().zip(others).take_while(|(page, other)| page == other).count()
}

fn list(ui: &Ui, pages: &[Page], from: usize, to: usize) {
    for (at, page) in pages.iter().enumerate().take(to).skip(from) {
        let mut line = Text::new("    ").dim(&format!("{:>2}  ", at + 1));
        for (i, entry) in page.entries.iter().enumerate() {
            let between = if i == 0 { "" } else { " · " };
            line = line.add(between).bold(&entry.title).add("  ").add(&entry.lines.join(" "));
        }
        ui.say(&line.dim(&foot(page)));
    }
}

/// What a large screen shows around the values.
fn foot(page: &Page) -> String {
    let skip = page.skip.then_some("Skip");
    let all: Vec<&str> = skip.into_iter().chain(page.foot.iter().map(String::as_str)).collect();
    if all.is_empty() { String::new() } else { format!("   [{}]", all.join(", ")) }
}
