//! Gaps of the signatures made ahead and the cards on paper. Pure.

use crate::ceremony::folder::armed_sets::Examined;
use crate::ceremony::overviews::cards::JournaledCard;
use crate::proposal::Stale;
use crate::safe::{SafeId, SafeState, SafeTx};

use super::armed_status::{ArmedStatus, NonceStatus, Usability};
use super::roll_call::day;
use super::told::{GapReport, not_ready, warning};

/// A set with this many nonces left, or fewer, is to be signed again.
const FEW: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreparedGap {
    /// A set that cannot be read or examined.
    Unread { what: String, why: String },
    /// It can no longer be used.
    Dead { what: String, safe: String },
    /// It can be used, but does not do what it was signed for.
    StaleSet { what: String, safe: String, why: String },
    /// A set that will soon be used up.
    FewNonces { what: String, safe: String, left: usize },
    /// A card that is to be printed again, with the day on which it was printed.
    StaleCard { what: String, safe: String, day: String, nonces: String, why: Stale },
    /// A card whose lever gives no transaction now.
    UnknownCard { what: String, safe: String, day: String, why: String },
}

impl PreparedGap {
    pub(super) fn report(&self) -> GapReport {
        match self {
            Self::Unread { what, why } => not_ready(
                "armed-unread",
                format!("what is signed ahead of {what} cannot be looked at: {why}"),
                format!("breakglass armed {what}"),
            ),
            Self::Dead { what, safe } => warning(
                "armed-dead",
                format!("{safe}: what is signed ahead of {what} can be used no more"),
                format!("sign again: breakglass sign {what} --nonces A..B --to FILE; move the old file away"),
            ),
            Self::StaleSet { what, safe, why } => not_ready(
                "armed-stale",
                format!("{safe}: what is signed ahead of {what} is stale: {why}"),
                format!("breakglass armed {what} says how it is ended; then sign again"),
            ),
            Self::FewNonces { what, safe, left } => warning(
                "armed-few",
                format!("{safe}: what is signed ahead of {what} is good for {} more", nonces(*left)),
                format!("sign more: breakglass sign {what} --nonces A..B --to FILE"),
            ),
            Self::StaleCard { what, safe, day, nonces: printed, why } => {
                let card = format!("{safe}: the card of {what} from {day}, nonces {printed},");
                let fix = format!("print it again: breakglass card {what}; destroy the old one");
                match why {
                    Stale::OtherTransaction => {
                        not_ready("card-stale", format!("{card} is of another transaction than now"), fix)
                    }
                    Stale::Used => warning("card-used", format!("{card} is used up"), fix),
                    Stale::RunsOut(left) => {
                        let left = usize::try_from(*left).unwrap_or(usize::MAX);
                        warning("card-few", format!("{card} is good for {} more", nonces(left)), fix)
                    }
                }
            }
            Self::UnknownCard { what, safe, day, why } => warning(
                "card-unknown",
                format!("{safe}: the card of {what} from {day} cannot be compared: {why}"),
                "if the lever is gone, destroy the card",
            ),
        }
    }
}

fn nonces(count: usize) -> String {
    format!("{count} nonce{}", if count == 1 { "" } else { "s" })
}

/// The signatures made ahead of one transaction, or why they could not be examined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedSet {
    pub what: String,
    pub safe: String,
    pub state: Result<ArmedStatus, String>,
    /// The reasons why it cannot be used as it is.
    pub stale: Vec<String>,
}

impl ExaminedSet {
    pub fn new(examined: Examined, armed: ArmedStatus) -> Self {
        Self { what: examined.words, safe: examined.safe, state: Ok(armed), stale: examined.stale }
    }

    /// Returns the number of its nonces that the Safe has not used; 0 if it can no longer be used.
    pub fn left(&self) -> usize {
        match &self.state {
            Ok(armed) if !matches!(armed.by, Usability::Nobody(_)) => {
                armed.rows.iter().filter(|row| row.standing != NonceStatus::Used).count()
            }
            _ => 0,
        }
    }

