//! Comparison of a proposal with what the reader's own files give: the same, moved with the chain, or another.

use crate::ceremony::derivation::Proposed;
use crate::ceremony::derived::OwnDerivation;
use crate::ceremony::order::Order;
use crate::check::Match;
use crate::error::Error;
use crate::proposal::{BatchSource, FieldDifference, Proposal, differences};

/// Compares the reader's own transaction with the proposal's: from the chain's values, else from those it brings.
pub fn compare<'a>(
    proposal: &Proposal,
    order: Result<Order<'a>, Error>,
    live: Option<Result<Proposed, Error>>,
    batch: BatchSource,
) -> (Match, Option<OwnDerivation<'a>>) {
    let order = match order {
        Ok(order) => order,
        Err(error) => return (Match::Unbound(error.message), None),
    };
    let mismatch = differing_binding(proposal, &order);
    let from_values = order.derive_from_file(proposal, batch);
    let against = |derived: &Proposed| {
        differences((proposal.safe(), proposal.tx()), (derived.proposal.safe(), derived.proposal.tx()))
    };
    let now = live.as_ref().map(|now| now.as_ref().map(against).map_err(|error| error.message.as_str()));
    let then = from_values.as_ref().map(against).map_err(|error| error.message.as_str());
    let (matching, by) = judge(mismatch, now, then);
    let now = live.and_then(Result::ok);
    let own = match by {
        MatchedValues::OfChain => now.map(|now| OwnDerivation::new(order, now.plans)),
        MatchedValues::OfFile => from_values.ok().map(|then| {
            let moved = now.filter(|_| matches!(matching, Match::Moved(_)));
            OwnDerivation::new(order, then.plans).with_now(moved.as_ref().map(|now| &now.plans))
        }),
        MatchedValues::Neither => None,
    };
    (matching, own)
}

/// The reader's own derivation that explains a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MatchedValues {
    /// The one from the chain's values.
    OfChain,
    /// The one from the proposal's own values.
    OfFile,
    Neither,
}

/// Judges a proposal. `mismatch` are the differences of its binding. `now` and `then` are the differences from the
/// reader's own transaction by the chain's values (`None` offline) and by those that the proposal brings, or why there
/// is none.
fn judge(
    mut mismatch: Vec<FieldDifference>,
    now: Option<Result<Vec<FieldDifference>, &str>>,
    then: Result<Vec<FieldDifference>, &str>,
) -> (Match, MatchedValues) {
    match (now, then) {
        (Some(Ok(now)), _) if mismatch.is_empty() && now.is_empty() => (Match::Same, MatchedValues::OfChain),
        (now, Ok(then)) => {
            mismatch.extend(then);
            let matching = match now {
                _ if !mismatch.is_empty() => Match::Differs(mismatch),
                None => Match::SameOffline,
                Some(Ok(now)) => Match::Moved(now),
                Some(Err(why)) => Match::Moved(vec![FieldDifference {
                    field: "the transaction",
                    file: "possible then".into(),
                    own: format!("not possible now ({why})"),
                }]),
            };
            (matching, MatchedValues::OfFile)
        }
        (Some(Ok(now)), Err(_)) => {
            mismatch.extend(now);
            (Match::Differs(mismatch), MatchedValues::OfChain)
        }
        (_, Err(_)) if !mismatch.is_empty() => (Match::Differs(mismatch), MatchedValues::Neither),
        (_, Err(why)) => (Match::Unbound(why.into()), MatchedValues::Neither),
    }
}

/// Returns why the reader's own files do not give a proposal from the values that it brings itself; `None` if they do.
/// A batch contract that only the chain can decide is taken from the file: it is checked against the chain before
/// anything is signed.
pub fn underived(proposal: &Proposal, order: Result<Order, Error>) -> Option<String> {
    reason(compare(proposal, order, None, BatchSource::Assumed(proposal.tx().to)).0)
}

fn reason(matching: Match) -> Option<String> {
    match matching {
        Match::Same | Match::SameOffline => None,
        Match::Differs(rows) | Match::Moved(rows) => {
            let row = |d: &FieldDifference| format!("{} is {} and {} by your files", d.field, d.file, d.own);
            let rows = rows.iter().map(row).collect::<Vec<_>>().join("; ");
            Some(format!("it is not what your own playbook gives: {rows}"))
        }
        Match::Unbound(why) => Some(format!("your own files do not give it: {why}")),
    }
}

