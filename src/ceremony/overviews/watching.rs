//! The alarms of one chain, read in one batch at one block.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ceremony::desk::Desk;
use crate::chain::{Age, Chain, ChainError, judge_age, usual_block_time};
use crate::council::{self, Alarm};
use crate::error::{Error, Exit};
use crate::evm::{AddressBook, BlockRef, BlockTag, FoundLogs, Header, LogFilter, Query, Readings};
use crate::playbook::{AlarmEvaluation, NeededReadings, Watched};

/// The most rounds of one evaluation: a claim whose questions depend on answers needs more than one.
const MOST_ROUNDS: usize = 6;
/// The age in seconds up to which a block can begin a search for events.
const RECENT: u64 = 120;
/// The longest pause between evaluations, for chains with slow blocks or blocks on demand.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A connection to one chain, and the alarms that are read there.
pub struct Watch<'a> {
    pub chain: &'a council::CouncilChain,
    link: Chain,
    names: AddressBook,
    alarms: Vec<(&'a Alarm, Watched)>,
    /// The questions of each alarm's last evaluation, asked at once the next time.
    asked: BTreeMap<&'a str, NeededReadings>,
    /// The newest block of the last evaluation; `None` after one that failed.
    newest: Option<BlockRef>,
}

/// The state of the alarms at one block.
pub struct Sight<'a> {
    pub block: BlockRef,
    pub evaluations: Vec<(&'a Alarm, AlarmEvaluation)>,
}

impl<'a> Desk<'a> {
    /// Returns the alarms that have a claim, by chain; all of them if none is named. Fails for an unknown name, a claim
    /// that cannot be parsed, or a chain without RPCs.
    pub fn watches(&'a self, named: &[String]) -> Result<Vec<Watch<'a>>, Error> {
        for name in named {
            self.alarm(name)?;
        }
        let wanted = |alarm: &&Alarm| named.is_empty() || named.contains(&alarm.name);
        let mut chains: BTreeMap<&str, Vec<(&Alarm, Watched)>> = BTreeMap::new();
        for alarm in self.council.alarms.values().filter(wanted) {
            match self.watched(alarm)? {
                Some(watched) => chains.entry(alarm.chain.as_str()).or_default().push((alarm, watched)),
                None if named.is_empty() => {}
                None => {
                    let text =
                        format!("alarm {} has no view to read: it is for breakglass alert", alarm.name);
                    return Err(Error::new(Exit::Usage, text));
                }
            }
        }
        let watch = |(name, alarms): (&str, Vec<(&'a Alarm, Watched)>)| {
            let chain = self.council.chains.get(name);
            let chain =
                chain.ok_or_else(|| Error::new(Exit::Usage, format!("no chain is called {name:?}")))?;
            let (link, book) = (self.connect_to(chain)?, self.council.names_on(name));
            Ok(Watch { chain, link, names: book, alarms, asked: BTreeMap::new(), newest: None })
        };
        chains.into_iter().map(watch).collect()
    }

    /// Returns the alarm with this name. Fails if there is none.
    pub fn alarm(&self, name: &str) -> Result<&Alarm, Error> {
        self.council.alarms.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.council.alarms.keys().map(String::as_str).collect();
            let hint = if known.is_empty() {
                "the council file has no [alarms.NAME]".to_string()
            } else {
                format!("known: {}", known.join(", "))
            };
            Error::new(Exit::Usage, format!("no alarm is called {name:?}")).hint(hint)
        })
    }

    /// Parses the claim of an alarm; `None` if it has none.
    pub fn watched(&self, alarm: &Alarm) -> Result<Option<Watched>, Error> {
        let Some(claim) = alarm.claim(&self.council) else { return Ok(None) };
        let wrong = |why: String| {
            Error::new(Exit::Usage, why).hint(format!(
                "[alarms.{}] is written like a check of a playbook: breakglass help alarms",
                alarm.name
            ))
        };
        let watched = Watched::parse(&alarm.name, &claim).map_err(|fault| wrong(fault.headline()))?;
        let (names, id) =
            (self.council.names_on(&alarm.chain), self.council.chains.get(&alarm.chain).map_or(0, |c| c.id));
        // Before the chain is asked, only a fault of the text can fail.
        match watched.evaluate(id, &names, &Readings::default(), &FoundLogs::new()) {
            AlarmEvaluation::Unreadable(why) => Err(wrong(format!("alarm {}: {why}", alarm.name))),
            _ => Ok(Some(watched)),
        }
    }
}

