//! The pages that a Ledger is about to show, for its person to compare line by line.

use alloy::primitives::Address;

use crate::device::{Screens, Status};
use crate::ui::{Text, Ui};

pub fn show(ui: &Ui, status: &Status, key: Address, why: &str, screens: &Screens) {
    let app = format!("   Ethereum app {}, key of {key}", status.version);
    ui.say(&Text::new("  ").bold("On your Ledger").add(&app));
    ui.say(&Text::new("    ").dim(why));
    if !screens.recorded {
        let text = "not recorded for this model and setting: a page may break at another word";
        ui.say(&Text::new("    ").dim(text));
    }
    for (at, page) in screens.pages.iter().enumerate() {
        let number = format!("{:>2}  ", at + 1);
        ui.say(&Text::new("    ").dim(&number).bold(&page.title).add("  ").add(&page.lines.join(" ")));
    }
}
