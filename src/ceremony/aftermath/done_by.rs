//! The Safe's transaction by which a lever is done already: since when, signed and sent by whom.

use std::collections::BTreeSet;

use alloy::primitives::{Address, Bytes};

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::chain::Carried;
use crate::clock;
use crate::evm::TxHash;
use crate::proposal::{Proposal, calls_of};
use crate::safe::{Domain, Execution, Nonce, Owners, SafeState, SafeTx, SafeTxHash, approvers, decode_exec};

/// The most nonces below the Safe's that are tried for an executed transaction.
const MOST_NONCES: u64 = 1_000;

/// The transaction that brought about the promised state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoneBy {
    Known(Box<Deed>),
    /// It is not known; the reason.
    Unknown(String),
}

/// The Safe's transaction that made the lever's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub hash: SafeTxHash,
    pub nonce: Nonce,
    /// It is this lever's own transaction, not another one with the same calls.
    pub is_this_lever: bool,
    pub tx: TxHash,
    pub block: u64,
    /// Seconds since 1970, and how long ago that is by this machine's clock.
    pub time: Option<(u64, u64)>,
    pub sender: Address,
    /// Recovered from the call's data.
    pub signers: Vec<Address>,
}

/// Searches the Safe's last transactions for it: two rounds, three if it is not the last of them.
pub fn find(desk: &Desk, judged: &Judged) -> DoneBy {
    let Some(seen) = &judged.seen else { return DoneBy::Unknown("the network was not asked".into()) };
    let (link, now) = (&seen.link, &seen.snapshot.state);
    let head = seen.snapshot.header.block();
    let search = || link.last_executions(&now.id, &head);
    let all = match desk.progress.wait("looking who did it", search) {
        Ok(all) => all,
        Err(error) => return DoneBy::Unknown(error.to_string()),
    };
    let Some((mut deed, time)) = last_execution(judged.proposal(), now, &all) else {
        let name = &judged.derived.safe.name;
        return DoneBy::Unknown(format!("none of the last transactions of {name}"));
    };
    let time = time.or_else(|| desk.progress.wait("looking when", || link.time_of(deed.block)).ok());
    deed.time = time.map(|time| (time, clock::seconds().saturating_sub(time)));
    DoneBy::Known(Box::new(deed))
}

/// Returns the last transaction that called one of the contracts, and the time of its block if known. `None` if it did
/// not make all of the proposal's calls: an earlier one may have been undone since.
fn last_execution(proposal: &Proposal, now: &SafeState, all: &[Carried]) -> Option<(Deed, Option<u64>)> {
    let ours = calls_of(proposal.tx()).ok()?;
    let targets: BTreeSet<Address> = ours.iter().map(|call| call.to).collect();
    for one in all.iter().filter(|one| one.outcome == Execution::Succeeded) {
        // A call that cannot be decoded may have undone it.
        let (tx, signatures) = executed(proposal, now.nonce, one)?;
        let calls = calls_of(&tx).unwrap_or_default();
        if !calls.iter().any(|call| targets.contains(&call.to)) {
            continue;
        }
        let did_all = ours.iter().all(|call| calls.contains(call));
        let deed = || Deed {
            hash: one.hash,
            nonce: tx.nonce,
            is_this_lever: hash_on_chain(proposal, &SafeTx { nonce: tx.nonce, ..proposal.tx().clone() })
                == one.hash,
            tx: one.tx,
            block: one.block,
            time: None,
            sender: one.sender,
            signers: approvers(&signatures, &one.hash, proposal.safe().version, &now.owners),
        };
        return did_all.then(|| (deed(), one.time));
    }
    None
}

/// Returns the Safe transaction in a call, with the nonce that gives its hash, and its signatures.
fn executed(proposal: &Proposal, next: Nonce, one: &Carried) -> Option<(SafeTx, Bytes)> {
    if one.to != Some(proposal.safe().address) {
        return None;
    }
    let (tx, signatures) = decode_exec(&one.input, next)?;
    let nonces = (1..=MOST_NONCES).map_while(|back| next.minus(back));
    let with = |nonce| SafeTx { nonce, ..tx.clone() };
    let tx = nonces.map(with).find(|tx| hash_on_chain(proposal, tx) == one.hash)?;
    Some((tx, signatures))
}

/// Returns the real hash of a transaction on the Safe's chain, for a drill too.
fn hash_on_chain(proposal: &Proposal, tx: &SafeTx) -> SafeTxHash {
    Domain::real(*proposal.safe()).hashes(tx).safe_tx
}

