//! `status`: who has signed, what is missing, what has drifted.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy::primitives::Address;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use crate::ceremony::depth::Wanted;
use crate::ceremony::find::Purpose;
use crate::ceremony::judged::Judged;
use crate::ceremony::stage::Stage;
use crate::ceremony::{outcome, waiting};
use crate::check::{Finding, Level, Sort};
use crate::clock;
use crate::command::Session;
use crate::command::args::{ARGUMENTS, Derive, Proofs};
use crate::command::complete;
use crate::command::home;
use crate::council::Call;
use crate::error::{Error, Exit};
use crate::incident::{Journal, Utc, awake, began};
use crate::proposal::{NotReady, Shortfall, assemble};
use crate::safe::SafeTree;
use crate::session::each_part::{each, each_offline};
use crate::session::report::report;
use crate::ui::Text;

const EXAMPLES: &str = "\
Examples:
  breakglass status                      all that is open, and every lever
  breakglass status vault
  breakglass status vault --undo";

/// The most people to call that are shown at once.
pub const MOST_CALLS: usize = 10;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers or proposal files; without one, all that is open
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    what: Vec<String>,

    #[command(flatten)]
    derive: Derive,

    #[command(flatten)]
    proofs: Proofs,

    /// Ask nothing of the network
    #[arg(long, conflicts_with = "proofs", help_heading = "Checks")]
    offline: bool,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given = args.derive.given();
    if args.what.is_empty() {
        return home::now(session, args.offline);
    }
    session.note_changes(&session.rests_of(&args.what, &given)?)?;
    if args.offline {
        let kept = session.kept_offline(&args.what, &given)?;
        return each_offline(session, kept, false, |judged| Ok(one_offline(session, args, &judged)));
    }
    let parts = session.look(&args.what, &given, Purpose::Look)?;
    each(session, parts, args.proofs.proofs, false, |judged| one(session, args, &judged))
}

/// The refusals that do not merely come with its execution.
fn refused(judged: &Judged) -> Vec<Finding> {
    let is_shown = |f: &&Finding| f.level == Level::Refuse && !f.problem().comes_with_execution();
    judged.findings.iter().filter(is_shown).cloned().collect()
}

/// By what is kept here alone: whether its nonce is the next, nobody was asked.
fn one_offline(session: &Session, args: &Args, judged: &Judged) -> Exit {
    let (tally, refused) = (judged.tally(), refused(judged));
    show(session, judged, &tally, &refused);
    session.ui.say(
        &Text::default().warn("offline: ").add("by what is kept here; nothing was asked of the network"),
    );
    let stage = Stage::offline(&refused, &tally);
    session.ui.say(&Text::default().bold(&stage.to_string()));
    if let Some(next) = stage.next(&session.words_of(judged.proposal(), &args.what)) {
        session.ui.say(&Text::default().dim("  → ").add(&next));
    }
    session.ui.object(&object(judged, &tally, &refused, stage));
    stage.exit()
}

