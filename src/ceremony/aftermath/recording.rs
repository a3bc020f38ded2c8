//! Facts about the transactions of a journal, from the chain and the kept files.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Bytes;

use crate::ceremony::desk::Desk;
use crate::ceremony::order::Given;
use crate::chain::{Ask, Carried, Chain, ChainError, Receipt};
use crate::error::Error;
use crate::evm::{BlockTag, Query, TxHash};
use crate::incident::{
    DeputyStep, Entry, ExecutionFacts, JournalAct, Receipts, TransactionRef, TxFacts, TxStep, UsedPlaybook,
    ValueChange,
};
use crate::playbook::Check;
use crate::proposal::{Proposal, calls_of};
use crate::safe::{Execution, SafeState, SafeTxHash, approvers, decode_exec};

/// The most `after` checks of one transaction that are read back.
const MOST_CHECKS: usize = 50;

impl Desk<'_> {
    /// Returns the facts of each transaction; offline from the kept files alone. A chain that cannot be asked does not
    /// stop the others.
    pub fn facts(&self, all: &[TransactionRef], offline: bool) -> BTreeMap<SafeTxHash, TxFacts> {
        let hashes: BTreeSet<SafeTxHash> = all.iter().map(|about| about.safe_tx_hash).collect();
        let kept = self.kept_files(|proposal| hashes.contains(&proposal.hash())).unwrap_or_default();
        let kept: BTreeMap<SafeTxHash, Proposal> =
            kept.into_iter().rev().map(|(_, proposal)| (proposal.hash(), proposal)).collect();
        let facts_of = |about: &TransactionRef| {
            let hash = about.safe_tx_hash;
            (hash, self.facts_of(about, kept.get(&hash), offline))
        };
        self.progress.wait("reading what was done", || all.iter().map(facts_of).collect())
    }

    /// Asks each chain for the transactions that deputies sent. A chain that cannot be asked is skipped, and a
    /// transaction without the deputy or their module does not count, whatever a journal says.
    pub fn receipts(&self, entries: &[&Entry], offline: bool) -> Receipts {
        if offline {
            return Receipts::new();
        }
        let sent = entries.iter().filter_map(|entry| match &entry.draft.act {
            JournalAct::Deputy(act) => match act.step {
                TxStep::Sent { tx, .. } => Some((act, tx)),
                TxStep::Signed {} | TxStep::Unproven { .. } | TxStep::Proven { .. } => None,
            },
            _ => None,
        });
        let mut asked: BTreeMap<(u64, TxHash), Option<Receipt>> = BTreeMap::new();
        let receipt = |(act, tx): (&DeputyStep, TxHash)| {
            let chain = self.council.chains.values().find(|chain| chain.id == act.chain_id)?;
            let ask = || self.connect_to(chain).ok()?.receipt(tx).ok().flatten();
            let receipt = asked.entry((chain.id, tx)).or_insert_with(ask).as_ref()?;
            is_of(act, receipt).then_some((tx, (receipt.block.number, receipt.succeeded)))
        };
        self.progress.wait("reading what deputies did", || sent.filter_map(receipt).collect())
    }

    fn facts_of(&self, about: &TransactionRef, proposal: Option<&Proposal>, offline: bool) -> TxFacts {
        let mut facts = TxFacts::default();
        if let Some(proposal) = proposal {
            facts.playbooks = used(proposal);
        }
        if offline {
            facts.unknown = Some("the chain was not asked".into());
            return facts;
        }
        if let Err(error) = self.fill_from_chain(about, proposal, &mut facts) {
            facts.unknown = Some(error.message);
        }
        facts.lines = cast_lines(about, proposal, &facts);
        facts
    }

    fn fill_from_chain(
        &self,
        about: &TransactionRef,
        proposal: Option<&Proposal>,
        facts: &mut TxFacts,
    ) -> Result<(), Error> {
        let Some(safe) = self.council.safe_at(about.chain_id, about.address) else {
            facts.unknown = Some("your council file does not have this Safe".into());
            return Ok(());
        };
        let link = self.connect(safe)?;
        let now = link.snapshot(&Ask { safe: safe.address, ..Ask::default() }, BlockTag::Latest)?;
        let all = link.last_executions(&now.state.id, &now.header.block())?;
        let Some(carried) = all.into_iter().find(|one| one.hash == about.safe_tx_hash) else {
            facts.unknown = Some(if now.state.nonce > about.nonce {
                "none of the Safe's last transactions did it".into()
            } else {
                format!("it was not executed: the Safe's next nonce is {}", now.state.nonce)
            });
            return Ok(());
        };
        let time = match carried.time {
            Some(time) => Some(time),
            None => link.time_of(carried.block).ok(),
        };
        facts.executed = Some(executed(about, &now.state, &carried, time));
        if let Some(proposal) = proposal {
            facts.changes = self.changes(&link, proposal, carried.block)?;
        }
        Ok(())
    }

    /// Returns the values that the playbook checks, in the block before and in the block of the transaction.
    fn changes(&self, link: &Chain, proposal: &Proposal, block: u64) -> Result<Vec<ValueChange>, Error> {
        let given = Given::default();
        let derived = self.find_own_lever(proposal.clone(), &given)?.offline(self, &given)?;
        let checks: Vec<&Check> = derived.plan().map(|plan| plan.after.iter().collect()).unwrap_or_default();
        let checks = checks.get(..checks.len().min(MOST_CHECKS)).unwrap_or_default();
        let queries: Vec<Query> = checks.iter().flat_map(|check| check.queries()).collect();
        let safe = proposal.safe().address;
        let at = |number: u64| {
            let ask = Ask { safe, queries: &queries, ..Ask::default() };
            Ok::<_, ChainError>(link.snapshot(&ask, BlockTag::Number(number))?.readings)
        };
        // An RPC may know no state before the block.
        let (before, after) = (at(block.saturating_sub(1)).unwrap_or_default(), at(block)?);
        let change = |check: &&Check| {
            let (before, after) = (check.value(&before), check.value(&after));
            after.is_some().then(|| ValueChange { label: check.label().into(), before, after })
        };
        Ok(checks.iter().filter_map(change).collect())
    }
}

