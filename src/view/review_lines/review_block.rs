//! The block of lines above the question: with it at most 24 lines of 80 columns for up to four levers; each further
//! lever takes one line more. No line wraps: a long one is cut here, and is complete in the details.

use crate::ceremony::barred::Entitled;
use crate::check::Level;
use crate::safe::Purpose;
use crate::ui::{Lines, Text};
use crate::view::review_lines::acting::{self, Acting};
use crate::view::review_lines::already_done::{Done, PersonAddress};
use crate::view::review_lines::called_lines::{MOST_LEVERS, approves, calls, combined, results};
use crate::view::review_lines::decision::{Refusal, ReviewAnswer};
use crate::view::review_lines::review_layout::{ReviewBlock, digits, fits, labelled};
use crate::view::review_lines::shown_lever::LeverSummary;
use crate::view::review_lines::shown_on_device::DeviceShows;
use crate::view::review_lines::summary::{SafeIs, Summary};

/// The lines of a small terminal, without the question.
const MOST_LINES: usize = 23;
/// The number of levers, or of calls of a single one, that fit into these lines.
const LEVERS_THAT_FIT: usize = 4;
/// The column in which the right part begins.
const RIGHT: usize = 54;
/// The beginning of the command that undoes it.
const UNDO: &str = "breakglass undo ";
/// The least number of columns for the title beside a long name.
const LEAST_TITLE: usize = 40;

/// Adds the first word that a signer reads.
fn purpose(line: Text, purpose: Purpose) -> Text {
    match purpose {
        Purpose::Real => line.bad("REAL"),
        Purpose::Drill => line.good("DRILL"),
    }
}

/// Returns the block for a terminal of this many columns.
pub fn block(summary: &Summary, width: usize) -> Lines {
    match &summary.answer {
        ReviewAnswer::Decide => decide(summary, width),
        ReviewAnswer::NothingToDo(done) => nothing_to_do(summary, done, width),
        ReviewAnswer::Refused(refusal) => refused(summary, refusal, width),
    }
}

fn decide(summary: &Summary, width: usize) -> Lines {
    let mut block = ReviewBlock::default();
    head(&mut block, summary, width);
    if let [lever] = &summary.levers[..] {
        calls(&mut block, lever, if summary.approves.is_some() { 0 } else { width });
    }
    if let Some(of) = &summary.approves {
        approves(&mut block, of);
    }
    if let Some(batch) = &summary.batch {
        block.field("to", Text::new(batch).dim("  makes several calls one"));
    }
    let Summary { chain, chain_id, nonce, nonce_is, safe_version, .. } = summary;
    let at = match &summary.acting {
        Acting::Safe => format!(" ({chain_id})   nonce {nonce}, {nonce_is}   Safe {safe_version}"),
        Acting::Key { .. } | Acting::Module { .. } => format!(" ({chain_id})"),
    };
    block.field("chain", Text::default().bold(chain).add(&at));
    match &summary.levers[..] {
        [lever] => results(&mut block, summary, lever, width),
        levers => combined(&mut block, summary, levers),
    }
    read(&mut block, summary);
    consequences(&mut block, summary, width);
    checks(&mut block, summary);
    let is_sent = summary.shows == DeviceShows::Nothing;
    if is_sent {
        block.field("safeTx", Text::default().bold(&digits(&summary.hashes.safe_tx)));
        signed(&mut block, summary);
    } else if summary.acting.is_safe() {
        on_the_device(&mut block, summary);
        compare(&mut block);
        signed(&mut block, summary);
    } else {
        block.optional_line(Text::default());
        let hashes = &summary.hashes;
        let hashes = [&*hashes.domain, &*hashes.message, &*hashes.safe_tx];
        for (label, value) in acting::consequences(&summary.acting, hashes) {
            block.field(label, value);
        }
    }
    let listed = match &summary.levers[..] {
        [lever] => lever.calls.len(),
        levers => levers.len(),
    };
    let further = listed.min(MOST_LEVERS + 1).saturating_sub(LEVERS_THAT_FIT);
    block.into_lines((MOST_LINES + further).saturating_sub(summary.lines_below), width)
}

