//! The lines of the review block about the calls and their results.

use crate::evm::abbreviated;
use crate::ui::Text;
use crate::view::review_lines::review_layout::{ReviewBlock, compact, digits, fits, labelled};
use crate::view::review_lines::shown_lever::{AfterCheck, CallLine, LeverSummary};
use crate::view::review_lines::summary::Summary;

/// The most levers, or calls of a single one, that are listed.
pub(in crate::view) const MOST_LEVERS: usize = 8;
/// The most results of a single lever that are listed.
const MOST_RESULTS: usize = 2;
/// The column where the calls of several levers begin.
const CALLS: usize = 36;

/// Adds the calls of a single lever; if it is one, its arguments have a line of their own.
pub(in crate::view) fn calls(block: &mut ReviewBlock, lever: &LeverSummary, width: usize) {
    if let [CallLine { to, call }] = &lever.calls[..] {
        block.field("call", Text::default().bold(&to.name).to_column(11).add(&to.address));
        block.field("", Text::default().bold(&compact(call, width)));
        return;
    }
    for (at, CallLine { to, call }) in lever.calls.iter().take(MOST_LEVERS).enumerate() {
        let label = if at == 0 { "calls" } else { "" };
        let line = labelled(label, Text::default().bold(&to.name)).to_column(22);
        block.line(line.dim(&abbreviated(&to.address)).to_column(CALLS).bold(call));
    }
    more(block, &lever.calls, MOST_LEVERS, "calls");
}

/// Adds the effects of the transaction that is approved on chain, because its hash alone does not show them.
pub(in crate::view) fn approves(block: &mut ReviewBlock, of: &Summary) {
    let Summary { safe, nonce, nonce_is, act, title, hashes, .. } = of;
    let what = Text::default().bold(&format!("{act} {title}"));
    block.field("approves", what.add(&format!("   of {}, nonce {nonce}, {nonce_is}", safe.name)));
    if let Some(next) = &of.approves {
        approves(block, next);
    } else {
        lever_calls(block, of);
    }
    block.field("its hash", Text::default().bold(&digits(&hashes.safe_tx)));
}

fn lever_calls(block: &mut ReviewBlock, of: &Summary) {
    for lever in of.levers.iter().take(MOST_LEVERS) {
        for CallLine { to, call } in lever.calls.iter().take(2) {
            let line = labelled("", Text::default().bold(&to.name)).to_column(22);
            block.line(line.dim(&abbreviated(&to.address)).to_column(CALLS).bold(call));
        }
        more(block, &lever.calls, 2, "calls");
        if let Some(result) = shown_results(&lever.results).first() {
            block.field("", changed(result, None, 0));
        }
    }
    more(block, &of.levers, MOST_LEVERS, "levers");
    if let Some(why) = &of.no_result {
        block.field("", Text::default().bad(why));
    }
}

/// Adds how many are not listed, if any.
fn more<T>(block: &mut ReviewBlock, all: &[T], listed: usize, what: &str) {
    if let Some(more) = all.len().checked_sub(listed).filter(|more| *more > 0) {
        block.field("", Text::default().warn(&format!("and {more} more {what}: above")));
    }
}

pub(in crate::view) fn results(
    block: &mut ReviewBlock,
    summary: &Summary,
    lever: &LeverSummary,
    width: usize,
) {
    if let Some(why) = &summary.no_result {
        return block.field("result", Text::default().bad(why));
    }
    let first = shown_results(&lever.results);
    for (at, result) in first.iter().take(MOST_RESULTS).enumerate() {
        block.field(if at == 0 { "result" } else { "" }, changed(result, None, width));
    }
    other_changes(block, summary, &unshown(&lever.results, first.len().min(MOST_RESULTS)));
}

/// Returns the number of checks that are not shown, and how many of them do not hold.
fn unshown(results: &[AfterCheck], shown: usize) -> String {
    let failing = results.iter().filter(|result| !result.holds).count().saturating_sub(shown);
    match (results.len().saturating_sub(shown), failing) {
        (0, _) => String::new(),
        (more, 0) => format!("   ({more} more checks hold)"),
        (more, failing) => format!("   ({more} more checks, and {failing} of them do not hold)"),
    }
}

/// Adds one line for each lever: its call and its result.
pub(in crate::view) fn combined(block: &mut ReviewBlock, summary: &Summary, levers: &[LeverSummary]) {
    for (at, lever) in levers.iter().take(MOST_LEVERS).enumerate() {
        let name = lever.name.as_deref().unwrap_or("-");
        let line = labelled(if at == 0 { "calls" } else { "" }, Text::default().bold(name));
        let Some(first) = lever.calls.first() else { continue };
        let line = line.to_column(22).dim(&abbreviated(&first.to.address)).to_column(CALLS).bold(&first.call);
        let line = match lever.calls.len() {
            0 | 1 => line.add("  "),
            several => line.add(&format!(" and {} more  ", several - 1)),
        };
        block.line(match shown_results(&lever.results).first() {
            Some(result) if summary.no_result.is_none() => {
                line.then(changed(result, Some(&first.to.name), 0))
            }
            _ => line,
        });
    }
    more(block, levers, MOST_LEVERS, "levers");
    match &summary.no_result {
        Some(why) => block.field("result", Text::default().bad(why)),
        None => other_changes(block, summary, ""),
    }
}

