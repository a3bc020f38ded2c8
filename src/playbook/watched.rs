//! Claims of the council file that must stay true: written as the checks of a playbook, and judged like them.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use toml::{Table, Value};

use super::alarm_look::AlarmEvaluation;
use super::claim::Fact;
use super::counted::{self, Counted};
use super::derive::derive;
use super::plan::{Derivation, Inputs, Plan};
use super::{Check, Playbook};
use crate::evm::{AddressBook, FoundLogs, Query, Readings};
use crate::excerpt::Fault;

/// The fields that say what a value must be. Each that is given is a claim of its own.
const RELATIONS: [&str; 7] =
    ["expect", "expect_not", "at_least", "at_most", "contains", "lacks", "same_items"];

/// The claims of one alarm.
#[derive(Clone, Debug)]
pub struct Watched {
    /// A playbook whose `before` checks are the claims. Its step is never made.
    playbook: Playbook,
    /// For claims about a number of events, which are those of its first `after` check.
    counted: Option<Counted>,
}

impl Watched {
    /// Reads the claim of an alarm, in which names of the council are addresses already.
    /// The error has the word at fault.
    pub fn parse(name: &str, claim: &Table) -> Result<Self, Fault> {
        let origin = format!("alarm {name}");
        let mut claim = claim.clone();
        let parts = counted::take(&origin, &mut claim)?;
        if parts.is_some() {
            // The claims are about a number, as those about the time are.
            claim.insert("time".into(), "block".into());
        }
        let event = parts.as_ref().map(|parts| parts.event.clone());
        let playbook = Playbook::parse(&origin, &as_playbook(claim, event).to_string())?;
        let counted = match (parts, playbook.after.first().map(|claim| &claim.fact)) {
            (Some(parts), Some(Fact::Event { event, .. })) => Some(parts.counted(&origin, event)?),
            _ => None,
        };
        Ok(Self { playbook, counted })
    }

    /// Judges the claims by these answers.
    pub fn evaluate(
        &self,
        chain_id: u64,
        names: &AddressBook,
        readings: &Readings,
        logs: &FoundLogs,
    ) -> AlarmEvaluation {
        let args = BTreeMap::new();
        let inputs = Inputs { args: &args, names, safe: Address::ZERO, chain_id };
        let plan = match derive(&self.playbook, &inputs, readings) {
            Ok(Derivation::Needs(queries)) => return AlarmEvaluation::asking(queries),
            Ok(Derivation::Ready(plan)) => plan,
            Err(why) => return AlarmEvaluation::Unreadable(why.to_string()),
        };
        match &self.counted {
            Some(counted) => counted.evaluate(&plan, logs),
            None => judge(&plan, readings),
        }
    }
}

/// Judges claims about values.
fn judge(plan: &Plan, readings: &Readings) -> AlarmEvaluation {
    let queries = plan.before.iter().flat_map(Check::queries);
    let missing: Vec<Query> = queries.filter(|query| readings.get(query).is_none()).collect();
    if !missing.is_empty() {
        return AlarmEvaluation::asking(missing);
    }
    let was_read = |check: &&Check| !matches!(check, Check::Value { .. }) || check.value(readings).is_some();
    if let Some(check) = plan.before.iter().find(|check| !was_read(check)) {
        return AlarmEvaluation::Unreadable(check.judge(readings, &[]).sentence);
    }
    AlarmEvaluation::of(plan.before.iter().map(|check| check.judge(readings, &[])).collect())
}

/// The claim in a playbook that does nothing: its reads and checks are read as everybody's are.
fn as_playbook(mut asked: Table, event: Option<Table>) -> Table {
    let reads = asked.remove("read").unwrap_or_else(|| Value::Array(Vec::new()));
    let mut relations = Table::new();
    for key in RELATIONS {
        if let Some(value) = asked.remove(key) {
            let (key, value) = spelled(key, value);
            relations.insert(key.into(), value);
        }
    }
    let check = |(key, value): (&String, &Value)| {
        let mut check = asked.clone();
        check.insert(key.clone(), value.clone());
        Value::Table(check)
    };
    let mut checks: Vec<Value> = relations.iter().map(check).collect();
    if checks.is_empty() {
        checks.push(Value::Table(asked));
    }
    let step = [("to".to_string(), "{safe}".into()), ("call".to_string(), "nothing()".into())];
    let any = [("code", "{safe}"), ("expect", "_")].map(|(key, value)| (key.to_string(), value.into()));
    let after = event.unwrap_or_else(|| any.into_iter().collect());
    let texts = ["does_not_stop", "cost", "source", "title"].map(|key| (key.to_string(), "-".into()));
    let mut undo = Table::new();
    undo.insert("none".into(), "-".into());
    let mut playbook: Table = texts.into_iter().collect();
    for (key, value) in [
        ("schema", Value::Integer(1)),
        ("id", "pause/alarm".into()),
        ("kind", "pause".into()),
        ("severity", "P1".into()),
        ("undo", Value::Table(undo)),
        ("read", reads),
        ("before", Value::Array(checks)),
        ("step", Value::Array(vec![Value::Table(step.into_iter().collect())])),
        ("after", Value::Array(vec![Value::Table(after)])),
    ] {
        playbook.insert(key.into(), value);
    }
    playbook
}