/// Returns `true` if the deputy sent it or, for a module, if that emitted an event. A failed one has no events.
fn is_of(act: &DeputyStep, receipt: &Receipt) -> bool {
    match act.module {
        None => receipt.from == act.deputy,
        Some(module) => !receipt.succeeded || receipt.logs.iter().any(|log| log.address == module),
    }
}

fn executed(about: &TransactionRef, now: &SafeState, carried: &Carried, time: Option<u64>) -> ExecutionFacts {
    let signatures = decode_exec(&carried.input, about.nonce).map(|(_, signatures)| signatures);
    let read = |signatures: Bytes| approvers(&signatures, &about.safe_tx_hash, now.id.version, &now.owners);
    let signers = signatures.map(read);
    ExecutionFacts {
        tx: carried.tx,
        block: carried.block,
        time,
        succeeded: carried.outcome == Execution::Succeeded,
        sender: carried.sender,
        signers: signers.unwrap_or_default(),
    }
}

fn used(proposal: &Proposal) -> Vec<UsedPlaybook> {
    let mut all: Vec<UsedPlaybook> = Vec::new();
    for bound in proposal.binding().levers() {
        let used = UsedPlaybook {
            id: bound.playbook.to_string(),
            digest: bound.digest.to_string(),
            text: bound.text.to_string(),
        };
        if !all.contains(&used) {
            all.push(used);
        }
    }
    all
}

