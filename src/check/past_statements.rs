//! Comparison of a file's statements about a block with that block: what never was true is a lie, and did not change
//! since.

use crate::evm::Readings;
use crate::safe::SafeState;

/// The chain's answer about a file's block. It is asked only if the file differs from the chain now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Past {
    #[default]
    NotAsked,
    /// It was as the file says.
    True,
    /// It was otherwise.
    False(Vec<Untrue>),
    /// No RPC can tell any more; the reason.
    Unknown(String),
}

/// One thing that a file says and the chain did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untrue {
    pub about: PastSubject,
    /// `owners`, or the question of a reading.
    pub what: String,
    pub file: String,
    pub chain: String,
}

/// The thing that a statement of a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastSubject {
    Block,
    Code,
    Reading,
    Safe,
}

impl Past {
    /// Compares a file's readings and its state of the Safe, against those of the chain at the same block.
    pub fn compare(file: (&SafeState, Option<&Readings>), chain: (&SafeState, &Readings)) -> Self {
        let safe = file.0.drift(chain.0).into_iter().map(|d| Untrue {
            about: PastSubject::Safe,
            what: d.what.to_string(),
            file: d.was,
            chain: d.now,
        });
        let readings = file.1.into_iter().flat_map(Readings::iter);
        let readings = readings.filter(|(query, answer)| chain.1.get(query) != Some(*answer));
        let readings = readings.map(|(query, answer)| Untrue {
            about: PastSubject::Reading,
            what: query.to_string(),
            file: answer.to_string(),
            chain: chain.1.get(query).map_or("nothing".into(), ToString::to_string),
        });
        let all: Vec<Untrue> = safe.chain(readings).collect();
        if all.is_empty() { Self::True } else { Self::False(all) }
    }

    /// Returns the lie about a block that the chain does not have.
    pub fn no_such_block(number: u64, file: String, chain: String) -> Self {
        Self::False(vec![Untrue { about: PastSubject::Block, what: format!("block {number}"), file, chain }])
    }

    /// Adds further untrue statements.
    pub fn and(self, more: Vec<Untrue>) -> Self {
        match self {
            same if more.is_empty() => same,
            Self::False(all) => Self::False([all, more].concat()),
            _ => Self::False(more),
        }
    }

    /// Returns the untrue statements about anything but the values that the transaction rests on.
    pub fn beside_the_readings(&self) -> impl Iterator<Item = &Untrue> {
        let all = if let Self::False(all) = self { &all[..] } else { &[] };
        all.iter().filter(|untrue| untrue.about != PastSubject::Reading)
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;

    use super::*;
    use crate::check::tests::proposal;
    use crate::evm::{Answer, Query};

    #[test]
    fn only_what_the_chain_said_at_that_block_is_true() {
        let honest = proposal().snapshot().clone();
        let reading = |n: u8| -> Readings {
            let query = Query::Balance { address: Address::repeat_byte(1) };
            [(query, Answer::Value(vec![n; 32].into()))].into_iter().collect()
        };
        let past = |state: &SafeState, readings: Option<&Readings>| {
            Past::compare((state, readings), (&honest, &reading(1)))
        };
        assert_eq!(past(&honest, Some(&reading(1))), Past::True);
        assert_eq!(past(&honest, None), Past::True);
        let about = |past: Past| match past {
            Past::False(all) => all.into_iter().map(|u| u.about).collect(),
            _ => Vec::new(),
        };
        assert_eq!(about(past(&honest, Some(&reading(2)))), [PastSubject::Reading]);
        let poisoned = SafeState { guard: Address::repeat_byte(9), ..honest.clone() };
        assert_eq!(about(past(&poisoned, Some(&reading(2)))), [PastSubject::Safe, PastSubject::Reading]);
    }
}
