//! The question under a review: yes, no, or more.

use alloy::primitives::Address;

use crate::ceremony::judged::Judged;
use crate::error::Error;
use crate::evm::abbreviated;
use crate::proposal::Way;
use crate::safe::Purpose;
use crate::session::Session;
use crate::view::review_lines::review::{block_of, details};

/// The columns of a small terminal, without the colon and the answer.
const MOST: usize = 74;

impl Session<'_> {
    /// Asks whether to sign what the review above shows. `more` shows its details page by page, then its last lines again.
    /// Fails without a terminal, or if the person stops at the question.
    pub fn asks_to_sign(
        &self,
        judged: &Judged,
        (who, way): (Option<Address>, Option<&Way>),
        place: (usize, usize),
        accepted: &[String],
    ) -> Result<bool, Error> {
        let named = who.map(|address| (judged.name(address).to_string(), address));
        let who = named.as_ref().map(|(name, address)| (name.as_str(), *address));
        let question = question(judged.proposal().purpose(), who, place);
        let more = || {
            self.ui.pages(&details(self, judged))?;
            self.ui.blank();
            self.ui.show(&block_of(self, judged, way, accepted, self.ui.width()));
            Ok(())
        };
        Ok(self.ui.decided(&question, "--yes", more)?)
    }
}

/// Returns `Sign as bob 0x70…C8? yes / no / more`, with as much of the address as fits on one line.
fn question(purpose: Purpose, who: Option<(&str, Address)>, (at, of): (usize, usize)) -> String {
    let which = if of > 1 { format!(", {at} of {of}") } else { String::new() };
    let drill = if purpose == Purpose::Drill { " DRILL" } else { "" };
    let ask = |who: &str| format!("Sign{drill}{who}{which}?  yes / no / more");
    let Some((name, address)) = who else { return ask(" this") };
    let whole = ask(&format!(" as {name} {address}"));
    if whole.chars().count() <= MOST { whole } else { ask(&format!(" as {name} {}", abbreviated(&address))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_who_signs_and_stays_on_one_line() {
        let address = Address::repeat_byte(0x11);
        assert_eq!(question(Purpose::Real, None, (1, 1)), "Sign this?  yes / no / more");
        assert_eq!(question(Purpose::Real, None, (1, 2)), "Sign this, 1 of 2?  yes / no / more");
        assert_eq!(
            question(Purpose::Real, Some(("bob", address)), (1, 1)),
            format!("Sign as bob {address}?  yes / no / more")
        );
        let long = question(Purpose::Real, Some(("the-emergency-officer", address)), (2, 3));
        assert_eq!(
            question(Purpose::Drill, Some(("bob", address)), (1, 1)),
            "Sign DRILL as bob 0x1111…1111?  yes / no / more"
        );
        assert_eq!(long, "Sign as the-emergency-officer 0x1111…1111, 2 of 3?  yes / no / more");
    }
}
