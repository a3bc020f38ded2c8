//! The review of a proposal, its answer (to be decided, refused, or done already), and the question under it.

use alloy::primitives::Address;

use crate::ceremony::judged::Judged;
use crate::ceremony::{aftermath::done_by, barred};
use crate::check::{already_done, first_refusal};
use crate::error::Error;
use crate::evm::abbreviated;
use crate::proposal::Way;
use crate::safe::Purpose;
use crate::session::Session;
use crate::view::review_lines::already_done::Done;
use crate::view::review_lines::decision::ReviewAnswer;
use crate::view::review_lines::review;
use crate::view::review_lines::review::{block_of, details};
use crate::view::review_lines::shown_on_device::DeviceShows;
use crate::view::review_lines::summary::Summary;

/// The lines between the review and the question whether to send: a password, the gas, and what it costs.
const LINES_OF_THE_PRICE: usize = 6;

impl Session<'_> {
    /// Shows the review of a proposal, and returns its last lines as data. Findings whose ids are `accepted` do not
    /// refuse it.
    pub fn review(&self, judged: &Judged, accepted: &[String]) -> Summary {
        self.review_for(judged, None, None, accepted)
    }

    /// Shows the review to the owner who signs in this way, on this device; `None` if the owner or the device is not
    /// known.
    pub fn review_for(
        &self,
        judged: &Judged,
        way: Option<&Way>,
        device: Option<&'static str>,
        accepted: &[String],
    ) -> Summary {
        self.show_review(judged, self.summary(judged, accepted).signed_by(judged, way, device))
    }

    /// Shows the review to the person who sends it, without what an owner's device shows.
    pub fn review_to_send(&self, judged: &Judged, accepted: &[String]) {
        let summary = self.summary(judged, accepted);
        let (shows, lines_below) = (DeviceShows::Nothing, LINES_OF_THE_PRICE);
        self.show_review(judged, Summary { shows, lines_below, ..summary });
    }

    fn show_review(&self, judged: &Judged, summary: Summary) -> Summary {
        self.ui.show(&review::review(self, judged, &summary, self.ui.width()));
        if !matches!(summary.answer, ReviewAnswer::Decide) {
            self.ui.field("summary", &summary);
        }
        summary
    }

    /// Shows the review if the promise holds already. Returns `true` if it does.
    pub fn says_done(&self, judged: &Judged, accepted: &[String]) -> bool {
        let is_done = already_done(&judged.findings, accepted).is_some();
        if is_done {
            self.review(judged, accepted);
        }
        is_done
    }

    /// Returns the summary. It asks the chain who did it, or who may do it, if that can be told.
    fn summary(&self, judged: &Judged, accepted: &[String]) -> Summary {
        let mut summary = Summary::of(self, judged, accepted);
        let is_barred =
            || first_refusal(&judged.findings, accepted).is_some_and(|f| f.problem().is_of_the_contract());
        summary.answer = match summary.answer {
            ReviewAnswer::NothingToDo(Done { promised, .. }) => {
                ReviewAnswer::NothingToDo(Done::of(judged, &promised, done_by::find(self, judged)))
            }
            ReviewAnswer::Refused(refusal) if is_barred() => {
                ReviewAnswer::Refused(match barred::find(self, judged) {
                    Some(barred) => refusal.of_a_barred_call(judged, &barred),
                    None => refusal,
                })
            }
            answer => answer,
        };
        summary
    }
}

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

/// `Sign as bob 0x70…C8?  yes / no / more`, with as much of the address as one line has room for.
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
