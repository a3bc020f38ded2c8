//! The named drills: each is derived from the reader's own files, and must be the one that was announced.

use std::time::Duration;

use crate::ceremony::desk::Desk;
use crate::ceremony::drills::drill_names::{drills, require_drillable};
use crate::ceremony::evaluate::PartResult;
use crate::ceremony::find::Found;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::rehearsal_result;
use crate::clock;
use crate::council::{self, Pull};
use crate::error::{Error, Exit};
use crate::evm::BlockRef;
use crate::fork::ExecTransaction;
use crate::incident::{Journal, Utc, is_announced, is_over};
use crate::playbook::Verdict;
use crate::proposal::{DrillName, Proposal, Shortfall, likely_approvals};
use crate::safe::{Approval, NoDrill, Nonce, SafeTree};
use crate::shell::quoted;

/// A drill that began longer ago is over.
const DRILL_OPEN: Duration = Duration::from_hours(7 * 24);

/// Returns the time before which a drill that began is over now.
pub fn open_since() -> Utc {
    let since = clock::now().saturating_sub(DRILL_OPEN).as_millis();
    Utc::from_millis(u64::try_from(since).unwrap_or(u64::MAX))
}

impl<'a> Desk<'a> {
    /// Returns the orders of levers or drills. Fails for unknown names, and for drills beside levers.
    pub fn orders_named(&'a self, names: &[String], given: &Given) -> Result<Vec<Order<'a>>, Error> {
        match drills(names)? {
            drills if drills.is_empty() => self.orders(names, given),
            _ if !given.approve_as.is_empty() => Err(no_approval()),
            drills => drills.into_iter().map(|name| self.order_of_drill(name, given)).collect(),
        }
    }

    fn order_of_drill(&'a self, name: DrillName, given: &Given) -> Result<Order<'a>, Error> {
        if given.nonce.is_some_and(|nonce| nonce != name.nonce()) {
            return Err(Error::new(Exit::Usage, format!("{name} names its nonce already"))
                .hint("leave out --nonce, or drill the lever again"));
        }
        let mut orders = self.orders(name.levers(), given)?;
        match (orders.pop(), orders.is_empty()) {
            (Some(order), true) => Ok(order.drilling(Some(name))),
            _ => Err(Error::new(
                Exit::Refused,
                format!("by your council file, {} are not one transaction", name.levers().join(", ")),
            )
            .hint("compare your council file with that of the person who announced the drill")),
        }
    }

    /// Returns the levers as drills, each a transaction that is announced by itself.
    pub fn drills_of(&'a self, levers: &[String], given: &Given) -> Result<Vec<Order<'a>>, Error> {
        if !given.approve_as.is_empty() {
            return Err(no_approval());
        }
        let orders = self.orders(levers, given)?;
        let is_one = orders.len() == 1;
        let own = |order: Order<'a>| {
            let names = order.levers().map(String::from).collect();
            let pull = if is_one {
                order.pull.clone()
            } else {
                Pull { names, undo: order.pull.undo, ..Pull::default() }
            };
            order.drilling(None).pulled_as(pull)
        };
        Ok(orders.into_iter().map(own).collect())
    }

    /// Evaluates each drill on the chain as it is now, at a nonce without an earlier drill of it that is over here:
    /// signatures of an earlier drill, proven or abandoned, must not count for a new one.
    pub fn evaluate_drills(&'a self, orders: Vec<Order<'a>>, given: &Given) -> Vec<PartResult<'a>> {
        let found = |order| Found::Lever { order: Box::new(order), guess: None, approvals: false };
        self.evaluate_each(orders.into_iter().map(found).collect(), |found| {
            let Found::Lever { order, .. } = &found else { return Err(not_drilled()) };
            let order = order.as_ref().clone();
            let first = self.evaluate_found(found, self.read_point(order.safe)?, given, true, None)?;
            let drill = &first.online.derived.proposal;
            let journal = Journal::read(&self.incidents.journal().read()?);
            let is_old = |nonce: Nonce| is_over(journal.iter(), drill.at_nonce(nonce), open_since());
            if given.nonce.is_some() || !is_old(drill.nonce()) {
                return Ok(first);
            }
            let mut nonce = drill.nonce();
            while is_old(nonce) {
                nonce = nonce.next();
            }
            let given = Given { nonce: Some(nonce), ..given.clone() };
            let view = self.read_point(order.safe)?;
            let found = Found::Lever { order: Box::new(order.first()), guess: None, approvals: false };
            self.evaluate_found(found, view, &given, true, None)
        })
    }

    /// Returns the drill that is kept here for an order.
    pub(in crate::ceremony) fn kept_drill(
        &self,
        order: &Order,
        given: &Given,
    ) -> Result<Option<Proposal>, Error> {
        let is_wanted = self.filter_for(order, given)?;
        let is_announced = |p: &Proposal| order.announced.as_ref().is_none_or(|name| name.names(p));
        Ok(self.kept_drills(|p| is_wanted(p) && is_announced(p))?.pop())
    }

    /// Returns the flags with which everybody derives a proposal of levers, without its nonce.
    pub fn given_of(&self, proposal: &Proposal) -> Given {
        let pull = proposal.binding().pull();
        let set = proposal.binding().open(&self.council).into_iter().map(|open| (open.key, open.value));
        Given { set: set.collect(), without: pull.without.clone(), undo: pull.undo, ..Given::default() }
    }

    /// Checks by the council file that every Safe of a drill's tree has the chain id in its signatures. The error names
    /// the first that has not.
    pub(in crate::ceremony) fn require_drillable_offline(
        &self,
        proposal: &Proposal,
        safe: &council::Safe,
    ) -> Result<(), NoDrill> {
        let tree = SafeTree::new(proposal.snapshot().clone(), &self.pinned_safes(safe));
        require_drillable(proposal, &tree)
    }

    /// Returns `true` if this machine's journal announces a drill that is not over.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub(in crate::ceremony) fn is_announced(&self, drill: &Proposal) -> Result<bool, Error> {
        let journal = Journal::read(&self.incidents.journal().read()?);
        Ok(is_announced(journal.iter(), drill.hash(), open_since()))
    }