fn one(session: &Session, args: &Args, judged: &Judged) -> Result<Exit, Error> {
    let (tally, refused) = (judged.tally(), refused(judged));
    let ready = assemble(judged.proposal(), &judged.approvals(), judged.seen()?.fresh()?);
    let used = matches!(&ready, Err(NotReady::NonceUsed { .. }));
    if !used && session.says_done(judged, &[]) {
        return Ok(Exit::Done);
    }
    show(session, judged, &tally, &refused);
    if used {
        judged.enforce_fresh(&[])?;
        return match outcome::of_executed(session, judged)? {
            Some(outcome) => report(session, judged, &outcome, "Executed", Some(&Wanted::default())),
            None if session.says_done_elsewhere(judged) => Ok(Exit::Done),
            None => Err(Error::from(NotReady::NonceUsed {
                proposal: judged.proposal().nonce(),
                safe: judged.state().nonce,
            })),
        };
    }
    outcome::say_if_lost(session, judged)?;
    let lost = session.lost(judged.proposal(), judged.derived.safe, &judged.derived.owners)?;
    for line in &lost {
        session.ui.say(&Text::default().warn("lost: ").add(line));
    }
    let armed = say_armed(session, judged)?;
    let sent = waiting::show(session, judged)?;
    let stage = Stage::of(&refused, ready.as_ref(), !sent.is_empty());
    session.ui.say(&Text::default().bold(&stage.to_string()));
    if let Some(next) = stage.next(&session.words_of(judged.proposal(), &args.what)) {
        session.ui.say(&Text::default().dim("  → ").add(&next));
    }
    let mut object = object(judged, &tally, &refused, stage);
    if stage == Stage::Signing {
        let (awake, late) = waking(session, judged, &tally)?;
        let mut calls = session.council.calls_for(&tally.missing, clock::seconds());
        calls.retain(|call| !awake.contains(&call.person.name));
        say_whom_to_call(session, &awake, late, &calls);
        object["awake"] = json!(awake);
        object["late_by_seconds"] = json!(late.map(|late| late.as_secs()));
        object["call"] = calls.iter().map(call_object).collect();
    }
    object["sent"] = json!(sent);
    object["lost"] = json!(lost);
    object["armed"] = json!(armed);
    session.ui.object(&object);
    Ok(stage.exit())
}

/// Names what else is signed ahead for this nonce: whoever has it can take the place of this transaction. Returns it for
/// a script.
fn say_armed(session: &Session, judged: &Judged) -> Result<Vec<Value>, Error> {
    let (nonce, threshold) = (judged.proposal().nonce(), judged.state().owners.threshold().get());
    let mut armed = Vec::new();
    for (what, by) in session.rivals_ahead(judged.proposal(), &judged.derived.owners)? {
        let signed = judged.state().owners.list().iter().filter(|owner| by.contains(owner));
        let names: Vec<&str> = signed.map(|owner| judged.name(*owner)).collect();
        let how =
            if names.len() >= threshold { ": complete, and can be sent by anyone who has it" } else { "" };
        let text = format!("nonce {nonce} can also be taken by {what}, signed by {}{how}", names.join(", "));
        session.ui.say(&Text::default().warn("armed: ").add(&text));
        armed.push(json!({ "what": what, "signed": names, "is_complete": names.len() >= threshold }));
    }
    Ok(armed)
}

fn show(session: &Session, judged: &Judged, tally: &Shortfall, refused: &[Finding]) {
    let ui = session.ui;
    ui.say(
        &Text::default()
            .bold(&judged.derived.safe.name)
            .add(&format!(" on {} · nonce {} · ", judged.derived.chain.name, judged.proposal().nonce()))
            .bold(&format!("{} of {} signed", tally.approved.len(), tally.threshold)),
    );
    ui.say(&Text::default().dim(&format!("safeTxHash {}", judged.proposal().hash())));
    if let Some(at) = judged.read_at() {
        ui.say(&Text::default().dim(&format!("read at {at}")));
    }
    if let Some(proven) = judged.proven() {
        ui.say(&Text::default().dim(&proven));
    }
    ui.table(&["owner", "name", "signed", "kind"], &rows(judged, tally));
    for former in &tally.former {
        ui.say(&Text::default().warn("set aside: ").add(&format!("{former} is no longer an owner")));
    }
    for finding in refused {
        let mark = if finding.sort == Sort::Drift { "drift: " } else { "refused: " };
        ui.say(&Text::default().bad(mark).add(&finding.sentence));
        ui.say(&Text::default().dim("  → ").add(&finding.fix));
    }
}

/// Returns who says that they are awake, and by how much the first signature is late.
fn waking(
    session: &Session,
    judged: &Judged,
    tally: &Shortfall,
) -> Result<(BTreeSet<String>, Option<Duration>), Error> {
    let journal = Journal::read(&session.incidents.journal().read()?);
    let now = Utc::from_millis(u64::try_from(clock::now().as_millis()).unwrap_or(u64::MAX));
    let began = began(journal.iter(), judged.proposal().hash()).filter(|_| tally.approved.is_empty());
    let due = session.council.response.first_signature;
    let late = began.zip(due).and_then(|(began, due)| now.since(began).checked_sub(due));
    Ok((awake(&journal, now), late))
}

