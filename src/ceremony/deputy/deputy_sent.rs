//! The transactions that were sent for a deputy's lever. They are recorded beside those of proposals, so that one that waits
//! is waited for or replaced, and nothing else takes its place.

use alloy::primitives::Address;

use crate::ceremony::deputy::deputy_act::Act;
use crate::ceremony::desk::Desk;
use crate::ceremony::folder::filing::plain;
use crate::ceremony::sending::sent::Sent;
use crate::error::Error;
use crate::proposal::Outgoing;
use crate::store::Stored;

/// The folder of a lever's records.
pub fn folder_of(lever: &str) -> String {
    format!("deputy-{}", plain(lever))
}

impl Desk<'_> {
    /// Records a transaction before it is sent.
    pub fn keep_deputys(&self, lever: &str, sent: &Sent) -> Result<(), Error> {
        self.incidents.keep_sent(&folder_of(lever), &sent.hash.to_string(), &sent.to_json())?;
        Ok(())
    }

    /// Returns the recorded transactions of an account that call what this act calls. Whose one is tells its signature, not
    /// the record. None where the records cannot be read: a pause does not wait for them.
    pub fn deputys_sent(&self, lever: &str, act: &Act, from: Address) -> Vec<Sent> {
        let Ok(call) = act.outgoing() else { return Vec::new() };
        let records = self.incidents.sent(&[folder_of(lever)]).unwrap_or_default();
        let read = |stored: Stored| Sent::parse(&stored.text.ok()?);
        records.into_iter().filter_map(read).filter(|sent| is_of(sent, &call, from)).collect()
    }
}

fn is_of(sent: &Sent, call: &Outgoing, from: Address) -> bool {
    sent.from == from && sent.tx.chain_id == call.chain_id() && sent.tx.to == call.to().into()
}
