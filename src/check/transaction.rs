//! Checks of the transaction itself: refunds, delegatecalls, its nonce.

use std::cmp::Ordering;
use std::fmt::Display;

use alloy::primitives::{Address, B256, Bytes, U256};

use super::description::{Description, Id};
use super::{Check, Facts, all};
use crate::proposal::{Contender, calls_of};
use crate::safe::deployments::{Contract, Deployment, known_at};
use crate::safe::{BatchError, Nonce, Operation, published_batch_contract};

pub(super) const CHECKS: [Check; 3] = [
    ("refund", |facts| all([no_refund(facts)])),
    ("delegatecall", |facts| all([no_unknown_delegatecall(facts)])),
    ("nonce", |facts| all(is_next(facts).into_iter().chain(nonce_kept(facts)).chain(nonce_conflicts(facts)))),
];

/// The fields of the transaction: operation, refund and nonce. `Refund` has each field with its value. `UnseenDelegatecall`:
/// nobody looked at the code. `NonceKept`: another lever keeps the nonce that this one wants. `NonceGap` refuses a signature
/// far ahead, which waits for whoever wants to use it: it has to be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionProblem {
    NoRefund,
    Refund(Vec<(&'static str, String)>),
    NoDelegatecall,
    UnknownDelegatecall { to: Address, data: Bytes, why: Unknown },
    PublishedDelegatecall { known: &'static Deployment, runs: Runs },
    UnseenDelegatecall { known: &'static Deployment, runs: Runs, source: AddressSource },
    NonceNext(Nonce),
    NonceOfDrill(Nonce),
    NonceUsed { proposal: Nonce, safe: Nonce },
    NonceGap { proposal: Nonce, safe: Nonce, refuses: bool },
    NonceKept { own: Nonce, keeper: Contender, signing: bool },
    NonceConflict { nonce: Nonce, other: String },
}

/// The reason that a delegatecall is not one to published code.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
pub enum Unknown {
    #[display("that is not a published library of Safe's")]
    Address,
    #[display("it has no code on this chain: the batch would do nothing")]
    NoCode,
    #[display("its code is {found} and not the published {published}")]
    Code {
        found: B256,
        published: B256,
    },
    Calls(BatchError),
    #[display("that contract of Safe's is not made for it")]
    Purpose,
}

/// The effect of a delegatecall to published code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub enum Runs {
    #[display("{_0} plain calls through")]
    Calls(usize),
    #[display("it runs")]
    Itself,
}

/// The source of the statement that a published contract lies at an address of this chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub enum AddressSource {
    #[display("as your council file says")]
    Council,
    #[display("by the list of published contracts for this chain that is built into this program")]
    ThisChain,
    #[display("which Safe has published on other chains")]
    OtherChains,
}

impl TransactionProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::NoRefund => {
                Description::pass("refund", "no gas refund: a failing call reverts and pays nobody")
            }
            Self::Refund(fields) => {
                let set: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name} is {value}")).collect();
                Description::refuse(
                    Id::from("refund").digest_all(&set),
                    format!("it has gas refund fields: {}", set.join(", ")),
                    "do not sign: these fields pay a stranger or burn the nonce when the call fails; propose it again \
                     here",
                )
            }
            Self::NoDelegatecall => Description::pass("delegatecall", "no delegatecall"),
            Self::UnknownDelegatecall { to, data, why } => Description::refuse(
                Id::from("delegatecall").about(to).digest([to as &dyn Display, data, why]),
                format!("it delegatecalls {to}: {why}"),
                "do not sign: that code can replace the Safe's implementation and owners, as it did at Bybit",
            ),
            Self::PublishedDelegatecall { known, runs } => {
                Description::pass("delegatecall", format!("{runs} the published {}", name(known)))
            }
            Self::UnseenDelegatecall { known, runs, source } => Description::warn(
                "delegatecall",
                format!(
                    "{runs} {}, the address of the {}, {source}; its code on this chain was not looked at",
                    known.address,
                    name(known)
                ),
                "sign online, where its code is compared with the published one",
            ),
            Self::NonceOfDrill(nonce) => {
                Description::pass("nonce", format!("nonce {nonce} is not used, and a drill uses none"))
            }
            Self::NonceNext(nonce) => Description::pass("nonce", format!("nonce {nonce} is the next one")),
            Self::NonceUsed { proposal, safe } => Description::drift(
                Id::of("nonce-used", proposal).and(safe),
                format!("nonce {proposal} is used: the Safe is at {safe}"),
                "see with `breakglass status` whether it was this transaction; otherwise propose it again",
            ),
            Self::NonceGap { proposal, safe, refuses } => gap(*proposal, *safe, *refuses),
            Self::NonceKept { own, keeper, signing } => kept(*own, keeper, *signing),
            Self::NonceConflict { nonce, other } => Description::warn(
                Id::from("nonce-conflict").about(other),
                format!("another proposal is kept here for nonce {nonce}: {other}"),
                "only one of them can be executed: agree which, or propose with the next nonce by --nonce",
            ),
        }
    }
}

fn name(known: &Deployment) -> String {
    format!("{:?} of Safe {}", known.contract, known.version)
}

