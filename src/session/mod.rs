//! The person at the terminal: what several commands ask and tell. The review, a changed text, the key, the pages of a
//! Ledger, what was sent before, and the report after it was mined.
//!
//! May touch every room below it. It decides nothing that `ceremony` decides.

pub mod accept;
pub mod address_on_ledger;
pub mod after_mining;
pub mod answer;
pub mod calling_roll;
pub mod deputy_run;
mod deputy_sending;
pub mod deputy_terms;
pub mod drilled;
pub mod each_part;
pub mod earlier;
pub mod hand_over;
pub mod incoming;
pub mod keys;
pub mod lookout;
pub mod note;
pub mod on_ledger;
pub mod own_keys;
mod question;
pub mod raised;
pub mod round;
pub mod send_all;
pub mod send_one;
pub mod sendable;
pub mod signers;
pub mod signing_ahead;
pub mod solo;
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
