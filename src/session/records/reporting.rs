//! `report`: the record of an incident from the journals and the chain, as HTML, as text, or as a draft of a message.

use std::path::{Path, PathBuf};

use crate::error::{Error, Exit};
use crate::incident::{Entry, RecordScope, Utc, count_transactions, merge, record, select, transactions};
use crate::session::Session;
use crate::session::records::journal_log::Journals;
use crate::store::{self, create_new, read_text_up_to};
use crate::ui::Text;
use crate::view::record::{
    DoraStage, DraftAudience, DraftMessage, IncidentReport, JournalDigest, built_in, html, markdown,
};

/// The longest template of a council.
const MOST_TEMPLATE: usize = 64 << 10;
/// The most transactions of one record: the chain is asked about each.
const MOST_TRANSACTIONS: usize = 300;

/// The flags of `report`.
pub struct ReportTerms<'w> {
    /// The number of the entry that opened an incident, or a lever.
    pub what: Option<&'w str>,
    pub since: Option<Utc>,
    /// The journals of other machines.
    pub journals: &'w [PathBuf],
    pub offline: bool,
    /// The new file for the HTML.
    pub html: Option<&'w Path>,
    pub draft: Option<DraftAudience>,
    pub stage: DoraStage,
}

/// Writes the record that was asked for.
pub fn run(session: &Session, terms: &ReportTerms) -> Result<Exit, Error> {
    let Journals { names, all } = session.journals(terms.journals)?;
    let merged = merge(&all);
    let entries = select(&merged, &scope(session, terms)?);
    if entries.is_empty() {
        return Err(Error::new(Exit::Usage, "the journal has no such incident").hint(
            "breakglass log lists what was done; the number of an entry that opened an incident names it",
        ));
    }
    require_few(&entries)?;
    let facts = session.facts(&transactions(&entries), terms.offline);
    let receipts = session.receipts(&entries, terms.offline);
    let record = record(&entries, (facts, &receipts), &merged, &session.council);
    let names =
        std::iter::once("this machine's".to_string()).chain(names.iter().skip(1).map(|name| file_name(name)));
    let digests = names.zip(&all).map(|(name, journal)| JournalDigest::new(name, journal)).collect();
    let report = IncidentReport::new(&session.council, &record, digests);
    write_report(session, terms, &report)?;
    session.ui.show(&report.doubts(terms.offline));
    Ok(Exit::Done)
}

/// Fails if there are too many transactions to ask the chain about: a journal of somebody else may name any number.
fn require_few(entries: &[&Entry]) -> Result<(), Error> {
    let count = count_transactions(entries);
    if count <= MOST_TRANSACTIONS {
        return Ok(());
    }
    let message =
        format!("the record has {count} transactions, and at most {MOST_TRANSACTIONS} are looked up");
    Err(Error::new(Exit::Usage, message)
        .hint("name one incident or lever, or a later --since")
        .hint("if a journal of somebody else names so many, leave it out"))
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| "?".into(), |name| name.to_string_lossy().into_owned())
}

fn scope(session: &Session, terms: &ReportTerms) -> Result<RecordScope, Error> {
    let Some(what) = terms.what else {
        return Ok(terms.since.map_or(RecordScope::Last, RecordScope::Since));
    };
    if let Ok(number) = what.parse() {
        return Ok(RecordScope::Opened(number));
    }
    session.require_lever(what)?;
    Ok(RecordScope::Lever(what.into()))
}

fn write_report(session: &Session, terms: &ReportTerms, report: &IncidentReport) -> Result<(), Error> {
    let ui = session.ui;
    if let Some(path) = terms.html {
        create_new(path, &html(report))?;
        let path = path.display().to_string();
        ui.say(&Text::default().good("written: ").add(&path));
        ui.field("html", &path);
    }
    let Some(draft) = terms.draft else {
        if terms.html.is_none() && !ui.is_json() {
            ui.script(&markdown(report));
        }
        ui.object(report);
        return Ok(());
    };
    let own = session.path.with_file_name("drafts").join(format!("{}.md", draft.name()));
    let template =
        if store::is_taken(&own) { read_text_up_to(MOST_TEMPLATE, &own)? } else { built_in(draft).into() };
    let message = DraftMessage::new(draft, &template, report, terms.stage);
    if !ui.is_json() {
        ui.script(&message.text);
    }
    ui.object(&message);
    Ok(())
}
