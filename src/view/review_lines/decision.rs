//! The answer of the checks of one proposal: the signer decides, nothing to do, or refused.

use serde::Serialize;

use crate::ceremony::barred::{Barred, Entitled};
use crate::ceremony::judged::Judged;
use crate::check::{Finding, Level, already_done, first_refusal, unaccepted};
use crate::view::review_lines::already_done::{Done, PersonAddress};

/// The answer of the checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewAnswer {
    Decide,
    /// It is done already.
    NothingToDo(Done),
    Refused(Refusal),
}

impl ReviewAnswer {
    /// Returns the answer of these findings; those whose ids are `accepted` do not refuse.
    pub fn of(findings: &[Finding], accepted: &[String]) -> Self {
        if let Some(first) = first_refusal(findings, accepted) {
            let refused = unaccepted(findings, accepted).into_iter().filter(|f| f.level == Level::Refuse);
            return Self::Refused(Refusal {
                sentence: first.sentence.clone(),
                fix: first.fix.clone(),
                ids: refused.map(|f| f.id.clone()).collect(),
                holder: None,
            });
        }
        match already_done(findings, accepted) {
            Some(promised) => Self::NothingToDo(Done::promised(promised)),
            None => Self::Decide,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    pub sentence: String,
    pub fix: String,
    pub ids: Vec<String>,
    /// The account that may make the call, as the contract says.
    pub holder: Option<Holder>,
}

/// The account that may make a call that the Safe may not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// `owner`, or `role 0x…`
    #[serde(serialize_with = "as_text")]
    pub of: Entitled,
    /// `None` if the contract does not say.
    pub held_by: Option<PersonAddress>,
}

impl Refusal {
    /// Returns the refusal of a call that the Safe may not make.
    pub fn of_a_barred_call(self, judged: &Judged, barred: &Barred) -> Self {
        let contract = PersonAddress::of(judged, barred.contract).short();
        let needs = match barred.to {
            Entitled::Owner => "",
            Entitled::Role(_) => " without a role",
        };
        let held_by = barred.holder.map(|holder| PersonAddress::of(judged, holder));
        let safe = &judged.derived.safe.name;
        Self {
            sentence: format!("{safe} may not call {} of {contract}{needs}", barred.call),
            fix: "this lever cannot work: tell the person who keeps breakglass.toml".into(),
            holder: Some(Holder { of: barred.to, held_by }),
            ..self
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn as_text<S: serde::Serializer>(of: &Entitled, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(of)
}
