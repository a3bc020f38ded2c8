//! The person at the terminal: each command as a sequence, and the parts that several share: the review, a changed text, the
//! key, the pages of a Ledger, what was sent before, and the report after it was mined.
//!
//! May touch every room below it. It decides nothing that `ceremony` decides.

pub mod accept;
pub mod adding;
pub mod alarms;
pub mod answer;
pub mod authoring;
pub mod broadcasts;
pub mod calling_roll;
pub mod dry_running;
pub mod each_part;
pub mod exporting;
pub mod first_file;
pub mod incoming;
pub mod levers_now;
pub mod machine;
pub mod one_key;
pub mod printing;
pub mod proposing;
mod question;
pub mod records;
pub mod signing;
pub mod status_report;

use std::ops::Deref;

use crate::ceremony::desk::Desk;
use crate::ui::Ui;

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
