//! An alarm that has fired: entered into the journal, its lever prepared, and announced. It uses no key and sends
//! nothing.

use std::thread;
use std::time::Duration;

use alloy::primitives::Address;

use crate::ceremony::enforce::enforce;
use crate::ceremony::evaluate::PartResult;
use crate::ceremony::find::CommandPurpose;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::{Given, Order};
use crate::clock;
use crate::council::Alarm;
use crate::error::Error;
use crate::incident::{Entry, Journal, JournalAct, Message, OpenedIncident, Plain, open_incident};
use crate::playbook::Severity;
use crate::safe::Owners;
use crate::session::Session;
use crate::store::{Lock, run_command};
use crate::ui::Text;
use crate::view::alarm_texts::{AlarmRaised, PreparedTx};
use crate::view::person_line::PersonLine;

/// The number of tries for a lock that somebody holds, and the time between them.
const TRIES: usize = 10;
const BETWEEN: Duration = Duration::from_millis(50);
/// The time that a command of `--run` is waited for; afterwards it runs on.
const PATIENCE: Duration = Duration::from_secs(5);

/// The report of an alarm: who reported it, and in which words.
#[derive(Clone, Debug)]
pub struct AlarmReport {
    pub by: String,
    pub id: Option<String>,
    pub text: Plain,
    /// The block at which the claim was read; `None` for a message.
    pub block: Option<u64>,
}

/// The place of an alarm in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmOccurrence {
    /// It is the first of its name in this incident: people are called.
    First,
    /// It was raised before in the open incident.
    Again,
    /// The journal has this message already: nothing is done.
    Repeated,
}

