//! The state of each lever: its promise holds already, it can be pulled, or why it cannot. Pure.

use alloy::primitives::Address;

use crate::ceremony::barred::{Entitled, address, entitled};
use crate::ceremony::order::{Order, Turn, TurnError};
use crate::evm::{Answer, Query, Readings};
use crate::incident::{Entry, Journal, JournalAct, Utc};
use crate::playbook::{Check, Plan, PlanError};

/// The state of a lever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeverState {
    /// Its promise holds already; `since` is the time at which this machine saw it executed.
    Done { since: Option<Utc> },
    /// It can be pulled; until this second, if its contract has a deadline.
    Ready { until: Option<u64> },
    /// The Safe may not do it: the holder of a role may, or the owner, if the contract names one.
    Barred { to: Entitled, owner: Option<Address> },
    /// A condition for it does not hold.
    Cannot(String),
    /// Arguments that are given when it is pulled.
    Asks(Vec<String>),
    /// It is not known; the reason.
    Unknown(String),
}

/// Returns the questions of a lever that follow from what is known.
pub(super) fn needed_queries(order: &Order, known: &Readings) -> Vec<Query> {
    match order.turn(known) {
        Ok(Turn::Needs(queries)) => queries,
        Ok(Turn::Ready(plans)) => {
            let plan = plans.merged();
            let owners = plan.calls.iter().map(|planned| Entitled::Owner.query(planned.call.to));
            plan.before.iter().chain(&plan.after).flat_map(Check::queries).chain(owners).collect()
        }
        Err(_) => Vec::new(),
    }
}

/// Returns the state of one lever, by the answers at one block.
pub(super) fn state(order: &Order, seen: Result<&Readings, &str>) -> LeverState {
    let readings = match seen {
        Ok(readings) => readings,
        Err(why) => return LeverState::Unknown(why.into()),
    };
    let plan = match order.turn(readings) {
        Ok(Turn::Ready(plans)) => plans.merged(),
        Ok(Turn::Needs(_)) => {
            return LeverState::Unknown("it reads more values than this list asks for".into());
        }
        Err(TurnError { error: PlanError::NothingToDo(_), .. }) => return LeverState::Done { since: None },
        Err(TurnError { error: PlanError::Missing { names, .. }, .. }) => return LeverState::Asks(names),
        Err(error) => return LeverState::Cannot(error.to_string()),
    };
    of_plan(&plan, order.safe.address, readings)
}

fn of_plan(plan: &Plan, safe: Address, readings: &Readings) -> LeverState {
    let mut promised = plan.after.iter().filter(|check| !check.queries().is_empty()).peekable();
    if promised.peek().is_some() && promised.all(|check| check.judge(readings, &[]).holds) {
        return LeverState::Done { since: None };
    }
    let failed = plan.before.iter().find_map(|check| {
        let verdict = check.judge(readings, &[]);
        (!verdict.holds).then_some((check, verdict))
    });
    let Some((check, verdict)) = failed else {
        return LeverState::Ready { until: plan.before.iter().filter_map(Check::deadline).min() };
    };
    let answer = check.queries().into_iter().find_map(|query| Some((readings.get(&query)?, query)));
    match answer {
        Some((Answer::Reverted(data), Query::Call { to, .. })) => match entitled(data, safe) {
            Some(asked) => {
                let owner = readings.get(&Entitled::Owner.query(to)).and_then(address);
                LeverState::Barred { to: asked, owner: owner.filter(|_| asked == Entitled::Owner) }
            }
            None => LeverState::Cannot(verdict.sentence),
        },
        _ => LeverState::Cannot(verdict.sentence),
    }
}

/// Returns the time at which this machine last saw a lever's own transaction in a block.
pub(super) fn last_mined(journal: &Journal, lever: &str) -> Option<Utc> {
    let is_of = |entry: &&Entry| {
        let is_mined =
            matches!(entry.draft.act, JournalAct::Mined { succeeded: true, .. } | JournalAct::Proven { .. });
        is_mined && entry.draft.about.as_ref().is_some_and(|about| about.what.to_string() == lever)
    };
    journal.entries.iter().rev().map(|(_, entry)| entry).find(is_of).map(|entry| entry.draft.time)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, Bytes, U256};
    use alloy::sol_types::SolValue;

    use super::*;
    use crate::ceremony::tests::{Home, VAULT, at, order as order_of, setting};

    fn word(value: u64) -> Answer {
        Answer::Value(B256::from(U256::from(value)).into())
    }

    /// Returns the chain's answers if the vault answers this to `paused()`.
    fn paused(order: &Order, answer: &Answer) -> Readings {
        needed_queries(order, &Readings::default()).into_iter().map(|query| (query, answer.clone())).collect()
    }

    #[test]
    fn a_levers_state_follows_from_its_contracts_answers() {
        let home = Home::new();
        let desk = home.desk();
        let vault = order_of(&desk, &["vault"], &at(4));
        let by = |answer: &Answer| state(&vault, Ok(&paused(&vault, answer)));
        assert_eq!(by(&word(1)), LeverState::Done { since: None });
        assert_eq!(by(&word(0)), LeverState::Ready { until: None });
        assert_eq!(state(&vault, Err("no RPC")), LeverState::Unknown("no RPC".into()));
        let nothing = Readings::default();
        assert!(matches!(state(&vault, Ok(&nothing)), LeverState::Cannot(_)), "nothing was answered");
        let fee = order_of(&desk, &["fee"], &at(4));
        assert_eq!(state(&fee, Ok(&nothing)), LeverState::Asks(vec!["fee".into()]));
        let fee = order_of(&desk, &["fee"], &setting(at(4), "fee", "40 bps"));
        assert!(matches!(state(&fee, Ok(&nothing)), LeverState::Unknown(_)), "it asks for more");
        let same: Readings =
            needed_queries(&fee, &nothing).into_iter().map(|query| (query, word(40))).collect();
        assert_eq!(state(&fee, Ok(&same)), LeverState::Done { since: None }, "the fee is this already");
    }

    #[test]
    fn a_call_that_the_safe_may_not_make_names_who_may() {
        let home = Home::new();
        let desk = home.desk();
        let vault = order_of(&desk, &["vault"], &at(4));
        let (safe, holder) = (vault.safe.address, Address::repeat_byte(0x77));
        let refused = |data: Bytes| {
            let mut readings = paused(&vault, &word(0));
            for query in needed_queries(&vault, &Readings::default()) {
                if matches!(&query, Query::Call { from: Some(from), .. } if *from == safe) {
                    readings.insert(query, Answer::Reverted(data.clone()));
                }
            }
            let owner = Entitled::Owner.query(VAULT);
            readings.insert(owner, Answer::Value(holder.abi_encode().into()));
            state(&vault, Ok(&readings))
        };
        let text = |text: &str| {
            alloy::sol_types::SolError::abi_encode(&alloy::sol_types::Revert::from(text.to_string()))
        };
        let owner = refused(text("Ownable: caller is not the owner").into());
        assert_eq!(owner, LeverState::Barred { to: Entitled::Owner, owner: Some(holder) });
        let role = B256::repeat_byte(7);
        let role_text = format!("AccessControl: account {safe} is missing role {role}");
        assert_eq!(
            refused(text(&role_text).into()),
            LeverState::Barred { to: Entitled::Role(role), owner: None }
        );
        assert!(matches!(refused(text("Pausable: paused").into()), LeverState::Cannot(_)));
    }
}
