//! The council file held against its chains: contracts that are not there, and levers that cannot be pulled together.

use std::collections::BTreeSet;

use alloy::primitives::Address;

use crate::ceremony::derivation::is_set;
use crate::ceremony::desk::Desk;
use crate::ceremony::find::Purpose;
use crate::ceremony::order::Given;
use crate::chain::Ask;
use crate::error::{Error, Exit};
use crate::evm::{BlockTag, Query};

impl Desk<'_> {
    /// Returns the addresses that have no code on a chain: one round.
    ///
    /// # Errors
    /// If the chain cannot be asked, or the council has no Safe on it.
    pub fn without_code(
        &self,
        chain: &str,
        contracts: &BTreeSet<Address>,
    ) -> Result<BTreeSet<Address>, Error> {
        let safe = self.council.safes.values().find(|safe| safe.chain == chain);
        let safe =
            safe.ok_or_else(|| Error::new(Exit::Usage, format!("no Safe of the council is on {chain}")))?;
        let link = self.connect(safe)?;
        let queries: Vec<Query> =
            contracts.iter().map(|address| Query::CodeHash { address: *address }).collect();
        let ask = Ask { safe: safe.address, queries: &queries, ..Ask::default() };
        let snapshot =
            self.progress.wait(&format!("reading {chain}"), || link.snapshot(&ask, BlockTag::Latest))?;
        let has_code =
            |address: &Address| is_set(snapshot.readings.get(&Query::CodeHash { address: *address }));
        Ok(contracts.iter().copied().filter(|address| !has_code(address)).collect())
    }

    /// Returns why the levers that a combined one pulls cannot be in one transaction; `None` if they can.
    ///
    /// # Errors
    /// If it cannot be derived now.
    pub fn conflict_of(&self, combined: &str) -> Result<Option<String>, Error> {
        let given = Given::default();
        for found in self.find(&[combined.into()], &given, Purpose::Propose)? {
            let view = self.view(found.safe())?;
            let online = found.online(self, view, &given, true, None)?;
            if let Some(conflict) = online.conflict(self.progress)? {
                return Ok(Some(conflict.to_string()));
            }
        }
        Ok(None)
    }
}
