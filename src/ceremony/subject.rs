//! What a command is about: a lever or a proposal file becomes one proposal, held against the reader's own files and,
//! online, against the chain.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, B256};
use alloy::sol_types::SolCall;

use crate::ceremony::derive::{Derived, First, Given, Order, is_set};
use crate::ceremony::desk::Desk;
use crate::ceremony::matching::compare;
use crate::ceremony::online::Online;
use crate::ceremony::rehearsed::Rehearsing;
use crate::ceremony::{past, prefetch};
use crate::chain::{Ask, Chain, EndpointReport, Sending};
use crate::check::{self, Facts, Finding, Match, Past};
use crate::council;
use crate::error::{Error, Exit};
use crate::evm::AddressBook;
use crate::evm::BlockTag;
use crate::evm::{Query, Readings};
use crate::fork::Rehearsal;
use crate::playbook::{Decided, Plan, Verdict};
use crate::progress::Progress;
use crate::proposal::{BatchSource, OwnerSignature, Proposal, SafeOwners};
use crate::safe::{ISafe, Owners, SafeState};
use crate::store;

/// One proposal and everything known about it.
pub struct Subject<'a> {
    pub proposal: Proposal,
    /// The reader's own derivation; none when their files don't have what the proposal names.
    pub own: Option<(Order<'a>, Plan)>,
    pub matching: Match,
    pub safe: &'a council::Safe,
    pub chain: &'a council::Chain,
    pub names: AddressBook,
    /// The chain now; none offline.
    pub online: Option<Online>,
    /// Whose signatures count.
    pub owners: SafeOwners,
    pub signatures: Vec<OwnerSignature>,
    pub rehearsal: Rehearsing,
    /// Arguments that come from the proposal's file alone: neither the lever nor the reader's command line has them.
    pub foreign: Vec<(String, String)>,
    is_from_file: bool,
    /// What the chain says of the block that its file names.
    past: Past,
    nonce_named: bool,
    /// The code that the council file pins.
    pub pins: BTreeMap<Address, Vec<B256>>,
    /// Nonces and hashes of the proposals kept for the same Safe.
    others: Vec<(crate::safe::Nonce, String)>,
}

/// What is to be done with the subject: it decides which proposal a lever means.
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

/// The most owners whose approval is asked for before it is known that they are owners.
const MOST_LIKELY: usize = 100;

/// Where and when a subject is looked at.
pub struct View {
    pub link: Chain,
    pub at: BlockTag,
}

/// A file is named by its path; everything else is a lever.
pub fn is_file(what: &str) -> bool {
    Path::new(what).extension().is_some_and(|e| e == "json") || what.contains(std::path::MAIN_SEPARATOR)
}