fn say_whom_to_call(session: &Session, awake: &BTreeSet<String>, late: Option<Duration>, calls: &[Call]) {
    let ui = session.ui;
    if !awake.is_empty() {
        let names = awake.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        ui.say(&Text::default().dim("  awake: ").add(&names));
    }
    if let Some(late) = late {
        let minutes = late.as_secs() / 60;
        let text = format!("the first signature was due {minutes} min ago: call now");
        ui.say(&Text::default().bad("  late: ").add(&text));
    }
    for call in calls.iter().take(MOST_CALLS) {
        ui.say(&Text::default().dim("  → call ").add(&call.to_string()));
    }
}

fn call_object(call: &Call) -> Value {
    json!({
        "name": call.person.name, "instead_of": call.instead_of, "away": call.is_away, "reach": call.person.reach,
        "local_time": call.local.map(|local| local.to_string()),
    })
}

fn kind_of(tally: &Shortfall, owner: Address) -> Option<String> {
    tally.approved.iter().find(|a| a.owner() == owner).map(|a| a.kind().to_string())
}

/// A row for each owner and, below a Safe, for each of its own.
fn rows(judged: &Judged, tally: &Shortfall) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    add_rows(&mut rows, judged, (tally, &judged.tree()), 0);
    rows
}

fn add_rows(
    rows: &mut Vec<Vec<String>>,
    judged: &Judged,
    (tally, tree): (&Shortfall, &SafeTree),
    depth: usize,
) {
    for owner in tree.owners.list() {
        let (child, kind) = (tally.child(*owner), kind_of(tally, *owner));
        let below = child.and_then(|child| child.tally.as_ref());
        let signed = match (&kind, below) {
            (Some(_), _) => "yes".into(),
            (None, Some(below)) => format!("{} of {}", below.approved.len(), below.threshold),
            (None, None) => "no".into(),
        };
        let open = child.map_or("", |child| match &child.tally {
            _ if child.says_no => "says no to its signatures",
            None => "a Safe: has to call approveHash",
            Some(_) => "a Safe",
        });
        let name = format!("{}{}", "  ".repeat(depth), judged.name(*owner));
        rows.push(vec![owner.to_string(), name, signed, kind.unwrap_or_else(|| open.into())]);
        if let (Some(below), Some(tree)) = (below, tree.child(*owner)) {
            add_rows(rows, judged, (below, tree), depth + 1);
        }
    }
}

fn owner_objects(judged: &Judged, tally: &Shortfall, tree: &SafeTree) -> Vec<Value> {
    let object = |owner: &Address| {
        let kind = kind_of(tally, *owner);
        let mut object = json!({
            "owner": owner.to_string(), "name": judged.derived.names.name(*owner), "signed": kind.is_some(), "kind": kind,
        });
        if let (Some(child), Some(tree)) = (tally.child(*owner), tree.child(*owner)) {
            object["safe"] = match &child.tally {
                None => json!({ "by": "approveHash" }),
                Some(below) => json!({
                    "by": "signatures",
                    "signed": below.approved.len(),
                    "threshold": below.threshold.get(),
                    "says_no": child.says_no,
                    "owners": owner_objects(judged, below, tree),
                }),
            };
        }
        object
    };
    tree.owners.list().iter().map(object).collect()
}

fn object(judged: &Judged, tally: &Shortfall, refused: &[Finding], stage: Stage) -> Value {
    let owners = owner_objects(judged, tally, &judged.tree());
    json!({
        "safe_tx_hash": judged.proposal().hash().to_string(),
        "nonce": judged.proposal().nonce().to_string(),
        "signed": tally.approved.len(),
        "threshold": tally.threshold.get(),
        "owners": owners,
        "refused": refused.iter().map(|f| json!({ "id": f.id, "sentence": f.sentence })).collect::<Vec<_>>(),
        "status": stage.to_string(),
        "read_at": judged.read_at(),
        "proven": judged.proven(),
    })
}
