//! A call that may leave: what a Safe accepts, or what one deputy may do alone. The only things that can be sent.

use alloy::primitives::{Address, Bytes};

use super::Ready;
use crate::safe::{Call, Pause, PauseSignature};

/// The call of a transaction that anybody, or one account, may send, with no ether.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    chain_id: u64,
    only_from: Option<Address>,
    to: Address,
    data: Bytes,
}

impl From<&Ready> for Outgoing {
    fn from(ready: &Ready) -> Self {
        Self {
            chain_id: ready.safe().chain_id,
            only_from: ready.only_from(),
            to: ready.safe().address,
            data: ready.calldata().clone(),
        }
    }
}

impl Outgoing {
    /// Returns a call that a deputy makes with their own key, and nobody else can make. `None` if it carries ether.
    pub fn of_key(chain_id: u64, deputy: Address, call: &Call) -> Option<Self> {
        let (to, data) = (call.to, call.data.clone());
        call.value.is_zero().then_some(Self { chain_id, only_from: Some(deputy), to, data })
    }

    /// Returns the call that gives a deputy's signature to their module. Anybody can send it.
    pub fn of_module(pause: &Pause, signature: &PauseSignature) -> Self {
        let data = pause.calldata(signature);
        Self { chain_id: pause.chain_id, only_from: None, to: pause.module, data }
    }

    /// Returns the id of the chain that it is sent to.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The only account that can send it; `None` if anybody can.
    pub const fn only_from(&self) -> Option<Address> {
        self.only_from
    }

    /// Returns the contract that it calls.
    pub const fn to(&self) -> Address {
        self.to
    }

    /// Returns the call's data.
    pub const fn data(&self) -> &Bytes {
        &self.data
    }
}
