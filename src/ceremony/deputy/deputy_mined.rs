//! After a deputy's transaction was mined: is the contract in the promised state, at the receipt's block?

use alloy::primitives::{Address, B256, Log};

use crate::ceremony::aftermath::outcome::{answers, queries};
use crate::ceremony::deputy::deputy_act::Act;
use crate::ceremony::desk::Desk;
use crate::chain::{Receipt, Sighting};
use crate::error::{Error, Exit};
use crate::evm::BlockRef;
use crate::fork::RunResult;
use crate::playbook::Verdict;

/// The effect of a deputy's transaction.
#[derive(Debug)]
pub struct Effect {
    pub receipt: Receipt,
    pub verdicts: Vec<Verdict>,
    /// The block whose state the verdicts are about: the receipt's, or a newer one where no RPC keeps that any more.
    pub judged_at: BlockRef,
    /// Its events, or its end, are not those that were rehearsed.
    pub is_otherwise: bool,
}

impl Effect {
    /// It went through, does what was rehearsed, and every `after` check holds. Without a check there is no proof.
    pub fn is_proven(&self) -> bool {
        let holds = !self.verdicts.is_empty() && self.verdicts.iter().all(|verdict| verdict.holds);
        self.receipt.succeeded && holds && !self.is_otherwise
    }
}

/// Reads what a mined transaction did; what the newest block says came along with it.
pub fn read(desk: &Desk, act: &Act, seen: Sighting) -> Result<Effect, Error> {
    let newest = seen.header.block();
    let receipt = seen.receipts.into_iter().next();
    let receipt = receipt.ok_or_else(|| {
        Error::new(Exit::Network, "its receipt is not there any more: the chain may have been reorganised")
            .hint("look at the contract, then run the same command again")
    })?;
    let asked = queries(&act.judged);
    let is_here = newest == receipt.block && asked.iter().all(|query| seen.readings.get(query).is_some());
    let (found, judged_at) = if is_here {
        (seen.readings, receipt.block)
    } else {
        let what = format!("proving it at block {}", receipt.block.number);
        let link = &act.judged.seen()?.link;
        desk.progress.wait(&what, || answers(link, &asked, receipt.block))?
    };
    let checks = act.judged.plan().map_or(&[][..], |plan| &plan.after);
    let verdicts = checks.iter().map(|check| check.judge(&found, &receipt.logs)).collect();
    let rehearsed = act.judged.rehearsal.done().filter(|done| done.is_signed);
    let is_otherwise = rehearsed.is_some_and(|done| {
        let succeeds = done.rehearsal.outcome == RunResult::Succeeded;
        succeeds != receipt.succeeded || kinds(&done.rehearsal.events) != kinds(&receipt.logs)
    });
    Ok(Effect { receipt, verdicts, judged_at, is_otherwise })
}

/// The contracts that speak, and the kinds of their events, in order.
fn kinds(logs: &[Log]) -> Vec<(Address, Option<B256>)> {
    logs.iter().map(|log| (log.address, log.topics().first().copied())).collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::LogData;

    use super::*;
    use crate::ceremony::tests::on_chain::receipt;

    #[test]
    fn one_fault_is_enough_to_be_unproven() {
        let text = String::new;
        let verdict = |holds| Verdict { holds, sentence: text(), expected: text(), found: text() };
        let proven = |succeeded, holds: &[bool], is_otherwise| {
            let receipt = receipt(40, succeeded);
            let judged_at = receipt.block;
            let verdicts = holds.iter().map(|holds| verdict(*holds)).collect();
            Effect { receipt, verdicts, judged_at, is_otherwise }.is_proven()
        };
        assert!(proven(true, &[true, true], false));
        assert!(!proven(false, &[true], false) && !proven(true, &[true], true));
        assert!(!proven(true, &[true, false], false) && !proven(true, &[], false));
    }

    #[test]
    fn events_are_of_a_kind_by_contract_and_topic_in_order() {
        let log = |contract: u8, topic: u8, data: u8| Log {
            address: Address::repeat_byte(contract),
            data: LogData::new_unchecked(vec![B256::repeat_byte(topic)], vec![data].into()),
        };
        assert_eq!(kinds(&[log(1, 2, 3)]), kinds(&[log(1, 2, 4)]));
        assert_ne!(kinds(&[log(1, 2, 3)]), kinds(&[log(1, 3, 3)]));
        assert_ne!(kinds(&[log(1, 2, 3)]), kinds(&[log(2, 2, 3)]));
        assert_ne!(kinds(&[log(1, 2, 3), log(2, 2, 3)]), kinds(&[log(2, 2, 3), log(1, 2, 3)]));
    }
}
