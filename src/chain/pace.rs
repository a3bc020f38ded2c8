//! The amount that is asked of an endpoint at once, and what its refusals say about that. Pure: no network, no clock.

use std::ops::Range;

use reqwest::StatusCode;

use super::chain_error::RpcErrorObject;
use super::json_rpc::RawReply;

/// Room in a batch for a header at both ends and one question between them.
const SMALLEST_BATCH: usize = 3;

/// The number of requests in a batch, and of batches under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub batch: usize,
    pub parallel: usize,
}

/// A part of the requests, to be sent in one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub part: Range<usize>,
    /// The number of times that the header is asked for besides: at both ends, once, or never.
    pub headers: usize,
}

impl Pace {
    /// Returns `true` if a header fits at both ends of each batch, so that it shows from which block the answers are.
    pub(super) const fn brackets(self) -> bool {
        self.batch >= SMALLEST_BATCH
    }

    /// Cuts what is left to ask into batches. `with_header`: the header is asked for too. Where it cannot be in each
    /// batch it is asked alone, unless it `has_header` already.
    pub(super) fn cut(self, left: &[Range<usize>], with_header: bool, has_header: bool) -> Vec<Chunk> {
        let around = if with_header && self.brackets() { 2 } else { 0 };
        let size = self.batch.saturating_sub(around).max(1);
        let parts = left.iter().flat_map(|range| {
            range.clone().step_by(size).map(move |start| start..range.end.min(start + size))
        });
        let mut chunks: Vec<Chunk> = parts.map(|part| Chunk { part, headers: around }).collect();
        let alone = if around > 0 { chunks.is_empty() } else { !has_header };
        if with_header && alone {
            chunks.insert(0, Chunk { part: 0..0, headers: 1 });
        }
        chunks
    }

    /// After a rate limit: half as much at once, in half as many batches.
    pub(super) fn halved(self) -> Self {
        Self { batch: (self.batch / 2).max(1), parallel: (self.parallel / 2).max(1) }
    }

    /// After a batch of `sent` requests was refused for its size: the size that the refusal names, or the next of the
    /// usual limits. None if it was a single request.
    pub(super) fn smaller(self, sent: usize, refusal: &RpcErrorObject) -> Option<Self> {
        let next = match sent.min(self.batch) {
            0 | 1 => return None,
            21.. => 20,
            11..=20 => 10,
            4..=10 => SMALLEST_BATCH,
            _ => 1,
        };
        let named = |n: &usize| (SMALLEST_BATCH..sent.min(self.batch)).contains(n);
        let batch = numbers(&refusal.message).filter(named).max().unwrap_or(next);
        // Dozens of single requests at once would be the next thing to be refused.
        let parallel = if batch == 1 { self.parallel.min(MOST_SINGLES) } else { self.parallel };
        Some(Self { batch, parallel })
    }
}

/// Single requests under way at once, where an endpoint takes no batches.
const MOST_SINGLES: usize = 8;

fn numbers(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok())
}

/// Returns `true` if a reply says that too much was asked in too short a time. Providers say it with HTTP status 200
/// as well, each with a code of its own.
pub(super) fn is_rate_limit(reply: &RawReply) -> bool {
    let Err(error) = reply else { return false };
    let text = error.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // A search for too many events is not cured by asking again.
    if says(&["block range", "range limit", "results", "logs", "gas"]) {
        return false;
    }
    match error.code {
        429 | 15 | -32_007 | -32_016 | -32_029 => true,
        -32_000 | -32_005 => says(&["limit exceeded", "limit reached", "rate limit", "too many request"]),
        _ => says(&["too many requests", "rate limit", "rate-limit"]),
    }
}

/// Returns `true` if this refuses a batch for its size, whatever the HTTP status beside it.
pub(super) fn is_size_limit(error: &RpcErrorObject) -> bool {
    error.code == 31 || error.message.to_ascii_lowercase().contains("batch")
}

/// Returns `true` for an HTTP status that may mean that a batch was too large.
pub(super) fn refuses_size(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
    )
}

/// The one error that a server gave to every request of a batch, headers included: it is the batch it refuses.
pub(super) fn refused_alike(replies: &[RawReply]) -> Option<RpcErrorObject> {
    let [Err(first), others @ ..] = replies else { return None };
    let alike = !others.is_empty() && others.iter().all(|reply| reply.as_ref().is_err_and(|e| e == first));
    alike.then(|| first.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i64, message: &str) -> RpcErrorObject {
        RpcErrorObject { code, message: message.into(), data: None }
    }

    #[test]
    fn every_providers_rate_limit_is_known() {
        for (code, message, limited) in [
            (-32_007, "50/second request limit reached", true),
            (-32_016, "over rate limit", true),
            (-32_029, "Too many requests, slow down", true),
            (15, "Too many request, try again later", true),
            (429, "exceeded its compute units per second capacity", true),
            (-32_000, "Too Many Requests", true),
            (-32_005, "daily request count exceeded, request rate limited", true),
            (-32_005, "limit exceeded", true),
            (-32_005, "query returned more than 10000 results", false),
            (-32_005, "query exceeds max block range 1000", false),
            (-32_000, "missing trie node", false),
            (-32_601, "the method does not exist", false),
        ] {
            assert_eq!(is_rate_limit(&Err(error(code, message))), limited, "{message}");
        }
        assert!(!is_rate_limit(&Ok(serde_json::value::RawValue::NULL.to_owned())));
    }

    #[test]
    fn a_refused_size_is_the_one_that_is_named_or_the_next_usual_one() {
        let pace = Pace { batch: 100, parallel: 24 };
        let after = |sent, message: &str| pace.smaller(sent, &error(31, message)).map(|pace| pace.batch);
        let drpc = "Batch of more than 3 requests are not allowed on free tier";
        assert_eq!(after(60, drpc), Some(3));
        assert_eq!(after(60, "batch too large (60), max 25"), Some(25));
        for (sent, next) in [(60, 20), (20, 10), (10, 3), (3, 1), (2, 1)] {
            assert_eq!(after(sent, "batch too large"), Some(next));
        }
        assert_eq!(after(1, "no"), None);
        assert_eq!(pace.smaller(3, &error(0, "")), Some(Pace { batch: 1, parallel: 8 }));
        assert_eq!(pace.halved().halved(), Pace { batch: 25, parallel: 6 });
        assert_eq!(Pace { batch: 1, parallel: 1 }.halved(), Pace { batch: 1, parallel: 1 });
    }

    #[test]
    fn requests_are_cut_with_a_header_around_each_part() {
        let chunk = |part, headers| Chunk { part, headers };
        let part = |range: Range<usize>| vec![range];
        let pace = |batch| Pace { batch, parallel: 1 };
        assert_eq!(pace(4).cut(&part(0..3), true, false), [chunk(0..2, 2), chunk(2..3, 2)]);
        assert_eq!(pace(4).cut(&[0..1, 5..6], true, true), [chunk(0..1, 2), chunk(5..6, 2)]);
        assert_eq!(pace(4).cut(&[], true, false), [chunk(0..0, 1)]);
        assert_eq!(pace(1).cut(&part(0..2), true, false), [chunk(0..0, 1), chunk(0..1, 0), chunk(1..2, 0)]);
        assert_eq!(pace(1).cut(&part(1..2), true, true), [chunk(1..2, 0)]);
        assert_eq!(pace(4).cut(&part(0..1), false, false), [chunk(0..1, 0)]);
    }
}
