//! Questions and answers as a proposal file writes them.

use alloy::primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use crate::evm::{Answer, Query};

/// An address that is written with its checksum.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct WireAddress(pub(super) Address);

impl Serialize for WireAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireReading {
    pub(super) question: WireQuery,
    pub(super) answer: WireAnswer,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum WireQuery {
    Call { from: Option<WireAddress>, to: WireAddress, data: Bytes },
    Storage { address: WireAddress, slot: B256 },
    Balance { address: WireAddress },
    CodeHash { address: WireAddress },
    Time,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WireAnswer {
    Value(Bytes),
    Reverted(Bytes),
}

impl From<&Query> for WireQuery {
    fn from(query: &Query) -> Self {
        match query.clone() {
            Query::Call { from, to, data } => {
                Self::Call { from: from.map(WireAddress), to: WireAddress(to), data }
            }
            Query::Storage { address, slot } => Self::Storage { address: WireAddress(address), slot },
            Query::Balance { address } => Self::Balance { address: WireAddress(address) },
            Query::CodeHash { address } => Self::CodeHash { address: WireAddress(address) },
            Query::Time => Self::Time,
        }
    }
}

impl From<WireQuery> for Query {
    fn from(wire: WireQuery) -> Self {
        match wire {
            WireQuery::Call { from, to, data } => Self::Call { from: from.map(|a| a.0), to: to.0, data },
            WireQuery::Storage { address, slot } => Self::Storage { address: address.0, slot },
            WireQuery::Balance { address } => Self::Balance { address: address.0 },
            WireQuery::CodeHash { address } => Self::CodeHash { address: address.0 },
            WireQuery::Time => Self::Time,
        }
    }
}

impl From<&Answer> for WireAnswer {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Value(bytes) => Self::Value(bytes.clone()),
            Answer::Reverted(bytes) => Self::Reverted(bytes.clone()),
        }
    }
}

impl From<WireAnswer> for Answer {
    fn from(wire: WireAnswer) -> Self {
        match wire {
            WireAnswer::Value(bytes) => Self::Value(bytes),
            WireAnswer::Reverted(bytes) => Self::Reverted(bytes),
        }
    }
}
