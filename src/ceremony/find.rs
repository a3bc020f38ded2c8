//! Finds the named transactions: a lever's order, or an existing proposal.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;

use crate::ceremony::derived::{Derived, StoredApprovals};
use crate::ceremony::desk::Desk;
use crate::ceremony::drills::drill_names::pulled;
use crate::ceremony::matching::compare;
use crate::ceremony::order::{Given, Order, open_params};
use crate::council::{self, Arguments, Expansion, by_lever, expand};
use crate::error::{Error, Exit};
use crate::proposal::{BatchSource, DrillName, OwnerSignature, Proposal, SafeOwners, WalletSignature};
use crate::store;

/// The purpose of a command, which decides the proposal that a lever means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandPurpose {
    /// A lever means the transaction at the Safe's next nonce, derived now; kept proposals do not count.
    Propose,
    /// Like `Propose`; a kept proposal decides what is fetched early.
    Sign,
    /// A lever means the proposal kept here, if there is one.
    Finish,
    /// Like `Finish`, and nothing is rehearsed.
    Show,
    /// Like `Finish`, and the network is not asked.
    Offline,
}

/// One transaction that was named.
#[must_use]
pub enum Found<'a> {
    /// A lever to derive. The guess decides only what is fetched early. With `approvals` the chain is asked who has
    /// approved it.
    Lever { order: Box<Order<'a>>, guess: Option<Box<Proposal>>, approvals: bool },
    /// A proposal that was made before, here or elsewhere.
    Proposal(Box<Existing<'a>>),
}

/// A proposal that was made before, with the reader's own lever for it.
#[must_use]
pub struct Existing<'a> {
    pub proposal: Proposal,
    pub safe: &'a council::Safe,
    pub chain: &'a council::CouncilChain,
    /// The reader's own lever, or why there is none.
    pub order: Result<Order<'a>, Error>,
    pub foreign: Vec<(String, String)>,
    /// The owners by the council file, before the chain has answered.
    pub owners: Option<SafeOwners>,
    pub signatures: Vec<OwnerSignature>,
    pub wallets: Vec<WalletSignature>,
}

/// Returns `true` for the path of a file; everything else is a lever, or a drill of levers.
pub fn is_file(what: &str) -> bool {
    !DrillName::looks_like_drill_name(what)
        && (Path::new(what).extension().is_some_and(|e| e == "json")
            || what.contains(std::path::MAIN_SEPARATOR))
}

/// Reads a proposal file.
pub fn read_proposal(path: &Path) -> Result<Proposal, Error> {
    let text = store::read_text(path)?;
    Proposal::parse(&text).map_err(|e| Error::from(e).about(&path.display().to_string()))
}

impl<'a> Found<'a> {
    /// Returns its Safe of the council file.
    pub fn safe(&self) -> &'a council::Safe {
        match self {
            Self::Lever { order, .. } => order.safe,
            Self::Proposal(existing) => existing.safe,
        }
    }

    /// Returns the levers and the Safe, for a heading.
    pub fn title(&self) -> String {
        match self {
            Self::Lever { order, .. } => order.words(),
            Self::Proposal(existing) => {
                let levers = existing.proposal.binding().levers().iter();
                let levers: Vec<&str> =
                    levers.map(|bound| bound.lever.as_deref().unwrap_or(bound.playbook.as_str())).collect();
                let levers = existing.proposal.binding().pull().approved(&levers.join(" + "));
                format!("{levers} · {} on {}", existing.safe.name, existing.chain.name)
            }
        }
    }

    /// Returns the proposal that exists already.
    pub fn proposal(&self) -> Option<&Proposal> {
        match self {
            Self::Lever { .. } => None,
            Self::Proposal(existing) => Some(&existing.proposal),
        }
    }
}

impl<'a> Existing<'a> {
    /// Derives it again from the values that it brings, without the network. Fails if only the chain can tell whose
    /// signatures count.
    pub fn offline(self, desk: &'a Desk, given: &Given) -> Result<Derived<'a>, Error> {
        desk.require_drillable_offline(&self.proposal, self.safe)?;
        let approved = match self.proposal.approves() {
            Some(of) => {
                Some(Box::new(desk.find_own_lever(of.clone(), &given.of_approved())?.offline(desk, given)?))
            }
            None => None,
        };
        let owners = self.owners.map_or_else(|| desk.pinned_owners(self.safe), Ok)?;
        let (matching, own) = compare(&self.proposal, self.order, None, BatchSource::Offline);
        let keeper = desk.keeper(&self.proposal, self.safe, &owners)?;
        let kept = StoredApprovals { owners, signatures: self.signatures, wallets: self.wallets, keeper };
        let derived =
            Derived::new(desk, (self.safe, self.chain), self.proposal, (matching, own), kept, given)?;
        Ok(Derived { sender: None, approved, ..derived.with_foreign_arguments(self.foreign) })
    }
}

impl<'a> Desk<'a> {
    /// Finds the named transactions for a purpose.
    pub fn find(
        &'a self,
        what: &[String],
        given: &Given,
        purpose: CommandPurpose,
    ) -> Result<Vec<Found<'a>>, Error> {
        self.parts(what, given)?.into_iter().map(|found| self.for_purpose(found, given, purpose)).collect()
    }

