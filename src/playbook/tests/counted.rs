//! Alarms about the events of the last blocks.

use alloy::primitives::{Address, B256, Log, LogData, U256, keccak256};

use super::super::{AlarmEvaluation, Watched};
use crate::evm::{AddressBook, FoundLogs, LogFilter, Readings};

const OUTFLOW: &str = r#"
    event = "Transfer(address indexed from,address indexed to,uint256 value)"
    on = "0x1111111111111111111111111111111111111111"
    args = ["vault", "_", "_"]
    blocks = 50
    sum = "value"
    at_most = "1000"
"#;

fn names() -> AddressBook {
    [("vault".to_string(), Address::repeat_byte(7))].into_iter().collect()
}

fn watched(claim: &str) -> Watched {
    Watched::parse("outflow", &claim.parse().unwrap()).unwrap_or_else(|fault| panic!("{fault}"))
}

/// Returns the filter that is asked for, and the evaluation after these logs are found.
fn evaluate(claim: &str, logs: Result<Vec<Log>, String>) -> (LogFilter, AlarmEvaluation) {
    let watched = watched(claim);
    let at = |logs: &FoundLogs| watched.evaluate(1, &names(), &Readings::default(), logs);
    let AlarmEvaluation::Needs(needs) = at(&FoundLogs::new()) else { panic!("it asks for nothing") };
    let filter = needs.events.into_iter().next().unwrap();
    let evaluation = at(&[(filter.clone(), logs)].into());
    (filter, evaluation)
}

fn transfer(token: u8, from: u8, value: u64) -> Log {
    let word = |byte: u8| Address::repeat_byte(byte).into_word();
    let topics = vec![keccak256("Transfer(address,address,uint256)"), word(from), word(9)];
    let data = LogData::new_unchecked(topics, B256::from(U256::from(value)).into());
    Log { address: Address::repeat_byte(token), data }
}

#[test]
fn the_sum_of_a_value_is_compared_with_a_bound() {
    let (filter, quiet) = evaluate(OUTFLOW, Ok(vec![transfer(0x11, 7, 400), transfer(0x11, 7, 600)]));
    let topic = keccak256("Transfer(address,address,uint256)");
    let topics = vec![Some(topic), Some(Address::repeat_byte(7).into_word())];
    assert_eq!(filter, LogFilter { address: Address::repeat_byte(0x11), topics, blocks: 50 });
    assert!(matches!(quiet, AlarmEvaluation::Quiet { .. }), "{quiet:?}");
    let (_, evaluation) = evaluate(OUTFLOW, Ok(vec![transfer(0x11, 7, 400), transfer(0x11, 7, 601)]));
    let AlarmEvaluation::False { sentences } = evaluation else { panic!("{evaluation:?}") };
    assert!(sentences[0].starts_with("sum of value in Transfer(0x0707"), "{sentences:?}");
    assert!(sentences[0].ends_with("in 50 blocks is 1001; expected: is at most 1000"), "{sentences:?}");
}

/// A search is a question to an RPC, which may answer with something else.
#[test]
fn an_event_that_was_not_asked_for_does_not_count() {
    let other = vec![transfer(0x12, 7, 5_000), transfer(0x11, 8, 5_000), transfer(0x11, 7, 1_000)];
    assert!(matches!(evaluate(OUTFLOW, Ok(other)).1, AlarmEvaluation::Quiet { .. }));
}

#[test]
fn events_are_counted_where_no_sum_is_asked_for() {
    let count = "event = \"RoleGranted(bytes32 indexed role,address indexed account,address indexed sender)\"\n\
                 on = \"vault\"\nblocks = 1\nexpect = \"0\"";
    assert!(matches!(evaluate(count, Ok(Vec::new())).1, AlarmEvaluation::Quiet { .. }));
    let topics = vec![keccak256("RoleGranted(bytes32,address,address)"), B256::ZERO, B256::ZERO, B256::ZERO];
    let data = LogData::new_unchecked(topics, Vec::new().into());
    let (_, evaluation) = evaluate(count, Ok(vec![Log { address: Address::repeat_byte(7), data }]));
    let AlarmEvaluation::False { sentences } = evaluation else { panic!("{evaluation:?}") };
    assert!(sentences[0].starts_with("number of RoleGranted(") && sentences[0].ends_with("is 1, not 0"));
}

#[test]
fn a_search_that_failed_is_neither_quiet_nor_an_alarm() {
    assert_eq!(evaluate(OUTFLOW, Err("no".into())).1, AlarmEvaluation::Unreadable("no".into()));
}

#[test]
fn a_sum_that_overflows_is_the_largest_number() {
    let mut large = transfer(0x11, 7, 0);
    large.data.data = B256::repeat_byte(0xff).into();
    let (_, evaluation) = evaluate(OUTFLOW, Ok(vec![large.clone(), large]));
    assert!(matches!(evaluation, AlarmEvaluation::False { .. }), "{evaluation:?}");
}

#[test]
fn mistakes_are_named() {
    for (from, to, told) in [
        ("blocks = 50\n", "", "blocks is missing"),
        ("blocks = 50", "blocks = 0", "blocks is a number from 1 to 5000"),
        ("blocks = 50", "blocks = \"50\"", "blocks is a number from 1 to 5000"),
        ("\"value\"", "\"valu\"", "the event names no value \"valu\"; did you mean \"value\"?"),
        ("\"value\"", "\"to\"", "to is not an unsigned number"),
        ("sum = \"value\"", "sum = 2", "sum is the name of one of the event's values"),
        ("Transfer(address indexed from", "Transfer(adress indexed from", "is not an event signature"),
        ("\"_\", \"_\"]", "\"_\"]", "Transfer has 3 values, and 2 are given"),
        ("at_most = \"1000\"", "at_most = \"true\"", "\"true\" is not a whole number"),
        ("at_most = \"1000\"", "contains = \"1\"", "this compares lists, and the value is uint256"),
        ("at_most = \"1000\"", "", "exactly one of expect"),
        ("event =", "view =", "blocks and sum are for an event"),
    ] {
        assert!(OUTFLOW.contains(from), "{from}");
        let claim = OUTFLOW.replacen(from, to, 1).parse().unwrap();
        let why = Watched::parse("outflow", &claim).unwrap_err().to_string();
        assert!(why.contains(told), "{told}: {why}");
    }
}
