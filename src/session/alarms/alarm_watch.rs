//! The loop of `watch`: reads the alarms of the council file, and prepares the lever of one that fires.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::ceremony::overviews::watching::{Sight, Watch};
use crate::clock;
use crate::council::Alarm;
use crate::error::Error;
use crate::incident::{Plain, Streak};
use crate::playbook::AlarmEvaluation;
use crate::session::Session;
use crate::session::alarms::raise_alarm::{AlarmOccurrence, AlarmReport};
use crate::ui::Text;

/// Time between two checks of whether it is to stop.
const SLICE: Duration = Duration::from_millis(100);
/// Time after which an alarm that cannot be read is reported again.
const AGAIN: Duration = Duration::from_mins(1);

/// A message from the thread that reads a chain.
struct ReaderMessage<'a> {
    chain: &'a str,
    names: Vec<&'a str>,
    sight: Result<Sight<'a>, Error>,
}

/// The state of the alarms so far.
#[derive(Default, Serialize)]
pub struct AlarmWatch<'a> {
    #[serde(skip)]
    streaks: BTreeMap<&'a str, Streak>,
    /// Alarms that could not be read the last time.
    pub unread: BTreeSet<&'a str>,
    #[serde(skip)]
    told: BTreeMap<&'a str, Instant>,
    pub fired: Vec<&'a str>,
}

/// Reads the alarms until it is to stop, or with `once` until each is decided; `run` gets each that fires. One thread
/// reads each chain, so that a silent RPC delays no other chain.
pub fn watch_alarms<'a>(
    session: &'a Session,
    watches: Vec<Watch<'a>>,
    (once, run): (bool, Option<&str>),
) -> AlarmWatch<'a> {
    let stop = AtomicBool::new(false);
    let wish = session.progress.stop();
    let mut state = AlarmWatch::default();
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for watch in watches {
            let (tell, stop) = (tell.clone(), &stop);
            scope.spawn(move || read_chain(watch, once, stop, &tell));
        }
        drop(tell);
        loop {
            match told.recv_timeout(SLICE) {
                Ok(report) => state.take(session, run, report),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if wish.is_requested() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
    state
}

/// Reads the alarms of one chain when they are due, until it is to stop; with `once` until none is waiting for more
/// blocks.
fn read_chain<'a>(mut watch: Watch<'a>, once: bool, stop: &AtomicBool, tell: &Sender<ReaderMessage<'a>>) {
    let chain = watch.chain.name.as_str();
    let names: Vec<&str> = watch.names().collect();
    let mut next: BTreeMap<&str, Instant> = names.iter().map(|name| (*name, clock::moment())).collect();
    let mut pending: BTreeMap<&str, Streak> = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        let now = clock::moment();
        let due: BTreeSet<&str> = next.iter().filter(|(_, at)| **at <= now).map(|(name, _)| *name).collect();
        if due.is_empty() {
            thread::sleep(SLICE);
            continue;
        }
        let sight = watch.read(&due, clock::seconds());
        for (alarm, pause) in watch.pauses() {
            if due.contains(alarm.name.as_str()) {
                next.insert(&alarm.name, now + pause);
            }
        }
        if let Ok(sight) = &sight {
            for (alarm, evaluation) in &sight.evaluations {
                let streak = pending.entry(&alarm.name).or_default();
                match evaluation {
                    AlarmEvaluation::False { .. } | AlarmEvaluation::Quiet { .. } => {
                        let is_false = matches!(evaluation, AlarmEvaluation::False { .. });
                        streak.record(is_false, sight.block.number, alarm.blocks);
                    }
                    AlarmEvaluation::Unreadable(_) | AlarmEvaluation::Needs(_) => streak.record_unread(),
                }
            }
        }
        if once {
            let is_pending = |name: &&str| pending.get(name).is_some_and(Streak::is_pending);
            next.retain(|name, _| sight.is_ok() && is_pending(name));
        }
        let is_last = next.is_empty();
        if tell.send(ReaderMessage { chain, names: due.into_iter().collect(), sight }).is_err() || is_last {
            break;
        }
    }
}

impl<'a> AlarmWatch<'a> {
    fn take(&mut self, session: &Session, run: Option<&str>, report: ReaderMessage<'a>) {
        let sight = match report.sight {
            Ok(sight) => sight,
            Err(error) => {
                for name in &report.names {
                    self.unread.insert(name);
                    self.streaks.entry(name).or_default().record_unread();
                }
                self.cannot_read(session, report.chain, &error.message);
                return;
            }
        };
        for (alarm, evaluation) in sight.evaluations {
            self.evaluate(session, run, alarm, sight.block.number, &evaluation);
        }
    }

    fn evaluate(
        &mut self,
        session: &Session,
        run: Option<&str>,
        alarm: &'a Alarm,
        block: u64,
        evaluation: &AlarmEvaluation,
    ) {
        let streak = self.streaks.entry(&alarm.name).or_default();
        let sentences = match evaluation {
            AlarmEvaluation::False { sentences } => sentences,
            AlarmEvaluation::Quiet { .. } => {
                streak.record(false, block, alarm.blocks);
                if self.unread.remove(alarm.name.as_str()) {
                    session.ui.say(&Text::default().good("read again: ").add(&alarm.name));
                }
                return;
            }
            AlarmEvaluation::Unreadable(why) => {
                streak.record_unread();
                self.unread.insert(&alarm.name);
                self.cannot_read(session, &alarm.name, why);
                return;
            }
            AlarmEvaluation::Needs(_) => {
                streak.record_unread();
                self.unread.insert(&alarm.name);
                self.cannot_read(
                    session,
                    &alarm.name,
                    "it asks in too many rounds: simplify it in the council file",
                );
                return;
            }
        };
        self.unread.remove(alarm.name.as_str());
        if !streak.record(true, block, alarm.blocks) {
            return;
        }
        self.fired.push(&alarm.name);
        let text = Plain::cut(&sentences.join("; "));
        fire(session, alarm, &AlarmReport { by: "watch".into(), id: None, text, block: Some(block) }, run);
    }

    fn cannot_read(&mut self, session: &Session, what: &'a str, why: &str) {
        let now = clock::moment();
        if self.told.get(what).is_none_or(|then| now.duration_since(*then) >= AGAIN) {
            self.told.insert(what, now);
            session.ui.say(&Text::default().bad("cannot be read: ").add(&format!("{what}: {why}")));
        }
    }
}

/// Enters an alarm that fired into the journal, prepares its lever and announces it.
fn fire(session: &Session, alarm: &Alarm, told: &AlarmReport, run: Option<&str>) {
    let text = format!("{}: {} ({})", alarm.name, alarm.title, told.text);
    session.ui.say(&Text::default().bad("ALARM ").add(&text));
    let place = session.enter_alarm(alarm, told);
    if place == AlarmOccurrence::Repeated {
        return;
    }
    session.raise(alarm, told, place, run);
}
