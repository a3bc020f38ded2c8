//! The inputs of a derivation: levers of the reader's own files, with their arguments, on a Safe.

use std::collections::BTreeMap;

use alloy::primitives::Address;

pub use crate::ceremony::act::BoundPlaybook;
use crate::ceremony::approval;
use crate::ceremony::desk::Desk;
use crate::council::{self, Arguments, By, Expansion, Part, Pull, by_lever, expand};
use crate::error::{Error, Exit};
use crate::evm::{AddressBook, Query, Readings};
use crate::playbook::{
    CombinedPlan, Derivation, Formerly, Inputs, LeverPlan, PIECE, Param, PlanError, Playbook, derive,
    former_values,
};
use crate::proposal::{Binding, BoundLever, DrillName, Proposal};
use crate::safe::{HashDigits, Nonce, Purpose, SafeTxHash};

/// Arguments of the command line that change levers or a file.
#[derive(Clone, Debug, Default)]
pub struct Given {
    pub set: Vec<(String, String)>,
    pub without: Vec<String>,
    pub nonce: Option<Nonce>,
    pub undo: bool,
    /// The owner who sends it, if they count without a signature.
    pub sender: Option<Address>,
    /// Names of Safes: the first approves it on chain by a transaction of its own, the next approves that one.
    pub approve_as: Vec<String>,
    /// The first digits of the hashes of the proposals that are meant, if there are several.
    pub hashes: Vec<HashDigits>,
}

impl Given {
    /// Returns the arguments for the transaction that is approved.
    pub fn of_approved(&self) -> Self {
        Self { nonce: None, sender: None, approve_as: Vec::new(), ..self.clone() }
    }

    /// Returns `--set` as a map. Fails if a name is given twice.
    pub fn arguments(&self) -> Result<Arguments, Error> {
        named_once(&self.set)
    }

    /// Returns `true` if a hash was named by its digits.
    pub fn names(&self, hash: SafeTxHash) -> bool {
        self.hashes.iter().any(|digits| digits.names(hash))
    }
}

/// The levers of one transaction, all from the reader's own files and command line.
#[must_use]
#[derive(Clone, Debug)]
pub struct Order<'a> {
    pub pull: Pull,
    /// In the order of their calls; at least one.
    acts: Vec<BoundPlaybook<'a>>,
    pub safe: &'a council::Safe,
    pub chain: &'a council::CouncilChain,
    pub names: AddressBook,
    /// The number of transactions of the same pull that come before it on its Safe.
    pub after: u64,
    /// The transaction that it approves on chain, in place of pulling levers.
    approved: Option<Box<Approved<'a>>>,
    /// The use of its signatures.
    pub purpose: Purpose,
    /// The drill that it must give, if one was named.
    pub announced: Option<DrillName>,
}

/// The transaction of another Safe that an order approves on chain.
#[derive(Clone, Debug)]
pub struct Approved<'a> {
    pub order: Order<'a>,
    /// `None` until it is derived.
    pub proposal: Option<Proposal>,
}

/// The reason why there is no plan for a lever.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}{error}", .lever.as_ref().map(|lever| format!("{lever}: ")).unwrap_or_default())]
pub struct TurnError {
    /// The lever, if there are several.
    pub lever: Option<String>,
    pub error: PlanError,
}

/// The values in force before an order, lever by lever, or the questions that must be asked first.
pub enum Former {
    Needs(Vec<Query>),
    Ready(Vec<Arguments>),
}

/// The plans of an order, or the questions that must be asked first.
#[expect(clippy::large_enum_variant, reason = "made a few times in a run, and taken apart at once")]
pub enum Turn {
    Needs(Vec<Query>),
    Ready(CombinedPlan),
}

impl<'a> Order<'a> {
    /// Returns `true` if two texts of an argument of one of its levers are one value: 0.4 % and 40 bps.
    pub fn is_same(&self, bound: &BoundLever, param: &str, (one, other): (&str, &str)) -> bool {
        let act = self.pulling().acts.iter().find(|act| act.lever == bound.lever);
        act.is_some_and(|act| act.own.is_same_argument(param, one, other, &self.names))
    }

