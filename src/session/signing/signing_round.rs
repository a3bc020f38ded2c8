//! The proposals of one `sign`: loaded together, signed one after the other, and reported together.

use serde::Serialize;

use crate::ceremony::contention::together::blocked_by_nonce;
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::signing::sign_terms::SignTerms;
use crate::ui::{Text, Ui};
use crate::view::signed::MadeSignature;

/// The results so far.
#[derive(Default, Serialize)]
pub struct SigningRound {
    #[serde(rename = "signatures")]
    pub signed: Vec<MadeSignature>,
    /// The hashes that a person declined.
    #[serde(rename = "rejected")]
    declined: Vec<String>,
    /// The titles that could not be judged.
    #[serde(rename = "left_out")]
    unreached: Vec<String>,
    /// The exit code, if a person declined one or one could not be judged.
    #[serde(skip)]
    exit: Option<Exit>,
}

impl SigningRound {
    /// Judges the named proposals. One that cannot be reached is reported, and does not stop the others. Fails if a
    /// name is unknown, or the only one cannot be reached.
    pub fn load<'a>(&mut self, session: &'a Session, terms: &SignTerms) -> Result<Vec<Judged<'a>>, Error> {
        if terms.offline {
            let all = session.offline(terms.what, terms.given)?;
            return Ok(all.into_iter().map(|derived| derived.judge(true)).collect());
        }
        let parts = session.evaluate(terms.what, terms.given, CommandPurpose::Sign)?;
        let count = parts.len();
        let mut all = Vec::new();
        for part in parts {
            match part.result.and_then(|rehearsed| rehearsed.prove(session.ui, terms.proofs)) {
                Ok(rehearsed) => all.push(rehearsed.judge(true)),
                Err(error) if count > 1 => {
                    let text = format!("{}: {error}", part.title);
                    session.ui.say(&Text::default().bad("left out: ").add(&text));
                    self.end_as(error.exit);
                    self.unreached.push(text);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    fn end_as(&mut self, exit: Exit) {
        self.exit = Some(self.exit.map_or(exit, |before| before.more_severe(exit)));
    }

    /// Adds the result of one. If it was declined, typed or on the device, or is done already, the others of the
    /// `count` go on. Fails with an error that ends all.
    pub fn take(
        &mut self,
        ui: &Ui,
        result: Result<(), Error>,
        judged: &Judged,
        (later, count): (&[Judged], usize),
    ) -> Result<(), Error> {
        let Err(error) = result else { return Ok(()) };
        let mark = match error.exit {
            Exit::Done if count > 1 => Text::default().good("nothing to do: "),
            _ if error.is_rejection && count > 1 => Text::default().warn("skipped: "),
            _ => {
                let again = self.lines_again().filter(|_| count > 1);
                return Err(again.into_iter().fold(error, Error::hint).having_done(self));
            }
        };
        ui.say(&mark.add(&error.message));
        if let Some(text) = blocked_by_nonce(judged, later) {
            ui.say(&Text::default().warn("! ").add(&text));
        }
        if error.exit != Exit::Done {
            self.declined.push(judged.proposal().hash().to_string());
            self.end_as(error.exit);
        }
        Ok(())
    }

    /// Returns how to see the lines again, which later reviews have moved off the screen; `None` if not all are kept.
    fn lines_again(&self) -> Option<String> {
        let are_kept = !self.signed.is_empty() && self.signed.iter().all(|one| one.file.is_some());
        let (count, command) = (self.signed.len(), MadeSignature::export_command(&self.signed));
        are_kept.then(|| format!("{count} signed; to see all lines again: {command}"))
    }

    /// Ends the round.
    pub fn finish(self, ui: &Ui, count: usize) -> Result<Exit, Error> {
        let Some(exit) = self.exit else {
            ui.object(&self);
            if let Some(again) = self.lines_again().filter(|_| self.signed.len() > 1) {
                ui.say(&Text::new(&again));
            }
            return Ok(Exit::Done);
        };
        let (declined, unreached) = (self.declined.len(), self.unreached.len());
        let error = Error::new(exit, not_signed((declined, unreached), count));
        let hint = if self.signed.is_empty() { "nothing was signed" } else { "the others are signed" };
        Err(self.lines_again().into_iter().fold(error.hint(hint), Error::hint).having_done(&self))
    }
}

/// Returns the message of how many of the `count` were not signed, and why.
fn not_signed((declined, unreached): (usize, usize), count: usize) -> String {
    if declined == 0 {
        return format!("{unreached} could not be looked at, and were not signed");
    }
    format!("{declined} of {count} were not signed: you said no")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_ends_as_the_gravest_of_what_was_left_out() {
        let ui = Ui::new(true);
        assert_eq!(SigningRound::default().finish(&ui, 2).unwrap(), Exit::Done);
        let mut round = SigningRound { unreached: vec!["a".into()], ..SigningRound::default() };
        round.end_as(Exit::Network);
        round.end_as(Exit::Refused);
        round.end_as(Exit::Usage);
        let error = round.finish(&ui, 2).unwrap_err();
        assert_eq!(error.exit, Exit::Refused);
        assert!(
            error.message.starts_with("1 could not be looked at") && error.hints == ["nothing was signed"]
        );
        let done = error.done.unwrap();
        assert_eq!(done["left_out"][0], "a");
        assert!(done["signatures"].as_array().unwrap().is_empty() && done["rejected"].is_array());
        assert_eq!(not_signed((1, 1), 3), "1 of 3 were not signed: you said no");
    }
}
