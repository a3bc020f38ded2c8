//! Several levers at once: those that cannot be pulled now, and transactions that want one nonce.

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::Order;
use crate::council::expand;
use crate::error::{Error, Exit};
use crate::evm::Readings;
use crate::playbook::{Check, LeverPlan};
use crate::safe::{Nonce, SafeTxHash};

/// A lever that is done already or cannot be pulled now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindered {
    pub lever: String,
    pub why: String,
}

/// Returns the levers of a combined pull that cannot be pulled now, or are done already, by their own checks.
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

/// Adds hints to an error about several levers: the levers at fault, and the command without them.
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

/// Returns the words of a command that pulls the order without some levers; `None` if nothing is left.
pub fn without(desk: &Desk, order: &Order, levers: &[&str]) -> Option<String> {
    let pull = &order.pull;
    let whole = expand(&desk.council, &pull.names, &pull.without, pull.undo).ok()?;
    whole.leaving_out(&desk.council, levers).ok()?.pull.words()
}

/// A transaction's place: its nonce, its Safe's name, its hash.
type Place<'p> = (Nonce, &'p str, SafeTxHash);

fn place<'p>(judged: &'p Judged) -> Place<'p> {
    (judged.proposal().nonce(), &judged.derived.safe.name, judged.proposal().hash())
}

/// Checks that no two transactions are for one nonce, of which only one could be executed. The error names both.
pub fn require_distinct_nonces(all: &[Judged]) -> Result<(), Error> {
    let places: Vec<Place> = all.iter().map(place).collect();
    let Some((one, other)) = clash(&places) else { return Ok(()) };
    let (nonce, safe, hash) = one;
    let message = format!(
        "{hash} and {} are both for nonce {nonce} of {safe}: only one of them can be executed",
        other.2
    );
    Err(Error::new(Exit::Usage, message).hint("agree which, and sign that one by itself"))
}

/// Returns the first two transactions for one nonce.
fn clash<'p>(places: &[Place<'p>]) -> Option<(Place<'p>, Place<'p>)> {
    let wants_it = |one: &Place, other: &Place| (one.0, one.1) == (other.0, other.1) && one.2 != other.2;
    places.iter().enumerate().find_map(|(at, one)| {
        places[..at].iter().find(|before| wants_it(one, before)).map(|before| (*one, *before))
    })
}

/// Returns a sentence about the first later transaction that waits for the nonce of an unsigned one.
pub fn blocked_by_nonce(judged: &Judged, later: &[Judged]) -> Option<String> {
    let (nonce, safe, _) = place(judged);
    let (waiting, ..) = later.iter().map(place).find(|(later, name, _)| *name == safe && *later > nonce)?;
    Some(format!("nonce {waiting} of {safe} can be sent only once nonce {nonce} is used"))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;

    #[test]
    fn two_transactions_for_one_nonce_of_a_safe_clash() {
        let hash = |byte| SafeTxHash::claimed(B256::repeat_byte(byte));
        let (one, two) = (Nonce::from(1), Nonce::from(2));
        let same = (one, "guardian", hash(1));
        assert_eq!(clash(&[same, (two, "guardian", hash(2)), (one, "treasury", hash(3))]), None);
        assert_eq!(clash(&[same, same]), None, "one transaction, named twice");
        let other = (one, "guardian", hash(4));
        assert_eq!(clash(&[same, (two, "guardian", hash(2)), other]), Some((other, same)));
    }
}