    /// Returns the transactions of levers of the council file, with arguments for what they leave open. Fails for
    /// unknown names, or arguments that fit no lever or several.
    pub fn parts(desk: &'a Desk, names: &[String], given: &Given) -> Result<Vec<Self>, Error> {
        let Expansion { pull, parts } = expand(&desk.council, names, &given.without, given.undo)?;
        let levers = parts.iter().flat_map(|part| &part.levers);
        let open = levers.map(|name| (name.clone(), open_params(desk, name))).collect();
        let args = by_lever(&given.arguments()?, &open)?;
        parts.iter().map(|part| Self::part(desk, &pull, part, &args)).collect()
    }

    /// Returns one transaction of a pull. Fails if a lever cannot be found, or contradicts its arguments.
    pub fn part(
        desk: &'a Desk,
        pull: &Pull,
        part: &Part,
        args: &BTreeMap<String, Arguments>,
    ) -> Result<Self, Error> {
        if let Some(lever) =
            part.levers.iter().find_map(|name| by_a_deputy(desk, name)).filter(|_| !pull.undo)
        {
            return Err(not_the_safes(lever));
        }
        let none = Arguments::new();
        let act =
            |name: &String| BoundPlaybook::lever(desk, name, pull.undo, args.get(name).unwrap_or(&none));
        let acts = part.levers.iter().map(act).collect::<Result<Vec<_>, _>>()?;
        let after = part.after.try_into().unwrap_or(u64::MAX);
        Ok(Self { after, ..Self::new(desk, pull.clone(), acts, &part.safe)? })
    }

    /// Returns the act of a deputy by a lever of the council file; `{safe}` is the account that makes the calls. Fails
    /// if a lever contradicts its arguments.
    pub fn of_deputy(desk: &'a Desk, lever: &'a council::Lever, set: &Arguments) -> Result<Self, Error> {
        let act = BoundPlaybook::lever(desk, &lever.name, false, set)?;
        let order = Self::new(desk, Pull::lever(&lever.name, false), vec![act], &lever.safe)?;
        Ok(match &lever.by {
            By::Key(account) => order.by(account),
            By::Safe | By::Module { .. } => order,
        })
    }

    /// Returns the order of a playbook without a lever.
    pub fn playbook(
        desk: &'a Desk,
        undo: bool,
        id: &str,
        safe: &str,
        given: Arguments,
    ) -> Result<Self, Error> {
        let act = BoundPlaybook::new(desk, None, undo, id, given)?;
        Self::new(desk, Pull { undo, ..Pull::default() }, vec![act], safe)
    }

    fn new(desk: &'a Desk, pull: Pull, acts: Vec<BoundPlaybook<'a>>, safe: &str) -> Result<Self, Error> {
        let safe = desk.safe(safe)?;
        let chain = desk.chain_of(safe)?;
        Ok(Self::bare(pull, acts, (safe, chain), desk.council.names_on(&safe.chain)))
    }

    /// Returns a real order without transactions before it.
    fn bare(
        pull: Pull,
        acts: Vec<BoundPlaybook<'a>>,
        (safe, chain): (&'a council::Safe, &'a council::CouncilChain),
        names: AddressBook,
    ) -> Self {
        let purpose = Purpose::Real;
        Self { pull, acts, safe, chain, names, after: 0, approved: None, purpose, announced: None }
    }

    /// Returns the order by which a Safe approves the transaction of this one on chain. Without its proposal, that is
    /// still to be derived. Fails if the Safe is on another chain, or is not an owner by the council file.
    pub fn approved_by(self, safe: &'a council::Safe, proposal: Option<Proposal>) -> Result<Self, Error> {
        approval::require_owner(safe, self.safe)?;
        let mut pull = self.pull.clone();
        pull.approve_as.push(safe.name.clone());
        let (chain, names) = (self.chain, self.names.clone());
        let acts = vec![BoundPlaybook::of_program(approval::playbook()?, Arguments::new())];
        let order = Self::bare(pull, acts, (safe, chain), names);
        let approved = Approved { order: self, proposal: None };
        let unknown = Self { approved: Some(Box::new(approved)), ..order };
        Ok(match proposal {
            Some(proposal) => unknown.approving(proposal),
            None => unknown,
        })
    }

