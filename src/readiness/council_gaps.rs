//! All gaps of a council, from everything that was read about it. Pure.

use alloy::primitives::Address;

use super::by_cast::Compared;
use super::drill_times::Drill;
use super::examine::{CouncilState, ExaminedChain};
use super::journal_gaps::JournalGap;
use super::key_gaps::ExaminedKey;
use super::last_drills::{self, DrilledSafe};
use super::levers::ExaminedLever;
use super::roll_call::Proof;
use super::safe_state::ExaminedSafe;
use super::targets::ExaminedTarget;
use super::{
    Gap, key_gaps, levers, people_gaps, prepared, roll_call, rpcs, safe_state, service_gaps, targets,
};
use crate::council::{self, Council, TextDigest};
use crate::evm::called;
use crate::playbook::Catalogue;
use crate::safe::SafeState;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Everything that was read about a council.
#[derive(Clone, Copy, Debug)]
pub struct ExaminedCouncil<'a> {
    pub council: &'a Council,
    /// The digest of the reader's own council file.
    pub digest: TextDigest,
    pub catalogue: &'a Catalogue,
    pub seen: &'a CouncilState,
    /// The key that the reader signs with, and the one that pays, if it is another.
    pub keys: [Option<&'a ExaminedKey>; 2],
    pub payer: Option<Address>,
    /// The roll calls that the journals keep.
    pub proofs: &'a [Proof],
    /// The drills that the journals have, and those that the reader's own has.
    pub drills: (&'a [Drill], &'a [Drill]),
    /// The journals with a broken or contradicted chain.
    pub journals: &'a [JournalGap],
    /// The comparison of a hash with that of `cast`.
    pub compared: &'a Compared,
    /// Seconds since 1970.
    pub now: u64,
}

