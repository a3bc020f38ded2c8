//! `status`: who has signed, what is missing, what has drifted.

use alloy::primitives::Address;
use serde_json::{Value, json};

use crate::check::{Finding, Level, Sort};
use crate::cli;
use crate::command::outcome;
use crate::command::session::Session;
use crate::command::show::{signer_name, tally};
use crate::command::subject::{Purpose, Subject};
use crate::error::{Error, Exit};
use crate::proposal::{NotReady, Shortfall, assemble};
use crate::ui::Text;

pub fn run(session: &Session, args: &cli::Status) -> Result<Exit, Error> {
    let subject = session.subject(&args.what, &args.derive, Purpose::Look, |_, _| None)?;
    let tally = tally(&subject);
    let drifted: Vec<Finding> = subject
        .findings(false)
        .into_iter()
        .filter(|f| f.level == Level::Refuse && f.sort == Sort::Drift && f.id != "nonce-used")
        .collect();
    let ready = assemble(&subject.proposal, &subject.signatures, &subject.on_chain(), subject.state());
    let executed = match &ready {
        Err(NotReady::NonceUsed { .. }) => outcome::executed(session, &subject)?,
        _ => None,
    };
    show(session, &subject, &tally, &drifted);
    let (exit, word) = match &ready {
        Err(NotReady::NonceUsed { .. }) if executed.is_some() => (Exit::Done, "executed"),
        Err(NotReady::NonceUsed { .. }) => (Exit::Drift, "replaced: another transaction used its nonce"),
        _ if !drifted.is_empty() => (Exit::Drift, "drifted"),
        Ok(_) => (Exit::Done, "ready to broadcast"),
        Err(NotReady::Shortfall(_)) => (Exit::Shortfall, "more signatures needed"),
        Err(NotReady::NonceAhead { .. }) => (Exit::Shortfall, "waiting for transactions with lower nonces"),
        Err(NotReady::Moved(_)) => (Exit::Drift, "drifted"),
    };
    session.ui.say(&Text::default().bold(word));
    session.ui.object(&object(&subject, &tally, &drifted, word));
    Ok(exit)
}

fn show(session: &Session, subject: &Subject, tally: &Shortfall, drifted: &[Finding]) {
    let ui = session.ui;
    ui.say(
        &Text::default()
            .bold(&subject.safe.name)
            .add(&format!(" on {} · nonce {} · ", subject.chain.name, subject.proposal.nonce()))
            .bold(&format!("{} of {} signed", tally.approved.len(), tally.threshold)),
    );
    ui.say(&Text::default().dim(&format!("safeTxHash {}", subject.proposal.hash())));
    ui.table(&["owner", "name", "signed", "kind"], &rows(subject, tally));
    for aside in &tally.set_aside {
        ui.say(&Text::default().warn("set aside: ").add(&format!("{} is {}", aside.owner, aside.why)));
    }
    for finding in drifted {
        ui.say(&Text::default().bad("drift: ").add(&finding.sentence));
        ui.say(&Text::default().dim("  → ").add(&finding.fix));
    }
}

fn kind_of(tally: &Shortfall, owner: Address) -> Option<String> {
    tally.approved.iter().find(|a| a.owner() == owner).map(|a| a.kind().to_string())
}

fn rows(subject: &Subject, tally: &Shortfall) -> Vec<Vec<String>> {
    let row = |owner: &Address| {
        let kind = kind_of(tally, *owner);
        vec![
            owner.to_string(),
            signer_name(subject, *owner).to_string(),
            if kind.is_some() { "yes" } else { "no" }.to_string(),
            kind.unwrap_or_default(),
        ]
    };
    subject.state().owners.list().iter().map(row).collect()
}

fn object(subject: &Subject, tally: &Shortfall, drifted: &[Finding], word: &str) -> Value {
    let owner = |owner: &Address| {
        let kind = kind_of(tally, *owner);
        json!({
            "owner": owner.to_string(), "name": subject.names.name(*owner), "signed": kind.is_some(), "kind": kind,
        })
    };
    let owners: Vec<Value> = subject.state().owners.list().iter().map(owner).collect();
    json!({
        "safe_tx_hash": subject.proposal.hash().to_string(),
        "nonce": subject.proposal.nonce().to_string(),
        "signed": tally.approved.len(),
        "threshold": tally.threshold.get(),
        "owners": owners,
        "drift": drifted.iter().map(|f| json!({ "id": f.id, "sentence": f.sentence })).collect::<Vec<_>>(),
        "status": word,
    })
}