    /// Returns it with the transaction that it approves.
    pub fn approving(self, proposal: Proposal) -> Self {
        let Some(approved) = self.approved else { return self };
        let args = approval::arguments(&proposal);
        let acts = self.acts.into_iter().map(|act| BoundPlaybook { args: args.clone(), ..act }).collect();
        let approved = Approved { proposal: Some(proposal), ..*approved };
        Self { approved: Some(Box::new(approved)), acts, ..self }
    }

    /// Returns the transaction that it approves on chain; `None` if it pulls the levers itself.
    pub fn approved(&self) -> Option<&Approved<'a>> {
        self.approved.as_deref()
    }

    /// Returns the order that pulls the levers: this one, or the one that is approved by it, at any depth.
    pub fn pulling(&self) -> &Self {
        self.approved().map_or(self, |approved| approved.order.pulling())
    }

    /// In the order of their calls; at least one.
    pub fn acts(&self) -> &[BoundPlaybook<'a>] {
        &self.acts
    }

    /// Returns the levers' names; empty for a playbook without a lever.
    pub fn levers(&self) -> impl Iterator<Item = &str> {
        self.acts.iter().filter_map(|act| act.lever.as_deref())
    }

    /// Returns the levers and the Safe, for a heading: `vault + bridge · guardian on mainnet`.
    pub fn words(&self) -> String {
        let levers: Vec<&str> = self.pulling().levers().collect();
        let levers = self.pull.approved(&levers.join(" + "));
        format!("{levers} · {} on {}", self.safe.name, self.chain.name)
    }

    /// Returns the nonce of the command line or of a drill's name. `None` for the next one.
    pub fn nonce(&self, given: &Given) -> Option<Nonce> {
        let announced = self.announced.as_ref().map(DrillName::nonce);
        announced.or_else(|| given.nonce.map(|nonce| nonce.plus(self.after)))
    }

    /// Returns it as a drill: the announced one, if there is one.
    pub fn drilling(self, announced: Option<DrillName>) -> Self {
        Self { purpose: Purpose::Drill, announced, ..self }
    }

    /// Returns it with no transaction before it.
    pub fn first(self) -> Self {
        Self { after: 0, ..self }
    }

    /// Returns it as the transaction of another pull.
    pub fn pulled_as(self, pull: Pull) -> Self {
        Self { pull, ..self }
    }

    pub fn is_drill(&self) -> bool {
        self.purpose == Purpose::Drill
    }

    /// Returns these acts for another Safe.
    pub fn by(&self, safe: &'a council::Safe) -> Self {
        Self { safe, ..self.clone() }
    }

    /// Returns the playbooks, in the order of their calls.
    pub fn playbooks(&self) -> impl Iterator<Item = &'a Playbook> {
        self.acts.iter().map(|act| act.entry.playbook)
    }

    /// Returns the contracts that the levers declare to change as well.
    pub fn changes(&self) -> Vec<Address> {
        self.acts.iter().flat_map(|act| act.changes.iter().copied()).collect()
    }

    /// Returns the plans, or all questions that they still have.
    pub fn turn(&self, readings: &Readings) -> Result<Turn, TurnError> {
        let (mut needs, mut plans) = (Vec::new(), Vec::new());
        for act in &self.acts {
            let derived = derive(act.entry.playbook, &self.inputs(act), readings);
            match derived.map_err(|error| TurnError { lever: self.name_of(act), error })? {
                Derivation::Needs(queries) => needs.extend(queries),
                Derivation::Ready(plan) => plans.push(LeverPlan { lever: act.lever.clone(), plan }),
            }
        }
        match CombinedPlan::new(plans) {
            Some(plans) if needs.is_empty() => Ok(Turn::Ready(plans)),
            _ => Ok(Turn::Needs(needs)),
        }
    }

    /// Returns the values in force before it, lever by lever, for its undo; or the questions that must be asked first.
    pub fn former(&self, readings: &Readings) -> Result<Former, TurnError> {
        let (mut needs, mut values) = (Vec::new(), Vec::new());
        for act in &self.acts {
            let found = former_values(act.own, &self.inputs(act), readings);
            match found.map_err(|error| TurnError { lever: self.name_of(act), error })? {
                Formerly::Needs(queries) => needs.extend(queries),
                Formerly::Ready(was) => values.push(was),
            }
        }
        Ok(if needs.is_empty() { Former::Ready(values) } else { Former::Needs(needs) })
    }

    /// Returns an undo that restores these values, lever by lever, unless others were given.
    pub fn restoring(&self, was: &[Arguments]) -> Self {
        let acts = self.acts.iter().zip(was).map(|(act, was)| act.restoring(was)).collect();
        Self { acts, ..self.clone() }
    }

    fn inputs<'o>(&'o self, act: &'o BoundPlaybook) -> Inputs<'o> {
        let (safe, chain_id) = (self.safe.address, self.chain.id);
        Inputs { args: &act.args, names: &self.names, safe, chain_id }
    }

    fn name_of(&self, act: &BoundPlaybook) -> Option<String> {
        act.lever.clone().filter(|_| self.acts.len() > 1)
    }

    /// Returns the levers, playbooks and arguments that a proposal of this order is bound to.
    /// Never fails for levers of one council file.
    pub fn binding(&self) -> Result<Binding, Error> {
        if let Some(approved) = self.approved() {
            return Ok(approved.order.binding()?.approved_by(&self.safe.name));
        }
        let bound: Vec<BoundLever> = self.acts.iter().map(BoundPlaybook::bound).collect();
        Binding::new(self.pull.clone(), bound).map_err(|error| Error::new(Exit::Failed, error.to_string()))
    }
}