impl<'a> Desk<'a> {
    /// Finds the proposal that `what` means, on the chain as it is now.
    pub fn subject(
        &'a self,
        what: &str,
        given: &Given,
        purpose: Purpose,
        send: impl FnOnce(&Proposal, &[OwnerSignature]) -> Option<Sending>,
    ) -> Result<Subject<'a>, Error> {
        let view = |safe: &council::Safe| Ok(View { link: self.connect(safe)?, at: BlockTag::Latest });
        self.subject_in(what, given, purpose, view, send)
    }

    /// The same on a chain, or at a block, of the caller's choice.
    pub fn subject_in(
        &'a self,
        what: &str,
        given: &Given,
        purpose: Purpose,
        view: impl FnOnce(&council::Safe) -> Result<View, Error>,
        send: impl FnOnce(&Proposal, &[OwnerSignature]) -> Option<Sending>,
    ) -> Result<Subject<'a>, Error> {
        if let Some(kept) = self.given(what, given, purpose)? {
            let view = view(self.safe_of(&kept)?)?;
            return self.examine(kept, given, Some((view, purpose)), send);
        }
        let order = Order::lever(self, what, given.undo, &given.arguments()?)?;
        // Only a guess at what will be read: with several kept, none is better than a round spent to choose.
        let guess = self.kept_for(what, given, false).ok().flatten();
        let view = view(order.safe)?;
        self.propose_in(order, given, view, guess.as_ref(), purpose != Purpose::Look)
    }

    /// The same with nothing asked of the network.
    pub fn subject_offline(&'a self, what: &str, given: &Given) -> Result<Subject<'a>, Error> {
        if let Some(kept) = self.given(what, given, Purpose::Offline)? {
            return self.examine(kept, given, None, |_, _| None);
        }
        Err(Error::new(
            Exit::Usage,
            format!("offline, lever {what} needs a proposal, and none is kept in {}", self.path.display()),
        )
        .hint("pass the proposal file: it brings the Safe's state and the values read from the chain"))
    }

    /// Derives a lever on the chain as it is now.
    pub fn propose(&'a self, order: Order<'a>, given: &Given) -> Result<Subject<'a>, Error> {
        let view = View { link: self.connect(order.safe)?, at: BlockTag::Latest };
        self.propose_in(order, given, view, None, true)
    }

    fn propose_in(
        &'a self,
        order: Order<'a>,
        given: &Given,
        view: View,
        guess: Option<&Proposal>,
        rehearse: bool,
    ) -> Result<Subject<'a>, Error> {
        let View { link, at } = view;
        let what = format!("reading {} on {}", order.safe.name, order.chain.name);
        let first = First { at, nonce: given.nonce, guess, rehearse, ..First::LATEST };
        let (snapshot, derived) = self.progress.wait(&what, || order.live(&link, first))?;
        let Derived { proposal, plan } = derived?;
        let owners = self.owners(order.safe, Some(&snapshot.state.owners));
        let owners = owners.map_or_else(|| self.pinned_owners(order.safe), Ok)?;
        let signatures = self.signatures(&proposal, &owners)?;
        let mut subject = Subject {
            owners,
            safe: order.safe,
            chain: order.chain,
            names: order.names.clone(),
            others: self.others(order.safe)?,
            pins: self.council.pins_on(&order.safe.chain),
            matching: Match::Same,
            foreign: Vec::new(),
            is_from_file: false,
            past: Past::NotAsked,
            nonce_named: given.nonce.is_some(),
            own: Some((order, plan)),
            online: Some(Online { link, snapshot, proven: None }),
            proposal,
            signatures,
            rehearsal: Rehearsing::Not,
        };
        if rehearse {
            let same = guess.filter(|guess| guess.hash() == subject.proposal.hash());
            subject.rehearse(self.progress, None, same.and_then(Proposal::record));
            let record = subject.rehearsal.record(&subject.proposal);
            subject.proposal = subject.proposal.recording(record);
        }
        Ok(subject)
    }

    /// Whether this is a file's name, or a lever's that the council file has: asked before anything slow.
    pub fn is_known(&self, what: &str) -> Result<(), Error> {
        if is_file(what) { Ok(()) } else { self.lever(what).map(|_| ()) }
    }

    /// The proposal that exists already: a file, or for a lever the one kept here.
    pub fn given(&self, what: &str, given: &Given, purpose: Purpose) -> Result<Option<Proposal>, Error> {
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

    /// Holds a proposal that came from elsewhere against the reader's own files and the chain.
    fn examine(
        &'a self,
        proposal: Proposal,
        given: &Given,
        view: Option<(View, Purpose)>,
        send: impl FnOnce(&Proposal, &[OwnerSignature]) -> Option<Sending>,
    ) -> Result<Subject<'a>, Error> {
        let safe = self.safe_of(&proposal)?;
        let chain = self.chain_of(safe)?;
        let pinned = self.owners(safe, None);
        // Before the chain has answered, good for a guess at what will be sent.
        let mut signatures = match &pinned {
            Some(pinned) => self.signatures(&proposal, pinned)?,
            None => Vec::new(),
        };
        let set = given.arguments()?;
        let order = self.own_order(&proposal, safe, &set);
        let foreign = self.foreign(&proposal, &set);
        let rehearse = view.as_ref().is_some_and(|(_, purpose)| *purpose != Purpose::Look);
        let send = view.as_ref().and_then(|_| send(&proposal, &signatures));
        let sender = send.as_ref().map(|sending| sending.from);
        let (online, live) = match view {
            None => (None, None),
            Some((view, _)) => {
                let (online, live) =
                    self.ask_chain(view, safe, &proposal, order.as_ref().ok(), send.as_ref(), rehearse)?;
                (Some(online), live)
            }
        };
        let owners = match &online {
            Some(online) => self.owners(safe, Some(&online.snapshot.state.owners)),
            None => pinned.clone(),
        };
        let owners = owners.map_or_else(|| self.pinned_owners(safe), Ok)?;
        if pinned.as_ref() != Some(&owners) {
            signatures = self.signatures(&proposal, &owners)?;
        }
        let batch = match &online {
            Some(online) => BatchSource::Chain(&online.snapshot.readings),
            None => BatchSource::Offline,
        };
        let (matching, own) = compare(&proposal, order, live, batch);
        let rests_on = own.as_ref().map(|(_, plan)| &plan.rests_on);
        let (past, truth) = match &online {
            Some(online) => past::look(self.progress, online, &proposal, &matching, rests_on),
            None => (Past::NotAsked, None),
        };
        // What was never so is left aside: what changed since is then told against what was.
        let lies = past.beside_the_readings().next().is_some();
        let proposal = match truth.filter(|_| lies) {
            Some(truth) => proposal.restated(truth),
            None => proposal,
        };
        let names = self.council.names_on(&safe.chain);
        let others = self.others(safe)?;
        let rehearsal = Rehearsing::Not;
        let nonce_named = given.nonce.is_some();
        let mut subject = Subject {
            proposal,
            own,
            matching,
            safe,
            chain,
            names,
            online,
            owners,
            signatures,
            rehearsal,
            foreign,
            is_from_file: true,
            past,
            nonce_named,
            pins: self.council.pins_on(&safe.chain),
            others,
        };
        if rehearse {
            let recorded = subject.proposal.record().cloned();
            subject.rehearse(self.progress, sender, recorded.as_ref());
            subject.doubt_recorded_code(self.progress);
        }
        Ok(subject)
    }

    /// The same proposal on the chain as it is now, over the same connection: one round where the first look recorded
    /// what its rehearsal read.
    pub fn look_again(
        &'a self,
        subject: Subject<'a>,
        given: &Given,
        send: impl FnOnce(&Proposal, &[OwnerSignature]) -> Option<Sending>,
    ) -> Result<Subject<'a>, Error> {
        let record = match subject.proposal.record() {
            Some(record) => Some(record.clone()),
            None => subject.rehearsal.record(&subject.proposal),
        };
        let link = match subject.online {
            Some(online) => online.link,
            None => self.connect(subject.safe)?,
        };
        let view = View { link, at: BlockTag::Latest };
        self.examine(subject.proposal.recording(record), given, Some((view, Purpose::Finish)), send)
    }

    /// Asks the chain all that a proposal has to be held against, and derives the reader's own lever there.
    fn ask_chain(
        &self,
        View { link, at }: View,
        safe: &council::Safe,
        proposal: &Proposal,
        order: Option<&Order>,
        send: Option<&Sending>,
        rehearse: bool,
    ) -> Result<(Online, Option<Result<Derived, Error>>), Error> {
        // Never for those that the file names: without the council's word the chain is asked first.
        let likely = safe.owners.as_ref().map(Owners::list).unwrap_or_default();
        let extra = approval_queries(proposal, likely.get(..MOST_LIKELY).unwrap_or(likely));
        let what = format!("reading {} on {}", safe.name, self.chain_of(safe)?.name);
        // A lever of another Safe or chain is not even derived on this one.
        let (mut snapshot, live) = if let Some(order) = order.filter(|order| order.safe.name == safe.name) {
            let first = First {
                at,
                nonce: Some(proposal.nonce()),
                extra: &extra,
                send,
                guess: Some(proposal),
                rehearse,
            };
            let (snapshot, derived) = self.progress.wait(&what, || order.live(&link, first))?;
            (snapshot, Some(derived))
        } else {
            let sender = send.map(|sending| sending.from);
            let draft = rehearse.then(|| prefetch::of_proposal(proposal, likely.to_vec(), None, sender));
            let ask = Ask { safe: safe.address, queries: &extra, sending: send, drafts: draft.as_slice() };
            (self.progress.wait(&what, || link.snapshot(&ask, at))?, None)
        };
        let mut unasked = approval_queries(proposal, snapshot.state.owners.list());
        unasked.retain(|query| snapshot.readings.get(query).is_none());
        self.progress.wait(&what, || link.look(&mut snapshot, &unasked, &[]))?;
        Ok((Online { link, snapshot, proven: None }, live))
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

/// The connection of a subject that was looked at on the chain.
pub fn online<'s>(subject: &'s Subject) -> Result<&'s Online, Error> {
    subject.online.as_ref().ok_or_else(|| Error::new(Exit::Network, "nothing was asked of the network"))
}

