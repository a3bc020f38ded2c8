//! Questions and answers as a proposal file writes them.

use alloy::primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, serde_as};

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
    #[serde(with = "WireQuery")]
    pub(super) question: Query,
    #[serde(with = "WireAnswer")]
    pub(super) answer: Answer,
}

#[serde_as]
#[derive(Serialize, Deserialize)]
#[serde(remote = "Query", deny_unknown_fields, rename_all = "snake_case")]
enum WireQuery {
    Call {
        #[serde_as(as = "Option<DisplayFromStr>")]
        from: Option<Address>,
        #[serde_as(as = "DisplayFromStr")]
        to: Address,
        data: Bytes,
    },
    Storage {
        #[serde_as(as = "DisplayFromStr")]
        address: Address,
        slot: B256,
    },
    Balance {
        #[serde_as(as = "DisplayFromStr")]
        address: Address,
    },
    CodeHash {
        #[serde_as(as = "DisplayFromStr")]
        address: Address,
    },
    Time,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Answer", rename_all = "snake_case")]
enum WireAnswer {
    Value(Bytes),
    Reverted(Bytes),
}