impl<'a> Desk<'a> {
    /// Returns the orders by which Safes approve these on chain, one after the other; these themselves without
    /// `--approve-as`. Fails if a Safe is unknown, or does not own the one that it approves for.
    pub fn approvals(
        &'a self,
        orders: Vec<(Order<'a>, Option<Proposal>)>,
        given: &Given,
    ) -> Result<Vec<Order<'a>>, Error> {
        let mut approved = orders;
        for name in &given.approve_as {
            let safe = self.safe(name)?;
            let by = |(after, (order, proposal)): (u64, (Order<'a>, Option<Proposal>))| {
                Ok((Order { after, ..order.approved_by(safe, proposal)? }, None))
            };
            approved = (0..).zip(approved).map(by).collect::<Result<_, Error>>()?;
        }
        Ok(approved.into_iter().map(|(order, _)| order).collect())
    }
}

/// Returns the parameters of a lever's playbook that the council file leaves open.
pub fn open_params(desk: &Desk, lever: &str) -> Vec<String> {
    let Some(lever) = desk.council.levers.get(lever) else { return Vec::new() };
    let Ok(entry) = desk.catalogue.get(&lever.playbook) else { return Vec::new() };
    let is_open = |param: &&Param| param.for_undo || !lever.set.contains_key(&param.name);
    let open = entry.playbook.params.iter().filter(is_open).map(|param| param.name.clone());
    // The piece of a lever that can be cut is open unless the lever sets it.
    let piece = (entry.playbook.can_be_cut() && !lever.set.contains_key(PIECE)).then(|| PIECE.to_string());
    open.chain(piece).collect()
}

/// Returns the lever if one key alone makes its calls.
fn by_a_deputy<'a>(desk: &'a Desk, name: &str) -> Option<&'a council::Lever> {
    desk.council.levers.get(name).filter(|lever| lever.by.deputy().is_some())
}

fn not_the_safes(lever: &council::Lever) -> Error {
    let (name, _) = lever.by.deputy().unwrap_or_default();
    let message = format!("lever {} is pulled by its deputy, {name}, and needs no signatures", lever.name);
    Error::new(Exit::Usage, message).hint(format!("breakglass deputy {}", lever.name))
}

/// Returns `--set` as a map. Fails if a name is given twice.
pub fn named_once(given: &[(String, String)]) -> Result<Arguments, Error> {
    let mut set = Arguments::new();
    for (name, value) in given {
        if set.insert(name.clone(), value.clone()).is_some() {
            return Err(
                Error::new(Exit::Usage, format!("--set {name} is given twice")).hint("leave one of them out")
            );
        }
    }
    Ok(set)
}