fn head(block: &mut ReviewBlock, summary: &Summary, width: usize) {
    let what = match &summary.playbooks[..] {
        [one] => one.clone(),
        several => format!("{} playbooks", several.len()),
    };
    let severity = summary.severity.as_deref().map(|severity| format!("{severity} · ")).unwrap_or_default();
    let right = format!("{severity}{what}");
    let title = format!("{} ", summary.act);
    let line = purpose(Text::new(" "), summary.purpose).add(" · ").bold(&title).bold(&summary.title);
    let at = RIGHT.min(width.saturating_sub(right.chars().count())).max(LEAST_TITLE);
    block.line(line.cut(at - 2).to_column(at).add(&right));
    let origin = &summary.origin;
    let line = match origin.level {
        Level::Pass | Level::AlreadyDone => Text::new(" ").good("✓ ").add(&origin.sentence),
        Level::Warn => Text::new(" ").warn("! ").warn(&origin.sentence),
        Level::Refuse => Text::new(" ").bad("✗ ").bad(&origin.sentence),
    };
    block.line(match &origin.digests[..] {
        [digest] => line.to_column(RIGHT).dim("digest ").add(digest),
        several => line.to_column(RIGHT).dim(&format!("{} digests, above", several.len())),
    });
    match acting::account(&summary.acting) {
        Some((label, account)) => block.field(label, account),
        None => safe(block, summary),
    }
}

fn safe(block: &mut ReviewBlock, summary: &Summary) {
    block.field("Safe", Text::default().bold(&summary.safe.name).to_column(11).add(&summary.safe.address));
}

fn read(block: &mut ReviewBlock, summary: &Summary) {
    block.field(
        "read",
        match &summary.read {
            Some(read) => Text::default().dim(read),
            None if summary.safe_is == SafeIs::Assumed => {
                Text::default().warn("offline: version, owners, threshold ASSUMED from breakglass.toml")
            }
            None => Text::default().warn("offline: nothing was asked of the network"),
        },
    );
}

fn consequences(block: &mut ReviewBlock, summary: &Summary, width: usize) {
    let each = |of: fn(&LeverSummary) -> &str| {
        let first = summary.levers.first().map(of).unwrap_or_default();
        if summary.levers.iter().all(|lever| of(lever) == first) {
            return first.to_string();
        }
        let named = summary
            .levers
            .iter()
            .map(|lever| format!("{}: {}", lever.name.as_deref().unwrap_or("-"), of(lever)));
        named.collect::<Vec<_>>().join("; ")
    };
    for (label, text) in [("cost", each(|lever| &lever.cost)), ("misses", each(|lever| &lever.does_not_stop))]
    {
        if !text.is_empty() {
            // An act of one key needs the line for its cost of sending.
            block.prose(label, &text, if summary.acting.is_safe() { width } else { usize::MAX });
        }
    }
    // A cut command would be another command.
    let is_cut_command = summary.undo.starts_with(UNDO) && !fits(&summary.undo, width);
    let undo = if is_cut_command {
        format!("{UNDO}and the same {} levers", summary.levers.len())
    } else {
        summary.undo.clone()
    };
    block.field("undo", Text::new(&undo));
}

fn checks(block: &mut ReviewBlock, summary: &Summary) {
    let checks = &summary.checks;
    let mut line = Text::new(&format!("{} pass", checks.pass));
    let warnings = if checks.warn > 1 { "warnings" } else { "warning" };
    for (count, word) in [(checks.warn, warnings), (checks.already_done, "already done")] {
        if count > 0 {
            line = line.add(" · ").warn(&format!("{count} {word}"));
        }
    }
    if checks.refuse > 0 {
        line = line.add(" · ").bad(&format!("{} REFUSED, accepted by you", checks.refuse));
    }
    block.field("checks", line);
    for (at, told) in checks.told.iter().take(2).enumerate() {
        let mark = if told.level == Level::Refuse {
            Text::default().bad("✗ ")
        } else {
            Text::default().warn("! ")
        };
        let line = labelled("", mark.bold(&told.id).add("  ").add(&told.sentence));
        // The first accepted refusal is always listed.
        if at == 0 && told.level == Level::Refuse { block.line(line) } else { block.optional_line(line) }
    }
}