/// Reads a proposal file.
pub fn read_proposal(path: &Path) -> Result<Proposal, Error> {
    let text = store::read_text(path)?;
    Proposal::parse(&text).map_err(|e| Error::from(e).about(&path.display().to_string()))
}

/// Whether each owner has approved this hash on chain.
fn approval_queries(proposal: &Proposal, owners: &[Address]) -> Vec<Query> {
    owners.iter().map(|owner| approval_query(proposal, *owner)).collect()
}

fn approval_query(proposal: &Proposal, owner: Address) -> Query {
    let call = ISafe::approvedHashesCall { owner, hash: *proposal.hash().word() };
    Query::Call { from: None, to: proposal.safe().address, data: call.abi_encode().into() }
}

impl Subject<'_> {
    /// The Safe as the chain has it now.
    #[must_use]
    pub fn now(&self) -> Option<&SafeState> {
        self.online.as_ref().map(|o| &o.snapshot.state)
    }

    /// The Safe as it is now or, offline, as the proposal found it.
    #[must_use]
    pub fn state(&self) -> &SafeState {
        self.now().unwrap_or_else(|| self.proposal.snapshot())
    }

    #[must_use]
    pub fn readings(&self) -> Option<&Readings> {
        self.online.as_ref().map(|o| &o.snapshot.readings)
    }

    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.own.as_ref().map(|(_, plan)| plan)
    }

    /// Owners who called `approveHash` for this proposal.
    #[must_use]
    pub fn on_chain(&self) -> Vec<Address> {
        let (Some(readings), Some(now)) = (self.readings(), self.now()) else { return Vec::new() };
        let owners = now.owners.list();
        let approved = |owner: &Address| is_set(readings.get(&approval_query(&self.proposal, *owner)));
        owners.iter().copied().filter(approved).collect()
    }

    /// The `before` checks as the chain answers them now.
    #[must_use]
    pub fn before(&self) -> Vec<Verdict> {
        match (self.readings(), self.plan()) {
            (Some(readings), Some(plan)) => plan.before.iter().map(|c| c.judge(readings, &[])).collect(),
            _ => Vec::new(),
        }
    }

    /// What the checks say of what a mined transaction did to the Safe as it was before it.
    #[must_use]
    pub fn effects_of(&self, mined: &Rehearsal, before: &SafeState) -> Vec<Finding> {
        let code_then = self.proposal.record().map_or(&[][..], |record| &record.code);
        let facts = self.facts(&[], &[], &[], false);
        check::of_effects(&Facts {
            now: Some(before),
            rehearsal: Some(mined),
            after: &[],
            rehearsed_otherwise: &[],
            not_rehearsed: None,
            code_then,
            ..facts
        })
    }

    #[must_use]
    pub fn findings(&self, signing: bool) -> Vec<Finding> {
        let before = self.before();
        let decided = self.own.as_ref().map(|(order, plan)| order.decided(plan)).unwrap_or_default();
        let endpoints = self.online.as_ref().map(|o| o.link.endpoints()).unwrap_or_default();
        check::findings(&self.facts(&before, &endpoints, &decided, signing))
    }

    fn facts<'s>(
        &'s self,
        before: &'s [Verdict],
        endpoints: &'s [EndpointReport],
        decided: &'s [Decided],
        signing: bool,
    ) -> Facts<'s> {
        Facts {
            proposal: &self.proposal,
            matching: &self.matching,
            plan: self.plan(),
            council_safe: self.safe,
            now: self.now(),
            answers: self.readings(),
            before,
            foreign: &self.foreign,
            past: &self.past,
            is_from_file: self.is_from_file,
            signing,
            nonce_named: self.nonce_named,
            endpoints,
            block_age: self.block_age(),
            quorum: self.online.as_ref().map_or(self.chain.quorum, |o| o.link.quorum()),
            council_quorum: self.chain.quorum,
            others: &self.others,
            rehearsal: self.rehearsal.done().map(|done| &done.rehearsal),
            after: self.rehearsal.done().map_or(&[], |done| &done.after),
            rehearsed_otherwise: self.rehearsal.done().map_or(&[], |done| &done.differs),
            not_rehearsed: self.rehearsal.failure(),
            code_then: self.rehearsal.done().map_or(&[], |done| &done.code_then),
            proxy_code: self.online.as_ref().map(|o| o.snapshot.code_hash),
            pins: &self.pins,
            decided,
            entry: self.own.as_ref().map(|(order, _)| &order.entry),
            changes: self.own.as_ref().map_or(&[], |(order, _)| &order.changes),
        }
    }

    /// Leaves aside what the file records of code if it was never so.
    fn doubt_recorded_code(&mut self, progress: &dyn Progress) {
        let (Some(online), Rehearsing::Done(done)) = (&self.online, &mut self.rehearsal) else { return };
        let runs = |called| done.rehearsal.runs(called);
        let untrue = past::code_never_there(progress, online, &self.proposal, &done.code_then, runs);
        if !untrue.is_empty() {
            done.code_then.clear();
            self.past = std::mem::take(&mut self.past).and(untrue);
        }
    }

    /// Keeps the proposal beside the council file, if there is none of it yet that says the same of the Safe and of the
    /// code that it runs.
    pub fn keep(&self, desk: &Desk) -> Result<PathBuf, Error> {
        let hash = self.proposal.hash();
        let code = |proposal: &Proposal| proposal.record().map(|record| record.code.clone());
        let own = code(&self.proposal);
        let says_the_same = |there: &Proposal| {
            there.hash() == hash
                && there.snapshot().drift(self.proposal.snapshot()).is_empty()
                && (own.is_none() || code(there) == own)
        };
        let kept = desk.kept_files()?.into_iter().find(|(_, there)| says_the_same(there));
        if let Some((path, _)) = kept {
            return Ok(path);
        }
        Ok(desk.incidents.keep_proposal(&hash.to_string(), &self.proposal.to_json())?)
    }
}
