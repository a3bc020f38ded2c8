//! What a person named becomes a lever's order or a proposal that exists already.

use std::collections::BTreeMap;
use std::path::Path;

use crate::ceremony::derive::{Given, Order};
use crate::ceremony::derived::{Derived, Own};
use crate::ceremony::desk::Desk;
use crate::ceremony::matching::compare;
use crate::council;
use crate::error::{Error, Exit};
use crate::proposal::{BatchSource, OwnerSignature, Proposal, SafeOwners};
use crate::store;

/// What is to be done: it decides which proposal a lever means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A lever means the transaction at the Safe's next nonce, derived now.
    Sign,
    /// A lever means the proposal kept here, if there is one.
    Finish,
    /// The same, and nothing is rehearsed.
    Look,
    /// The same, and nothing may be asked of the network to find it.
    Offline,
}

/// What was named.
pub enum Found<'a> {
    /// To be derived. The guess decides nothing but what is fetched early.
    Lever { order: Box<Order<'a>>, guess: Option<Box<Proposal>> },
    /// A proposal that was made before, here or elsewhere.
    Proposal(Box<Existing<'a>>),
}

/// A proposal that was made before, and what the reader's own files have for it.
pub struct Existing<'a> {
    pub proposal: Proposal,
    pub safe: &'a council::Safe,
    pub chain: &'a council::Chain,
    /// The reader's own lever, or why there is none.
    pub order: Result<Order<'a>, Error>,
    pub foreign: Vec<(String, String)>,
    /// Before the chain has answered: good for a guess at what will be sent.
    pub owners: Option<SafeOwners>,
    pub signatures: Vec<OwnerSignature>,
}

/// A file is named by its path; everything else is a lever.
pub fn is_file(what: &str) -> bool {
    Path::new(what).extension().is_some_and(|e| e == "json") || what.contains(std::path::MAIN_SEPARATOR)
}

/// Reads a proposal file.
pub fn read_proposal(path: &Path) -> Result<Proposal, Error> {
    let text = store::read_text(path)?;
    Proposal::parse(&text).map_err(|e| Error::from(e).about(&path.display().to_string()))
}

impl<'a> Found<'a> {
    /// Its Safe, by the council file.
    pub fn safe(&self) -> &'a council::Safe {
        match self {
            Self::Lever { order, .. } => order.safe,
            Self::Proposal(existing) => existing.safe,
        }
    }

    /// The proposal that exists already.
    pub fn proposal(&self) -> Option<&Proposal> {
        match self {
            Self::Lever { .. } => None,
            Self::Proposal(existing) => Some(&existing.proposal),
        }
    }
}

