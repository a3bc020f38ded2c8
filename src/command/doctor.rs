//! `doctor`: is everyone and everything ready. `--roll-call` is a file of its own.

use std::path::PathBuf;
use std::time::Duration;

use alloy::primitives::Address;
use clap::ValueHint;

use crate::cli::args::KeyArgs;
use crate::clock;
use crate::council::TextDigest;
use crate::error::{Error, Exit};
use crate::incident::merge;
use crate::readiness::by_cast::{Compared, compare};
use crate::readiness::council_gaps::ExaminedCouncil;
use crate::readiness::examine::{CouncilState, ExaminedChain, examine};
use crate::readiness::last_drills::DrilledSafe;
use crate::readiness::{Gap, GapLevel, GapReport, drill_times, journal_gaps, seal};
use crate::safe::parse_address;
use crate::session::records::journal_log::Journals;
use crate::session::{Session, roll_call_run};
use crate::store::output_of;
use crate::ui::Text;
use crate::view::doctor_lines as view;
use crate::view::doctor_object::DoctorObject;

/// Time for one hash of `cast`.
const CAST_PATIENCE: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "\
Examples:
  breakglass doctor
  breakglass doctor --json                   every week; exit code 8: not ready
  breakglass doctor --seal                   for a certification: what is met, and by what
  breakglass doctor --roll-call --ledger     prove that you can sign
  pbpaste | breakglass doctor --lines -      read the proofs of the others
  breakglass doctor --journal bob.jsonl      count what bob's machine knows";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Sign today's sentence of the roll call, or print it for all to sign
    ///
    /// A sentence that approves nothing: it proves that you can sign, and which council file you have.
    #[arg(long)]
    roll_call: bool,

    /// Read lines of a roll call; - for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "roll_call")]
    lines: Option<PathBuf>,

    /// List SEAL's controls for multisigs too, with the evidence of each
    #[arg(long, conflicts_with_all = ["roll_call", "lines"])]
    seal: bool,

    /// Another machine's journal, for its roll calls and drills; repeat for more
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["roll_call", "lines"])]
    journal: Vec<PathBuf>,

    /// Whose balance must pay for gas [default: your settings]
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    payer: Option<Address>,

    /// The person who signs the roll call, if your settings do not name you
    #[arg(long = "as", value_name = "NAME")]
    person: Option<String>,

    #[command(flatten)]
    key: KeyArgs,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    if args.roll_call {
        return roll_call_run::sign(session, &args.key, args.person.as_deref());
    }
    if let Some(path) = &args.lines {
        return roll_call_run::import_lines(session, path);
    }
    let now = clock::seconds();
    let keys = session.own_keys(&args.key)?;
    let payer = args.payer.or(keys.payer);
    let Journals { names, all: journals } = session.journals(&args.journal)?;
    let Some(journal) = journals.first() else { return Err(Error::new(Exit::Failed, "there is no journal")) };
    let merged = merge(&journals);
    let seen = session.ui.wait("trying every lever on forks", || examine(session, journal, payer, now));
    let compared = compare_with_cast(&seen);
    let unreliable = journal_gaps::of(&names, &journals, &merged);
    let all = ExaminedCouncil {
        council: &session.council,
        digest: TextDigest::of(&session.text),
        catalogue: &session.catalogue,
        seen: &seen,
        keys: [keys.signing.as_ref(), keys.paying.as_ref()],
        payer,
        proofs: &journals.iter().flat_map(roll_call_run::recorded_proofs).collect::<Vec<_>>(),
        drills: (
            &drill_times::all(merged.entries.iter().map(|(_, entry)| *entry)),
            &drill_times::all(journal.iter()),
        ),
        journals: &unreliable,
        compared: &compared,
        now,
    };
    let mut told: Vec<GapReport> = all.gaps().iter().map(Gap::report).collect();
    told.sort_by_key(|told| told.level);
    let controls = if args.seal { seal::controls(&all, &told, journal) } else { Vec::new() };
    show(session, &seen.chains, &all.drilled(), &told);
    session.ui.show(&view::seal_lines(&controls));
    let object =
        DoctorObject::new(&all, &told, args.seal.then_some(&controls[..]), |owner| session.name_of(owner));
    let missing = told.iter().filter(|told| told.level == GapLevel::NotReady).count();
    if missing > 0 {
        let things = if missing == 1 { "thing is" } else { "things are" };
        let message = format!("not ready: {missing} {things} to be repaired");
        return Err(Error::new(Exit::NotReady, message).having_done(&object));
    }
    session.ui.say(&Text::default().good("ready"));
    session.ui.object(&object);
    Ok(Exit::Done)
}

/// Compares one hash with Foundry's `cast`, where it is in PATH.
fn compare_with_cast(seen: &CouncilState) -> Compared {
    let Some((safe, tx)) = seen.chains.iter().find_map(|chain| chain.sample.as_ref()) else {
        return Compared::Not;
    };
    compare(safe, tx, |args| output_of("cast", args, CAST_PATIENCE).map_err(|error| error.to_string()))
}

fn show(session: &Session, chains: &[ExaminedChain], drilled: &[DrilledSafe], told: &[GapReport]) {
    let rows = view::lever_rows(chains);
    if !rows.is_empty() {
        session.ui.table(&["lever", "chain", "on a fork", "gas"], &rows);
    }
    let rows = view::rpc_rows(chains);
    if !rows.is_empty() {
        session.ui.table(&["RPC", "ms", "access lists", "proofs", "old state"], &rows);
    }
    let rows = view::drill_rows(drilled, &session.council.response, |owner| session.name_of(owner));
    if !rows.is_empty() {
        session.ui.table(&view::DRILLS, &rows);
    }
    session.ui.show(&view::gap_lines(told));
}
