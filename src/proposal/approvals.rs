//! The approvals of a proposal: what was gathered, what the chain says of it, and what it comes to for each Safe of a tree.

use std::collections::HashSet;

use alloy::primitives::{Address, Bytes};

use super::{OwnerSignature, Proposal, WalletSignature, approval_query, contract_query};
use crate::evm::{Answer, Query, Readings};
use crate::safe::{
    Answering, Approval, ContractSignature, Domain, EcdsaSignature, Packed, Purpose, Question, SafeMessage,
    SafeTree, SafeTxHash, Threshold, decode_approvals, encode_approvals,
};

/// All that was gathered for a proposal.
#[derive(Clone, Copy, Debug)]
pub struct Approvals<'a> {
    pub signatures: &'a [OwnerSignature],
    /// Signatures of contracts that are not Safes of the tree. Each counts only once its contract has said yes.
    pub wallets: &'a [WalletSignature],
    /// The chain's answers to [`SafeOwners::approval_queries`](super::SafeOwners::approval_queries) and [`contract_queries`].
    pub said: &'a Readings,
    /// Owners whose contract signature was tried with the transaction, and failed.
    pub failed: &'a [Address],
    /// The owner who sends the transaction, where they count without a signature.
    pub sender: Option<Address>,
}

impl<'a> Approvals<'a> {
    /// Returns approvals without wallets' signatures, a sender, and approvals that failed.
    pub const fn new(
        signatures: &'a [OwnerSignature],
        wallets: &'a [WalletSignature],
        said: &'a Readings,
    ) -> Self {
        Self { signatures, wallets, said, failed: &[], sender: None }
    }
}

/// The progress of a Safe.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// One approval for each owner who has approved, in the order of the owners' addresses.
    pub approved: Vec<Approval>,
    pub threshold: Threshold,
    /// Current owners who have not approved.
    pub missing: Vec<Address>,
    /// Former owners: their signatures were valid when they were made and do not count now.
    pub former: Vec<Address>,
    /// The Safes among the owners, in the order of the Safe's list.
    pub children: Vec<Child>,
}

/// A Safe among the owners, and how far its own owners are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    pub safe: Address,
    /// `None` if it cannot answer by a signature: it has to call `approveHash`.
    pub tally: Option<Shortfall>,
    /// It has enough signatures, and says no to them.
    pub says_no: bool,
}

impl Shortfall {
    /// The Safe reads only the first `threshold` parts, so only they go in: plain ones first, then contract signatures; of each
    /// kind the lowest addresses. `None` if there are too few.
    pub(super) fn chosen(&self) -> Option<Vec<Approval>> {
        let rank = |approval: &Approval| match approval {
            Approval::Signed(_) | Approval::OnChain(_) => 0,
            Approval::Sender(_) => 1,
            Approval::Contract(_) => 2,
        };
        let mut chosen = self.approved.clone();
        chosen.sort_by_key(|approval| (rank(approval), approval.owner()));
        let enough = chosen.len() >= self.threshold.get();
        chosen.truncate(self.threshold.get());
        enough.then_some(chosen)
    }

    /// The Safe among the owners with this address.
    pub fn child(&self, owner: Address) -> Option<&Child> {
        self.children.iter().find(|child| child.safe == owner)
    }

    /// Returns `true` if as many owners as the threshold approve.
    pub const fn is_met(&self) -> bool {
        self.approved.len() >= self.threshold.get()
    }
}

/// A Safe of the tree with what its owners sign.
pub(super) struct ApprovalNode<'t> {
    pub(super) tree: &'t SafeTree,
    /// The Safes that led to it, from the proposal's own on, without that one.
    through: Vec<Address>,
    signs: SafeTxHash,
    /// Its question to a contract among its owners; `None` if it has none that can be answered.
    asks: Option<Question>,
    purpose: Purpose,
}

impl<'t> ApprovalNode<'t> {
    pub(super) fn root(proposal: &Proposal, tree: &'t SafeTree) -> Self {
        let asks = Some(Question::about(proposal.safe().version, proposal.hashes()));
        Self { tree, through: Vec::new(), signs: proposal.hash(), asks, purpose: proposal.purpose() }
    }

    /// `None` if the child cannot answer by a signature.
    fn below(&self, child: &'t SafeTree) -> Option<Self> {
        let by = Answering::of(&child.state)?;
        let domain = Domain::of(child.id, self.purpose).ok()?;
        let message = SafeMessage::answering(&domain, by, self.asks.as_ref()?)?;
        let through = [&self.through[..], &[child.id.address]].concat();
        let (signs, asks) = (message.hashes.safe_tx, message.asks);
        Some(Self { tree: child, through, signs, asks, purpose: self.purpose })
    }

    fn has_approved(&self, owner: Address, said: &Readings) -> bool {
        let query = approval_query(self.tree.id.address, &self.signs, owner);
        said.get(&query).is_some_and(Answer::is_set)
    }

    /// The owner's answer to the question whether this data is its signature; `None` if it was not asked.
    fn answer(&self, owner: Address, data: &Bytes, said: &Readings) -> Option<bool> {
        let asks = self.asks.as_ref()?;
        match said.get(&contract_query(self.tree.id.address, owner, asks, data))? {
            Answer::Value(answer) => Some(asks.is_yes(answer)),
            Answer::Reverted(_) => Some(false),
        }
    }