impl<'a> Existing<'a> {
    /// Derives it again from the values that it brings: nothing is asked of the network, and here the way ends.
    ///
    /// # Errors
    /// Where nobody but the chain can tell whose signatures count.
    pub fn offline(self, desk: &'a Desk, given: &Given) -> Result<Derived<'a>, Error> {
        let owners = self.owners.map_or_else(|| desk.pinned_owners(self.safe), Ok)?;
        let (matching, own) = compare(&self.proposal, self.order, None, BatchSource::Offline);
        Ok(Derived {
            own: own.map(|(order, plan)| Own { order, plan }),
            matching,
            safe: self.safe,
            chain: self.chain,
            names: desk.council.names_on(&self.safe.chain),
            owners,
            signatures: self.signatures,
            foreign: self.foreign,
            is_from_file: true,
            nonce_named: given.nonce.is_some(),
            pins: desk.council.pins_on(&self.safe.chain),
            others: desk.others(self.safe)?,
            proposal: self.proposal,
        })
    }
}

impl<'a> Desk<'a> {
    /// Finds what was named, for a purpose.
    pub fn find(&'a self, what: &str, given: &Given, purpose: Purpose) -> Result<Found<'a>, Error> {
        if let Some(proposal) = self.made_before(what, given, purpose)? {
            return Ok(Found::Proposal(Box::new(self.existing(proposal, given)?)));
        }
        let order = Box::new(Order::lever(self, what, given.undo, &given.arguments()?)?);
        // With several kept, none is better than a round spent to choose.
        let guess = self.kept_for(what, given, false).ok().flatten().map(Box::new);
        Ok(Found::Lever { order, guess })
    }

    /// Puts beside a proposal what the reader's own files have for it.
    pub fn existing(&'a self, proposal: Proposal, given: &Given) -> Result<Existing<'a>, Error> {
        let safe = self.safe_of(&proposal)?;
        let owners = self.owners(safe, None);
        let signatures = match &owners {
            Some(pinned) => self.signatures(&proposal, pinned)?,
            None => Vec::new(),
        };
        let set = given.arguments()?;
        let order = self.own_order(&proposal, safe, &set);
        let foreign = self.foreign(&proposal, &set);
        Ok(Existing { chain: self.chain_of(safe)?, safe, order, foreign, owners, signatures, proposal })
    }

    /// Checks that this is a file's name, or a lever's that the council file has: before anything slow.
    pub fn is_known(&self, what: &str) -> Result<(), Error> {
        if is_file(what) { Ok(()) } else { self.lever(what).map(|_| ()) }
    }

    /// The proposal that exists already: a file, or for a lever the one kept here.
    pub fn made_before(
        &self,
        what: &str,
        given: &Given,
        purpose: Purpose,
    ) -> Result<Option<Proposal>, Error> {
        if is_file(what) {
            let proposal = self.read_once(Path::new(what))?;
            Self::is_meant(&proposal, given)?;
            self.safe_of(&proposal)?;
            return Ok(Some(proposal));
        }
        match purpose {
            Purpose::Sign => self.lever(what).map(|_| None),
            Purpose::Finish | Purpose::Look => self.kept_for(what, given, true),
            Purpose::Offline => self.kept_for(what, given, false),
        }
    }

    /// The proposal of a file, the same however often it is asked for.
    pub fn read_once(&self, path: &Path) -> Result<Proposal, Error> {
        if let Some(proposal) = self.read.borrow().get(path) {
            return Ok(proposal.clone());
        }
        let proposal = read_proposal(path)?;
        self.read.borrow_mut().insert(path.into(), proposal.clone());
        Ok(proposal)
    }

    /// What a file says about itself has to be what was asked for: its nonce, and whether it takes something back.
    fn is_meant(proposal: &Proposal, given: &Given) -> Result<(), Error> {
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

    /// What the reader's own files give for what the proposal names: the lever's arguments and those of the command
    /// line are the reader's, only what they leave open is taken from the proposal.
    pub fn own_order(
        &'a self,
        proposal: &Proposal,
        safe: &'a council::Safe,
        set: &BTreeMap<String, String>,
    ) -> Result<Order<'a>, Error> {
        let binding = proposal.binding();
        let Some(bound) = binding.sole() else {
            return Err(Error::new(Exit::Refused, "it pulls several levers at once"));
        };
        let mut args = bound.args.clone();
        if let Some(lever) = bound.lever.as_ref().and_then(|name| self.council.levers.get(name)) {
            args.retain(|key, _| !lever.set.contains_key(key));
        }
        // What the reader says stands, and contradicts the lever aloud.
        args.extend(set.clone());
        match &bound.lever {
            Some(name) => Order::lever(self, name, binding.undo(), &args),
            None if binding.undo() => Err(Error::new(Exit::Refused, "it is an undo, and names no lever")),
            None => Order::new(self, None, false, bound.playbook.as_str(), &safe.name, args),
        }
    }

    /// The arguments for which the reader has only the file's word.
    pub fn foreign(&self, proposal: &Proposal, set: &BTreeMap<String, String>) -> Vec<(String, String)> {
        let open = proposal.binding().open(&self.council).into_iter();
        open.filter(|open| !set.contains_key(&open.key)).map(|open| (open.key, open.value)).collect()
    }
}
