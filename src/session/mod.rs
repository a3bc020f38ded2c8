//! The person at the terminal: each command as a sequence of questions, chain, keys and files, and the parts that
//! several commands share.
//!
//! May touch every room below it. It makes no decision about a proposal: `ceremony` does.

pub mod accepting_changes;
pub mod alarms;
pub mod authoring;
pub mod broadcasts;
pub mod card_printing;
pub mod council_adding;
pub mod council_init;
pub mod dry_running;
pub mod each_part;
pub mod exporting;
pub mod incoming;
pub mod levers_now;
pub mod machine;
pub mod one_key;
pub mod proposing;
pub mod records;
pub mod review_answer;
mod review_question;
pub mod roll_call_run;
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