impl<'a> Watch<'a> {
    /// Returns the names of its alarms.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.alarms.iter().map(|(alarm, _)| alarm.name.as_str())
    }

    /// Returns how long to wait until the next evaluation of an alarm.
    pub fn pause(&self, alarm: &Alarm) -> Duration {
        if alarm.every.is_zero() { self.link.between_blocks().min(LONGEST_PAUSE) } else { alarm.every }
    }

    /// Returns the alarms, each with the pause between two evaluations.
    pub fn pauses(&self) -> Vec<(&'a Alarm, Duration)> {
        self.alarms.iter().map(|(alarm, _)| (*alarm, self.pause(alarm))).collect()
    }

    /// Evaluates the alarms that are `due` at the newest block: one round once their questions are known. Events are
    /// searched in that round too if the last evaluation has a recent block. Fails if no quorum agrees, or the newest
    /// block is old.
    pub fn read(&mut self, due: &BTreeSet<&str>, now: u64) -> Result<Sight<'a>, Error> {
        let alarms: Vec<&(&Alarm, Watched)> =
            self.alarms.iter().filter(|(alarm, _)| due.contains(alarm.name.as_str())).collect();
        let (mut readings, mut logs) = (Readings::default(), FoundLogs::new());
        let judge = |readings: &Readings, logs: &FoundLogs| -> Vec<(&'a Alarm, AlarmEvaluation)> {
            let evaluation = |(alarm, watched): &&(&'a Alarm, Watched)| {
                (*alarm, watched.evaluate(self.chain.id, &self.names, readings, logs))
            };
            alarms.iter().map(evaluation).collect()
        };
        let mut evaluations = judge(&readings, &logs);
        let mut asked = self.asked.clone();
        remember(&mut asked, &evaluations);
        let mut needs = NeededReadings::default();
        evaluations
            .iter()
            .filter_map(|(alarm, _)| asked.get(alarm.name.as_str()))
            .for_each(|own| needs.extend(own));
        let near = self.newest.take().filter(|block| now.saturating_sub(block.timestamp) <= RECENT);
        if near.is_none() {
            needs.events.clear();
        }
        let near = near.map_or(0, |block| block.number);
        let (header, answers, found) = self.sight(&needs, near, BlockTag::Latest)?;
        let block = header.block();
        self.require_new(&block, now)?;
        readings.extend(answers);
        logs.extend(found);
        for _ in 0..MOST_ROUNDS {
            evaluations = judge(&readings, &logs);
            remember(&mut asked, &evaluations);
            let needs = needed(&evaluations);
            if needs.is_empty() {
                break;
            }
            let (_, answers, found) = self.sight(&needs, block.number, BlockTag::Pinned(block))?;
            readings.extend(answers);
            logs.extend(found);
        }
        self.asked = asked;
        self.newest = Some(block);
        Ok(Sight { block, evaluations })
    }

    fn sight(
        &self,
        needs: &NeededReadings,
        near: u64,
        at: BlockTag,
    ) -> Result<(Header, Readings, FoundLogs), ChainError> {
        let queries: Vec<Query> = needs.queries.iter().cloned().collect();
        let filters: Vec<LogFilter> = needs.events.iter().cloned().collect();
        self.link.search_executions(&queries, &filters, near, at)
    }

    /// Fails if the block is not new: the chain stands still, or an RPC serves an old block.
    fn require_new(&self, block: &BlockRef, now: u64) -> Result<(), Error> {
        let block_time = self.chain.block_time.or_else(|| usual_block_time(self.chain.id));
        let text = match judge_age(block.timestamp, now, block_time) {
            Age::New(_) => return Ok(()),
            Age::Old { seconds, allowed, .. } => {
                format!("block {} is {seconds} seconds old, and {allowed} are allowed", block.number)
            }
            Age::Ahead { seconds, .. } => {
                format!(
                    "block {} is {seconds} seconds in the future: this machine's clock is wrong",
                    block.number
                )
            }
        };
        Err(Error::new(Exit::Network, format!("{}: {text}", self.chain.name)))
    }
}

fn remember<'a>(asked: &mut BTreeMap<&'a str, NeededReadings>, evaluations: &[(&'a Alarm, AlarmEvaluation)]) {
    for (alarm, evaluation) in evaluations {
        if let AlarmEvaluation::Needs(needs) = evaluation {
            asked.entry(&alarm.name).or_default().extend(needs);
        }
    }
}

fn needed(evaluations: &[(&Alarm, AlarmEvaluation)]) -> NeededReadings {
    let mut all = NeededReadings::default();
    for (_, evaluation) in evaluations {
        if let AlarmEvaluation::Needs(needs) = evaluation {
            all.extend(needs);
        }
    }
    all
}
