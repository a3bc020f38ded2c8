//! Levers of one transaction and each other: which of them cannot be pulled now, and the command without those.

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::Order;
use crate::council::expand;
use crate::error::Error;
use crate::evm::Readings;
use crate::playbook::{Check, LeverPlan};

/// A lever that is done already or cannot be pulled now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindered {
    pub lever: String,
    pub why: String,
}

/// The levers of a pull of several that cannot be pulled now, or are done already, by their own checks.
#[must_use]
pub fn hindered(judged: &Judged) -> Vec<Hindered> {
    let (Some(own), Some(now)) = (&judged.derived.own, judged.readings()) else { return Vec::new() };
    if own.order.acts().len() < 2 {
        return Vec::new();
    }
    own.plans.levers().filter_map(|one| one_hindered(one, now)).collect()
}

fn one_hindered(one: &LeverPlan, now: &Readings) -> Option<Hindered> {
    let lever = one.lever.clone()?;
    let holds = |check: &Check| check.judge(now, &[]);
    let failed = one.plan.before.iter().map(holds).find(|verdict| !verdict.holds)?;
    let is_asked = |check: &&Check| !check.queries().is_empty();
    let mut after = one.plan.after.iter().filter(is_asked).map(holds).peekable();
    let is_done = after.peek().is_some() && after.all(|verdict| verdict.holds);
    let why = if is_done { format!("already done: {}", failed.sentence) } else { failed.sentence };
    Some(Hindered { lever, why })
}

/// Adds to an error about several levers which of them it is about, and the command for everybody without those.
pub fn advise(desk: &Desk, judged: &Judged, error: Error) -> Error {
    let Some(own) = &judged.derived.own else { return error };
    let hindered = hindered(judged);
    if hindered.is_empty() {
        return error;
    }
    let names: Vec<&str> = hindered.iter().map(|one| one.lever.as_str()).collect();
    let error = hindered.iter().fold(error, |error, one| error.hint(format!("{}: {}", one.lever, one.why)));
    let signers: Vec<String> =
        judged.derived.signatures.iter().map(|signature| desk.name_of(signature.owner())).collect();
    let error = if signers.is_empty() {
        error
    } else {
        error.hint(format!("the signatures of {} are lost by that: they sign again", signers.join(", ")))
    };
    match without(desk, &own.order, &names) {
        Some(words) => {
            error.hint(format!("everybody leaves it out in the same words: breakglass sign {words}"))
        }
        None => error,
    }
}

/// The words of a command that pulls the same without some levers; `None` if nothing is left.
#[must_use]
pub fn without(desk: &Desk, order: &Order, levers: &[&str]) -> Option<String> {
    let pull = &order.pull;
    let whole = expand(&desk.council, &pull.names, &pull.without, pull.undo).ok()?;
    whole.leaving_out(&desk.council, levers).ok()?.pull.words()
}