impl ExaminedCouncil<'_> {
    /// Returns every gap, the gravest kinds first.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = self.of_rpcs();
        gaps.extend(self.of_services());
        gaps.extend(self.of_safes());
        gaps.extend(self.of_levers());
        gaps.extend(self.of_keys());
        gaps.extend(self.compared.gap().map(Gap::Cast));
        gaps.extend(self.of_prepared());
        gaps.extend(self.of_people());
        gaps.extend(self.journals.iter().cloned().map(Gap::Journal));
        let council = self.council;
        if let Some(asked) = council.program.as_ref().filter(|_| !council.accepts_program(VERSION)) {
            gaps.push(Gap::Program { asked: asked.to_string(), is: VERSION.into() });
        }
        gaps
    }

    /// Returns the Safes that could be read.
    fn states(&self) -> Vec<(&str, &SafeState)> {
        let safes = self.seen.chains.iter().flat_map(|chain| &chain.safes);
        safes.filter_map(|(safe, seen)| Some((safe.as_str(), &seen.as_ref().ok()?.state))).collect()
    }

    /// Returns the Safes with levers, each with its last drill.
    pub fn drilled(&self) -> Vec<DrilledSafe> {
        let today = roll_call::day(self.now);
        last_drills::last_drills(self.council, self.drills, &self.states(), today)
    }

    fn of_rpcs(&self) -> Vec<Gap> {
        let of = |chain: &ExaminedChain| {
            let unread = |why: &String| rpcs::RpcGap::Unread { chain: chain.chain.clone(), why: why.clone() };
            let mut gaps: Vec<rpcs::RpcGap> = chain.failed.iter().map(unread).collect();
            gaps.extend(rpcs::gaps(&chain.chain, &chain.endpoints, chain.age, chain.block_time));
            gaps.extend(rpcs::of_relays(&chain.relays));
            gaps.extend(rpcs::of_offers(&chain.chain, &chain.offers));
            gaps
        };
        self.seen.chains.iter().flat_map(of).map(Gap::Rpc).collect()
    }

    fn of_services(&self) -> Vec<Gap> {
        let states = self.states();
        let of = |chain: &ExaminedChain| match &chain.service {
            None => Vec::new(),
            Some(Err(why)) => {
                let why = format!("cannot be used: {why}");
                vec![service_gaps::ServiceGap::Away {
                    chain: chain.chain.clone(),
                    service: "address".into(),
                    why,
                }]
            }
            Some(Ok(says)) => {
                let here: Vec<(&str, &SafeState)> = states
                    .iter()
                    .filter(|(safe, _)| chain.safes.iter().any(|(name, _)| name == safe))
                    .copied()
                    .collect();
                let names = self.council.names_on(&chain.chain);
                service_gaps::gaps(&chain.chain, says, &here, &chain.own, |who| called(who, &names))
            }
        };
        self.seen.chains.iter().flat_map(of).map(Gap::Service).collect()
    }

    fn of_safes(&self) -> Vec<Gap> {
        let of = |(name, seen): &(String, Result<ExaminedSafe, String>)| match (
            seen,
            self.council.safes.get(name),
        ) {
            (Err(why), _) => vec![safe_state::SafeGap::Unread { safe: name.clone(), why: why.clone() }],
            (Ok(seen), Some(pinned)) => safe_state::gaps(self.council, pinned, seen),
            (Ok(_), None) => Vec::new(),
        };
        self.seen.chains.iter().flat_map(|chain| &chain.safes).flat_map(of).map(Gap::Safe).collect()
    }

    fn of_levers(&self) -> Vec<Gap> {
        let tried: Vec<ExaminedLever> =
            self.seen.chains.iter().flat_map(|chain| chain.levers.clone()).collect();
        let cap = |safe: &council::Safe| {
            self.seen.chains.iter().find(|chain| chain.chain == safe.chain).and_then(|chain| chain.gas_cap)
        };
        let gaps = levers::gaps(&tried).into_iter().chain(levers::too_much_gas(self.council, &tried, cap));
        let targets: Vec<ExaminedTarget> =
            self.seen.chains.iter().flat_map(|chain| chain.targets.clone()).collect();
        let of_targets = targets::gaps(&targets, &targets::stopping(self.catalogue));
        gaps.map(Gap::Lever).chain(of_targets.into_iter().map(Gap::Target)).collect()
    }

    fn of_prepared(&self) -> Vec<Gap> {
        let CouncilState { sets, cards, .. } = self.seen;
        prepared::gaps(sets, cards, &self.states()).into_iter().map(Gap::Prepared).collect()
    }

    fn of_keys(&self) -> Vec<Gap> {
        let [signing, paying] = self.keys;
        let mut gaps: Vec<key_gaps::KeyGap> =
            signing.map(|key| key_gaps::signing(self.council, key)).unwrap_or_default();
        gaps.extend(paying.and_then(key_gaps::unusable));
        let Some(address) = self.payer else {
            gaps.push(key_gaps::KeyGap::NoPayer);
            return gaps.into_iter().map(Gap::Key).collect();
        };
        for chain in &self.seen.chains {
            let costliest = chain.levers.iter().filter_map(ExaminedLever::gas).max();
            let poor = |balance| key_gaps::payer(address, &chain.chain, balance, chain.base_fee, costliest);
            gaps.extend(chain.balance.and_then(poor));
        }
        gaps.into_iter().map(Gap::Key).collect()
    }

    fn of_people(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        if self.council.people.is_empty() {
            gaps.push(Gap::People(people_gaps::PeopleGap::Nobody));
        }
        let states = self.states();
        for (safe, state) in &states {
            gaps.extend(people_gaps::gaps(self.council, safe, state, self.now).into_iter().map(Gap::People));
        }
        let today = roll_call::day(self.now);
        let found = roll_call::gaps(self.council, self.digest, self.proofs, &states, today);
        gaps.extend(found.into_iter().map(Gap::RollCall));
        let drills = last_drills::gaps(&self.drilled(), &self.council.response, today);
        gaps.extend(drills.into_iter().map(Gap::Drill));
        gaps
    }
}
