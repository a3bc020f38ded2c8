//! `playbook list`, `show`, `check`, `new`, `schema`, `test`.

mod list;
mod new;

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueHint};
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::desk::{Desk, find_council};
use crate::cli::args::{ARGUMENTS, parse_set};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::playbook::{self, Catalogue, LibraryEntry, check_files, schema};
use crate::session::Session;
use crate::store;
use crate::ui::Ui;
use crate::view::playbook_text::{self, Whole, explained, lever};

/// The most files that are checked together.
const MOST_CHECKED: usize = 10_000;

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true, after_help = EXAMPLES)]
pub enum Args {
    /// Find playbooks: all, by a text, or for a contract on chain
    ///
    /// Your council's own first, then the built-in ones by protocol. The undo of a playbook stands beside it.
    List(list::Args),
    /// Explain a playbook, with its parameters and an example lever
    Show(ShowArgs),
    /// Say what is wrong with a playbook file, or with all in a folder
    Check(PlaybookCheckArgs),
    /// Print a first playbook for a function, its checks included
    New(new::Args),
    /// Try a playbook on a fork; nothing is sent
    ///
    /// It is pulled, taken back, and denied to somebody without the role.
    Test(TestArgs),
    /// Print the JSON Schema of a playbook's file, for editors
    #[command(after_help = "Examples:\n  breakglass playbook schema > playbook.schema.json")]
    Schema,
}

const EXAMPLES: &str = "\
Examples:
  breakglass playbook list aave
  breakglass playbook show pause/oz-pausable";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = "Examples:\n  breakglass playbook show pause/oz-pausable")]
pub struct ShowArgs {
    /// The playbook
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::playbooks))]
    id: String,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = "Examples:\n  breakglass playbook check playbooks")]
pub struct PlaybookCheckArgs {
    /// A file, or a folder; exit code 1 where something is wrong
    #[arg(help_heading = ARGUMENTS, value_hint = ValueHint::AnyPath)]
    path: PathBuf,
}

const TEST_EXAMPLES: &str = "\
Examples:
  breakglass playbook test pause/oz-pausable --set target=vault
  breakglass playbook test playbooks/my-vault.toml --safe guardian";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = TEST_EXAMPLES)]
pub struct TestArgs {
    /// A playbook's id, or a playbook file
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::playbooks))]
    what: String,

    /// The Safe that pulls it [default: the only one]
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::safes))]
    safe: Option<String>,

    /// The Safe that takes it back [default: the same]
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::safes))]
    undo_safe: Option<String>,

    /// An argument of the playbook; may be given again
    #[arg(
        long, value_name = "NAME=VALUE", value_parser = parse_set, add = ArgValueCompleter::new(complete::arguments)
    )]
    set: Vec<(String, String)>,

    /// On this RPC alone, a running anvil for instance
    ///
    /// '${NAME}', in single quotes, for one that an environment variable holds.
    #[arg(long, value_name = "URL")]
    fork_url: Option<String>,
}

pub fn run(ui: &Ui, council: Option<&Path>, quorum: Option<u8>, args: &Args) -> Result<Exit, Error> {
    match args {
        Args::List(args) => list::run(ui, council, quorum, args),
        Args::Show(args) => Ok(show(ui, &catalogue(ui, council)?.get(&args.id)?)),
        Args::Check(args) => check(ui, &args.path),
        Args::New(args) => new::run(ui, council, quorum, args),
        Args::Test(args) => test(Session { ui, desk: Desk::load(ui, council)?.with_quorum(quorum) }, args),
        Args::Schema => {
            let schema = schema();
            ui.data_block(&format!("{schema:#}"));
            ui.object(&schema);
            Ok(Exit::Done)
        }
    }
}

/// The council's catalogue where there is a council file, or else the built-in library.
fn catalogue(ui: &Ui, council: Option<&Path>) -> Result<Catalogue, Error> {
    if council.is_none() && find_council(ui)?.is_none() {
        return Ok(Catalogue::new(Vec::new()));
    }
    Ok(Desk::load(ui, council)?.catalogue)
}

fn show(ui: &Ui, entry: &LibraryEntry) -> Exit {
    let playbook = entry.playbook;
    ui.data(&format!("{}   {} · {}", playbook.id, playbook.kind, playbook.severity));
    ui.data(&playbook.title);
    ui.data("");
    ui.table(&["", ""], &explained(playbook, &entry.origin));
    ui.data("");
    ui.data_block(&lever(playbook));
    ui.data("");
    ui.data_block(playbook.text());
    ui.object(&Whole::from(entry));
    Exit::Done
}

/// Every `.toml` in a folder: all of them, or an error.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let files = store::files_below(folder, "toml", MOST_CHECKED)?;
    if files.left > 0 {
        let message = format!("{} holds more than {MOST_CHECKED} .toml files, or too deep", folder.display());
        return Err(Error::new(Exit::Failed, message).hint("name the folder of the playbooks that you mean"));
    }
    Ok(files.paths)
}

/// Reads one file, or every `.toml` in a folder; the first fault of each file is shown with line and caret.
fn check(ui: &Ui, path: &Path) -> Result<Exit, Error> {
    let files = if store::is_folder(path) { files_in(path)? } else { vec![path.to_path_buf()] };
    if files.is_empty() {
        return Err(Error::new(Exit::Failed, format!("{} holds no .toml file", path.display())));
    }
    let read = |file: &PathBuf| {
        let text = store::read_text_up_to(playbook::MOST_BYTES, file);
        (file.display().to_string(), text.map_err(|error| error.to_string()))
    };
    let checked = check_files(&files.iter().map(read).collect::<Vec<_>>());
    for one in &checked {
        ui.show(&playbook_text::checked(one));
    }
    let faulty = checked.iter().filter(|one| !one.faults.is_empty()).map(|one| one.file.as_str());
    let faulty: Vec<&str> = faulty.collect();
    if faulty.is_empty() {
        ui.object(&json!({ "playbooks": checked }));
        return Ok(Exit::Done);
    }
    Err(Error::new(Exit::Failed, format!("{} of {} playbooks have faults", faulty.len(), files.len()))
        .hint(format!("fix {}", faulty.join(", "))))
}

/// `playbook test`: nothing is sent.
fn test(mut session: Session, args: &TestArgs) -> Result<Exit, Error> {
    let playbook = if Path::new(&args.what).extension().is_some_and(|e| e == "toml") {
        let text = store::read_text_up_to(playbook::MOST_BYTES, Path::new(&args.what))?;
        session.desk.catalogue.put(&args.what, &text)?.to_string()
    } else {
        args.what.clone()
    };
    let (ui, desk) = (session.ui, &session.desk);
    let safe = desk.only_safe(args.safe.as_deref())?;
    let link = desk.connect_or_fork(safe, args.fork_url.as_deref())?;
    let tried = desk.try_playbook(&playbook, safe, args.undo_safe.as_deref(), &args.set, &link)?;
    let (block, chain) = (tried.block.number, &tried.chain.name);
    ui.data(&format!("{playbook} from block {block} of {chain}, by {}", safe.name));
    ui.table(&["", ""], &tried.report.rows);
    ui.object(&tried.report.parts);
    ui.object(&json!({
        "playbook": playbook, "digest": tried.digest.to_string(), "safe": safe.address.to_string(),
        "chain_id": tried.chain.id, "block": block, "rounds": link.rounds(),
    }));
    tried.report.wrong.map_or(Ok(Exit::Done), |(_, error)| Err(error))
}