impl Session<'_> {
    /// Enters an alarm into the journal, and opens an incident if none is open. A journal that cannot be read or
    /// written stops nothing: the alarm counts as the first.
    pub fn enter_alarm(&self, alarm: &Alarm, told: &AlarmReport) -> AlarmOccurrence {
        // Two messages at once: the second must see the first.
        let _held = self.lock_journal();
        let journal = self.incidents.journal().read().map(|bytes| Journal::read(&bytes)).unwrap_or_default();
        let place = occurrence(&journal, &alarm.name, told);
        if place == AlarmOccurrence::Repeated {
            return place;
        }
        if open_incident(journal.iter()).is_none() {
            self.note_act(JournalAct::Opened(OpenedIncident {
                title: Plain::cut(&format!("alarm {}: {}", alarm.name, alarm.title)),
                severity: self.severity(alarm),
                leads: None,
                speaks: None,
                writes: None,
            }));
        }
        self.note_act(JournalAct::Alarm {
            name: Plain::cut(&alarm.name),
            by: Plain::cut(&told.by),
            id: told.id.as_deref().map(Plain::cut),
            text: told.text.clone(),
        });
        place
    }

    /// Locks the journal for reading and adding to it. `None` if somebody else holds the lock for too long.
    fn lock_journal(&self) -> Option<Lock> {
        (0..TRIES).find_map(|_| {
            let lock = self.incidents.lock("alarms").ok();
            if lock.is_none() {
                thread::sleep(BETWEEN);
            }
            lock
        })
    }

    /// Returns the alarm that the journal has with this id, and its place there.
    pub fn alarm_entered(&self, alarm: &Alarm, id: &str) -> Option<(AlarmReport, AlarmOccurrence)> {
        let mut journal = Journal::read(&self.incidents.journal().read().ok()?);
        let is_it =
            |entry| alarm_of_entry(entry, &alarm.name).is_some_and(|told| told.id.as_deref() == Some(id));
        let at = journal.entries.iter().rposition(|(_, entry)| is_it(entry))?;
        let told = alarm_of_entry(&journal.entries.get(at)?.1, &alarm.name)?;
        journal.entries.truncate(at);
        let place = occurrence(&journal, &alarm.name, &told);
        Some((told, place))
    }

    /// Returns the gravest severity of the playbooks that the alarm's lever pulls.
    fn severity(&self, alarm: &Alarm) -> Severity {
        let orders = Order::parts(self, std::slice::from_ref(&alarm.lever), &Given::default());
        let orders = orders.unwrap_or_default();
        let severities = orders.iter().flat_map(Order::playbooks).map(|playbook| playbook.severity);
        severities.min().unwrap_or(Severity::P1)
    }

    /// Prepares the lever of an alarm, and announces it; `run` is a command that gets it too.
    pub fn raise(&self, alarm: &Alarm, told: &AlarmReport, place: AlarmOccurrence, run: Option<&str>) {
        let prepared = self.prepare(alarm);
        self.announce(alarm, told, place, prepared, run);
    }

    /// Derives and rehearses the lever of an alarm, and writes its proposals. Failures are reported, and noted in the
    /// journal. For a deputy's lever nothing is prepared: the deputy acts at once.
    fn prepare(&self, alarm: &Alarm) -> Vec<PreparedTx> {
        if self.deputy_of(alarm).is_some() {
            return Vec::new();
        }
        let parts =
            self.evaluate(std::slice::from_ref(&alarm.lever), &Given::default(), CommandPurpose::Propose);
        let parts =
            parts.unwrap_or_else(|error| vec![PartResult { title: alarm.lever.clone(), result: Err(error) }]);
        let prepared: Vec<PreparedTx> = parts.into_iter().map(|part| self.prepare_one(part)).collect();
        for one in &prepared {
            let Some((why, _)) = &one.why else { continue };
            self.note_act(JournalAct::Note {
                text: Plain::cut(&format!("{} was not prepared: {why}", one.title)),
            });
        }
        prepared
    }

    fn prepare_one(&self, part: PartResult) -> PreparedTx {
        let title = part.title;
        let judged = part.result.map(|rehearsed| rehearsed.judge(false));
        let kept = judged.and_then(|judged| {
            enforce(&judged.findings, &[])?;
            self.keep_prepared(&judged)
        });
        match kept {
            Ok(prepared) => PreparedTx { title, ..prepared },
            Err(error) => {
                PreparedTx { title, why: Some((error.message, error.exit)), ..PreparedTx::default() }
            }
        }
    }

    fn keep_prepared(&self, judged: &Judged) -> Result<PreparedTx, Error> {
        let path = judged.derived.keep(self)?;
        self.note(JournalAct::Proposed {}, judged.proposal());
        Ok(PreparedTx {
            nonce: Some(judged.proposal().nonce().to_string()),
            safe_tx_hash: Some(judged.proposal().hash().to_string()),
            proposal: Some(path.display().to_string()),
            ..PreparedTx::default()
        })
    }

    /// Returns the people to call: the owners of the Safes of the alarm's lever, or its deputy, or those who stand in
    /// for them.
    fn people_to_call(&self, alarm: &Alarm) -> Vec<PersonLine> {
        let orders = Order::parts(self, std::slice::from_ref(&alarm.lever), &Given::default());
        let orders = orders.unwrap_or_default();
        let owners =
            orders.iter().filter_map(|order| order.safe.owners.as_ref()).flat_map(Owners::list).copied();
        let deputy = self.deputy_of(alarm).map(|(_, address)| address);
        let owners: Vec<Address> = owners.chain(deputy).collect();
        self.council.calls_for(&owners, clock::seconds()).iter().map(PersonLine::from).collect()
    }

    /// Returns the deputy who pulls an alarm's lever; `None` if a Safe does.
    fn deputy_of(&self, alarm: &Alarm) -> Option<(&str, Address)> {
        self.council.levers.get(&alarm.lever)?.by.deputy()
    }

    /// Announces an alarm: a paragraph for the chat on standard output, or an object on one line; and the same object
    /// on the standard input of `run`, which is not waited for for long.
    fn announce(
        &self,
        alarm: &Alarm,
        told: &AlarmReport,
        place: AlarmOccurrence,
        prepared: Vec<PreparedTx>,
        run: Option<&str>,
    ) {
        let deputy = self.deputy_of(alarm).map(|(name, _)| name);
        let raised = AlarmRaised {
            block: told.block,
            by: told.by.clone(),
            id: told.id.clone(),
            text: told.text.to_string(),
            is_first: place == AlarmOccurrence::First,
            page: self.people_to_call(alarm),
            prepared,
            ..AlarmRaised::new(alarm, self.severity(alarm).to_string(), deputy)
        };
        let object = serde_json::to_string(&raised).unwrap_or_default();
        if self.ui.is_json() {
            self.ui.script(&format!("{object}\n"));
        } else {
            self.ui.data_block(&raised.paragraph());
        }
        if let Some(command) = run {
            let text = match run_command(command, &object, PATIENCE) {
                Ok(Some(status)) if status.success() => return,
                Ok(None) => return,
                Ok(Some(status)) => format!("--run {command:?} ended with {status}"),
                Err(error) => format!("--run {command:?} cannot be started: {error}"),
            };
            self.ui.say(&Text::default().bad("error: ").add(&text));
        }
    }
}

