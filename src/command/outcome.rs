//! Was it executed, and is the contract in the promised state? Read from the chain, at the receipt's block.

use serde_json::{Value, json};

use crate::chain::{Executed, Receipt};
use crate::command::session::Session;
use crate::command::subject::{Online, Subject};
use crate::error::{Error, Exit};
use crate::playbook::{Check, Verdict};
use crate::safe::{Execution, find_execution};
use crate::ui::Text;

/// How a proposal's transaction ended.
#[derive(Debug)]
pub struct Outcome {
    pub receipt: Receipt,
    pub execution: Execution,
    pub verdicts: Vec<Verdict>,
}

impl Outcome {
    /// Succeeded by the Safe's own word, and every `after` check holds.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.execution == Execution::Succeeded && self.verdicts.iter().all(|v| v.holds)
    }
}

fn online<'s>(subject: &'s Subject) -> Result<&'s Online, Error> {
    subject.online.as_ref().ok_or_else(|| Error::new(Exit::Network, "nothing was asked of the network"))
}

/// The transaction in which the Safe executed this proposal, whoever sent it.
pub fn executed(session: &Session, subject: &Subject) -> Result<Option<Executed>, Error> {
    let link = &online(subject)?.link;
    // A proposal's block is a claim; one from the future must not hide what was done since.
    let from = subject.proposal.block().number;
    let from = if from > online(subject)?.snapshot.header.number { 0 } else { from };
    let find = || link.executions(subject.proposal.safe(), &subject.proposal.hash(), from);
    Ok(session.ui.wait("looking for its execution", find)?)
}

/// Whether the Safe says in this receipt that it executed the proposal.
#[must_use]
pub fn is_in(subject: &Subject, receipt: &Receipt) -> bool {
    let safe = subject.proposal.safe();
    find_execution(&receipt.logs, safe.address, safe.version, &subject.proposal.hash()).is_some()
}

/// Reads what a mined transaction did. A receipt's status proves nothing: the Safe's own event with our safeTxHash does.
pub fn prove(session: &Session, subject: &Subject, receipt: Receipt) -> Result<Outcome, Error> {
    let safe = subject.proposal.safe();
    let found = find_execution(&receipt.logs, safe.address, safe.version, &subject.proposal.hash());
    let Some(execution) = found else {
        let message = format!(
            "transaction {} was mined in block {}, but the Safe did not report safeTxHash {} as executed",
            receipt.tx,
            receipt.block.number,
            subject.proposal.hash()
        );
        let error = Error::new(Exit::Failed, message);
        return Err(error.hint("breakglass status tells whether it can be sent again"));
    };
    let verdicts = match subject.plan() {
        Some(plan) => {
            let queries: Vec<_> = plan.after.iter().flat_map(Check::queries).collect();
            let link = &online(subject)?.link;
            let what = format!("proving it at block {}", receipt.block.number);
            let readings = session.ui.wait(&what, || link.answers(&queries, &receipt.block))?;
            plan.after.iter().map(|check| check.judge(&readings, &receipt.logs)).collect()
        }
        None => Vec::new(),
    };
    Ok(Outcome { receipt, execution, verdicts })
}

/// Shows the outcome, records a proven one, and gives the exit code.
pub fn report(session: &Session, subject: &Subject, outcome: &Outcome, by: &str) -> Result<Exit, Error> {
    let ui = session.ui;
    let receipt = &outcome.receipt;
    ui.say(&Text::default().add(by).add(&format!(" in block {}", receipt.block.number)));
    ui.say(&Text::default().dim("transaction ").add(&receipt.tx.to_string()));
    for verdict in &outcome.verdicts {
        let mark = if verdict.holds { Text::default().good("  ✓ ") } else { Text::default().bad("  ✗ ") };
        ui.say(&mark.add(&verdict.sentence));
    }
    let object = object(subject, outcome);
    if outcome.execution == Execution::Failed {
        return Err(Error::new(
            Exit::Failed,
            format!("the Safe reported ExecutionFailure for {}", subject.proposal.hash()),
        )
        .having_done(object)
        .hint("its nonce is used and nothing was done; find out why before anybody signs again"));
    }
    if !outcome.is_proven() {
        let failed: Vec<&str> =
            outcome.verdicts.iter().filter(|v| !v.holds).map(|v| v.sentence.as_str()).collect();
        let why = if subject.plan().is_none() { vec!["your files have no playbook for it"] } else { failed };
        return Err(Error::new(Exit::Failed, format!("executed, but not proven: {}", why.join("; ")))
            .having_done(object)
            .hint("look at the contract; the same command again proves it once more and sends nothing"));
    }
    ui.object(&object);
    session.incidents.keep_outcome(&subject.proposal.hash().to_string(), &format!("{object:#}\n"))?;
    ui.say(&Text::default().good("done and proven"));
    ui.data(&receipt.tx.to_string());
    Ok(Exit::Done)
}

fn object(subject: &Subject, outcome: &Outcome) -> Value {
    let receipt = &outcome.receipt;
    let checks: Vec<Value> =
        outcome.verdicts.iter().map(|v| json!({ "holds": v.holds, "sentence": v.sentence })).collect();
    json!({
        "safe_tx_hash": subject.proposal.hash().to_string(),
        "transaction": receipt.tx.to_string(),
        "block": receipt.block.number,
        "gas_used": receipt.gas_used,
        "execution": match outcome.execution { Execution::Succeeded => "success", Execution::Failed => "failure" },
        "after": checks,
        "proven": outcome.is_proven() && subject.plan().is_some(),
    })
}
