//! The entries of the tests: one of every act, and journals made of them.

mod journal_lines;
mod merging;
mod recorded;

use alloy::primitives::{Address, B256};

use super::entry::LineDigest;
use super::journal::BreakCause;
use super::merge::Contradiction;
use super::plain::NotPlain;
use super::*;
use crate::council::TextDigest;
use crate::evm::TxHash;
use crate::playbook::Severity;
use crate::safe::{Nonce, SafeTxHash};

fn about(hash: u8) -> TransactionRef {
    TransactionRef {
        what: Plain::cut("vault"),
        safe: Plain::cut("guardian"),
        address: Address::repeat_byte(0xaa),
        chain_id: 1,
        nonce: Nonce::from(u64::from(hash)),
        safe_tx_hash: SafeTxHash::claimed(B256::repeat_byte(hash)),
    }
}

fn draft(time: u64, who: &str, act: JournalAct, about: Option<TransactionRef>) -> UnnumberedEntry {
    UnnumberedEntry {
        time: Utc::from_millis(time),
        who: Some(Plain::cut(who)),
        program: Plain::cut("0.1.0"),
        council: TextDigest::of("council"),
        act,
        about,
    }
}

fn note(time: u64, text: &str) -> UnnumberedEntry {
    draft(time, "alice", JournalAct::Note { text: Plain::cut(text) }, None)
}

fn opened() -> JournalAct {
    let leads = Some(Plain::cut("alice"));
    JournalAct::Opened(OpenedIncident {
        title: Plain::cut("drained"),
        severity: Severity::P1,
        leads,
        speaks: None,
        writes: None,
    })
}

fn tx(byte: u8) -> TxHash {
    TxHash::claimed(B256::repeat_byte(byte))
}

fn deputed(module: Option<Address>, step: TxStep) -> JournalAct {
    JournalAct::Deputy(DeputyStep {
        lever: Plain::cut("freeze"),
        deputy: Address::repeat_byte(1),
        module,
        safe: Plain::cut("guardian"),
        chain_id: 1,
        step,
    })
}

/// Every act, once.
fn every_act() -> Vec<JournalAct> {
    let owner = Address::repeat_byte(1);
    vec![
        opened(),
        JournalAct::Note { text: Plain::cut("\"quoted\" \\ é") },
        JournalAct::Alarm {
            name: Plain::cut("drained"),
            by: Plain::cut("tenderly"),
            id: Some(Plain::cut("5f1d2c3a")),
            text: Plain::cut("{}"),
        },
        JournalAct::Alarm {
            name: Plain::cut("drained"),
            by: Plain::cut("watch"),
            id: None,
            text: Plain::cut("x"),
        },
        JournalAct::Proposed {},
        JournalAct::Signed { owner, name: Some(Plain::cut("alice")) },
        JournalAct::Signed { owner, name: None },
        JournalAct::Imported { owners: vec![owner, Address::repeat_byte(2)] },
        JournalAct::Accepted { ids: vec![Plain::cut("before:1")] },
        JournalAct::Sent { tx: tx(3), payer: owner },
        JournalAct::Mined { tx: tx(3), block: 7, succeeded: true },
        JournalAct::Proven { tx: tx(3), block: 7 },
        deputed(None, TxStep::Signed {}),
        deputed(Some(owner), TxStep::Sent { tx: tx(4), payer: owner }),
        deputed(Some(owner), TxStep::Unproven { tx: tx(4), block: 7 }),
        deputed(None, TxStep::Proven { tx: tx(4), block: 7 }),
        JournalAct::Closed {},
    ]
}

/// A journal of these entries, each appended to those before.
fn journal(drafts: impl IntoIterator<Item = UnnumberedEntry>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for draft in drafts {
        let append = next(&bytes, draft).unwrap();
        assert!(!append.completes);
        bytes.extend(append.line.into_bytes());
    }
    bytes
}

fn breaks(bytes: &[u8]) -> Vec<(usize, BreakCause)> {
    Journal::read(bytes).breaks.into_iter().map(|found| (found.line, found.why)).collect()
}

fn all_acts() -> Vec<u8> {
    journal((0..).zip(every_act()).map(|(at, act)| draft(at, "alice", act, Some(about(1)))))
}
