//! A proposal against what its reader's own files give: the same, moved with the chain, or another.

use crate::ceremony::derivation::Proposed;
use crate::ceremony::derived::Own;
use crate::ceremony::order::Order;
use crate::check::Match;
use crate::error::Error;
use crate::proposal::{BatchSource, Difference, Proposal, differences};

/// The reader's own transaction against the proposal's: from the chain's values, else from those it brings.
pub fn compare<'a>(
    proposal: &Proposal,
    order: Result<Order<'a>, Error>,
    live: Option<Result<Proposed, Error>>,
    batch: BatchSource,
) -> (Match, Option<Own<'a>>) {
    let order = match order {
        Ok(order) => order,
        Err(error) => return (Match::Unbound(error.message), None),
    };
    let mut mismatch = differing_binding(proposal, &order);
    let from_values = order.derive_from(proposal, batch);
    let against = |derived: &Proposed| {
        differences((proposal.safe(), proposal.tx()), (derived.proposal.safe(), derived.proposal.tx()))
    };
    let own = |order, derived: Proposed| Some(Own::new(order, derived.plans));
    match (live, from_values) {
        (Some(Ok(now)), _) if mismatch.is_empty() && against(&now).is_empty() => {
            (Match::Same, own(order, now))
        }
        (live, Ok(then)) => {
            mismatch.extend(against(&then));
            let matching = match live {
                _ if !mismatch.is_empty() => Match::Differs(mismatch),
                None => Match::SameFromItsOwnValues,
                Some(Ok(now)) => {
                    let moved = Match::Moved(against(&now));
                    return (moved, own(order, then).map(|own| own.with_now(Some(&now.plans))));
                }
                Some(Err(error)) => Match::Moved(vec![Difference {
                    field: "the transaction",
                    file: "possible then".into(),
                    own: format!("not possible now ({})", error.message),
                }]),
            };
            (matching, own(order, then))
        }
        (Some(Ok(now)), Err(_)) => {
            mismatch.extend(against(&now));
            (Match::Differs(mismatch), own(order, now))
        }
        (_, Err(_)) if !mismatch.is_empty() => (Match::Differs(mismatch), None),
        (_, Err(error)) => (Match::Unbound(error.message), None),
    }
}

/// Why the reader's own files do not give a proposal from the values that it brings itself; `None` if they do. A batch
/// contract that only the chain can tell is taken from the file: it is held against the chain before anything is signed.
pub fn underived(proposal: &Proposal, order: Result<Order, Error>) -> Option<String> {
    match compare(proposal, order, None, BatchSource::Assumed(proposal.tx().to)).0 {
        Match::Same | Match::SameFromItsOwnValues => None,
        Match::Differs(rows) | Match::Moved(rows) => {
            let row = |d: &Difference| format!("{} is {} and {} by your files", d.field, d.file, d.own);
            let rows = rows.iter().map(row).collect::<Vec<_>>().join("; ");
            Some(format!("it is not what your own playbook gives: {rows}"))
        }
        Match::Unbound(why) => Some(format!("your own files do not give it: {why}")),
    }
}

/// Playbook, its text and Safe must be the reader's own before the transactions are even compared.
fn differing_binding(proposal: &Proposal, order: &Order) -> Vec<Difference> {
    let rows = [
        ("chain id", proposal.safe().chain_id.to_string(), order.chain.id.to_string()),
        ("Safe", proposal.safe().address.to_string(), order.safe.address.to_string()),
    ];
    let mut found: Vec<Difference> = rows
        .into_iter()
        .filter(|(_, file, own)| file != own)
        .map(|(field, file, own)| Difference { field, file, own })
        .collect();
    let is_same = |bound: &_, param: &str, texts: (&str, &str)| order.is_same(bound, param, texts);
    match order.binding() {
        Ok(own) => found.extend(proposal.binding().differences(&own, is_same)),
        Err(error) => {
            found.push(Difference { field: "levers", file: proposal.binding().title(), own: error.message });
        }
    }
    found
}
