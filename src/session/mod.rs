//! The person at the terminal: each command as a sequence of questions, chain, keys and files, and the parts that
//! several commands share.
//!
//! May touch every room below it. It makes no decision about a proposal: `ceremony` does.

pub mod accepting_changes;
pub mod alarms;
pub mod authoring;
pub mod broadcasts;
pub mod card_printing;
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
pub mod roll_call_run;
pub mod signing;
pub mod status_report;

use crate::ceremony::desk::Desk;
use crate::ui::Ui;

/// The terminal and the reader's own files, for every command about them.
#[derive(Debug, derive_more::Deref)]
pub struct Session<'a> {
    pub ui: &'a Ui,
    #[deref]
    pub desk: Desk<'a>,
}
