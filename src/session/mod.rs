//! The person at the terminal: what several commands ask and tell. The review, a changed text, the key, the pages of a
//! Ledger, what was sent before, and the report after it was mined.
//!
//! May touch every room below it. It decides nothing that `ceremony` decides.

pub mod accept;
pub mod each_part;
pub mod earlier;
pub mod keys;
pub mod note;
pub mod on_ledger;
pub mod report;

use std::ops::Deref;

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::ui::Ui;
use crate::view::review;
use crate::view::summary::Summary;

/// The terminal and the reader's own files, for every command about them.
#[derive(Debug)]
pub struct Session<'a> {
    pub ui: &'a Ui,
    pub desk: Desk<'a>,
}

impl<'a> Deref for Session<'a> {
    type Target = Desk<'a>;

    fn deref(&self) -> &Desk<'a> {
        &self.desk
    }
}

impl Session<'_> {
    /// Shows the review of a proposal, and returns its last lines as data. What was `accepted` does not refuse it.
    pub fn review(&self, judged: &Judged, accepted: &[String]) -> Summary {
        let summary = Summary::of(self, judged, accepted);
        self.ui.show(&review::review(self, judged, &summary, self.ui.width()));
        summary
    }
}