/// Returns the report of an alarm that a journal entry has; `None` if the entry is about something else.
fn alarm_of_entry(entry: &Entry, alarm: &str) -> Option<AlarmReport> {
    match &entry.draft.act {
        JournalAct::Alarm { name, by, id, text } if name.to_string() == alarm => Some(AlarmReport {
            by: by.to_string(),
            id: id.as_ref().map(ToString::to_string),
            text: text.clone(),
            block: None,
        }),
        _ => None,
    }
}

/// Returns the place of an alarm in a journal.
fn occurrence(journal: &Journal, alarm: &str, told: &AlarmReport) -> AlarmOccurrence {
    let id = told.id.as_deref().map(|id| Plain::cut(id).to_string());
    let is_same = |known: AlarmReport| id.is_some() && known.id == id && known.by == told.by;
    let opened = open_incident(journal.iter());
    // A bare text has no id of its own: after an incident, the same words are a new alarm.
    let counts = |entry: &&Entry| {
        told.by != Message::BARE || opened.is_some_and(|opened| entry.number >= opened.number)
    };
    if journal.iter().filter(counts).filter_map(|entry| alarm_of_entry(entry, alarm)).any(is_same) {
        return AlarmOccurrence::Repeated;
    }
    let Some(opened) = opened else { return AlarmOccurrence::First };
    let mut since = journal.iter().filter(|entry| entry.number >= opened.number);
    if since.any(|entry| alarm_of_entry(entry, alarm).is_some()) {
        AlarmOccurrence::Again
    } else {
        AlarmOccurrence::First
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::council::TextDigest;
    use crate::incident::{UnnumberedEntry, Utc, next};

    fn journal(acts: &[JournalAct]) -> Journal {
        let mut lines = String::new();
        for act in acts {
            let draft = UnnumberedEntry {
                time: Utc::from_millis(1),
                who: None,
                program: Plain::cut("0.1.0"),
                council: TextDigest::of("council"),
                act: act.clone(),
                about: None,
            };
            lines.push_str(&next(lines.as_bytes(), draft).unwrap().line);
        }
        Journal::read(lines.as_bytes())
    }

    fn opened() -> JournalAct {
        let title = Plain::cut("drained");
        JournalAct::Opened(OpenedIncident {
            title,
            severity: Severity::P1,
            leads: None,
            speaks: None,
            writes: None,
        })
    }

    fn told(by: &str) -> AlarmReport {
        AlarmReport { by: by.into(), id: Some("7".into()), text: Plain::cut("drained"), block: None }
    }

    fn alarm(by: &str) -> JournalAct {
        let AlarmReport { by, id, text, .. } = told(by);
        let id = id.as_deref().map(Plain::cut);
        JournalAct::Alarm { name: Plain::cut("drained"), by: Plain::cut(&by), id, text }
    }

    /// Posting the words of an alarm beforehand must not silence the alarm itself later.
    #[test]
    fn an_alarm_repeated_after_an_incident_is_a_new_one() {
        let is = |acts: &[JournalAct], by: &str| occurrence(&journal(acts), "drained", &told(by));
        for by in [Message::BARE, "tenderly"] {
            assert_eq!(is(&[], by), AlarmOccurrence::First);
            assert_eq!(is(&[opened(), alarm(by)], by), AlarmOccurrence::Repeated);
        }
        let bare = alarm(Message::BARE);
        let closed = [opened(), bare.clone(), JournalAct::Closed {}];
        assert_eq!(is(&closed, Message::BARE), AlarmOccurrence::First);
        assert_eq!(is(&[&closed[..], &[opened()]].concat(), Message::BARE), AlarmOccurrence::First);
        assert_eq!(is(&[&closed[..], &[opened(), bare]].concat(), Message::BARE), AlarmOccurrence::Repeated);
        // An id of the monitor names one event for ever.
        assert_eq!(
            is(&[opened(), alarm("tenderly"), JournalAct::Closed {}], "tenderly"),
            AlarmOccurrence::Repeated
        );
    }
}