/// `expect = ">= 5"` is at_least, `"<= 5"` at_most.
fn spelled(key: &str, value: Value) -> (&str, Value) {
    if let ("expect", Value::String(text)) = (key, &value) {
        for (sign, key) in [(">=", "at_least"), ("<=", "at_most"), ("!=", "expect_not")] {
            if let Some(rest) = text.trim().strip_prefix(sign) {
                return (key, rest.trim().into());
            }
        }
    }
    (key, value)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;
    use crate::evm::Answer;

    fn watched(claim: &str) -> Result<Watched, Fault> {
        Watched::parse("drained", &claim.parse().unwrap())
    }

    fn answered(watched: &Watched, value: impl Fn(&Query) -> Answer) -> AlarmEvaluation {
        let names = AddressBook::default();
        let mut readings = Readings::default();
        for _ in 0..4 {
            match watched.evaluate(1, &names, &readings, &FoundLogs::new()) {
                AlarmEvaluation::Needs(needs) => {
                    for query in needs.queries {
                        let answer = value(&query);
                        readings.insert(query, answer);
                    }
                }
                evaluation => return evaluation,
            }
        }
        panic!("it goes on asking");
    }

    fn number(value: u64) -> Answer {
        Answer::Value(U256::from(value).to_be_bytes_vec().into())
    }

    const OWED: &str = r#"
        on = "0x1111111111111111111111111111111111111111"
        view = "totalAssets()(uint256)"
        expect = ">= {div(mul(owed, 9), 10)}"
        read = [{ name = "owed", view = "owed()(uint256)", on = "0x2222222222222222222222222222222222222222" }]
    "#;

    #[test]
    fn a_claim_is_held_against_another_reading() {
        let watched = watched(OWED).unwrap();
        let assets = |assets: u64| {
            answered(&watched, |query| match query {
                Query::Call { to, .. } if *to == Address::repeat_byte(0x11) => number(assets),
                _ => number(100),
            })
        };
        assert!(matches!(assets(90), AlarmEvaluation::Quiet { .. }));
        let AlarmEvaluation::False { sentences } = assets(89) else { panic!("it does not hold") };
        assert_eq!(sentences.len(), 1);
        assert!(sentences[0].contains("89") && sentences[0].contains("90"), "{sentences:?}");
    }

    #[test]
    fn a_view_that_reverts_is_neither_true_nor_false() {
        let watched = watched(OWED).unwrap();
        let evaluation = answered(&watched, |_| Answer::Reverted(Vec::new().into()));
        assert!(matches!(evaluation, AlarmEvaluation::Unreadable(_)), "{evaluation:?}");
        let evaluation = answered(&watched, |query| match query {
            Query::Call { to, .. } if *to == Address::repeat_byte(0x11) => Answer::Value(vec![1].into()),
            _ => number(100),
        });
        assert!(matches!(evaluation, AlarmEvaluation::Unreadable(_)), "{evaluation:?}");
    }

    #[test]
    fn two_bounds_are_two_claims() {
        let watched = watched(
            "balance = \"0x1111111111111111111111111111111111111111\"\nat_least = \"5\"\nat_most = \"9\"",
        )
        .unwrap();
        for (value, holds) in [(4, false), (5, true), (9, true), (10, false)] {
            let evaluation = answered(&watched, |_| number(value));
            assert_eq!(matches!(evaluation, AlarmEvaluation::Quiet { .. }), holds, "{value}: {evaluation:?}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_claim_is_refused() {
        for claim in [
            "",
            "view = \"a()(bool)\"",
            "view = \"a()(bool)\"\non = \"0x12\"\nexpect = \"true\"",
            "at_least = \"5\"",
        ] {
            assert!(watched(claim).is_err(), "{claim}");
        }
    }
}