/// Describes two levers that want one nonce, so that everybody knows which has it.
fn kept(own: Nonce, keeper: &Contender, signing: bool) -> Description {
    let (title, nonce, signers) = (&keeper.title, keeper.nonce, keeper.signers);
    let id = Id::of("nonce-kept", nonce);
    let keeps = format!("{title} keeps nonce {nonce}, for which {signers} signed it");
    if own > nonce {
        let sentence = format!("{keeps}: this one takes nonce {own}");
        return Description::warn(
            id,
            sentence,
            format!(
                "if the others agree that it is more urgent: --nonce {nonce} takes that one all the same"
            ),
        );
    }
    let sentence = format!("{keeps}: only one of them can be executed");
    if signing {
        return Description::warn(
            id,
            sentence,
            "agree which; without --nonce, a lever takes the next free one",
        );
    }
    let id = id.digest([title as &dyn Display, &signers]);
    Description::drift(id, sentence, "sign this one again: it then takes the next free nonce")
}

fn gap(proposal: Nonce, safe: Nonce, refuses: bool) -> Description {
    let sentence = format!("nonce {proposal} is not next: the Safe is at {safe}");
    let between = "transactions with the nonces between must be executed first";
    if refuses {
        let fix = format!("{between}; if it is meant, say --nonce {proposal}");
        Description::refuse(Id::of("nonce-gap", proposal).and(safe), sentence, fix)
    } else {
        Description::warn("nonce-gap", sentence, between)
    }
}

/// Refuses gas refunds: they pay whoever sends the transaction from the Safe, and with safeTxGas or gasPrice set, a
/// failing call no longer reverts and burns the nonce.
fn no_refund(facts: &Facts) -> TransactionProblem {
    let tx = facts.proposal.tx();
    let amounts = [("safeTxGas", tx.safe_tx_gas), ("baseGas", tx.base_gas), ("gasPrice", tx.gas_price)];
    let addresses = [("gasToken", tx.gas_token), ("refundReceiver", tx.refund_receiver)];
    let amounts =
        amounts.into_iter().filter(|(_, v)| *v != U256::ZERO).map(|(name, v)| (name, v.to_string()));
    let addresses =
        addresses.into_iter().filter(|(_, a)| !a.is_zero()).map(|(name, a)| (name, a.to_string()));
    let set: Vec<(&str, String)> = amounts.chain(addresses).collect();
    if set.is_empty() { TransactionProblem::NoRefund } else { TransactionProblem::Refund(set) }
}

/// Refuses a delegatecall, which runs foreign code with the Safe's own storage, except to a published library with the
/// published code; a batch may have plain calls only.
pub(super) fn no_unknown_delegatecall(facts: &Facts) -> TransactionProblem {
    let tx = facts.proposal.tx();
    if tx.operation == Operation::Call {
        return TransactionProblem::NoDelegatecall;
    }
    let unknown = |why| TransactionProblem::UnknownDelegatecall { to: tx.to, data: tx.data.clone(), why };
    let Some(known) = known_at(tx.to) else { return unknown(Unknown::Address) };
    let code = facts.code_of(tx.to);
    match code {
        Some(B256::ZERO) => return unknown(Unknown::NoCode),
        Some(found) if found != known.code_hash => {
            return unknown(Unknown::Code { found, published: known.code_hash });
        }
        _ => {}
    }
    let runs = match (known.contract, calls_of(tx)) {
        (Contract::MultiSendCallOnly, Ok(calls)) => Runs::Calls(calls.len()),
        (Contract::MultiSendCallOnly, Err(why)) => return unknown(Unknown::Calls(why)),
        (Contract::SafeMigration | Contract::SignMessageLib, _) => Runs::Itself,
        _ => return unknown(Unknown::Purpose),
    };
    if code.is_some() {
        return TransactionProblem::PublishedDelegatecall { known, runs };
    }
    let (chain_id, pinned) = (facts.proposal.safe().chain_id, facts.council_safe.batch == Some(tx.to));
    let listed = published_batch_contract(chain_id, known.version).is_some_and(|d| d.address == tx.to);
    let source = match (pinned, listed) {
        (true, _) => AddressSource::Council,
        (false, true) => AddressSource::ThisChain,
        (false, false) => AddressSource::OtherChains,
    };
    TransactionProblem::UnseenDelegatecall { known, runs, source }
}

/// Compares the nonce with the Safe's: nonces are used once, and in order.
fn is_next(facts: &Facts) -> Option<TransactionProblem> {
    let (proposal, safe) = (facts.proposal.nonce(), facts.now?.nonce);
    Some(match proposal.cmp(&safe) {
        Ordering::Equal => TransactionProblem::NonceNext(proposal),
        Ordering::Less => TransactionProblem::NonceUsed { proposal, safe },
        Ordering::Greater if facts.proposal.is_drill() => TransactionProblem::NonceOfDrill(proposal),
        Ordering::Greater => {
            TransactionProblem::NonceGap { proposal, safe, refuses: facts.signing && !facts.nonce_named }
        }
    })
}

fn nonce_kept(facts: &Facts) -> Option<TransactionProblem> {
    let keeper = facts.keeper?.clone();
    Some(TransactionProblem::NonceKept { own: facts.proposal.nonce(), keeper, signing: facts.signing })
}

fn nonce_conflicts(facts: &Facts) -> impl Iterator<Item = TransactionProblem> {
    let (mine, own) = (facts.proposal.nonce(), facts.proposal.hash().to_string());
    let others = facts.others.iter().filter(move |(nonce, hash)| *nonce == mine && *hash != own);
    others.map(|(nonce, other)| TransactionProblem::NonceConflict { nonce: *nonce, other: other.clone() })
}
