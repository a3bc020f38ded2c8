//! The inputs of a derivation: which levers of the reader's own files, with which arguments, on which Safe.

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
    /// The owner who sends it, where they count without a signature.
    pub sender: Option<Address>,
    /// Safes by their names: the first approves it on chain by a transaction of its own, the next approves that one.
    pub approve_as: Vec<String>,
    /// The first digits of the hashes of those that are meant, where several may be.
    pub hashes: Vec<HashDigits>,
}

impl Given {
    /// Returns those for the transaction that is approved.
    pub fn of_approved(&self) -> Self {
        Self { nonce: None, sender: None, approve_as: Vec::new(), ..self.clone() }
    }

    /// `--set` as a map.
    /// Fails if a name is given twice.
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
    /// The drill that it has to come to, where one was named.
    pub announced: Option<DrillName>,
}

/// The transaction of another Safe that an order approves on chain.
#[derive(Clone, Debug)]
pub struct Approved<'a> {
    pub order: Order<'a>,
    /// `None` until it is derived.
    pub proposal: Option<Proposal>,
}

/// The reason that there is no plan for a lever.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}{error}", .lever.as_ref().map(|lever| format!("{lever}: ")).unwrap_or_default())]
pub struct TurnError {
    /// The lever, where there are several.
    pub lever: Option<String>,
    pub error: PlanError,
}

/// The values in force before an order, lever by lever, or what must be asked before they are known.
pub enum Former {
    Needs(Vec<Query>),
    Ready(Vec<Arguments>),
}

/// The plans of an order, or what must be asked before there can be any.
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

    /// The transactions that levers of the council file come to, with arguments for what they leave open.
    /// Fails for unknown names, or arguments that fit no lever or several.
    pub fn parts(desk: &'a Desk, names: &[String], given: &Given) -> Result<Vec<Self>, Error> {
        let Expansion { pull, parts } = expand(&desk.council, names, &given.without, given.undo)?;
        let levers = parts.iter().flat_map(|part| &part.levers);
        let open = levers.map(|name| (name.clone(), open_params(desk, name))).collect();
        let args = by_lever(&given.arguments()?, &open)?;
        parts.iter().map(|part| Self::part(desk, &pull, part, &args)).collect()
    }

    /// One transaction of a pull.
    /// Fails where a lever cannot be found, or contradicts its arguments.
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

    /// The act of a deputy by a lever of the council file: `{safe}` is whoever makes the calls.
    /// Fails where a lever contradicts its arguments.
    pub fn of_deputy(desk: &'a Desk, lever: &'a council::Lever, set: &Arguments) -> Result<Self, Error> {
        let act = BoundPlaybook::lever(desk, &lever.name, false, set)?;
        let order = Self::new(desk, Pull::lever(&lever.name, false), vec![act], &lever.safe)?;
        Ok(match &lever.by {
            By::Key(account) => order.by(account),
            By::Safe | By::Module { .. } => order,
        })
    }

    /// A playbook that no lever binds.
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

    /// Returns an order for something real, by itself.
    fn bare(
        pull: Pull,
        acts: Vec<BoundPlaybook<'a>>,
        (safe, chain): (&'a council::Safe, &'a council::CouncilChain),
        names: AddressBook,
    ) -> Self {
        let purpose = Purpose::Real;
        Self { pull, acts, safe, chain, names, after: 0, approved: None, purpose, announced: None }
    }

    /// Returns the order by which a Safe approves the transaction of this one on chain. Without a proposal of that, it is still
    /// to be derived.
    /// Fails if the Safe is on another chain, or is not an owner by the council file.
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

    /// The transaction that it approves on chain; `None` if it pulls the levers itself.
    pub fn approved(&self) -> Option<&Approved<'a>> {
        self.approved.as_deref()
    }

    /// The order that pulls the levers: this one, or that which is approved by it, at whatever depth.
    pub fn pulling(&self) -> &Self {
        self.approved().map_or(self, |approved| approved.order.pulling())
    }

    /// In the order of their calls; at least one.
    pub fn acts(&self) -> &[BoundPlaybook<'a>] {
        &self.acts
    }

    /// The levers' names; none for a playbook that no lever binds.
    pub fn levers(&self) -> impl Iterator<Item = &str> {
        self.acts.iter().filter_map(|act| act.lever.as_deref())
    }

    /// Returns the levers and the Safe, for a heading: `vault + bridge · guardian on mainnet`.
    pub fn words(&self) -> String {
        let levers: Vec<&str> = self.pulling().levers().collect();
        let levers = self.pull.approved(&levers.join(" + "));
        format!("{levers} · {} on {}", self.safe.name, self.chain.name)
    }

    /// Returns the nonce that was said for it: on the command line, or by the name of a drill. `None` for the next one.
    pub fn nonce(&self, given: &Given) -> Option<Nonce> {
        let announced = self.announced.as_ref().map(DrillName::nonce);
        announced.or_else(|| given.nonce.map(|nonce| nonce.plus(self.after)))
    }

    /// Returns it as a drill: the one that was announced, where one was.
    pub fn drilling(self, announced: Option<DrillName>) -> Self {
        Self { purpose: Purpose::Drill, announced, ..self }
    }

    /// Returns it with no transaction before it.
    pub fn first(self) -> Self {
        Self { after: 0, ..self }
    }

    /// Returns the same transaction as what these levers come to by themselves.
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

    /// The playbooks, in the order of their calls.
    pub fn playbooks(&self) -> impl Iterator<Item = &'a Playbook> {
        self.acts.iter().map(|act| act.entry.playbook)
    }

    /// Contracts that the levers declare to change besides.
    pub fn changes(&self) -> Vec<Address> {
        self.acts.iter().flat_map(|act| act.changes.iter().copied()).collect()
    }

    /// The plans, or what they still ask for: all of them at once.
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

    /// The values in force before it, lever by lever, as an undo takes them; or what must be asked first.
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

    /// Returns an undo that brings back these values, lever by lever, where nobody gave others.
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
    /// Returns the orders by which Safes approve these on chain, one after the other; these themselves if no Safe is to.
    /// Fails if a Safe is unknown, or does not own the one that it approves for.
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

/// The parameters of a lever's playbook that the council file leaves open.
pub fn open_params(desk: &Desk, lever: &str) -> Vec<String> {
    let Some(lever) = desk.council.levers.get(lever) else { return Vec::new() };
    let Ok(entry) = desk.catalogue.get(&lever.playbook) else { return Vec::new() };
    let is_open = |param: &&Param| param.for_undo || !lever.set.contains_key(&param.name);
    let open = entry.playbook.params.iter().filter(is_open).map(|param| param.name.clone());
    // Which piece of a lever that can be cut is open unless the lever says it.
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

/// `--set` as a map; the same name twice is a mistake.
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
