//! Tries each lever on a fork of its chain: pulls it, undoes it, has a stranger try it, and pulls it on later days.

use std::collections::BTreeMap;

use alloy::primitives::Address;

use crate::ceremony::deputy::deputy_act::{Wish, new_nonce};
use crate::ceremony::desk::Desk;
use crate::ceremony::enforce::enforce;
use crate::ceremony::hints;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::trials::stranger::NOBODY;
use crate::ceremony::trials::trial;
use crate::ceremony::trials::trial_report::{TrialPart, TrialReport};
use crate::chain::{Chain, RehearsalDraft, Snapshot};
use crate::council::{self, Lever};
use crate::error::{Error, Exit};
use crate::evm::Keys;
use crate::playbook::Undo;
use crate::readiness::levers::{ExaminedLever, LeverTrial};
use crate::safe::Call;

const DAY: u64 = 86_400;
/// The number of days ahead at which each lever is tried.
const AHEAD: u64 = 30;
/// The most levers of one Safe whose reads are fetched early; others ask when they are tried.
const MOST_EARLY: usize = 50;

/// A lever that was tried, and what it calls.
pub struct Trial {
    pub seen: ExaminedLever,
    pub calls: Vec<Call>,
}

impl Trial {
    fn without_calls(lever: &str, tried: LeverTrial) -> Self {
        Self { seen: ExaminedLever { lever: lever.into(), tried, ends_in: None }, calls: Vec::new() }
    }

    pub fn wrong(lever: &str, why: &Error) -> Self {
        Self::without_calls(
            lever,
            LeverTrial::Wrong { part: TrialPart::Lever, why: why.to_string(), gas: None },
        )
    }
}

/// The values that all trials of a chain share.
pub struct TrialContext<'w, 'd> {
    pub desk: &'w Desk<'d>,
    pub link: &'w Chain,
    /// The Safes of the chain that could be read, by their names.
    pub known: &'w BTreeMap<String, Snapshot>,
    /// The fault of each lever that the reader's own files make unusable.
    pub bad: &'w BTreeMap<String, String>,
    /// A second since 1970.
    pub now: u64,
}

pub fn order_of<'d>(desk: &'d Desk, lever: &'d Lever, undo: bool) -> Result<Order<'d>, Error> {
    let set = lever.examples.clone().into_iter().collect();
    let given = Given { set, undo, ..Given::default() };
    let mut parts = Order::parts(desk, std::slice::from_ref(&lever.name), &given)?;
    parts.pop().ok_or_else(|| Error::new(Exit::Failed, "a lever without a transaction"))
}

/// Returns the probable transactions of a Safe's levers and their undos, so that one round fetches what they read. What
/// that leaves out is asked for when a lever is tried.
pub fn drafts(desk: &Desk, safe: &council::Safe) -> Vec<RehearsalDraft> {
    let levers = desk.council.levers.values();
    let levers = levers.filter(|lever| lever.safe == safe.name && lever.by.deputy().is_none());
    let both = |lever| [false, true].map(|undo| order_of(desk, lever, undo));
    let orders: Vec<Order> = levers.take(MOST_EARLY).flat_map(both).flatten().collect();
    let nobody = Keys { accounts: [NOBODY].into(), ..Keys::default() };
    let early = |order: &Order| {
        let mut known = hints::kept(desk.cache.as_ref(), order);
        known.extend(nobody.clone());
        order.early(&known)
    };
    orders.iter().flat_map(early).collect()
}

impl TrialContext<'_, '_> {
    /// Tries a lever. `None` if its Safe could not be read, which is a gap of the Safe.
    pub fn lever(&self, lever: &Lever) -> Option<Trial> {
        let snapshot = self.known.get(&lever.safe)?;
        let seen = |tried| Trial::without_calls(&lever.name, tried);
        if let Some(why) = self.bad.get(&lever.name) {
            return Some(seen(LeverTrial::Bad(why.clone())));
        }
        let open = self.open(lever);
        if !open.is_empty() {
            return Some(seen(LeverTrial::Open(open)));
        }
        let tried = match lever.by.deputy() {
            Some((_, deputy)) => self.try_deputy(lever, deputy),
            None => self.try_lever(lever, snapshot),
        };
        Some(tried.unwrap_or_else(|error| Trial::wrong(&lever.name, &error)))
    }

