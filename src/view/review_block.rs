//! The last lines before the question: at most 24 with it in a terminal of 80 columns, up to four levers; each further lever
//! takes one line more. No line wraps: what does not fit is cut here, and stands whole above.

use crate::check::Level;
use crate::safe::Purpose;
use crate::ui::{Lines, Text};
use crate::view::acting::{self, Acting};
use crate::view::already_done::{Done, PersonAddress};
use crate::view::summary::{AfterCheck, CallLine, LeverSummary, Refusal, ReviewAnswer, SafeIs, Summary};

/// The lines of a small terminal, without that of the question.
const MOST_LINES: usize = 23;
/// The levers that fit into these lines.
const LEVERS_THAT_FIT: usize = 4;
/// The levers, or the calls of a single one, that are listed.
const MOST_LEVERS: usize = 8;
/// The results of a single lever that are listed.
const MOST_RESULTS: usize = 2;
/// Where the values begin, and where the right part does.
const VALUES: usize = 11;
const RIGHT: usize = 54;
/// The beginning of the command that takes it back.
const UNDO: &str = "breakglass undo ";
/// A long name on the right leaves the title so many columns.
const LEAST_TITLE: usize = 40;
/// Where the calls of several levers begin.
const CALLS: usize = 36;

/// Lines, some of which are left out where there are too many.
#[derive(Default)]
struct ReviewBlock(Vec<(Text, bool)>);

impl ReviewBlock {
    fn line(&mut self, line: Text) {
        self.0.push((line, true));
    }

    /// A line that is left out first.
    fn spare(&mut self, line: Text) {
        self.0.push((line, false));
    }

    fn field(&mut self, label: &str, value: Text) {
        self.line(labelled(label, value));
    }

    fn into_lines(mut self, most: usize, width: usize) -> Lines {
        while self.0.len() > most
            && let Some(at) = self.0.iter().rposition(|(_, needed)| !needed)
        {
            self.0.remove(at);
        }
        self.0.into_iter().map(|(line, _)| line.cut(width)).collect()
    }
}

/// The first word that a signer reads.
fn purpose(line: Text, purpose: Purpose) -> Text {
    match purpose {
        Purpose::Real => line.bad("REAL"),
        Purpose::Drill => line.good("DRILL"),
    }
}

fn labelled(label: &str, value: Text) -> Text {
    Text::new("   ").dim(label).to_column(VALUES).then(value)
}

/// Returns the block for a terminal of this many columns.
#[must_use]
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
    consequences(&mut block, summary, width);
    checks(&mut block, summary);
    if summary.acting.is_safe() {
        on_the_device(&mut block, summary);
        approvals(&mut block, summary);
    } else {
        block.spare(Text::default());
        let hashes = &summary.hashes;
        let hashes = [&*hashes.domain, &*hashes.message, &*hashes.safe_tx];
        for (label, value) in acting::consequences(&summary.acting, hashes) {
            block.field(label, value);
        }
    }
    let further = summary.levers.len().min(MOST_LEVERS + 1).saturating_sub(LEVERS_THAT_FIT);
    block.into_lines(MOST_LINES + further, width)
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

/// The calls of a single lever: one of them with its arguments on a line of its own.
fn calls(block: &mut ReviewBlock, lever: &LeverSummary, width: usize) {
    if let [CallLine { to, call }] = &lever.calls[..] {
        block.field("call", Text::default().bold(&to.name).to_column(11).add(&to.address));
        block.field("", Text::default().bold(&compact(call, width)));
        return;
    }
    for (at, CallLine { to, call }) in lever.calls.iter().take(MOST_LEVERS).enumerate() {
        let label = if at == 0 { "calls" } else { "" };
        let line = labelled(label, Text::default().bold(&to.name)).to_column(22);
        let line = line.dim(&short(&to.address)).to_column(CALLS).bold(call);
        if at < 2 { block.line(line) } else { block.spare(line) }
    }
    more(block, lever.calls.len(), "calls");
}

/// Adds what a transaction does that is approved on chain: its hash alone says nothing.
fn approves(block: &mut ReviewBlock, of: &Summary) {
    let Summary { safe, nonce, nonce_is, act, title, hashes, .. } = of;
    let what = Text::default().bold(&format!("{act} {title}"));
    block.field("approves", what.add(&format!("   of {}, nonce {nonce}, {nonce_is}", safe.name)));
    if let Some(next) = &of.approves {
        approves(block, next);
    } else {
        pulled(block, of);
    }
    block.field("its hash", Text::default().bold(&hashes.safe_tx.trim_start_matches("0x").to_uppercase()));
}