/// Returns commands of Foundry's `cast` that show the same without this program.
fn cast_lines(about: &TransactionRef, proposal: Option<&Proposal>, facts: &TxFacts) -> Vec<String> {
    let Some(executed) = &facts.executed else { return Vec::new() };
    let safe = about.address;
    let mut lines = vec![
        format!("cast receipt {} --rpc-url $RPC", executed.tx),
        format!("cast call {safe} 'nonce()(uint256)' --block {} --rpc-url $RPC", executed.block),
        format!("cast call {safe} 'getOwners()(address[])' --block {} --rpc-url $RPC", executed.block),
    ];
    let calls = proposal.and_then(|proposal| calls_of(proposal.tx()).ok()).unwrap_or_default();
    lines.extend(
        calls
            .iter()
            .take(MOST_CHECKS)
            .map(|call| format!("cast 4byte-decode {} # to {}", call.data, call.to)),
    );
    lines
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256, Bytes, Log};

    use super::*;
    use crate::ceremony::tests::{Home, at, proposed};
    use crate::evm::{BlockHash, BlockRef, TxHash};
    use crate::incident::Plain;

    fn about(proposal: &Proposal) -> TransactionRef {
        TransactionRef {
            what: Plain::cut("vault"),
            safe: Plain::cut("guardian"),
            address: proposal.safe().address,
            chain_id: 1,
            nonce: proposal.nonce(),
            safe_tx_hash: proposal.hash(),
        }
    }

    #[test]
    fn each_text_of_a_playbook_is_recorded_once() {
        let home = Home::new();
        let desk = home.desk();
        assert_eq!(used(&proposed(&desk, &["freeze"], &at(4), 0)).len(), 1, "both pause in the same way");
        assert_eq!(used(&proposed(&desk, &["vault"], &at(4), 0))[0].id, "pause/oz-pausable");
    }

    #[test]
    fn the_facts_of_an_execution_are_those_of_its_call() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let about = about(&vault);
        let carried = |outcome| Carried {
            hash: vault.hash(),
            outcome,
            tx: TxHash::claimed(B256::repeat_byte(7)),
            block: 40,
            time: None,
            sender: Address::repeat_byte(5),
            to: None,
            input: Bytes::new(),
        };
        let told = |outcome| executed(&about, vault.snapshot(), &carried(outcome), Some(9));
        let done = told(Execution::Succeeded);
        assert!(done.succeeded && done.signers.is_empty() && !told(Execution::Failed).succeeded);
        assert_eq!((done.block, done.time), (40, Some(9)));
        let mut facts = TxFacts::default();
        assert!(cast_lines(&about, Some(&vault), &facts).is_empty(), "it was not executed");
        facts.executed = Some(done);
        let lines = cast_lines(&about, Some(&vault), &facts);
        assert_eq!((lines.len(), cast_lines(&about, None, &facts).len()), (4, 3));
        assert!(lines[3].starts_with("cast 4byte-decode 0x8456cb59 # to 0x9999"), "{lines:?}");
    }

    #[test]
    fn offline_only_kept_files_are_known() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        desk.keep_proposal(&vault).unwrap();
        let other = proposed(&desk, &["bridge"], &at(5), 0);
        let facts = desk.facts(&[about(&vault), about(&other)], true);
        assert_eq!(facts[&vault.hash()].playbooks.len(), 1);
        assert!(facts[&other.hash()].playbooks.is_empty());
        assert_eq!(facts[&vault.hash()].unknown.as_deref(), Some("the chain was not asked"));
        assert!(desk.receipts(&[], true).is_empty());
    }

    /// A journal may name any transaction that succeeded.
    #[test]
    fn a_transaction_of_somebody_else_does_not_confirm_a_deputys_act() {
        let [deputy, module, other] = [1, 2, 3].map(Address::repeat_byte);
        let act = |module| DeputyStep {
            lever: Plain::cut("freeze"),
            deputy,
            module,
            safe: Plain::cut("guardian"),
            chain_id: 1,
            step: TxStep::Signed {},
        };
        let receipt = |from, succeeded, speaks: Option<Address>| Receipt {
            tx: TxHash::of(&[]),
            block: BlockRef { number: 1, hash: BlockHash::claimed(B256::ZERO), timestamp: 1 },
            from,
            succeeded,
            gas_used: 1,
            logs: speaks.map(|by| Log::new_unchecked(by, Vec::new(), Bytes::new())).into_iter().collect(),
            input: None,
        };
        assert!(is_of(&act(None), &receipt(deputy, true, None)));
        assert!(!is_of(&act(None), &receipt(other, true, Some(deputy))));
        // Anybody may send a deputy's signature to a module.
        let by_module = act(Some(module));
        assert!(is_of(&by_module, &receipt(other, true, Some(module))));
        assert!(is_of(&by_module, &receipt(other, false, None)), "what failed has no events");
        assert!(!is_of(&by_module, &receipt(deputy, true, Some(other))));
    }
}