    /// Returns the owners who have approved, counted against the Safe as it is. Each owner counts once; order does not matter.
    pub(super) fn tally(&self, given: &Approvals) -> Shortfall {
        let owners = self.tree.owners.list();
        let direct = given.signatures.iter().filter(|s| s.through() == self.through);
        let mut found: Vec<Approval> =
            direct.filter(|s| s.signs() == self.signs).map(|s| Approval::Signed(*s.ecdsa())).collect();
        let on_chain = owners.iter().filter(|owner| self.has_approved(**owner, given.said));
        found.extend(on_chain.copied().map(Approval::OnChain));
        let mut children = Vec::new();
        for child in owners.iter().filter_map(|owner| self.tree.child(*owner)) {
            let (child, approval) = self.child(child, given);
            children.push(child);
            found.extend(approval);
        }
        found.extend(self.wallets(given).map(Approval::Contract));
        // Inside of a child Safe nobody is the sender: the parent is.
        let sender = given.sender.filter(|_| self.through.is_empty());
        found.extend(sender.filter(|sender| owners.contains(sender)).map(Approval::Sender));
        let strays = given.signatures.iter().filter_map(|s| self.former_child(s.through()));
        self.count(found, strays.collect(), children)
    }

    /// Returns the child, and its approval once enough of its owners have signed and it does not say no.
    fn child(&self, child: &'t SafeTree, given: &Approvals) -> (Child, Option<Approval>) {
        let owner = child.id.address;
        let Some(node) = self.below(child) else {
            return (Child { safe: owner, tally: None, says_no: false }, None);
        };
        let tally = node.tally(given);
        let data = tally.chosen().map(|chosen| encode_approvals(&chosen));
        let failed = self.through.is_empty() && given.failed.contains(&owner);
        let refuses = |data: &Bytes| failed || self.answer(owner, data, given.said) == Some(false);
        let says_no = data.as_ref().is_some_and(refuses);
        let approval = data.filter(|_| !says_no);
        let approval = approval.map(|data| Approval::Contract(ContractSignature { owner, data }));
        (Child { safe: owner, tally: Some(tally), says_no }, approval)
    }

    /// The signatures of contracts that are not Safes of the tree, which have said yes.
    fn wallets(&self, given: &Approvals) -> impl Iterator<Item = ContractSignature> {
        let here = given.wallets.iter().filter(|wallet| wallet.through() == self.through);
        here.map(WalletSignature::signature)
            .filter(|signature| {
                let failed = self.through.is_empty() && given.failed.contains(&signature.owner);
                !failed && self.answer(signature.owner, &signature.data, given.said) == Some(true)
            })
            .cloned()
    }

    /// A Safe that a signature was made through and that is not an owner any more.
    fn former_child(&self, through: &[Address]) -> Option<Address> {
        let next = *through.strip_prefix(&self.through[..])?.first()?;
        (!self.tree.owners.contains(next)).then_some(next)
    }

    /// The first approval of each owner counts.
    fn count(&self, found: Vec<Approval>, strays: Vec<Address>, children: Vec<Child>) -> Shortfall {
        let owners = &self.tree.owners;
        let current: HashSet<Address> = owners.list().iter().copied().collect();
        let mut counted: HashSet<Address> = HashSet::new();
        let (mut approved, mut former) = (Vec::new(), Vec::new());
        for approval in found {
            let owner = approval.owner();
            if !counted.insert(owner) {
                continue;
            }
            if current.contains(&owner) {
                approved.push(approval);
            } else {
                former.push(owner);
            }
        }
        former.extend(strays.into_iter().filter(|stray| counted.insert(*stray)));
        approved.sort_by_key(Approval::owner);
        let missing = owners.list().iter().copied().filter(|owner| !counted.contains(owner)).collect();
        Shortfall { approved, threshold: owners.threshold(), missing, former, children }
    }

    /// Reads approvals that were packed before, as the Safe would: `None` if it would not take one of them.
    pub(super) fn read(&self, packed: &[u8], given: &Approvals) -> Option<Shortfall> {
        let mut found = Vec::new();
        for part in decode_approvals(packed).ok()? {
            found.push(match part {
                Packed::Signature(bytes) => {
                    let version = self.tree.id.version;
                    Approval::Signed(EcdsaSignature::from_safe_bytes(&bytes, &self.signs, version).ok()?)
                }
                Packed::Approved(owner) if self.has_approved(owner, given.said) => Approval::OnChain(owner),
                Packed::Approved(owner) if self.through.is_empty() && given.sender == Some(owner) => {
                    Approval::Sender(owner)
                }
                Packed::Approved(_) => return None,
                Packed::Contract(signature) => {
                    let holds = match self.tree.child(signature.owner) {
                        Some(child) => self.below(child)?.read(&signature.data, given)?.is_met(),
                        None => self.answer(signature.owner, &signature.data, given.said) == Some(true),
                    };
                    holds.then_some(Approval::Contract(signature))?
                }
            });
        }
        Some(self.count(found, Vec::new(), Vec::new()))
    }

    /// Asks of each contract, here and below, if the data that it would be packed with is its signature.
    fn contract_queries(&self, given: &Approvals, queries: &mut Vec<Query>) {
        let Some(asks) = &self.asks else { return };
        let mut ask = |owner, data: &Bytes| {
            queries.push(contract_query(self.tree.id.address, owner, asks, data));
        };
        for wallet in given.wallets.iter().filter(|wallet| wallet.through() == self.through) {
            ask(wallet.signature().owner, &wallet.signature().data);
        }
        for child in &self.tree.children {
            let (_, approval) = self.child(child, given);
            if let Some(Approval::Contract(signature)) = approval {
                ask(signature.owner, &signature.data);
            }
        }
        for node in self.tree.children.iter().filter_map(|child| self.below(child)) {
            node.contract_queries(given, queries);
        }
    }
}

/// Asks of each contract that has enough signatures if it says yes to them.
pub fn contract_queries(proposal: &Proposal, tree: &SafeTree, given: &Approvals) -> Vec<Query> {
    let mut queries = Vec::new();
    ApprovalNode::root(proposal, tree).contract_queries(given, &mut queries);
    queries
}
