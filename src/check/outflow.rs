//! Checks of what leaves the Safe beyond the reader's own playbook: ether, tokens, and permissions to take tokens
//! later.

use alloy::primitives::{Address, B256, Log, U256, b256};

use super::Facts;
use super::description::{ASK, Description, Id, listed};
use crate::fork::Rehearsal;

/// `Approval(address,address,uint256)`, of ERC-20 and, with four topics, of ERC-721.
pub(super) const APPROVAL: B256 = b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");
/// `ApprovalForAll(address,address,bool)`
pub(super) const APPROVAL_FOR_ALL: B256 =
    b256!("17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31");
/// `Transfer(address,address,uint256)`: with four topics, of ERC-721.
pub(super) const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `TransferSingle(address,address,address,uint256,uint256)` and `TransferBatch(…)` of ERC-1155; the third topic is
/// the holder.
pub(super) const TRANSFER_SINGLE: B256 =
    b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
pub(super) const TRANSFER_BATCH: B256 =
    b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");

/// Ether, tokens or approvals that leave the Safe beyond the planned calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutflowProblem {
    NothingLeaves,
    Leaves(Vec<Loss>),
    NothingApproved,
    Approved(Vec<Log>),
}

/// Something that leaves the Safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    Ether { amount: U256, sends: U256, to: Vec<(Address, U256)> },
    Token { token: Address, amount: U256, to: Vec<(Address, U256)> },
    Collectible { event: Log, to: Address },
}

impl OutflowProblem {
    pub(super) fn describe(&self) -> Description {
        match self {
            Self::NothingLeaves => {
                Description::pass("outflow", "nothing leaves the Safe that the playbook does not send")
            }
            Self::Leaves(lost) => {
                let shown: Vec<String> = lost.iter().map(Loss::describe).collect();
                let whole: Vec<String> = lost.iter().map(Loss::in_full).collect();
                Description::refuse(
                    Id::from("outflow").digest_all(&whole),
                    format!("the Safe loses {}", listed(&shown)),
                    ASK,
                )
            }
            Self::NothingApproved => Description::pass(
                "approvals",
                "no permission to take tokens is given but those of the playbook",
            ),
            Self::Approved(events) => {
                let whole: Vec<String> = events.iter().map(in_full).collect();
                let allowed = |log: &Log| {
                    format!(
                        "{} may take token {} from the Safe",
                        Address::from_word(spender(log)),
                        log.address
                    )
                };
                let shown: Vec<String> = events.iter().map(allowed).collect();
                Description::refuse(
                    Id::from("approvals").digest_all(&whole),
                    format!("it gives a permission away: {}", listed(&shown)),
                    ASK,
                )
            }
        }
    }
}

impl Loss {
    fn what(&self) -> String {
        match self {
            Self::Ether { amount, sends, .. } => format!("{amount} wei (the playbook sends {sends})"),
            Self::Token { token, amount, .. } => format!("{amount} of token {token}"),
            Self::Collectible { event, .. } => format!("a token of the collection {}", event.address),
        }
    }

    fn receivers(&self) -> Vec<String> {
        match self {
            Self::Ether { to, .. } => to.iter().map(|(to, amount)| format!("{to} ({amount} wei)")).collect(),
            Self::Token { to, .. } => to.iter().map(|(to, amount)| format!("{to} ({amount})")).collect(),
            Self::Collectible { to, .. } => vec![to.to_string()],
        }
    }

    /// Returns what is lost, with the first receivers.
    fn describe(&self) -> String {
        self.given_to(&listed(&self.receivers()))
    }

    /// Returns every detail: the id is its digest.
    fn in_full(&self) -> String {
        match self {
            Self::Collectible { event, .. } => {
                format!("{} {:?} {}", self.what(), event.topics(), event.data.data)
            }
            _ => self.given_to(&self.receivers().join("; ")),
        }
    }

    fn given_to(&self, to: &str) -> String {
        if to.is_empty() { self.what() } else { format!("{} to {to}", self.what()) }
    }
}

fn in_full(log: &Log) -> String {
    format!("{} {:?} {}", log.address, log.topics(), log.data.data)
}

fn spender(log: &Log) -> B256 {
    log.topics().get(2).copied().unwrap_or_default()
}

