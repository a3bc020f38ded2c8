//! The transaction itself: refunds, delegatecalls, its place in line.

use std::cmp::Ordering;
use std::fmt::Display;

use alloy::primitives::{Address, B256, U256};

use super::{Check, Facts, Finding, named, named_by};
use crate::proposal::calls_of;
use crate::safe::deployments::{Contract, known_at};
use crate::safe::{Operation, published_batch_contract};

pub(super) const CHECKS: [Check; 3] = [
    ("refund", |facts| vec![no_refund(facts)]),
    ("delegatecall", |facts| vec![no_unknown_delegatecall(facts)]),
    ("nonce", nonce),
];

/// Gas refunds pay whoever sends the transaction from the Safe; with safeTxGas or gasPrice set, a failing call no longer
/// reverts and burns the nonce.
fn no_refund(facts: &Facts) -> Finding {
    let tx = facts.proposal.tx();
    let amounts = [("safeTxGas", tx.safe_tx_gas), ("baseGas", tx.base_gas), ("gasPrice", tx.gas_price)];
    let addresses = [("gasToken", tx.gas_token), ("refundReceiver", tx.refund_receiver)];
    let mut set: Vec<String> =
        amounts.iter().filter(|(_, v)| *v != U256::ZERO).map(|(name, v)| format!("{name} is {v}")).collect();
    set.extend(
        addresses.iter().filter(|(_, a)| *a != Address::ZERO).map(|(name, a)| format!("{name} is {a}")),
    );
    if set.is_empty() {
        Finding::pass("refund", "no gas refund: a failing call reverts and pays nobody")
    } else {
        Finding::refuse(
            named_by("refund", &set),
            format!("it has gas refund fields: {}", set.join(", ")),
            "do not sign: these fields pay a stranger or burn the nonce when the call fails; propose it again here",
        )
    }
}

/// A delegatecall runs foreign code with the Safe's own storage: only the published libraries may, with the published
/// code, and of a batch only plain calls.
pub(super) fn no_unknown_delegatecall(facts: &Facts) -> Finding {
    let tx = facts.proposal.tx();
    let id = "delegatecall";
    if tx.operation == Operation::Call {
        return Finding::pass(id, "no delegatecall");
    }
    let refuse = |why: String| {
        Finding::refuse(
            named(id, [&tx.to as &dyn Display, &tx.data, &why]),
            format!("it delegatecalls {}: {why}", tx.to),
            "do not sign: that code can replace the Safe's implementation and owners, as it did at Bybit",
        )
    };
    let Some(known) = known_at(tx.to) else {
        return refuse("that is no published library of Safe's".into());
    };
    let code = facts.code_of(tx.to);
    match code {
        Some(B256::ZERO) => return refuse("it has no code on this chain: the batch would do nothing".into()),
        Some(code) if code != known.code_hash => {
            return refuse(format!("its code is {code} and not the published {}", known.code_hash));
        }
        _ => {}
    }
    let what = match (known.contract, calls_of(tx)) {
        (Contract::MultiSendCallOnly, Ok(calls)) => format!("{} plain calls through", calls.len()),
        (Contract::MultiSendCallOnly, Err(why)) => return refuse(why.to_string()),
        (Contract::SafeMigration | Contract::SignMessageLib, _) => "it runs".into(),
        _ => return refuse("that contract of Safe's is not made for it".into()),
    };
    let name = format!("{:?} of Safe {}", known.contract, known.version);
    if code.is_some() {
        return Finding::pass(id, format!("{what} the published {name}"));
    }
    let (chain_id, pinned) = (facts.proposal.safe().chain_id, facts.council_safe.batch == Some(tx.to));
    let listed = published_batch_contract(chain_id, known.version).is_some_and(|d| d.address == tx.to);
    let source = match (pinned, listed) {
        (true, _) => "as your council file says",
        (false, true) => "by the list of published contracts for this chain that is built into this program",
        (false, false) => "which Safe has published on other chains",
    };
    Finding::warn(
        id,
        format!(
            "{what} {}, the address of the {name}, {source}; its code on this chain was not looked at",
            tx.to
        ),
        "sign online, where its code is compared with the published one",
    )
}

/// A nonce is used once, and in order.
fn nonce(facts: &Facts) -> Vec<Finding> {
    let mine = facts.proposal.nonce();
    let mut found = Vec::new();
    if let Some(now) = facts.now {
        found.push(match mine.cmp(&now.nonce) {
            Ordering::Equal => Finding::pass("nonce", format!("nonce {mine} is next in line")),
            Ordering::Less => Finding::drift(
                format!("nonce-used:{mine}:{}", now.nonce),
                format!("nonce {mine} is used: the Safe is at {}", now.nonce),
                "see with `breakglass status` whether it was this transaction; otherwise propose it again",
            ),
            Ordering::Greater => {
                let sentence = format!("nonce {mine} is not next: the Safe is at {}", now.nonce);
                let between = "transactions with the nonces between must be executed first";
                if facts.signing && !facts.nonce_named {
                    // A signature far ahead waits for whoever wants to use it.
                    Finding::refuse(
                        format!("nonce-gap:{mine}:{}", now.nonce),
                        sentence,
                        format!("{between}; if it is meant, say --nonce {mine}"),
                    )
                } else {
                    Finding::warn("nonce-gap", sentence, between)
                }
            }
        });
    }
    let own = facts.proposal.hash().to_string();
    for (_, other) in facts.others.iter().filter(|(nonce, hash)| *nonce == mine && *hash != own) {
        found.push(Finding::warn(
            "nonce-conflict",
            format!("another proposal is kept here for nonce {mine}: {other}"),
            "only one of them can be executed: agree which, or propose with the next nonce by --nonce",
        ));
    }
    found
}
