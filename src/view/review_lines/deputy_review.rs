//! The review of an act of one key alone: that of a proposal without owners and nonces of a Safe.

use crate::ceremony::deputy::deputy_act::{Act, How};
use crate::ceremony::desk::Desk;
use crate::chain::agreeing;
use crate::ui::{Lines, Text};
use crate::view::review_lines::decision::ReviewAnswer;
use crate::view::review_lines::finding_lines::checks;
use crate::view::review_lines::review::origin;
use crate::view::review_lines::review_block::block;
use crate::view::review_lines::summary::Summary;
use crate::view::review_lines::what_changes;
use crate::view::review_lines::what_it_does::what_it_does;

/// Returns the whole review for a terminal of this many columns: the details, then the block above the question.
pub fn review(desk: &Desk, act: &Act, summary: &Summary, width: usize) -> Lines {
    let mut out = Lines::default();
    out.blank();
    if !matches!(summary.answer, ReviewAnswer::NothingToDo(_)) {
        details(desk, act).iter().for_each(|line| out.say(line));
        out.blank();
    }
    block(summary, width).iter().for_each(|line| out.say(line));
    out
}

/// Returns the details, without the block above the question.
pub fn details(desk: &Desk, act: &Act) -> Lines {
    let mut out = Lines::default();
    let judged = &act.judged;
    let chain = judged.derived.chain;
    let (name, address) = act.deputy;
    out.say(&Text::new("  ").bold(&chain.name).add(&format!(" ({}) · one key alone", chain.id)));
    out.say(&Text::new("  ").bold(name).add(&format!("   {address}")));
    if let How::Module(pause, _) = &act.how {
        let text = format!("by module {} of {} {}", pause.module, act.safe.name, act.safe.address);
        out.say(&Text::new("  ").add(&text));
        out.say(&Text::new("  ").dim(&format!("message nonce {}", pause.nonce)));
    }
    out.say(&Text::new("  ").dim(&format!("by your council file {}", desk.path.display())));
    let (agree, of) = agreeing(&judged.endpoints());
    let at = judged.read_at().unwrap_or_default();
    out.say(&Text::new("  ").dim(&format!("read at {at}, {agree} of {of} RPCs agree")));
    out.blank();
    origin(&mut out, judged);
    what_it_does(&mut out, judged);
    what_changes::show(&mut out, judged);
    checks(&mut out, judged, &judged.findings);
    out
}

/// Returns the block above the question alone.
pub fn block_of(desk: &Desk, act: &Act, accepted: &[String], width: usize) -> Lines {
    block(&Summary::of_deputy(desk, act, accepted), width)
}
