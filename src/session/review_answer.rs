//! The answer of a review: the reader decides, a check refuses, or it is done already.

use crate::ceremony::judged::Judged;
use crate::ceremony::{aftermath::done_by, barred};
use crate::check::{already_done, first_refusal};
use crate::proposal::Way;
use crate::session::Session;
use crate::view::review_lines::already_done::Done;
use crate::view::review_lines::decision::ReviewAnswer;
use crate::view::review_lines::review;
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
