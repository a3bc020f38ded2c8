//! The result of an act of one key alone: its transaction and checks, or the file with its signature.

use serde::Serialize;

use crate::ceremony::deputy::deputy_act::Act;
use crate::ceremony::deputy::deputy_mined::Effect;
use crate::safe::Pause;
use crate::ui::{Lines, Text};
use crate::view::review_lines::verdict_line::VerdictLine;

/// The act of one key alone, by its receipt.
#[derive(Serialize)]
pub struct DeputyDone {
    lever: String,
    deputy: String,
    address: String,
    chain_id: u64,
    pub transaction: String,
    block: u64,
    paid_by: String,
    after: Vec<VerdictLine>,
    proven: bool,
    to_be_confirmed_by: String,
    /// The block that was judged, if it is not the receipt's.
    #[serde(skip)]
    judged_at: Option<u64>,
}

impl DeputyDone {
    pub fn new(lever: &str, act: &Act, effect: &Effect) -> Self {
        let receipt = &effect.receipt;
        Self {
            lever: lever.into(),
            deputy: act.deputy.0.to_string(),
            address: act.deputy.1.to_string(),
            chain_id: act.judged.derived.chain.id,
            transaction: receipt.tx.to_string(),
            block: receipt.block.number,
            paid_by: receipt.from.to_string(),
            after: VerdictLine::all(&effect.verdicts),
            proven: effect.is_proven(),
            to_be_confirmed_by: act.safe.name.clone(),
            judged_at: (effect.judged_at != receipt.block).then_some(effect.judged_at.number),
        }
    }

    /// Returns the transaction and its checks.
    pub fn lines(&self) -> Lines {
        let Self { block, transaction, .. } = self;
        let older = self.judged_at.map(|judged| {
            let text = format!("no RPC keeps the state of block {block} any more: judged at block {judged}");
            Text::default().warn("note: ").add(&text)
        });
        let head = [
            Text::new(&format!("Sent, and mined in block {block}")),
            Text::default().dim("transaction ").add(transaction),
        ];
        let after = self.after.iter().map(|one| Text::new("  ").then(one.text()));
        head.into_iter().chain(older).chain(after).collect()
    }

    /// Returns the lines of a proven act: who has to confirm it.
    pub fn next(&self) -> Lines {
        let Self { deputy, to_be_confirmed_by, lever, .. } = self;
        let text =
            format!("{deputy} acted alone: {to_be_confirmed_by} has to confirm it, or to take it back:");
        Lines::from([
            Text::default().good("done and proven"),
            Text::default().warn("next: ").add(&text),
            Text::new("  breakglass undo ").add(lever),
        ])
    }
}

/// The file with a deputy's signature.
#[derive(Serialize)]
pub struct BearerWritten {
    written: String,
    lever: String,
    module: String,
    nonce: String,
    chain_id: u64,
}

impl BearerWritten {
    pub fn new(lever: &str, pause: &Pause, file: String) -> Self {
        Self {
            written: file,
            lever: lever.into(),
            module: pause.module.to_string(),
            nonce: pause.nonce.to_string(),
            chain_id: pause.chain_id,
        }
    }

    pub fn lines(&self) -> Lines {
        let Self { written, lever, .. } = self;
        let text = "a person who has this file can pause, once, until the deputy is replaced: keep it secret";
        Lines::from([
            Text::default().good("written: ").add(written).dim("   only you can read it"),
            Text::default().warn("! ").add(text),
            Text::default().dim("  → ").add(&format!("breakglass deputy {lever} --relay {written} sends it")),
        ])
    }
}