fn on_the_device(block: &mut ReviewBlock, summary: &Summary) {
    block.optional_line(Text::default());
    let device = &summary.device;
    let value = if device.value.is_zero() { String::new() } else { format!("value {}, ", device.value) };
    let text =
        format!("to, {value}data {}, operation {}, nonce {},", device.data, device.operation, summary.nonce);
    let [text, others] = match &summary.shows {
        DeviceShows::Message(message) => message.to_read(),
        DeviceShows::Transaction | DeviceShows::Either(_) | DeviceShows::Nothing => {
            [text, "every other number 0, then these hashes, whole:".into()]
        }
    };
    match summary.purpose {
        Purpose::Real => block.field(summary.read_on, Text::default().bold("read: ").add(&text)),
        // A device shows the difference to a real one only by the chain id.
        Purpose::Drill => {
            let chain = format!("chainId {} (DRILL),", summary.signed_chain_id);
            block.field(summary.read_on, Text::default().bold("read: ").good(&chain));
            block.field("", Text::new(&text));
        }
    }
    block.field("", Text::new(&others));
    let hashes = &summary.hashes;
    for (label, hash) in
        [("domain", &hashes.domain), ("message", &hashes.message), ("safeTx", &hashes.safe_tx)]
    {
        block.field(label, Text::default().bold(&digits(hash)));
    }
    if let DeviceShows::Either(safes) = &summary.shows {
        let text = format!("it shows a message instead to an owner of {}", safes.join(", "));
        block.field("or", Text::new(&text));
    }
}

fn compare(block: &mut ReviewBlock) {
    block.optional_line(Text::default());
    block.optional_line(labelled(
        "compare",
        Text::new("these hashes with another signer's machine, by voice or in person"),
    ));
}

fn signed(block: &mut ReviewBlock, summary: &Summary) {
    let signed = if summary.signed.is_empty() { "nobody yet".into() } else { summary.signed.join(", ") };
    let line = Text::default().bold(&signed).add("   ");
    block.field(
        "signed",
        match summary.threshold.saturating_sub(summary.signed.len()) {
            0 => line.good("enough"),
            needed => {
                let more = if summary.signed.is_empty() { "" } else { " more" };
                line.add(&format!("needs {needed}{more} of {}", summary.missing.join(", ")))
            }
        },
    );
}

fn nothing_to_do(summary: &Summary, done: &Done, width: usize) -> Lines {
    let mut block = ReviewBlock::default();
    let drill = if summary.purpose == Purpose::Drill { "DRILL · " } else { "" };
    block.line(Text::new(" ").good(drill).good("NOTHING TO DO: ").bold(&done.promised));
    done.lines().into_iter().for_each(|(label, value)| block.field(label, value));
    match acting::account(&summary.acting) {
        Some((label, account)) => block.field(label, account),
        None => safe(&mut block, summary),
    }
    read(&mut block, summary);
    block.into_lines(MOST_LINES, width)
}

fn refused(summary: &Summary, refusal: &Refusal, width: usize) -> Lines {
    let mut block = ReviewBlock::default();
    let drill = if summary.purpose == Purpose::Drill { "DRILL · " } else { "" };
    block.line(Text::new(" ").good(drill).bad("REFUSED, do not sign: ").bold(&refusal.sentence));
    if let Some(holder) = &refusal.holder {
        let by = match &holder.held_by {
            Some(PersonAddress { name: Some(name), address }) => {
                Text::default().bold(name).add(&format!(" {address}"))
            }
            Some(PersonAddress { name: None, address }) => {
                Text::new(address).dim("   not in your council file")
            }
            None => Text::new("the contract does not say who holds it"),
        };
        match holder.of {
            Entitled::Owner => block.field("owner", by),
            Entitled::Role(_) => {
                block.field("needs", Text::new(&holder.of.to_string()));
                block.field("held by", by);
            }
        }
    }
    if !refusal.fix.is_empty() {
        block.line(Text::new("   → ").add(&refusal.fix));
    }
    let what = format!("{} {}", summary.act, summary.title);
    let by = match &summary.acting {
        Acting::Safe => format!("   {} nonce {}", summary.safe.name, summary.nonce),
        Acting::Key { deputy, .. } | Acting::Module { deputy, .. } => format!("   {deputy} alone"),
    };
    block.field("what", Text::new(&what).add(&by));
    let ids: Vec<&str> = refusal.ids.iter().map(|id| without_digest(id)).collect();
    block.field("checks", Text::new(&ids.join(", ")));
    block.into_lines(MOST_LINES, width)
}

/// Returns `before:2` of `before:2:88a177ccc8e5ac20`; `breakglass check` lists whole ids.
fn without_digest(id: &str) -> &str {
    let is_digest = |last: &str| last.len() == 16 && last.bytes().all(|b| b.is_ascii_hexdigit());
    match id.rsplit_once(':') {
        Some((first, last)) if is_digest(last) => first,
        _ => id,
    }
}
