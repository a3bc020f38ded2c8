//! The person at the terminal: each command as a sequence, and the parts that several share: the review, a changed text, the
//! key, the pages of a Ledger, what was sent before, and the report after it was mined.
//!
//! May touch every room below it. It decides nothing that `ceremony` decides.

pub mod accept;
pub mod adding;
pub mod address_on_ledger;
pub mod after_mining;
pub mod alerted;
pub mod answer;
pub mod broadcasting;
pub mod calling_roll;
pub mod deputy_run;
mod deputy_sending;
pub mod deputy_terms;
pub mod device_state;
pub mod drilled;
pub mod dry_running;
pub mod each_part;
pub mod earlier;
pub mod exporting;
pub mod first_file;
pub mod hand_over;
pub mod incident_acts;
pub mod incoming;
pub mod journals;
pub mod keys;
pub mod levers_now;
pub mod logged;
pub mod lookout;
pub mod note;
pub mod on_ledger;
pub mod own_keys;
pub mod playbook_acts;
pub mod playbook_drafting;
pub mod playbook_listing;
pub mod printing;
pub mod proposing;
mod question;
pub mod raised;
pub mod reporting;
pub mod round;
pub mod roused;
pub mod send_all;
pub mod send_one;
pub mod sendable;
pub mod set_state;
pub mod sign_each;
pub mod sign_terms;
pub mod signers;
mod signing_ahead;
pub mod solo;
pub mod status_report;
pub mod udev_rule;

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
