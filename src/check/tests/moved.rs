//! Values that have moved since it was signed: it is gone on with only where it still does all that is promised.

use super::*;
use crate::check::own_playbook::CHECKS;
use crate::proposal::FieldDifference;

fn verdict(holds: bool) -> Vec<Verdict> {
    vec![Verdict { holds, sentence: "fee()".into(), expected: "is 30".into(), found: "30".into() }]
}

/// Signed by one, the values moved, and every check holds.
fn signed() -> Case {
    let mut case = Case::new(rehearsal());
    let (file, own) = ("0x02".into(), "0x03".into());
    case.matching = Match::Moved(vec![FieldDifference { field: "data", file, own }]);
    (case.signers, case.before, case.after, case.after_now) =
        (1, verdict(true), verdict(true), verdict(true));
    case
}

fn level(case: &Case) -> Level {
    let found = case.all(|facts| (CHECKS[0].1)(facts));
    found.iter().find(|finding| finding.id.starts_with("values-moved")).unwrap().level
}

#[test]
fn a_signed_proposal_that_still_works_is_continued() {
    assert_eq!(level(&signed()), Level::Warn);
}

#[test]
fn a_proposal_that_breaks_a_promise_or_is_unsigned_is_refused() {
    let changes: [fn(&mut Case); 7] = [
        |case| case.signers = 0,
        |case| case.before = verdict(false),
        |case| case.after = verdict(false),
        |case| case.after = vec![],
        // The playbook's promise by the current values.
        |case| case.after_now = verdict(false),
        |case| case.after_now = vec![],
        |case| case.rehearsal.outcome = RunResult::Reverted,
    ];
    for change in changes {
        let mut case = signed();
        change(&mut case);
        assert_eq!(level(&case), Level::Refuse);
        assert_eq!(level(&Case { is_rehearsed: false, ..case }), Level::Refuse);
    }
}