pub(super) fn outflow(facts: &Facts, rehearsal: &Rehearsal) -> OutflowProblem {
    let lost: Vec<Loss> = ether_lost(facts, rehearsal)
        .into_iter()
        .chain(tokens_lost(facts, rehearsal))
        .chain(collectibles_lost(facts, rehearsal))
        .collect();
    if lost.is_empty() { OutflowProblem::NothingLeaves } else { OutflowProblem::Leaves(lost) }
}

fn ether_lost(facts: &Facts, rehearsal: &Rehearsal) -> Option<Loss> {
    let safe = facts.proposal.safe().address;
    let sends = facts.planned().iter().fold(U256::ZERO, |sum, c| sum.saturating_add(c.call.value));
    let change = rehearsal.balances.iter().find(|change| change.address == safe)?;
    let amount = change.old.saturating_sub(change.new);
    let gains = rehearsal.balances.iter().filter(|other| other.new > other.old);
    let to = gains.map(|other| (other.address, other.new.saturating_sub(other.old))).collect();
    (amount > sends).then_some(Loss::Ether { amount, sends, to })
}

fn tokens_lost(facts: &Facts, rehearsal: &Rehearsal) -> impl Iterator<Item = Loss> {
    let safe = facts.proposal.safe().address;
    let tokens = rehearsal.tokens.iter().filter(move |t| t.holder == safe && t.sent > t.received);
    tokens.filter_map(move |t| {
        let to: Vec<(B256, U256)> = sent_to(rehearsal, t.token, safe).collect();
        let said = !to.is_empty() && to.iter().all(|(to, _)| facts.mentions(t.token, to));
        let to = to.into_iter().map(|(to, amount)| (Address::from_word(to), amount)).collect();
        let amount = t.sent.saturating_sub(t.received);
        (!said).then_some(Loss::Token { token: t.token, amount, to })
    })
}

fn collectibles_lost(facts: &Facts, rehearsal: &Rehearsal) -> impl Iterator<Item = Loss> {
    let safe = facts.proposal.safe().address;
    rehearsal.events.iter().filter_map(move |log| {
        let to = Address::from_word(collectible_from(log, safe)?);
        let said = facts.mentions(log.address, &to.into_word());
        (!said).then(|| Loss::Collectible { event: log.clone(), to })
    })
}

/// Returns the receiver of an ERC-20 token from `safe`, and the amount.
fn sent_to(rehearsal: &Rehearsal, token: Address, safe: Address) -> impl Iterator<Item = (B256, U256)> {
    let logs = rehearsal.events.iter().filter(move |log| log.address == token);
    logs.filter_map(move |log| match log.topics() {
        [TRANSFER, from, to] if *from == safe.into_word() => {
            Some((*to, U256::try_from_be_slice(&log.data.data).unwrap_or_default()))
        }
        _ => None,
    })
}

/// Returns the receiver of an ERC-721 or ERC-1155 token that leaves `safe`.
fn collectible_from(log: &Log, safe: Address) -> Option<B256> {
    match log.topics() {
        [TRANSFER, holder, to, _] | [TRANSFER_SINGLE | TRANSFER_BATCH, _, holder, to] => {
            (*holder == safe.into_word()).then_some(*to)
        }
        _ => None,
    }
}

/// Returns the permissions to take tokens that the playbook does not name; they outlive the transaction.
pub(super) fn approvals(facts: &Facts, rehearsal: &Rehearsal) -> OutflowProblem {
    let safe = facts.proposal.safe().address.into_word();
    let given = rehearsal.events.iter().filter(|log| {
        let grants = log.data.data.iter().any(|byte| *byte != 0);
        match log.topics() {
            [APPROVAL | APPROVAL_FOR_ALL, owner, _] => *owner == safe && grants,
            [APPROVAL, owner, spender, _] => *owner == safe && !spender.is_zero(),
            _ => false,
        }
    });
    let unsaid: Vec<Log> = given.filter(|log| !facts.mentions(log.address, &spender(log))).cloned().collect();
    if unsaid.is_empty() { OutflowProblem::NothingApproved } else { OutflowProblem::Approved(unsaid) }
}
