//! `doctor`: is everyone and everything ready. `--roll-call` is a file of its own.

use std::path::PathBuf;

use alloy::primitives::Address;
use clap::ValueHint;
use serde_json::{Value, json};

use crate::ceremony::own_settings::settings;
use crate::chain::Standing;
use crate::cli::args::Key;
use crate::clock;
use crate::command::roll_call;
use crate::council::TextDigest;
use crate::error::{Error, Exit};
use crate::incident::Journal;
use crate::readiness::examine::{ChainSeen, examine};
use crate::readiness::levers::{LeverSeen, Tried};
use crate::readiness::{Gap, Level, Told, levers, own_keys, people, roll_call as calls, rpcs, safe_state};
use crate::safe::{SafeState, parse_address};
use crate::session::Session;
use crate::session::keys::{Use, find};
use crate::ui::Text;

const EXAMPLES: &str = "\
Examples:
  breakglass doctor
  breakglass doctor --json                   every week; exit code 8: not ready
  breakglass doctor --roll-call --ledger     prove that you can sign
  pbpaste | breakglass doctor --lines -      take in the proofs of the others";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Sign today's sentence of the roll call, or print it for all to sign
    ///
    /// A sentence that approves nothing: it proves that you can sign, and which council file you have.
    #[arg(long)]
    roll_call: bool,

    /// Take in lines of a roll call; - for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "roll_call")]
    lines: Option<PathBuf>,

    /// Whose balance must pay for gas [default: your settings]
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    payer: Option<Address>,

    /// The name of the person who signs the roll call, if your settings do not say it
    #[arg(long = "as", value_name = "NAME")]
    person: Option<String>,

    #[command(flatten)]
    key: Key,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    if args.roll_call {
        return roll_call::sign(session, &args.key, args.person.as_deref());
    }
    if let Some(path) = &args.lines {
        return roll_call::take_in(session, path);
    }
    let now = clock::seconds();
    let (mut gaps, payer) = own_keys_and_payer(session, args)?;
    let seen = session.ui.wait("trying every lever on forks", || examine(session, payer, now));
    gaps.extend(all(session, &seen, payer, now)?);
    let mut told: Vec<Told> = gaps.iter().map(Gap::tell).collect();
    told.sort_by_key(|told| told.level);
    show(session, &seen, &told);
    let object = json!({
        "ready": told.iter().all(|told| told.level != Level::NotReady),
        "chains": seen.iter().map(chain_object).collect::<Vec<_>>(),
        "gaps": told.iter().map(gap_object).collect::<Vec<_>>(),
        "council_digest": TextDigest::of(&session.text).to_string(),
    });
    let missing = told.iter().filter(|told| told.level == Level::NotReady).count();
    if missing > 0 {
        let things = if missing == 1 { "thing is" } else { "things are" };
        let message = format!("not ready: {missing} {things} to be repaired");
        return Err(Error::new(Exit::NotReady, message).having_done(object));
    }
    session.ui.say(&Text::default().good("ready"));
    session.ui.object(&object);
    Ok(Exit::Done)
}

/// Returns what is wrong with the keys of this machine, and the payer's address if it is known. No key is opened.
fn own_keys_and_payer(session: &Session, args: &Args) -> Result<(Vec<Gap>, Option<Address>), Error> {
    let (mine, mut gaps) = (settings(session.ui)?, Vec::new());
    let mut look = |word: Option<String>, purpose: Use| {
        let named = word?;
        match find(session.ui, &args.key, purpose) {
            Ok(key) => key.stated().map(|address| (named, address)),
            Err(error) => {
                gaps.push(Gap::Key(own_keys::Gap::Unusable { named, why: error.message }));
                None
            }
        }
    };
    let own = look(mine.key, Use::Signing);
    let payer = look(mine.payer, Use::Paying).map(|(_, address)| address);
    gaps.extend(
        own.and_then(|(named, address)| own_keys::owner(&session.council, &named, address)).map(Gap::Key),
    );
    let payer = args.payer.or(payer);
    if payer.is_none() {
        gaps.push(Gap::Key(own_keys::Gap::NoPayer));
    }
    Ok((gaps, payer))
}