    /// Tries a deputy's act without its signature.
    fn try_deputy(&self, lever: &Lever, deputy: Address) -> Result<Trial, Error> {
        let wish = Wish { set: &lever.examples, payer: deputy, bearer: None, nonce: new_nonce(lever) };
        let act = match self.desk.evaluate_as_deputy(lever, &wish) {
            // Every step is left out.
            Err(error) if error.exit == Exit::Done => {
                return Ok(Trial::without_calls(&lever.name, LeverTrial::Done));
            }
            act => act?,
        };
        let gas = act.judged.rehearsal.done().map_or(0, |done| done.rehearsal.gas_used);
        let tried = match enforce(&act.judged.findings, &[]) {
            Err(error) if error.exit == Exit::Done => LeverTrial::Done,
            Err(error) => LeverTrial::Wrong { part: TrialPart::Lever, why: error.message, gas: None },
            Ok(()) => LeverTrial::Works { gas },
        };
        let calls = act.judged.plan().map_or(&[][..], |plan| &plan.calls).iter();
        let calls = calls.map(|planned| planned.call.clone());
        Ok(Trial { calls: calls.collect(), ..Trial::without_calls(&lever.name, tried) })
    }

    /// Returns the arguments that neither the lever nor its examples give.
    fn open(&self, lever: &Lever) -> Vec<String> {
        let Ok(entry) = self.desk.catalogue.get(&lever.playbook) else { return Vec::new() };
        let params = entry.playbook.params.iter().filter(|p| p.default.is_none() && !p.for_undo);
        let given = |name: &String| lever.set.contains_key(name) || lever.examples.contains_key(name);
        params.map(|param| param.name.clone()).filter(|name| !given(name)).collect()
    }

    fn try_lever(&self, lever: &Lever, snapshot: &Snapshot) -> Result<Trial, Error> {
        let order = order_of(self.desk, lever, false)?;
        let undo = match &order.acts().first().map(|act| &act.entry.playbook.undo) {
            Some(Undo::None { why }) => Err(why.clone()),
            _ => order_of(self.desk, lever, true).map_err(|error| error.to_string()),
        };
        let mut seen = snapshot.clone();
        let mut fork = self.link.forked(&seen, self.now);
        let mut report = trial::try_lever(&order, undo.as_ref(), self.link, &mut fork, &seen.state)?;
        fork.export_state(&mut seen);
        let cache = self.desk.cache.as_ref();
        hints::keep(cache, &order, &report.read);
        if let Ok(undo) = &undo {
            hints::keep(cache, undo, &report.undo_read);
        }
        if let (Some((TrialPart::Undo, _)), Ok(undo)) = (&report.wrong, &undo)
            && self.others_can_undo(&order, undo, &mut seen)
        {
            report.wrong = None;
        }
        let ends_in = if report.gas.is_some() { self.ends_in(&order, &mut seen)? } else { None };
        let calls = report.calls.clone();
        Ok(Trial {
            seen: ExaminedLever { lever: lever.name.clone(), tried: lever_trial(report), ends_in },
            calls,
        })
    }

    /// Returns `true` if another Safe of the same chain can undo the lever.
    fn others_can_undo(&self, order: &Order, undo: &Order, seen: &mut Snapshot) -> bool {
        let others = self.known.keys().filter(|name| **name != order.safe.name);
        let others = others.filter_map(|name| self.desk.council.safes.get(name));
        for other in others {
            let mut fork = self.link.forked(seen, self.now);
            let report = trial::try_lever(order, Ok(&undo.by(other)), self.link, &mut fork, &seen.state);
            fork.export_state(seen);
            if report.is_ok_and(|report| report.wrong.is_none()) {
                return true;
            }
        }
        false
    }

    /// Returns the first day on which the lever can no longer be pulled; `None` if it still can after [`AHEAD`] days.
    /// The state is known: nothing more is asked of the chain.
    fn ends_in(&self, order: &Order, seen: &mut Snapshot) -> Result<Option<u64>, Error> {
        let fails_on = |day: u64, seen: &mut Snapshot| -> Result<bool, Error> {
            let mut fork = self.link.forked(seen, self.now.saturating_add(day * DAY));
            let refused = trial::refused_by(order, &mut fork, &seen.state)?;
            fork.export_state(seen);
            Ok(refused.is_some())
        };
        if !fails_on(AHEAD, seen)? {
            return Ok(None);
        }
        let (mut works, mut fails) = (0, AHEAD);
        while fails - works > 1 {
            let middle = works.midpoint(fails);
            if fails_on(middle, seen)? {
                fails = middle;
            } else {
                works = middle;
            }
        }
        Ok(Some(fails))
    }
}

fn lever_trial(report: TrialReport) -> LeverTrial {
    match (report.wrong, report.gas) {
        _ if report.is_done => LeverTrial::Done,
        (Some((part, error)), gas) => LeverTrial::Wrong { part, why: error.message, gas },
        (None, Some(gas)) => LeverTrial::Works { gas },
        (None, None) => {
            LeverTrial::Wrong { part: TrialPart::Lever, why: "it was not tried".into(), gas: None }
        }
    }
}