/// Returns the results to list: those that do not hold, then the values that change, or else the first one.
fn shown_results(results: &[AfterCheck]) -> Vec<&AfterCheck> {
    let changes = |result: &AfterCheck| result.after.is_some() && result.before != result.after;
    let mut told: Vec<&AfterCheck> = results.iter().filter(|result| !result.holds).collect();
    told.extend(results.iter().filter(|result| result.holds && changes(result)));
    if told.is_empty() {
        told.extend(results.first());
    }
    told
}

/// Returns `vault paused() false → true`, without the name of the contract `of` which the line has already.
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

/// Adds the other changes, and the text about the checks that are not shown.
fn other_changes(block: &mut ReviewBlock, summary: &Summary, unshown: &str) {
    let others = match &summary.beside[..] {
        [] => Text::new("nothing else changes"),
        some => Text::default().warn("also changes: ").add(&some.join(", ")),
    };
    let label = if summary.levers.len() > 1 { "result" } else { "" };
    block.field(label, others.dim(unshown));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::review_lines::shown_lever::NamedAddress;

    const WHO: &str = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";

    fn result(what: &str, before: Option<&str>, after: Option<&str>, holds: bool) -> AfterCheck {
        let own = |text: Option<&str>| text.map(str::to_string);
        let (what, sentence) = (what.into(), format!("{what} is as promised"));
        AfterCheck { what, before: own(before), after: own(after), holds, sentence }
    }

    #[test]
    fn an_address_is_shortened_only_if_it_does_not_fit() {
        let what = format!("guardian isOwner({WHO})");
        let owner = result(&what, Some("true"), Some("false"), true);
        assert_eq!(changed(&owner, None, 120).plain(), format!("{what}   true → false"));
        assert_eq!(changed(&owner, None, 80).plain(), "guardian isOwner(0x15d3…6A65)   true → false");
        assert_eq!(compact(&format!("f({WHO} (erin), é)"), 40), "f(0x15d3…6A65 (erin), é)");
        assert_eq!(compact(WHO, 80), WHO);
    }

    #[test]
    fn failed_results_come_first_and_unchanged_ones_last() {
        let same = result("vault owner()", Some("a"), Some("a"), true);
        let moved = result("vault paused()", Some("false"), Some("true"), true);
        let wrong = result("vault fee()", Some("0"), Some("0"), false);
        let all = [same.clone(), moved, wrong];
        let names: Vec<&str> = shown_results(&all).iter().map(|result| result.what.as_str()).collect();
        assert_eq!(names, ["vault fee()", "vault paused()"]);
        assert_eq!(shown_results(&[same]).len(), 1, "at least one result is listed");
    }

    /// In a block that is too long for the screen, the calls that are not listed are counted.
    #[test]
    fn every_call_of_a_lever_is_listed_or_counted() {
        let call = |n: usize| CallLine {
            to: NamedAddress { name: format!("target-{n}"), address: WHO.into() },
            call: "pause()".into(),
        };
        for count in [2, 5, MOST_LEVERS, MOST_LEVERS + 3] {
            let lever = LeverSummary { calls: (0..count).map(call).collect(), ..LeverSummary::default() };
            let mut block = ReviewBlock::default();
            calls(&mut block, &lever, 80);
            let lines: Vec<String> = block.into_lines(1, 80).iter().map(Text::plain).collect();
            let listed =
                (0..count).filter(|n| lines.iter().any(|line| line.contains(&format!("target-{n} "))));
            assert_eq!(listed.count(), count.min(MOST_LEVERS), "{lines:?}");
            assert_eq!(lines.iter().any(|line| line.contains("and 3 more calls")), count > MOST_LEVERS);
        }
    }

    #[test]
    fn a_check_that_does_not_hold_is_never_among_those_that_hold() {
        let all = |holds: &[bool]| -> Vec<AfterCheck> {
            holds.iter().map(|holds| result("vault paused()", None, None, *holds)).collect()
        };
        assert_eq!(unshown(&all(&[true]), 1), "");
        assert_eq!(unshown(&all(&[true, true, true]), 1), "   (2 more checks hold)");
        let told = "   (2 more checks, and 1 of them do not hold)";
        assert_eq!(unshown(&all(&[false, true, false, false]), 2), told);
    }
}