/// Returns the differences of chain, Safe, levers and playbooks, which must be the reader's own.
fn differing_binding(proposal: &Proposal, order: &Order) -> Vec<FieldDifference> {
    let rows = [
        ("chain id", proposal.safe().chain_id.to_string(), order.chain.id.to_string()),
        ("Safe", proposal.safe().address.to_string(), order.safe.address.to_string()),
    ];
    let mut found: Vec<FieldDifference> = rows
        .into_iter()
        .filter(|(_, file, own)| file != own)
        .map(|(field, file, own)| FieldDifference { field, file, own })
        .collect();
    let is_same = |bound: &_, param: &str, texts: (&str, &str)| order.is_same(bound, param, texts);
    match order.binding() {
        Ok(own) => found.extend(proposal.binding().differences(&own, is_same)),
        Err(error) => {
            found.push(FieldDifference {
                field: "levers",
                file: proposal.binding().title(),
                own: error.message,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(field: &'static str) -> Vec<FieldDifference> {
        vec![FieldDifference { field, file: "0x66".into(), own: "0x09".into() }]
    }

    fn is_differing(matching: &Match, fields: &[&str]) -> bool {
        matches!(matching, Match::Differs(rows) if rows.iter().map(|row| row.field).eq(fields.iter().copied()))
    }

    /// A proposal that differs from the reader's own files is neither the same nor merely moved.
    #[test]
    fn a_proposal_unlike_the_readers_files_differs_on_any_chain() {
        let same = || Ok(Vec::new());
        for now in [None, Some(same()), Some(Ok(row("data"))), Some(Err("paused"))] {
            let (matching, by) = judge(row("playbook"), now.clone(), same());
            assert!(
                is_differing(&matching, &["playbook"]) && by == MatchedValues::OfFile,
                "{now:?}: {matching:?}"
            );
        }
        for now in [None, Some(Ok(row("data"))), Some(Err("paused"))] {
            let (matching, by) = judge(Vec::new(), now.clone(), Ok(row("to")));
            assert!(is_differing(&matching, &["to"]) && by == MatchedValues::OfFile, "{now:?}: {matching:?}");
        }
        let (matching, by) = judge(row("Safe"), None, Err("a value is missing"));
        assert!(is_differing(&matching, &["Safe"]) && by == MatchedValues::Neither, "{matching:?}");
        let (matching, by) = judge(row("Safe"), Some(Ok(row("to"))), Err("a value is missing"));
        assert!(is_differing(&matching, &["Safe", "to"]) && by == MatchedValues::OfChain, "{matching:?}");
        let (matching, by) = judge(Vec::new(), Some(Ok(row("to"))), Err("a value is missing"));
        assert!(is_differing(&matching, &["to"]) && by == MatchedValues::OfChain, "{matching:?}");
    }

    #[test]
    fn the_chains_values_decide_and_the_files_own_only_explain() {
        let same = || Ok(Vec::new());
        assert_eq!(judge(Vec::new(), Some(same()), Ok(row("data"))), (Match::Same, MatchedValues::OfChain));
        assert_eq!(
            judge(Vec::new(), Some(same()), Err("a value is missing")),
            (Match::Same, MatchedValues::OfChain)
        );
        assert_eq!(judge(Vec::new(), None, same()), (Match::SameOffline, MatchedValues::OfFile));
        assert_eq!(
            judge(Vec::new(), Some(Ok(row("data"))), same()),
            (Match::Moved(row("data")), MatchedValues::OfFile)
        );
        let (matching, by) = judge(Vec::new(), Some(Err("it is paused")), same());
        let Match::Moved(rows) = matching else { panic!("{matching:?}") };
        assert_eq!((rows[0].own.as_str(), by), ("not possible now (it is paused)", MatchedValues::OfFile));
        for now in [None, Some(Err("it is paused"))] {
            let (matching, by) = judge(Vec::new(), now, Err("a value is missing"));
            assert_eq!((matching, by), (Match::Unbound("a value is missing".into()), MatchedValues::Neither));
        }
    }

    #[test]
    fn a_file_is_kept_only_if_the_readers_files_give_it() {
        assert_eq!(reason(Match::Same), None);
        assert_eq!(reason(Match::SameOffline), None);
        let why = "it is not what your own playbook gives: to is 0x66 and 0x09 by your files";
        assert_eq!(reason(Match::Differs(row("to"))).as_deref(), Some(why));
        assert_eq!(reason(Match::Moved(row("to"))).as_deref(), Some(why));
        let why = "your own files do not give it: no lever";
        assert_eq!(reason(Match::Unbound("no lever".into())).as_deref(), Some(why));
    }
}
