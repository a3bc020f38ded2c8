//! `report`: the record of an incident, and drafts of what is told about it.

use std::path::PathBuf;

use clap::ValueHint;
use serde_json::json;

use crate::cli::args::ARGUMENTS;
use crate::error::{Error, Exit};
use crate::incident::{Journal, RecordScope, Utc, merge, record, select, transactions};
use crate::session::Session;
use crate::store::{self, create_new, read_log, read_text_up_to};
use crate::ui::Text;
use crate::view::record::{
    Dora, DoraStage, DraftAudience, IncidentReport, JournalDigest, built_in, dora, fill, html, markdown,
};

/// The longest template of a council.
const MOST_TEMPLATE: usize = 64 << 10;

const EXAMPLES: &str = "\
Examples:
  breakglass report                       the last incident, as Markdown
  breakglass report --html incident.html --journal bob.jsonl
  breakglass report vault --draft users";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// The entry that opened it, by its number, or a lever [default: the last]
    #[arg(help_heading = ARGUMENTS, value_name = "INCIDENT")]
    what: Option<String>,

    /// Everything since a moment, such as 2026-11-26T05:00:00.000Z
    #[arg(long, value_name = "TIME", conflicts_with = "what")]
    since: Option<Utc>,

    /// The journal of another machine, to be merged; may be given again
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    journal: Vec<PathBuf>,

    /// Ask no network: what the journals state, and nothing of the chain
    #[arg(long, help_heading = "Checks")]
    offline: bool,

    /// Write one page of HTML to this new file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    html: Option<PathBuf>,

    /// A draft of a message, to be finished by a person
    ///
    /// A file drafts/NAME.md beside the council file replaces the program's own template.
    #[arg(long, value_enum, value_name = "FOR", help_heading = "Output")]
    draft: Option<DraftAudience>,

    /// Which report of the three a regulator gets
    #[arg(long, value_enum, value_name = "STAGE", default_value = "initial", help_heading = "Output")]
    stage: DoraStage,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let own = session.incidents.journal();
    let mut names = vec!["this machine's".to_string()];
    let mut journals = vec![Journal::read(&own.read()?)];
    for file in &args.journal {
        journals.push(Journal::read(&read_log(file)?));
        names.push(file.file_name().map_or_else(|| "?".into(), |name| name.to_string_lossy().into_owned()));
    }
    let merged = merge(&journals);
    let wanted = wanted(session, args)?;
    let entries = select(&merged, &wanted);
    if entries.is_empty() {
        return Err(Error::new(Exit::Usage, "the journal has no such incident").hint(
            "breakglass log lists what was done; the number of an entry that opened an incident names it",
        ));
    }
    let facts = session.facts(&transactions(&entries), args.offline);
    let digests = names.iter().zip(&journals).map(|(name, journal)| JournalDigest {
        name: name.clone(),
        entries: journal.entries.len(),
        digest: journal.last.map(|last| last.to_string()),
        is_whole: journal.breaks.is_empty(),
    });
    let receipts = session.receipts(&entries, args.offline);
    let record = record(&entries, (facts, &receipts), &merged, &session.council);
    let report = IncidentReport::new(&session.council, &record, digests.collect());
    give(session, args, &report)?;
    let unsure = report.transactions.iter().filter(|one| one.on_chain.is_none()).count();
    if unsure > 0 && !args.offline {
        let text =
            format!("{unsure} of {} transactions are not confirmed by the chain", report.transactions.len());
        session.ui.say(&Text::default().warn("note: ").add(&text));
    }
    for contradiction in &report.contradictions {
        session.ui.say(&Text::default().bad("contradiction: ").add(contradiction));
    }
    Ok(Exit::Done)
}

fn wanted(session: &Session, args: &Args) -> Result<RecordScope, Error> {
    let Some(what) = &args.what else {
        return Ok(args.since.map_or(RecordScope::Last, RecordScope::Since));
    };
    if let Ok(number) = what.parse() {
        return Ok(RecordScope::Opened(number));
    }
    session.is_lever(what)?;
    Ok(RecordScope::Lever(what.clone()))
}

fn give(session: &Session, args: &Args, report: &IncidentReport) -> Result<(), Error> {
    if let Some(path) = &args.html {
        create_new(path, &html(report))?;
        session.ui.say(&Text::default().good("written: ").add(&path.display().to_string()));
        session.ui.object(&json!({ "html": path.display().to_string() }));
    }
    let Some(draft) = args.draft else {
        if args.html.is_none() && !session.ui.is_json() {
            session.ui.script(&markdown(report));
        }
        session.ui.object(&serde_json::to_value(report).unwrap_or_default());
        return Ok(());
    };
    let own = session.path.with_file_name("drafts").join(format!("{}.md", draft.name()));
    let template = if store::is_taken(&own) {
        read_text_up_to(MOST_TEMPLATE, &own)?
    } else {
        built_in(draft).to_string()
    };
    let id = report.began.clone().unwrap_or_default();
    let text = fill(&template, report, &id, args.stage.word());
    if !session.ui.is_json() {
        session.ui.script(&text);
    }
    let mut object = json!({ "draft": draft.name(), "text": text });
    if draft == DraftAudience::Regulator {
        let Dora { report, open } = dora(report, &id, args.stage);
        object["report"] = report;
        object["open"] = json!(open);
    }
    session.ui.object(&object);
    Ok(())
}
