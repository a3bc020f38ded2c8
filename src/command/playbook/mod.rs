//! `playbook list`, `show`, `check`, `new`, `schema`, `test`.

mod list;
mod new;

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueHint};
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use crate::ceremony::desk::{self, Desk, find_council};
use crate::ceremony::order::{Order, named_once};
use crate::ceremony::trial;
use crate::chain::Ask;
use crate::cli::args::{ARGUMENTS, parse_set};
use crate::cli::complete;
use crate::clock;
use crate::command::Session;
use crate::error::{Error, Exit};
use crate::evm::BlockTag;
use crate::playbook::schema;
use crate::playbook::{self, Catalogue, Entry, Origin, Playbook, PlaybookDigest, Summary, Undo};
use crate::store;
use crate::ui::{Text, Ui};
use crate::view::playbook_text::{explained, lever, origin};

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
    Check(CheckArgs),
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
pub struct CheckArgs {
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

fn brief(summary: &Summary, from: &Origin, text: &str) -> Value {
    json!({
        "id": summary.id, "kind": summary.kind.to_string(), "family": summary.family, "title": summary.title,
        "severity": summary.severity.to_string(), "undo": summary.undo, "from": origin(from), "digest": PlaybookDigest::of(text).to_string(),
    })
}

fn show(ui: &Ui, entry: &Entry) -> Exit {
    let playbook = entry.playbook;
    ui.data(&format!("{}   {} · {}", playbook.id, playbook.kind, playbook.severity));
    ui.data(&playbook.title);
    ui.data("");
    ui.table(&["", ""], &explained(playbook, &entry.origin));
    ui.data("");
    ui.data_block(&lever(playbook));
    ui.data("");
    ui.data_block(playbook.text());
    let mut object = brief(&Summary::from(entry.playbook), &entry.origin, entry.playbook.text());
    object["text"] = playbook.text().into();
    object["lever"] = lever(playbook).into();
    ui.object(&object);
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
    // A counter-playbook may lie in another of these files.
    let mut catalogue = Catalogue::new(Vec::new());
    let mut texts = Vec::new();
    for file in &files {
        let (origin, text) = (file.display().to_string(), store::read_text_up_to(playbook::MOST_BYTES, file));
        if let Ok(text) = &text {
            catalogue.add(&origin, text);
        }
        texts.push((origin, text));
    }
    let mut faults = Vec::new();
    let mut results = Vec::new();
    for (origin, text) in &texts {
        let read = match text {
            Ok(text) => Playbook::parse(origin, text).map_err(|fault| fault.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let found: Vec<String> = match &read {
            Ok(playbook) => match catalogue.get(playbook.id.as_str()) {
                Ok(_) => catalogue.lint(playbook),
                Err(fault) => vec![fault.to_string()],
            },
            Err(fault) => vec![fault.clone()],
        };
        let warnings = read.as_ref().map(Playbook::warnings).unwrap_or_default();
        if found.is_empty() {
            let mark = Text::default();
            let line = if warnings.is_empty() { mark.good("✓ ") } else { mark.warn("! ") }.add(origin);
            let has_example = read.is_ok_and(|playbook| playbook.example.is_some());
            ui.say(&if has_example {
                line
            } else {
                line.dim("   no [example]: its calldata is compared with nothing")
            });
        } else {
            ui.say(&Text::default().bad("✗ ").add(origin));
            for line in found.iter().flat_map(|fault| Text::block(fault)) {
                ui.say(&line);
            }
            faults.push(origin.clone());
        }
        for warning in &warnings {
            ui.say(&Text::default().add("    warning: ").add(warning));
        }
        results.push(json!({ "file": origin, "faults": found, "warnings": warnings }));
    }
    if faults.is_empty() {
        ui.object(&json!({ "playbooks": results }));
        return Ok(Exit::Done);
    }
    Err(Error::new(Exit::Failed, format!("{} of {} playbooks have faults", faults.len(), files.len()))
        .hint(format!("fix {}", faults.join(", "))))
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
    let set = named_once(&args.set)?;
    let safe = desk.only_safe(args.safe.as_deref())?;
    let order = Order::playbook(desk, false, &playbook, &safe.name, set.clone())?;
    let undo = match &order.acts()[0].entry.playbook.undo {
        Undo::None { why } => Err(why.clone()),
        Undo::Playbook { .. } => {
            let by = args.undo_safe.as_deref().unwrap_or(&safe.name);
            Ok(Order::playbook(desk, true, &playbook, by, set)?)
        }
    };
    let link = match &args.fork_url {
        Some(url) => desk::fork(ui, desk.chain_of(safe)?, url)?,
        None => desk.connect(safe)?,
    };
    let reading = format!("reading {} on {}", safe.name, order.chain.name);
    let ask = Ask { safe: safe.address, ..Ask::default() };
    let seen = ui.wait(&reading, || link.snapshot(&ask, BlockTag::Latest))?;
    let mut fork = link.forked(&seen, clock::seconds());
    let tried = || trial::try_lever(&order, undo.as_ref(), &link, &mut fork, &seen.state);
    let report = ui.wait("rehearsing", tried)?;
    ui.data(&format!(
        "{playbook} from block {} of {}, by {}",
        fork.began_at().number,
        order.chain.name,
        safe.name
    ));
    ui.table(&["", ""], &report.rows);
    let mut object = report.parts;
    let given = json!({
        "playbook": playbook, "digest": order.acts()[0].entry.playbook.digest().to_string(), "safe": safe.address.to_string(),
        "chain_id": order.chain.id, "block": fork.began_at().number, "rounds": link.rounds(),
    });
    object.extend(given.as_object().cloned().unwrap_or_default());
    let object = Value::Object(object);
    if let Some((_, error)) = report.wrong {
        return Err(error.having_done(object));
    }
    ui.object(&object);
    Ok(Exit::Done)
}
