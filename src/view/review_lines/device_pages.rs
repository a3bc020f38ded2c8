//! The pages that a device will show, to compare line by line.

use alloy::primitives::Address;

use crate::device::{Page, PageFact, Pages, Preview};
use crate::ui::{Lines, Text};

/// Returns the predicted pages: a setting that must be changed first, the pages that are the same with every setting,
/// then the others by setting.
pub fn lines(preview: &Preview, key: Address, why: &str) -> Lines {
    let mut out = Lines::default();
    if let Some(before) = preview.before {
        out.say(&Text::new("  ").warn("! ").add(before));
    }
    let app = format!("   {}, key of {key}", preview.app);
    out.say(&Text::new("  ").bold(&format!("On your {}", preview.device)).add(&app));
    out.say(&Text::new("    ").dim(why));
    pages(&mut out, preview);
    if let Some(note) = preview.note {
        out.say(&Text::new("    ").dim(note));
    }
    out
}

fn pages(out: &mut Lines, preview: &Preview) {
    let possible = &preview.possible;
    if possible.iter().any(|one| !one.pages.recorded) {
        let text = "this model, app version or network was not recorded: a page may break at another word";
        out.say(&Text::new("    ").dim(text));
    }
    let Some((first, others)) = possible.split_first() else { return };
    let pages = &first.pages.all;
    let same = others.iter().fold(pages.len(), |same, other| same.min(common(pages, &other.pages.all)));
    list(out, &first.pages, 0, same);
    for one in possible.iter().filter(|_| !others.is_empty()) {
        let text = format!("with {}: {} pages", one.settings, one.pages.all.len());
        out.say(&Text::new("    ").bold(&text));
        list(out, &one.pages, same, one.pages.all.len());
    }
    for one in possible {
        if !others.is_empty() {
            out.say(&Text::new("    ").dim(&format!("with {}:", one.settings)));
        }
        reading_guide(out, &one.pages);
    }
    if !others.is_empty() {
        let text = format!(
            "the {} does not tell these settings: breakglass device --settings says how to state yours",
            preview.device
        );
        out.say(&Text::new("    ").dim(&text));
    }
}

/// Adds which pages to read, and which must not be skipped.
fn reading_guide(out: &mut Lines, pages: &Pages) {
    let count = pages.number(pages.all.len().saturating_sub(1));
    let facts = pages.facts();
    if !facts.is_empty() {
        out.say(&Text::new("    ").bold(&format!("Read of the {count}:")));
        for one in &facts {
            out.say(&Text::new("      ").add(&fact(one)));
        }
        if pages.has_zeros() {
            let text =
                "every other value must be 0, or an address of zeros: anything else is another transaction";
            out.say(&Text::new("    ").add(text));
        }
    }
    let Some((first, last)) = pages.skippable() else { return };
    let large = pages.all.iter().any(|page| page.skip);
    let (what, where_to) =
        if large { ("tap Skip", "the page that signs") } else { ("press both", "\"Sign message\"") };
    let text = format!(
        "never {what} on pages {first} to {last}: it jumps to {where_to}, and you would not see the rest"
    );
    out.say(&Text::new("    ").warn("! ").add(&text));
}

/// Returns page and value: `page 15 data 0x8456CB59`.
fn fact(fact: &PageFact) -> String {
    let pages = if fact.first == fact.last {
        fact.first.to_string()
    } else {
        format!("{}-{}", fact.first, fact.last)
    };
    let value = if fact.is_hash() { String::new() } else { format!(" {}", fact.value) };
    format!("page {pages} {}{value}", fact.title)
}

/// Returns the number of pages at the beginning that are the same.
fn common(pages: &[Page], others: &[Page]) -> usize {
    pages.iter().zip(others).take_while(|(page, other)| page == other).count()
}

fn list(out: &mut Lines, pages: &Pages, from: usize, to: usize) {
    for (at, page) in pages.all.iter().enumerate().take(to).skip(from) {
        let mut line = Text::new("    ").dim(&format!("{:>2}  ", pages.number(at)));
        for (i, entry) in page.entries.iter().enumerate() {
            let between = if i == 0 { "" } else { " · " };
            line = line.add(between).bold(&entry.title).add("  ").add(&entry.lines.join(" "));
        }
        out.say(&line.dim(&footer(page)));
    }
}

/// Returns the text that a large screen shows around the values.
fn footer(page: &Page) -> String {
    let skip = page.skip.then_some("Skip");
    let all: Vec<&str> = skip.into_iter().chain(page.foot.iter().map(String::as_str)).collect();
    if all.is_empty() { String::new() } else { format!("   [{}]", all.join(", ")) }
}