    fn gap(&self) -> Option<PreparedGap> {
        let (what, safe) = (self.what.clone(), self.safe.clone());
        let armed = match &self.state {
            Ok(armed) => armed,
            Err(why) => return Some(PreparedGap::Unread { what, why: why.clone() }),
        };
        if matches!(armed.by, Usability::Nobody(_)) {
            return Some(PreparedGap::Dead { what, safe });
        }
        if let Some(why) = self.stale.first() {
            return Some(PreparedGap::StaleSet { what, safe, why: why.clone() });
        }
        let left = self.left();
        (left <= FEW && left < armed.rows.len()).then_some(PreparedGap::FewNonces { what, safe, left })
    }
}

/// A card that was printed, and the transaction that its lever gives now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedCard {
    pub kept: JournaledCard,
    pub now: Result<(SafeId, SafeTx), String>,
}

impl ExaminedCard {
    /// Returns the gap of a card that must be printed again; `None` if it is good, or if its Safe is not among these.
    fn gap(&self, safes: &[(&str, &SafeState)]) -> Option<PreparedGap> {
        let JournaledCard { about, time, card } = &self.kept;
        let (what, safe) = (about.what.to_string(), about.safe.to_string());
        let day = day(time.as_seconds()).to_string();
        match &self.now {
            Ok((id, tx)) => {
                let is_its =
                    |state: &&SafeState| (state.id.chain_id, state.id.address) == (id.chain_id, id.address);
                let next = safes.iter().map(|(_, state)| *state).find(is_its)?.nonce;
                let nonces = card.nonces.to_string();
                let why = card.stale(id, tx, next)?;
                Some(PreparedGap::StaleCard { what, safe, day, nonces, why })
            }
            Err(why) => Some(PreparedGap::UnknownCard { what, safe, day, why: why.clone() }),
        }
    }
}

/// Returns the gaps of sets and cards.
pub fn gaps(sets: &[ExaminedSet], cards: &[ExaminedCard], safes: &[(&str, &SafeState)]) -> Vec<PreparedGap> {
    sets.iter().filter_map(ExaminedSet::gap).chain(cards.iter().filter_map(|card| card.gap(safes))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::GapLevel;
    use super::super::armed_status::{Death, NonceRow};
    use super::*;
    use crate::safe::Nonce;

    fn set(by: Usability, standings: &[NonceStatus], stale: &[&str]) -> ExaminedSet {
        let row = |(n, standing): (usize, &NonceStatus)| NonceRow {
            nonce: Nonce::from(u64::try_from(n).unwrap()),
            signed: Vec::new(),
            former: Vec::new(),
            standing: *standing,
        };
        let rows = standings.iter().enumerate().map(row).collect();
        ExaminedSet {
            what: "vault".into(),
            safe: "guardian".into(),
            state: Ok(ArmedStatus { rows, gaps: Vec::new(), by, ways: Vec::new() }),
            stale: stale.iter().map(ToString::to_string).collect(),
        }
    }

    fn told(set: &ExaminedSet) -> Option<(&'static str, GapLevel)> {
        set.gap().map(|gap| gap.report()).map(|told| (told.id, told.level))
    }

    #[test]
    fn a_set_that_is_dead_stale_or_nearly_used_is_a_gap() {
        use NonceStatus::{Complete, Used};
        assert_eq!(told(&set(Usability::Anyone, &[Complete; 2], &[])), None, "it never had more");
        assert_eq!(told(&set(Usability::Anyone, &[Used, Complete, Complete, Complete], &[])), None);
        let few = set(Usability::Anyone, &[Used, Complete], &[]);
        assert_eq!(told(&few), Some(("armed-few", GapLevel::Warning)));
        assert!(few.gap().unwrap().report().sentence.ends_with("good for 1 nonce more"));
        let stale = set(Usability::With(1), &[NonceStatus::Short(1)], &["the vault is another"]);
        assert_eq!(told(&stale), Some(("armed-stale", GapLevel::NotReady)));
        let dead = set(Usability::Nobody(Death::NoOwner), &[NonceStatus::Short(2)], &["stale too"]);
        assert_eq!((told(&dead), dead.left()), (Some(("armed-dead", GapLevel::Warning)), 0));
        let unread = ExaminedSet { state: Err("no chain".into()), ..dead };
        assert_eq!(told(&unread), Some(("armed-unread", GapLevel::NotReady)));
    }
}