fn pulled(block: &mut ReviewBlock, of: &Summary) {
    for lever in of.levers.iter().take(MOST_LEVERS) {
        for CallLine { to, call } in lever.calls.iter().take(2) {
            let line = labelled("", Text::default().bold(&to.name)).to_column(22);
            block.line(line.dim(&short(&to.address)).to_column(CALLS).bold(call));
        }
        more(block, lever.calls.len().saturating_sub(2) + MOST_LEVERS, "calls");
        if let Some(result) = worth_a_line(&lever.results).first() {
            block.field("", changed(result, None, 0));
        }
    }
    more(block, of.levers.len(), "levers");
    if let Some(why) = &of.no_result {
        block.field("", Text::default().bad(why));
    }
}

fn more(block: &mut ReviewBlock, count: usize, what: &str) {
    if let Some(more) = count.checked_sub(MOST_LEVERS).filter(|more| *more > 0) {
        block.field("", Text::default().warn(&format!("and {more} more {what}: above")));
    }
}

fn results(block: &mut ReviewBlock, summary: &Summary, lever: &LeverSummary, width: usize) {
    if let Some(why) = &summary.no_result {
        block.field("result", Text::default().bad(why));
        return read(block, summary);
    }
    let first = worth_a_line(&lever.results);
    for (at, result) in first.iter().take(MOST_RESULTS).enumerate() {
        block.field(if at == 0 { "result" } else { "" }, changed(result, None, width));
    }
    beside(block, summary, lever.results.len().saturating_sub(first.len().min(MOST_RESULTS)));
    read(block, summary);
}

/// One line for each lever: what it calls, and what comes of it.
fn combined(block: &mut ReviewBlock, summary: &Summary, levers: &[LeverSummary]) {
    for (at, lever) in levers.iter().take(MOST_LEVERS).enumerate() {
        let name = lever.name.as_deref().unwrap_or("-");
        let line = labelled(if at == 0 { "calls" } else { "" }, Text::default().bold(name));
        let Some(first) = lever.calls.first() else { continue };
        let line = line.to_column(22).dim(&short(&first.to.address)).to_column(CALLS).bold(&first.call);
        let line = match lever.calls.len() {
            0 | 1 => line.add("  "),
            several => line.add(&format!(" and {} more  ", several - 1)),
        };
        block.line(match worth_a_line(&lever.results).first() {
            Some(result) if summary.no_result.is_none() => {
                line.then(changed(result, Some(&first.to.name), 0))
            }
            _ => line,
        });
    }
    more(block, levers.len(), "levers");
    match &summary.no_result {
        Some(why) => block.field("result", Text::default().bad(why)),
        None => beside(block, summary, 0),
    }
    read(block, summary);
}

/// Returns the results that are worth a line: those that do not hold, then the values that change, then the others.
fn worth_a_line(results: &[AfterCheck]) -> Vec<&AfterCheck> {
    let changes = |result: &AfterCheck| result.after.is_some() && result.before != result.after;
    let mut told: Vec<&AfterCheck> = results.iter().filter(|result| !result.holds).collect();
    told.extend(results.iter().filter(|result| result.holds && changes(result)));
    if told.is_empty() {
        told.extend(results.first());
    }
    told
}

/// `vault paused()   false → true`; without its contract's name where that stands in the line already.
fn changed(result: &AfterCheck, of: Option<&str>, width: usize) -> Text {
    if !result.holds {
        return Text::default().bad("✗ ").bad(&result.sentence);
    }
    let what =
        of.and_then(|name| result.what.strip_prefix(name)).map_or(result.what.as_str(), str::trim_start);
    let Some(after) = &result.after else { return Text::new(&compact(&result.sentence, width)) };
    let before = result.before.as_deref().map_or_else(String::new, |before| format!("{before} "));
    let whole = [what, "   ", &before, "→ ", after].concat();
    let shown = |text: &str| if fits(&whole, width) { text.to_string() } else { compact(text, 0) };
    let line = Text::new(&shown(what)).add(if of.is_some() { " " } else { "   " });
    line.add(&shown(&before)).dim("→ ").good(&shown(after))
}

/// Adds what changes besides, and the number of checks that are not shown.
fn beside(block: &mut ReviewBlock, summary: &Summary, unshown: usize) {
    let others = match &summary.beside[..] {
        [] => Text::new("nothing else changes"),
        some => Text::default().warn("also changes: ").add(&some.join(", ")),
    };
    let more = if unshown == 0 { String::new() } else { format!("   ({unshown} more checks hold)") };
    let label = if summary.levers.len() > 1 { "result" } else { "" };
    block.field(label, others.dim(&more));
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
            block.field(label, Text::new(&text));
        }
    }
    // A command that is cut would be another one.
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
    for (count, word) in [(checks.warn, "warning"), (checks.already_done, "already done")] {
        let plural = if count > 1 && word == "warning" { "s" } else { "" };
        if count > 0 {
            line = line.add(" · ").warn(&format!("{count} {word}{plural}"));
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
        // Nobody signs against a refusal without its name before their eyes.
        if at == 0 && told.level == Level::Refuse { block.line(line) } else { block.spare(line) }
    }
}