    /// Returns the words that name a drill in a command, for everybody: `drill:cap-n42-7f3a --set amount=5`. `None` for
    /// a real proposal.
    pub fn words_of_drill(&self, proposal: &Proposal) -> Option<String> {
        let name = DrillName::of(proposal)?;
        let binding = proposal.binding();
        let pull = binding.pull();
        let mut words = vec![name.to_string()];
        words.extend(pull.without.iter().map(|lever| format!("--without {}", quoted(lever))));
        words.extend(pull.undo.then(|| "--undo".to_string()));
        let open = binding.open(&self.council).into_iter();
        words.extend(open.map(|open| format!("--set {}", quoted(&format!("{}={}", open.key, open.value)))));
        Some(words.join(" "))
    }
}

/// Returns the error for an approval on chain in a drill, which sends no transactions.
fn no_approval() -> Error {
    Error::new(Exit::Usage, "a Safe that approves on chain cannot take part in a drill")
        .hint("leave out --approve-as")
}

fn not_drilled() -> Error {
    Error::new(Exit::Failed, "only a lever can be drilled").hint("breakglass, alone, lists the levers")
}

/// A drill that is proven.
pub struct DrillProof {
    /// The block of the forks.
    pub block: BlockRef,
    /// The number of keys whose signatures it took.
    pub keys: usize,
    /// The checks after the act, on the fork with the real chain id.
    pub verdicts: Vec<Verdict>,
    pub gas_used: u64,
}

/// Proves a drill that enough have signed.
/// Fails if the Safe's own code refuses the signatures, and if the act does not do what its playbook promises.
pub fn prove(judged: &Judged) -> Result<DrillProof, Error> {
    let (drill, tree, seen) = (judged.proposal(), judged.tree(), judged.seen()?);
    let approvals = judged.approvals();
    let signatures = likely_approvals(drill, &approvals, &tree)
        .filter(|_| drill.is_drill())
        .ok_or_else(|| Error::new(Exit::Shortfall, "not enough owners have signed this drill"))?;
    let Some(done) = judged.rehearsal.done() else {
        let why = judged.rehearsal.failure().unwrap_or("it was not rehearsed");
        return Err(Error::new(Exit::Failed, format!("the drill is not proven: {why}")));
    };
    let names = &judged.derived.names;
    let failed = |what: &str, why: String| {
        Error::new(Exit::Failed, format!("the drill is not proven: {what}: {why}"))
            .hint("nothing was sent; breakglass status shows who has signed")
    };
    rehearsal_result::check_success(&done.rehearsal, judged.plan(), names)
        .map_err(|why| failed("the act would fail", why))?;
    if let Some(verdict) = done.after.iter().find(|verdict| !verdict.holds) {
        return Err(failed("the act would not do its work", verdict.sentence.clone()));
    }
    let owners = tree.owners.clone();
    let exec = ExecTransaction {
        domain: *drill.domain(),
        owners: &owners,
        tx: drill.tx(),
        signatures: Some(&signatures),
        sender: owners.list().first().copied().unwrap_or_default(),
        gas: None,
    };
    let ran = seen.link.rehearse_again(&seen.snapshot, &exec, done.rehearsal.timestamp)?;
    rehearsal_result::check_success(&ran, judged.plan(), names)
        .map_err(|why| failed("the Safe's own code refuses its signatures for the drill's chain", why))?;
    Ok(DrillProof {
        block: seen.snapshot.header.block(),
        keys: keys(&judged.tally()),
        verdicts: done.after.clone(),
        gas_used: ran.gas_used,
    })
}

/// Returns the number of keys whose signatures a Safe's approvals take: of a Safe among the owners, those of its own owners.
pub(in crate::ceremony) fn keys(tally: &Shortfall) -> usize {
    let of_one = |approval: &Approval| {
        let below = tally.child(approval.owner()).and_then(|child| child.tally.as_ref());
        below.filter(|below| below.is_met()).map_or(1, keys)
    };
    let mut each: Vec<usize> = tally.approved.iter().map(of_one).collect();
    each.sort_unstable();
    each.iter().take(tally.threshold.get()).sum()
}
