//! `council check`: what is wrong with the council file, lever by lever. `council add` is a file of its own.

use std::collections::BTreeSet;

use alloy::primitives::Address;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::ceremony::council_check::{
    LeverReport, add_ignored, add_missing, bad_among, check_alarms, check_levers, contracts,
};
use crate::ceremony::look::side_by_side;
use crate::command::Session;
use crate::command::council_add;
use crate::error::{Error, Exit};
use crate::ui::Text;

const EXAMPLES: &str = "\
Examples:
  breakglass council check
  breakglass council check --offline
  breakglass council add lever vault pause/oz-pausable target=vault";

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true, after_help = EXAMPLES)]
pub enum Args {
    /// Say what is wrong with each lever; exit code 1 if one is bad
    ///
    /// Every lever's playbook, arguments and targets; on the chain, that each target is a contract, and that the levers
    /// of a combined one can be pulled together. Run it whenever the file has changed.
    Check(CheckArgs),
    /// Add an entry to the council file; comments stay
    ///
    /// The whole file is checked before it is written, and nothing that is there is changed.
    #[command(subcommand)]
    Add(council_add::Args),
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Checks", after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Ask no network: the chains are not looked at
    #[arg(long)]
    offline: bool,
}

/// Faults of the file besides those of its levers, and what could not be looked at.
#[derive(Default)]
struct Besides {
    faults: Vec<String>,
    not_checked: Vec<String>,
    /// The gravest of what could not be looked at.
    exit: Option<Exit>,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let CheckArgs { offline } = match args {
        Args::Check(args) => args,
        Args::Add(args) => return council_add::run(session, args),
    };
    let mut levers = check_levers(&session.council, &session.catalogue);
    add_ignored(&mut levers, &session.not_used);
    levers.extend(check_alarms(&session.council, &levers));
    let mut besides = Besides::default();
    if !offline {
        ask_chains(session, &mut levers, &mut besides);
        try_together(session, &mut levers, &mut besides);
    }
    show(session, &levers, &besides);
    let bad: Vec<&str> =
        (levers.iter().filter(|lever| is_bad(&levers, lever))).map(|lever| lever.lever.as_str()).collect();
    let object = object(session, &levers, &besides);
    let path = session.path.display();
    if !bad.is_empty() {
        let message = format!("{} of {} levers are bad: {}", bad.len(), levers.len(), bad.join(", "));
        return Err(Error::new(Exit::Failed, message).hint(format!("fix {path}")).having_done(object));
    }
    if let Some(fault) = besides.faults.first() {
        return Err(Error::new(Exit::Failed, fault).hint(format!("fix {path}")).having_done(object));
    }
    session.ui.object(&object);
    Ok(besides.exit.unwrap_or(Exit::Done))
}

impl Besides {
    fn skip(&mut self, what: &str, error: &Error) {
        self.not_checked.push(format!("{what}: {error}"));
        self.exit = Some(self.exit.unwrap_or(Exit::Done).graver(error.exit));
    }
}

/// Asks each chain whether what is called is a contract. A chain that cannot be asked does not stop the others.
fn ask_chains(session: &Session, levers: &mut [LeverReport], besides: &mut Besides) {
    let asked: Vec<_> = contracts(&session.council, levers).into_iter().collect();
    let ask = |(chain, contracts): &(String, BTreeSet<Address>)| session.without_code(chain, contracts);
    let answers = side_by_side(session.ui, asked.iter().collect(), ask);
    for ((chain, _), answer) in asked.iter().zip(answers) {
        match answer {
            Ok(missing) => besides.faults.extend(add_missing(&session.council, levers, chain, &missing)),
            Err(error) => besides.skip(chain, &error),
        }
    }
}

/// Tries the levers of each combined one together. Levers that are bad or leave something open are not
/// tried.
fn try_together(session: &Session, levers: &mut [LeverReport], besides: &mut Besides) {
    let not_tried = |lever: &str| format!("{lever}: not tried together");
    let mut tried = Vec::new();
    for lever in levers.iter().filter(|lever| lever.pulls.len() > 1 && !is_bad(levers, lever)) {
        let open: Vec<&str> = (levers.iter())
            .filter(|one| lever.pulls.contains(&one.lever) && !one.open.is_empty())
            .map(|one| one.lever.as_str())
            .collect();
        if open.is_empty() {
            tried.push(lever.lever.clone());
        } else {
            let together = not_tried(&lever.lever);
            besides.not_checked.push(format!("{together}: arguments are left open by {}", open.join(", ")));
        }
    }
    let conflicts = side_by_side(session.ui, tried.iter().collect(), |lever| session.conflict_of(lever));
    for (name, conflict) in tried.iter().zip(conflicts) {
        match conflict {
            Ok(conflict) => {
                if let Some(lever) = levers.iter_mut().find(|lever| lever.lever == *name) {
                    lever.faults.extend(conflict);
                }
            }
            // The state of the chain, or the network: not a fault of the file.
            Err(error) => besides.skip(&not_tried(name), &error),
        }
    }
}

/// Bad itself, or by a lever that it pulls.
fn is_bad(levers: &[LeverReport], lever: &LeverReport) -> bool {
    !lever.faults.is_empty() || !bad_among(levers, &lever.pulls).is_empty()
}

fn show(session: &Session, levers: &[LeverReport], besides: &Besides) {
    let ui = session.ui;
    for lever in levers {
        let bad = bad_among(levers, &lever.pulls);
        let mark =
            if is_bad(levers, lever) { Text::default().bad("✗ ") } else { Text::default().good("✓ ") };
        let line = mark.add(&lever.lever);
        ui.say(&match (lever.open.as_slice(), lever.pulls.as_slice()) {
            ([], []) => line,
            (open @ [_, ..], _) => line.dim(&format!("   leaves open: {}", open.join(", "))),
            (_, pulls) if bad.is_empty() => line.dim(&format!("   pulls {}", pulls.join(", "))),
            _ => line.add(&format!("   pulls {}, which cannot be pulled", bad.join(", "))),
        });
        for ignored in &lever.ignored {
            ui.say(&Text::default().add("    warning: ").add(ignored));
        }
        for fault in lever.faults.iter().flat_map(|fault| Text::block(fault)) {
            ui.say(&fault);
        }
    }
    for fault in &besides.faults {
        ui.say(&Text::default().bad("✗ ").add(fault));
    }
    for why in &besides.not_checked {
        ui.say(&Text::default().warn("not checked: ").add(why));
    }
}

fn object(session: &Session, levers: &[LeverReport], besides: &Besides) -> Value {
    let lever = |lever: &LeverReport| {
        json!({
            "lever": lever.lever, "good": !is_bad(levers, lever), "faults": lever.faults, "open": lever.open,
            "pulls": lever.pulls, "ignored": lever.ignored,
        })
    };
    json!({
        "council": session.council.name, "levers": levers.iter().map(lever).collect::<Vec<_>>(),
        "faults": besides.faults, "not_checked": besides.not_checked,
    })
}