fn on_the_device(block: &mut ReviewBlock, summary: &Summary) {
    block.spare(Text::default());
    let device = &summary.device;
    let value = if device.value == "0" { String::new() } else { format!("value {}, ", device.value) };
    let text =
        format!("to, {value}data {}, operation {}, nonce {},", device.data, device.operation, summary.nonce);
    let others = Text::new("every other number 0, then these hashes, whole:");
    match summary.purpose {
        Purpose::Real => block.field("Ledger", Text::default().bold("read: ").add(&text)),
        // By its chain id alone a device tells it from the real one.
        Purpose::Drill => {
            let chain = format!("chainId {} (DRILL),", summary.signed_chain_id);
            block.field("Ledger", Text::default().bold("read: ").good(&chain));
            block.field("", Text::new(&text));
        }
    }
    block.field("", others);
    let hashes = &summary.hashes;
    for (label, hash) in
        [("domain", &hashes.domain), ("message", &hashes.message), ("safeTx", &hashes.safe_tx)]
    {
        block.field(label, Text::default().bold(&hash.trim_start_matches("0x").to_uppercase()));
    }
}

fn approvals(block: &mut ReviewBlock, summary: &Summary) {
    block.spare(Text::default());
    block.spare(labelled(
        "compare",
        Text::new("these hashes with another signer's machine, by voice or in person"),
    ));
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
        if holder.of == "owner" {
            block.field("owner", by);
        } else {
            block.field("needs", Text::new(&holder.of));
            block.field("held by", by);
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

/// `before:2` of `before:2:88a177ccc8e5ac20`: what `breakglass check` lists whole.
fn without_digest(id: &str) -> &str {
    let is_digest = |last: &str| last.len() == 16 && last.bytes().all(|b| b.is_ascii_hexdigit());
    match id.rsplit_once(':') {
        Some((first, last)) if is_digest(last) => first,
        _ => id,
    }
}

/// Returns `true` if the text has room beside its label.
fn fits(text: &str, width: usize) -> bool {
    VALUES + text.chars().count() <= width
}

/// The text with its addresses and hashes shortened where it has no room else; they stand whole above.
fn compact(text: &str, width: usize) -> String {
    if fits(text, width) {
        return text.into();
    }
    let is_long = |word: &str| word.len() >= 40 && word.starts_with("0x") && word.is_ascii();
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    parts
        .map(|part| {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_long(word) { format!("{}{}", short(word), &part[word.len()..]) } else { part.into() }
        })
        .collect()
}

/// `0x7099…79C8`
fn short(address: &str) -> String {
    match (address.get(..6), address.get(address.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) => format!("{first}…{last}"),
        _ => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: &str = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";

    fn result(what: &str, before: Option<&str>, after: Option<&str>, holds: bool) -> AfterCheck {
        let own = |text: Option<&str>| text.map(str::to_string);
        let (what, sentence) = (what.into(), format!("{what} is as promised"));
        AfterCheck { what, before: own(before), after: own(after), holds, sentence }
    }

    #[test]
    fn an_address_is_shortened_only_where_it_has_no_room() {
        let what = format!("guardian isOwner({WHO})");
        let owner = result(&what, Some("true"), Some("false"), true);
        assert_eq!(changed(&owner, None, 120).plain(), format!("{what}   true → false"));
        assert_eq!(changed(&owner, None, 80).plain(), "guardian isOwner(0x15d3…6A65)   true → false");
        assert_eq!(compact(&format!("f({WHO} (erin), é)"), 40), "f(0x15d3…6A65 (erin), é)");
        assert_eq!(compact(WHO, 80), WHO);
    }

    #[test]
    fn what_does_not_hold_is_told_first_and_what_does_not_change_last() {
        let same = result("vault owner()", Some("a"), Some("a"), true);
        let moved = result("vault paused()", Some("false"), Some("true"), true);
        let wrong = result("vault fee()", Some("0"), Some("0"), false);
        let all = [same.clone(), moved, wrong];
        let names: Vec<&str> = worth_a_line(&all).iter().map(|result| result.what.as_str()).collect();
        assert_eq!(names, ["vault fee()", "vault paused()"]);
        assert_eq!(worth_a_line(&[same]).len(), 1, "something is always told");
    }

    #[test]
    fn too_many_lines_lose_the_spare_ones_from_below() {
        let mut block = ReviewBlock::default();
        for (text, is_spare) in [("1", false), ("2", true), ("3", false), ("4", true)] {
            if is_spare { block.spare(Text::new(text)) } else { block.line(Text::new(text)) }
        }
        let plain = |lines: &Lines| lines.iter().map(Text::plain).collect::<String>();
        assert_eq!(plain(&block.into_lines(3, 80)), "123");
        let mut needed = ReviewBlock::default();
        (0..5).for_each(|_| needed.line(Text::new("n")));
        assert_eq!(plain(&needed.into_lines(3, 80)), "nnnnn", "what is needed is never left out");
    }
}
