//! `approveHash` as a transaction: a Safe that owns another approves one of its transactions on chain. Its playbook is
//! a part of the program and has no lever, because a hash alone does not show what is approved.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::council;
use crate::error::{Error, Exit};
use crate::excerpt::Fault;
use crate::playbook::Playbook;
use crate::proposal::Proposal;

static PLAYBOOK: LazyLock<Result<Playbook, Fault>> =
    LazyLock::new(|| Playbook::parse("approve_hash.toml", include_str!("approve_hash.toml")));

/// Returns the playbook that calls `approveHash`. It never fails, because a test parses it.
pub(super) fn playbook() -> Result<&'static Playbook, Error> {
    PLAYBOOK.as_ref().map_err(|fault| Error::new(Exit::Failed, fault.headline()))
}

/// Returns the arguments that approve this proposal.
pub(super) fn arguments(proposal: &Proposal) -> BTreeMap<String, String> {
    let (safe, hash) = (proposal.safe().address.to_string(), proposal.hash().to_string());
    [("of".to_string(), safe), ("hash".to_string(), hash)].into()
}

/// Checks by the council file that a Safe can approve for another one. Fails if it is on another chain, or not among
/// the owners that are pinned.
pub(super) fn require_owner(safe: &council::Safe, of: &council::Safe) -> Result<(), Error> {
    let owns = of.owners.as_ref().is_none_or(|owners| owners.contains(safe.address));
    if owns && safe.chain == of.chain {
        return Ok(());
    }
    let error = Error::new(Exit::Usage, format!("{} is not an owner of {}", safe.name, of.name));
    Err(error.hint("name the Safes from the nearest on: --approve-as NEAR --approve-as FAR"))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;

    use super::*;
    use crate::evm::{AddressBook, Readings};
    use crate::playbook::{Derivation, Inputs, derive};

    #[test]
    fn its_playbook_calls_approve_hash_and_reads_nothing() {
        let playbook = playbook().unwrap();
        let (of, hash) = (Address::repeat_byte(0xd1), format!("0x{}", "e0".repeat(32)));
        let args = [("of".to_string(), of.to_string()), ("hash".to_string(), hash.clone())].into();
        let inputs = Inputs {
            args: &args,
            names: &AddressBook::default(),
            safe: Address::repeat_byte(5),
            chain_id: 1,
        };
        let Ok(Derivation::Ready(plan)) = derive(playbook, &inputs, &Readings::default()) else {
            panic!("it asks for something")
        };
        let [call] = &plan.calls[..] else { panic!("{:?}", plan.calls) };
        assert_eq!((call.call.to, call.call.data.to_string()), (of, format!("0xd4d9bdcd{}", &hash[2..])));
        assert_eq!(
            (plan.before.len(), plan.after.len()),
            (3, 1),
            "it is an owner, has not approved, and may call"
        );
    }
}