    /// Returns the named transactions: levers are pulled together, one transaction for each Safe; each file is a
    /// transaction of its own. Those of one Safe are in the order of their nonces.
    pub fn parts(&'a self, what: &[String], given: &Given) -> Result<Vec<Found<'a>>, Error> {
        let (files, levers): (Vec<&String>, Vec<&String>) = what.iter().partition(|what| is_file(what));
        let mut found = Vec::new();
        for file in files {
            found.push(match self.approval_of(file, given)? {
                Some(order) => Found::Lever { order: Box::new(order), guess: None, approvals: false },
                None => Found::Proposal(Box::new(self.find_own_lever(self.file(file, given)?, given)?)),
            });
        }
        if levers.is_empty() {
            return Ok(found);
        }
        let levers: Vec<String> = levers.into_iter().cloned().collect();
        let orders = self.orders_named(&levers, given)?.into_iter();
        let pulled =
            orders.map(|order| Found::Lever { order: Box::new(order), guess: None, approvals: false });
        let files_first = what.first().is_some_and(|first| is_file(first));
        Ok(if files_first {
            found.into_iter().chain(pulled).collect()
        } else {
            pulled.chain(found).collect()
        })
    }

    /// Returns the order that approves the proposal of a file on chain; `None` without `--approve-as`. Fails if the
    /// reader's own files do not give what the file proposes, or if the Safe does not own the file's.
    pub fn approval_of(&'a self, path: &str, given: &Given) -> Result<Option<Order<'a>>, Error> {
        if given.approve_as.is_empty() {
            return Ok(None);
        }
        let existing = self.find_own_lever(self.file(path, &given.of_approved())?, given)?;
        let Existing { order, proposal, .. } = existing;
        let mut approvals = self.approvals(vec![(order?, Some(proposal))], given)?;
        Ok(approvals.pop())
    }

    /// Finds the kept proposal of a lever if the purpose needs one, or else a guess at what to fetch early. Fails if
    /// the chain must decide between several, and does not.
    pub fn for_purpose(
        &'a self,
        found: Found<'a>,
        given: &Given,
        purpose: CommandPurpose,
    ) -> Result<Found<'a>, Error> {
        let Found::Lever { order, .. } = found else { return Ok(found) };
        let kept = match purpose {
            CommandPurpose::Propose | CommandPurpose::Sign => None,
            CommandPurpose::Finish | CommandPurpose::Show => self.stored_for(&order, given, true)?,
            CommandPurpose::Offline => self.stored_for(&order, given, false)?,
        };
        if let Some(proposal) = kept {
            return Ok(Found::Proposal(Box::new(self.find_own_lever(proposal, given)?)));
        }
        let likely = || self.likely_next(&order, given).map(Box::new);
        let guess = if matches!(purpose, CommandPurpose::Propose | CommandPurpose::Offline) {
            None
        } else {
            likely()
        };
        let approvals = matches!(purpose, CommandPurpose::Finish | CommandPurpose::Show);
        Ok(Found::Lever { order, guess, approvals })
    }

    /// Finds the reader's own lever for a proposal.
    pub fn find_own_lever(&'a self, proposal: Proposal, given: &Given) -> Result<Existing<'a>, Error> {
        let safe = self.safe_of(&proposal)?;
        let owners = self.owners(safe, None);
        let (signatures, wallets) = match &owners {
            Some(pinned) => self.kept_signatures(&proposal, pinned)?,
            None => (Vec::new(), Vec::new()),
        };
        let set = given.arguments()?;
        let order = self.own_order(&proposal, safe, &set);
        let foreign = self.foreign(&proposal, &set);
        Ok(Existing {
            chain: self.chain_of(safe)?,
            safe,
            order,
            foreign,
            owners,
            signatures,
            wallets,
            proposal,
        })
    }

    /// Fails if a name is neither a file's nor a lever's, before anything slow is done.
    pub fn require_known(&self, what: &[String]) -> Result<(), Error> {
        let names: Vec<&String> = what.iter().filter(|what| !is_file(what)).collect();
        pulled(&names)?.iter().try_for_each(|name| self.require_lever(name))
    }

    /// Returns the proposal of a file. Fails if it is not what was asked for.
    pub fn file(&self, path: &str, given: &Given) -> Result<Proposal, Error> {
        let proposal = self.read_once(Path::new(path))?;
        Self::require_asked(&proposal, given)?;
        self.safe_of(&proposal)?;
        Ok(proposal)
    }

    /// Returns the proposal of a file, read once in a run.
    pub fn read_once(&self, path: &Path) -> Result<Proposal, Error> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(proposal) = read.get(path) {
            return Ok(proposal.clone());
        }
        let proposal = read_proposal(path)?;
        read.insert(path.into(), proposal.clone());
        Ok(proposal)
    }

    /// Fails if a file's nonce or undo is not what was asked for.
    fn require_asked(proposal: &Proposal, given: &Given) -> Result<(), Error> {
        if let Some(nonce) = given.nonce.filter(|n| *n != proposal.nonce()) {
            let message = format!("the file is for nonce {}, and --nonce says {nonce}", proposal.nonce());
            return Err(Error::new(Exit::Refused, message).hint("ask for the file that you mean"));
        }
        if proposal.binding().undo() == given.undo {
            return Ok(());
        }
        let (is, flag) =
            if given.undo { ("no undo", "leave out --undo") } else { ("an undo", "pass --undo") };
        let message = format!("the file is {is} of lever {}", proposal.binding().title());
        Err(Error::new(Exit::Refused, message).hint(format!("if that is what you mean, {flag}")))
    }

    pub fn safe_of(&self, proposal: &Proposal) -> Result<&council::Safe, Error> {
        let id = proposal.safe();
        self.council.safe_at(id.chain_id, id.address).ok_or_else(|| {
            let message = format!(
                "the proposal is for Safe {} on chain {}, which your council file does not have",
                id.address, id.chain_id
            );
            Error::new(Exit::Refused, message).hint("do not sign it; ask in person where it comes from")
        })
    }

    /// Returns the reader's own order for a proposal's levers, with the arguments of the lever and of the command line;
    /// only those that are open come from the proposal.
    pub fn own_order(
        &'a self,
        proposal: &Proposal,
        safe: &'a council::Safe,
        set: &BTreeMap<String, String>,
    ) -> Result<Order<'a>, Error> {
        if let Some(of) = proposal.approves() {
            let order = self.own_order(of, self.safe_of(of)?, set)?;
            // The batch contract is checked against the chain when that transaction itself is judged.
            let own = order.derive_from_file(of, BatchSource::Assumed(of.tx().to))?.proposal;
            return order.approved_by(safe, Some(own));
        }
        let binding = proposal.binding();
        if !binding.is_of_levers() {
            let bound = &binding.levers()[0];
            if binding.undo() {
                return Err(Error::new(Exit::Refused, "it is an undo, and names no lever"));
            }
            let args = bound.args.iter().chain(set).map(|(key, value)| (key.clone(), value.clone()));
            return Order::playbook(self, false, bound.playbook.as_str(), &safe.name, args.collect());
        }
        let names: Vec<String> = binding.levers().iter().filter_map(|bound| bound.lever.clone()).collect();
        names.iter().try_for_each(|name| self.lever(name).map(|_| ()))?;
        let pull = binding.pull();
        let part_of = |expansion: Expansion| {
            let part = expansion.parts.iter().find(|part| part.levers == names).cloned()?;
            Some((expansion.pull, part))
        };
        // If it claims another pull, its own levers are derived, and the claim is a difference.
        let claimed = expand(&self.council, &pull.names, &pull.without, pull.undo).ok().and_then(part_of);
        let own = match claimed {
            Some(own) => Some(own),
            None => part_of(expand(&self.council, &names, &[], pull.undo)?),
        };
        let (pull, part) = own.ok_or_else(|| {
            let message = format!("by your council file, {} are not one transaction", names.join(", "));
            Error::new(Exit::Refused, message)
        })?;
        // The reader's value counts, and the contradiction is reported.
        let said =
            by_lever(set, &names.iter().map(|name| (name.clone(), open_params(self, name))).collect())?;
        let args = binding.levers().iter().filter_map(|bound| {
            let name = bound.lever.clone()?;
            let fixed = self.council.levers.get(&name).map(|lever| &lever.set);
            let open = bound.args.iter().filter(|(key, _)| !fixed.is_some_and(|set| set.contains_key(*key)));
            let mut args: Arguments = open.map(|(key, value)| (key.clone(), value.clone())).collect();
            args.extend(said.get(&name).cloned().unwrap_or_default());
            Some((name, args))
        });
        let order = Order::part(self, &pull, &part, &args.collect())?;
        Ok(if proposal.is_drill() { order.drilling(None) } else { order })
    }

    /// Returns the arguments that only the file states.
    pub fn foreign(&self, proposal: &Proposal, set: &BTreeMap<String, String>) -> Vec<(String, String)> {
        let open = proposal.binding().open(&self.council).into_iter();
        open.filter(|open| !set.contains_key(&open.key)).map(|open| (open.key, open.value)).collect()
    }
}
