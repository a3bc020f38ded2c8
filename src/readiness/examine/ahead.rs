//! Examines signatures made ahead and cards on paper, each against its chain as it is now, all of them at once.

use crate::ceremony::at_once::at_once;
use crate::ceremony::desk::Desk;
use crate::ceremony::folder::armed_sets::Group;
use crate::ceremony::order::Given;
use crate::ceremony::overviews::cards::{JournaledCard, is_same, printed};
use crate::council::Pull;
use crate::error::{Error, Exit};
use crate::incident::Journal;
use crate::readiness::armed_status::assess;
use crate::readiness::prepared::{ExaminedCard, ExaminedSet};
use crate::safe::{SafeId, SafeTx};

/// Returns what is signed ahead, each transaction once.
pub fn sets(desk: &Desk) -> Vec<ExaminedSet> {
    let unread = |what: String, safe: String, why: String| ExaminedSet {
        what,
        safe,
        state: Err(why),
        stale: Vec::new(),
    };
    let groups = match desk.armed(&[], &Given::default()) {
        Ok(groups) => groups,
        Err(error) => return vec![unread("all levers".into(), String::new(), error.message)],
    };
    let titles: Vec<(String, String)> = groups.iter().map(|group| desk.name_of_group(group)).collect();
    let examine = |group: &Group| {
        let examined = desk.examine(group)?;
        let armed = assess(&examined.signatures, examined.threshold_then, &examined.now);
        Ok(ExaminedSet::new(examined, armed))
    };
    let seen = at_once(groups.iter().collect(), examine);
    let named = titles.into_iter().zip(seen);
    named.map(|((what, safe), seen)| seen.unwrap_or_else(|error| unread(what, safe, error.message))).collect()
}

/// Returns the newest card of each lever that the journal of this machine has.
pub fn cards(desk: &Desk, journal: &Journal) -> Vec<ExaminedCard> {
    let kept = printed(journal);
    let seen = at_once(kept.iter().collect(), |kept| transaction_now(desk, kept));
    kept.into_iter()
        .zip(seen)
        .map(|(kept, now)| ExaminedCard { kept, now: now.map_err(|error| error.message) })
        .collect()
}

/// Returns the transaction that the lever of a card gives now.
fn transaction_now(desk: &Desk, kept: &JournaledCard) -> Result<(SafeId, SafeTx), Error> {
    let none = || Error::new(Exit::Failed, "your files have no such lever");
    let pull = Pull::read(&kept.about.what.to_string()).ok_or_else(none)?;
    let given = Given { without: pull.without, undo: pull.undo, ..Given::default() };
    let cards = desk.cards(&pull.names, &given, Some(kept.card.nonces))?;
    let card = cards.into_iter().find(|card| is_same(&card.about(), &kept.about)).ok_or_else(none)?;
    Ok((*card.card.safe(), card.card.tx().clone()))
}
