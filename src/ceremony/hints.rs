//! Keys that an earlier rehearsal of a lever read, kept in the reader's cache. They decide only what is fetched early:
//! the values come from the quorum each time.

use crate::ceremony::order::Order;
use crate::council::TextDigest;
use crate::evm::Keys;
use crate::store::CacheFolder;

/// The most keys that are kept or used.
const MOST: usize = 2_000;

/// Returns the keys that an earlier rehearsal of these levers read; empty if there was none.
pub fn kept(cache: Option<&CacheFolder>, order: &Order) -> Keys {
    let text = cache.and_then(|folder| folder.read(&name(order)));
    let keys: Option<Keys> = text.and_then(|text| serde_json::from_str(&text).ok());
    keys.filter(|keys| keys.len() <= MOST).map(without_blocks).unwrap_or_default()
}

/// Keeps the keys that a rehearsal of these levers read.
pub fn keep(cache: Option<&CacheFolder>, order: &Order, read: &Keys) {
    if read.is_empty() || read.len() > MOST {
        return;
    }
    if let (Some(folder), Ok(text)) = (cache, serde_json::to_string(&without_blocks(read.clone()))) {
        folder.write(&name(order), &text);
    }
}

/// Removes the hashes of blocks, which do not recur.
fn without_blocks(mut keys: Keys) -> Keys {
    keys.block_hashes.clear();
    keys
}

/// Returns the file's name, one for each set of levers and Safe with any arguments.
fn name(order: &Order) -> String {
    let levers: Vec<&str> = order.levers().collect();
    let playbooks: Vec<&str> = order.playbooks().map(|playbook| playbook.id.as_str()).collect();
    let what = format!("{} {} {}", levers.join(" "), playbooks.join(" "), order.pull.undo);
    format!("{}-{}-{}.json", order.chain.id, order.safe.address, TextDigest::of(&what).digits())
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256, U256};

    use super::*;
    use crate::ceremony::tests::{Home, at, order};

    #[test]
    fn hints_are_kept_by_levers_and_direction_and_without_blocks() {
        let home = Home::new();
        let desk = home.desk();
        let named = |levers: &[&str], undo: bool| {
            name(&order(&desk, levers, &crate::ceremony::order::Given { undo, ..at(4) }))
        };
        assert_eq!(named(&["vault"], false), named(&["vault"], false));
        assert_ne!(named(&["vault"], false), named(&["bridge"], false));
        assert_ne!(named(&["vault"], false), named(&["vault"], true));
        let mut keys = Keys::default();
        keys.block_hashes.insert(7);
        assert!(without_blocks(keys).block_hashes.is_empty());
    }

    #[test]
    fn as_many_keys_as_a_rehearsal_may_read_are_kept() {
        let home = Home::new();
        let desk = home.desk();
        let of = order(&desk, &["vault"], &at(4));
        let slots = |count: usize| {
            let slot = |n: usize| (Address::ZERO, B256::from(U256::from(n)));
            Keys { slots: (0..count).map(slot).collect(), ..Keys::default() }
        };
        let cache = desk.cache.as_ref();
        assert_eq!(kept(cache, &of).len(), 0);
        keep(cache, &of, &slots(MOST));
        assert_eq!(kept(cache, &of), slots(MOST));
        keep(cache, &of, &slots(MOST + 1));
        keep(cache, &of, &slots(0));
        assert_eq!(kept(cache, &of), slots(MOST), "neither too many nor none take their place");
        keep(cache, &of, &slots(1));
        assert_eq!(kept(cache, &of), slots(1));
        assert_eq!(kept(cache, &order(&desk, &["bridge"], &at(4))).len(), 0);
        let text = serde_json::to_string(&slots(MOST + 1)).unwrap();
        cache.unwrap().write(&name(&of), &text);
        assert_eq!(kept(cache, &of).len(), 0, "somebody filled it");
    }
}