/// Returns the owners who approved a proposal's transaction, by the data of the call; `None` if it was another call.
pub fn signers(proposal: &Proposal, input: &[u8], owners: &Owners) -> Option<Vec<Address>> {
    let (tx, signatures) = decode_exec(input, proposal.nonce())?;
    let is_ours = proposal.domain().hashes(&tx).safe_tx == proposal.hash();
    is_ours.then(|| approvers(&signatures, &proposal.hash(), proposal.safe().version, owners))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;
    use crate::ceremony::order::Given;
    use crate::ceremony::tests::{ALICE, BOB, Home, address, at, proposed, sign};
    use crate::evm::Fresh;
    use crate::proposal::{Approvals, assemble};
    use crate::safe::SafeTree;

    /// Returns a transaction as the chain has it, signed by alice and bob.
    fn carried(desk: &Desk, proposal: &Proposal) -> Carried {
        let signatures = [ALICE, BOB].map(|seed| sign(desk, seed, proposal));
        let none = crate::evm::Readings::new();
        let state = SafeState { nonce: proposal.nonce(), ..proposal.snapshot().clone() };
        let fresh = Fresh::from_quorum(SafeTree::from(state));
        let ready = assemble(proposal, &Approvals::new(&signatures, &[], &none), &fresh).unwrap();
        Carried {
            hash: proposal.hash(),
            outcome: Execution::Succeeded,
            tx: TxHash::claimed(B256::repeat_byte(7)),
            block: 40,
            time: Some(1_000),
            sender: Address::repeat_byte(0x55),
            to: Some(proposal.safe().address),
            input: ready.calldata().clone(),
        }
    }

    #[test]
    fn the_last_transaction_to_the_contract_did_it() {
        let home = Home::new();
        let desk = home.desk();
        let lever = |levers: &[&str], given: &Given| proposed(&desk, levers, given, 0);
        let vault = lever(&["vault"], &at(6));
        let now = SafeState { nonce: Nonce::from(6), ..vault.snapshot().clone() };
        let of = |all: &[Carried]| {
            last_execution(&vault, &now, all).map(|(deed, time)| (deed.nonce, deed.is_this_lever, time))
        };
        let carried = |levers: &[&str], given: &Given| carried(&desk, &lever(levers, given));
        let own = carried(&["vault"], &at(4));
        let nonce = Nonce::from;
        assert_eq!(of(std::slice::from_ref(&own)), Some((nonce(4), true, Some(1_000))));
        let (known, _) = last_execution(&vault, &now, std::slice::from_ref(&own)).unwrap();
        let mut signers = known.signers.clone();
        signers.sort();
        let mut both = vec![address(ALICE), address(BOB)];
        both.sort();
        assert_eq!((signers, known.sender, known.block), (both, Address::repeat_byte(0x55), 40));
        // Another lever with the same call counts too.
        assert_eq!(of(&[carried(&["freeze"], &at(5))]), Some((nonce(5), false, Some(1_000))));
        // A call to another contract, or one that failed, undid nothing.
        let other = carried(&["bridge"], &at(5));
        let undo = carried(&["vault"], &Given { undo: true, ..at(5) });
        let failed = Carried { outcome: Execution::Failed, ..undo.clone() };
        for later in [other, failed] {
            assert_eq!(of(&[later, own.clone()]), Some((nonce(4), true, Some(1_000))));
        }
        assert_eq!(of(&[undo, own.clone()]), None, "it was taken back");
        // A transaction that cannot be read may have undone it.
        let nested = Carried { to: Some(Address::repeat_byte(3)), ..own.clone() };
        let cut = Carried { input: own.input.slice(..8), ..own.clone() };
        let unknown = Carried { hash: vault.at_nonce(nonce(5_000)), ..own.clone() };
        for unread in [nested, cut, unknown] {
            assert_eq!(of(&[unread, own.clone()]), None);
        }
        assert_eq!(of(&[]), None);
        // A drill of a lever that is done already: the chain has the real hash.
        let drill = vault.clone().for_drill().unwrap();
        let (known, _) = last_execution(&drill, &now, std::slice::from_ref(&own)).unwrap();
        assert_eq!((known.nonce, known.is_this_lever, known.signers.len()), (nonce(4), true, 2));
    }

    #[test]
    fn the_signers_of_a_call_are_those_of_this_proposal() {
        let home = Home::new();
        let desk = home.desk();
        let (vault, other) =
            (proposed(&desk, &["vault"], &at(4), 0), proposed(&desk, &["bridge"], &at(4), 0));
        let call = carried(&desk, &vault).input;
        let owners = &vault.snapshot().owners;
        assert_eq!(signers(&vault, &call, owners).map(|all| all.len()), Some(2));
        assert_eq!(signers(&other, &call, owners), None);
        assert_eq!(signers(&vault, &call[..8], owners), None);
    }
}