/// Returns every gap of what was seen, in the order of worth.
fn all(session: &Session, seen: &[ChainSeen], payer: Option<Address>, now: u64) -> Result<Vec<Gap>, Error> {
    let council = &session.council;
    let mut gaps = Vec::new();
    for chain in seen {
        if let Some(why) = &chain.failed {
            gaps.push(Gap::Rpc(rpcs::Gap::Unread { chain: chain.chain.clone(), why: why.clone() }));
        }
        let found = rpcs::gaps(&chain.chain, &chain.endpoints, chain.age, chain.block_time);
        gaps.extend(found.into_iter().map(Gap::Rpc));
    }
    let states: Vec<(&str, &SafeState)> = (seen.iter().flat_map(|chain| &chain.safes))
        .filter_map(|(safe, state)| Some((safe.as_str(), state.as_ref().ok()?)))
        .collect();
    for (safe, why) in seen.iter().flat_map(|chain| &chain.safes) {
        match (why, council.safes.get(safe)) {
            (Err(why), _) => {
                gaps.push(Gap::Safe(safe_state::Gap::Unread { safe: safe.clone(), why: why.clone() }));
            }
            (Ok(state), Some(pinned)) => {
                gaps.extend(safe_state::gaps(council, pinned, state).into_iter().map(Gap::Safe));
            }
            (Ok(_), None) => {}
        }
    }
    let tried: Vec<LeverSeen> = seen.iter().flat_map(|chain| chain.levers.clone()).collect();
    gaps.extend(levers::gaps(&tried).into_iter().map(Gap::Lever));
    let contracts: Vec<levers::Contract> = seen.iter().flat_map(|chain| chain.contracts.clone()).collect();
    let stopping = levers::stopping(&session.catalogue);
    gaps.extend(levers::uncovered(&contracts, &stopping).into_iter().map(Gap::Lever));
    for chain in seen {
        let costliest = chain.levers.iter().filter_map(LeverSeen::gas).max();
        if let (Some(address), Some(balance)) = (payer, chain.balance) {
            let poor = own_keys::payer(address, &chain.chain, balance, chain.base_fee, costliest);
            gaps.extend(poor.map(Gap::Key));
        }
    }
    if council.people.is_empty() {
        gaps.push(Gap::People(people::Gap::Nobody));
    }
    for (safe, state) in &states {
        gaps.extend(people::gaps(council, safe, state, now).into_iter().map(Gap::People));
    }
    let journal = Journal::read(&session.incidents.journal().read()?);
    let proofs = roll_call::kept(&journal);
    let own = TextDigest::of(&session.text);
    let found = calls::gaps(council, own, &proofs, &states, calls::day(now));
    gaps.extend(found.into_iter().map(Gap::RollCall));
    let version = env!("CARGO_PKG_VERSION");
    if let Some(asked) = council.program.as_ref().filter(|_| !council.accepts_program(version)) {
        gaps.push(Gap::Program { asked: asked.to_string(), is: version.into() });
    }
    Ok(gaps)
}

fn show(session: &Session, seen: &[ChainSeen], told: &[Told]) {
    let ui = session.ui;
    let levers = seen.iter().flat_map(|chain| chain.levers.iter().map(move |lever| (chain, lever)));
    let row = |(chain, lever): (&ChainSeen, &LeverSeen)| {
        vec![lever.lever.clone(), chain.chain.clone(), state(&lever.tried).into(), gas(lever)]
    };
    let rows: Vec<Vec<String>> = levers.map(row).collect();
    if !rows.is_empty() {
        ui.table(&["lever", "chain", "on a fork", "gas"], &rows);
    }
    for told in told {
        let mark = match told.level {
            Level::NotReady => Text::default().bad("✗ "),
            Level::Warning => Text::default().warn("! "),
        };
        ui.say(&mark.bold(told.id).add(&format!("  {}", told.sentence)));
        ui.say(&Text::default().dim("  → ").add(&told.fix));
    }
}

const fn state(tried: &Tried) -> &'static str {
    match tried {
        Tried::Works { .. } => "works",
        Tried::Done => "done already",
        Tried::Wrong { .. } => "see below",
        Tried::Open(_) => "not tried",
        Tried::Bad(_) => "bad",
    }
}

fn gas(lever: &LeverSeen) -> String {
    lever.gas().map(|gas| gas.to_string()).unwrap_or_default()
}

fn gap_object(told: &Told) -> Value {
    let level = if told.level == Level::NotReady { "not_ready" } else { "warning" };
    json!({ "id": told.id, "level": level, "sentence": told.sentence, "fix": told.fix })
}

fn chain_object(chain: &ChainSeen) -> Value {
    let endpoint = |endpoint: &crate::chain::EndpointReport| {
        json!({
            "rpc": endpoint.shown, "agrees": endpoint.standing == Standing::Agrees, "newest": endpoint.newest,
        })
    };
    let lever = |lever: &LeverSeen| {
        json!({
            "lever": lever.lever, "state": state(&lever.tried), "gas": lever.gas(), "ends_in_days": lever.ends_in,
        })
    };
    json!({
        "chain": chain.chain, "block": chain.block, "rounds": chain.rounds,
        "rpcs": chain.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "levers": chain.levers.iter().map(lever).collect::<Vec<_>>(),
    })
}
