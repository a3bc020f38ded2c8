//! The transactions that were sent for a deputy's lever. They are recorded beside those of proposals, so that one that waits
//! is waited for or replaced, and nothing else takes its place.

use alloy::primitives::{Address, hex, keccak256};

use crate::ceremony::deputy::deputy_act::Act;
use crate::ceremony::desk::Desk;
use crate::ceremony::folder::filing::plain;
use crate::ceremony::sending::sent::Sent;
use crate::error::Error;
use crate::proposal::Outgoing;
use crate::store::Stored;

/// The folder of a lever's records: one of its own, also where another lever's name reduces to the same words.
pub fn folder_of(lever: &str) -> String {
    let plain = plain(lever);
    if plain == lever {
        return format!("deputy-{plain}");
    }
    let digest = keccak256(lever);
    format!("deputy-{plain}-{}", hex::encode(&digest[..4]))
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

#[cfg(test)]
mod tests {
    use super::folder_of;

    #[test]
    fn each_deputys_lever_has_a_folder_of_its_own() {
        assert_eq!(folder_of("freeze-pods"), "deputy-freeze-pods");
        let long = "a".repeat(60);
        let names = ["freeze pods", "Freeze Pods", "freeze_pods", "freeze-pods", "冻结", "凍結", &long];
        let mut folders: Vec<String> = names.iter().map(|name| folder_of(name)).collect();
        assert!(folders.iter().all(|folder| folder.is_ascii() && folder.len() <= 64), "{folders:?}");
        folders.sort();
        folders.dedup();
        assert_eq!(folders.len(), names.len(), "{folders:?}");
    }
}
