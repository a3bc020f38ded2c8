//! The roll call: each owner signs a dated sentence with their own key, as a personal message, which proves that they
//! can sign and which council file they have. Pure.
//!
//! A personal message of more than 32 bytes is never a Safe's signature: those are over a hash of 32 bytes or typed data.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::str::FromStr;

use alloy::primitives::{Address, Signature};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

use super::told::{GapReport, not_ready, warning};
use crate::council::{Council, TextDigest};
use crate::device::LongText;
use crate::proposal::Truncated;
use crate::safe::SafeState;

/// The first word of a line.
const HEAD: &str = "bgroll1";
/// A proof older than this, in days, is a gap.
pub const OLD: i64 = 90;
/// A line older than this, in days, is not imported.
const OLDEST_TAKEN: i64 = 7;
/// The depth to which Safes that own a Safe are followed.
const DEEPEST: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollCallGap {
    /// These never proved it.
    Never { names: Vec<String> },
    /// The last proof is this many days old.
    Old { name: String, days: i64 },
    /// They signed with another council file beside them.
    OtherCouncil { name: String, date: String, theirs: String, own: String },
    /// Not enough owners of a Safe have proven it.
    TooFew { safe: String, proven: usize, threshold: usize },
}

impl RollCallGap {
    pub(super) fn report(&self) -> GapReport {
        const CALL: &str = "breakglass doctor --roll-call";
        match self {
            Self::Never { names } => {
                warning("roll-call", format!("never proved that they can sign: {}", names.join(", ")), CALL)
            }
            Self::Old { name, days } => not_ready(
                "roll-call-old",
                format!("{name} last proved {days} days ago that they can sign"),
                CALL,
            ),
            Self::OtherCouncil { name, date, theirs, own } => not_ready(
                "council-differs",
                format!("{name} had another council file on {date}: digest {theirs}, yours is {own}"),
                format!("compare the files, then: {CALL}"),
            ),
            Self::TooFew { safe, proven, threshold } => not_ready(
                "roll-call-few",
                format!("{safe}: {proven} owners proved that they can sign, and {threshold} must sign"),
                CALL,
            ),
        }
    }
}

/// The sentence that one owner signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
#[display("breakglass roll call {date}: {owner} can sign for council {council}. This approves nothing.")]
pub struct Statement {
    pub date: Date,
    pub owner: Address,
    pub council: TextDigest,
}

/// A sentence with its owner's signature. Only [`Proof::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
#[display("{} 0x{}", statement.head(), alloy::primitives::hex::encode(signature.as_bytes()))]
pub struct Proof {
    statement: Statement,
    signature: Signature,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadProof {
    #[error("{0:?} is not a line of a roll call: it has a date, an address, a digest and a signature")]
    Form(String),
    #[error("the line of {stated} is signed by {signer}, or for another sentence")]
    OtherSigner { stated: Address, signer: Address },
    #[error("the line of {0} has no valid signature")]
    Signature(Address),
    #[error("the line of {owner} is from {date}: sign today's sentence")]
    Old { owner: Address, date: Date },
    #[error("the line of {owner} is from {date}, a day in the future: check the clock there and here")]
    Ahead { owner: Address, date: Date },
    #[error("{0} is not a signer of your council file")]
    Stranger(Address),
}

/// Returns the day of a second since 1970, in UTC.
pub fn day(now: u64) -> Date {
    let at = i64::try_from(now).ok().and_then(|s| Timestamp::from_second(s).ok()).unwrap_or(Timestamp::MAX);
    TimeZone::UTC.to_datetime(at).date()
}

pub(super) fn days(from: Date, to: Date) -> i64 {
    from.until((Unit::Day, to)).map_or(i64::MAX, |span| span.get_days().into())
}

impl Statement {
    /// Returns the sentence to sign. It is readable ASCII and longer than a hash, so never `None`.
    pub fn text(&self) -> Option<LongText> {
        LongText::new(&self.to_string())
    }

    /// Returns the part of a line before the signature.
    pub fn head(&self) -> String {
        let Self { date, owner, council } = self;
        format!("{HEAD} {date} {owner} {council}")
    }
}

impl Proof {
    /// Verifies that the owner whom it names signed the sentence.
    /// Fails if another key signed, or another sentence.
    pub fn verify(statement: Statement, signature: Signature) -> Result<Self, BadProof> {
        let signer = signature.recover_address_from_msg(statement.to_string().as_bytes());
        let signer = signer.map_err(|_| BadProof::Signature(statement.owner))?;
        if signer != statement.owner {
            return Err(BadProof::OtherSigner { stated: statement.owner, signer });
        }
        Ok(Self { statement, signature })
    }

    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Checks that a line which comes in today is of these days, and of a signer. Fails if it is too old, from the
    /// future, or of no signer.
    pub fn check_today(&self, council: &Council, today: Date) -> Result<(), BadProof> {
        let Statement { date, owner, .. } = self.statement;
        if council.signer_at(owner).is_none() {
            return Err(BadProof::Stranger(owner));
        }
        match days(date, today) {
            age if age > OLDEST_TAKEN => Err(BadProof::Old { owner, date }),
            age if age < -1 => Err(BadProof::Ahead { owner, date }),
            _ => Ok(()),
        }
    }
}

impl FromStr for Proof {
    type Err = BadProof;

    fn from_str(line: &str) -> Result<Self, BadProof> {
        let wrong = || BadProof::Form(line.chars().take(60).collect());
        let words: Vec<&str> = line.split_whitespace().take(6).collect();
        let [HEAD, date, owner, council, signature] = words[..] else { return Err(wrong()) };
        let date: Date = date.parse().map_err(|_| wrong())?;
        let owner: Address = owner.parse().map_err(|_| wrong())?;
        let council: TextDigest = council.parse().map_err(|_| wrong())?;
        let signature: Signature = signature.parse().map_err(|_| wrong())?;
        Self::verify(Statement { date, owner, council }, signature)
    }
}

/// Returns all lines of a roll call in a text such as a chat, each once. A line may be broken over several. One with a
/// `fault` is refused like one that cannot be read.
pub fn find_lines(
    text: &str,
    fault: impl Fn(&Proof) -> Option<BadProof>,
) -> (Vec<Proof>, Truncated<BadProof>) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let heads = words.iter().enumerate().filter(|(_, word)| **word == HEAD);
    let (mut seen, mut proofs, mut refused) = (HashSet::new(), Vec::new(), Truncated::default());
    for (at, _) in heads {
        let line = words[at..words.len().min(at + 5)].join(" ");
        if seen.contains(&line) {
            continue;
        }
        match line.parse::<Proof>().and_then(|proof| fault(&proof).map_or(Ok(proof), Err)) {
            Ok(proof) => proofs.push(proof),
            Err(bad) => refused.push(|| bad),
        }
        seen.insert(line);
    }
    (proofs, refused)
}

/// Returns the gaps of the proofs, by the council and its Safes as they are on chain.
pub fn gaps(
    council: &Council,
    own: TextDigest,
    proofs: &[Proof],
    safes: &[(&str, &SafeState)],
    today: Date,
) -> Vec<RollCallGap> {
    let mut newest: BTreeMap<Address, &Statement> = BTreeMap::new();
    // A proof from the future counts for nothing, in any journal.
    let has_come = |proof: &&Proof| days(proof.statement.date, today) >= -1;
    for Proof { statement, .. } in proofs.iter().filter(has_come) {
        let known = newest.entry(statement.owner).or_insert(statement);
        if known.date <= statement.date {
            *known = statement;
        }
    }
    // A Safe that is an owner has no key: its own owners prove that they can sign.
    let is_safe = |owner: &Address| safes.iter().any(|(_, state)| state.id.address == *owner);
    let owners = safes.iter().flat_map(|(_, state)| state.owners.list().iter().copied());
    let owners: BTreeSet<Address> = owners.filter(|owner| !is_safe(owner)).collect();
    let name = |owner: &Address| council.signer_name(*owner);
    let (mut gaps, mut never) = (Vec::new(), Vec::new());
    for owner in &owners {
        let Some(statement) = newest.get(owner) else {
            never.push(name(owner));
            continue;
        };
        let age = days(statement.date, today);
        if age > OLD {
            gaps.push(RollCallGap::Old { name: name(owner), days: age });
        } else if statement.council != own {
            let (theirs, own) = (statement.council.short(), own.short());
            let date = statement.date.to_string();
            gaps.push(RollCallGap::OtherCouncil { name: name(owner), date, theirs, own });
        }
    }
    never.sort();
    if !never.is_empty() {
        gaps.push(RollCallGap::Never { names: never });
    }
    let keys: BTreeSet<Address> = (newest.iter())
        .filter(|(_, statement)| days(statement.date, today) <= OLD)
        .map(|(owner, _)| *owner)
        .collect();
    for (safe, state) in safes.iter().filter(|_| !newest.is_empty()) {
        let proven = proven(state, safes, &keys, DEEPEST);
        let threshold = state.owners.threshold().get();
        if proven < threshold {
            gaps.push(RollCallGap::TooFew { safe: (*safe).into(), proven, threshold });
        }
    }
    gaps
}

/// Returns the number of a Safe's owners that can sign with these keys: an owner that is a Safe can if enough of its
/// owners can.
fn proven(state: &SafeState, safes: &[(&str, &SafeState)], keys: &BTreeSet<Address>, deeper: usize) -> usize {
    let can = |owner: &&Address| {
        let same_chain = |(_, other): &&(&str, &SafeState)| other.id.chain_id == state.id.chain_id;
        let mut on_chain = safes.iter().filter(same_chain);
        match on_chain.find(|(_, other)| other.id.address == **owner) {
            Some((_, child)) => {
                deeper > 0 && proven(child, safes, keys, deeper - 1) >= child.owners.threshold().get()
            }
            None => keys.contains(*owner),
        }
    };
    state.owners.list().iter().filter(can).count()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{U256, eip191_hash_message, keccak256};

    use super::*;
    use crate::council::tests::written::CouncilText;
    use crate::safe::tests::{address, sign};

    fn signed(n: u8, statement: &Statement) -> Signature {
        sign(n, &eip191_hash_message(statement.to_string()))
    }

    fn statement(n: u8, date: &str) -> Statement {
        Statement { date: date.parse().unwrap(), owner: address(n), council: TextDigest::of("file") }
    }

    fn proof(n: u8, date: &str) -> Proof {
        Proof::verify(statement(n, date), signed(n, &statement(n, date))).unwrap()
    }

    #[test]
    fn the_sentence_is_ascii_fits_one_ledger_packet_and_is_not_a_hash() {
        let text = statement(1, "2026-11-26").to_string();
        assert!(statement(1, "2026-11-26").text().is_some());
        assert!(text.is_ascii() && text.len() > 32 && text.len() <= 220, "{} {text}", text.len());
        assert!(text.starts_with("breakglass roll call 2026-11-26: 0x") && text.contains("approves nothing"));
        // A Safe verifies such a signature over a text of 32 bytes.
        let hash = keccak256("a safeTxHash");
        assert_ne!(eip191_hash_message(hash), eip191_hash_message(&text));
    }

    #[test]
    fn a_line_is_found_in_a_chat_and_a_changed_line_is_refused() {
        let good = proof(1, "2026-11-26").to_string();
        let chat = format!("[09:12] alice: {}\nthanks! bgroll1", good.replace(" 0x", "\n0x"));
        let (found, refused) = find_lines(&chat, |_| None);
        assert_eq!(found, [proof(1, "2026-11-26")]);
        assert!(matches!(refused.first(), [BadProof::Form(_)]));
        // Whatever is posted before it, it is found, and once.
        let junk: Vec<String> = (0..2_000).map(|n| format!("bgroll1 {n} a b c")).collect();
        let (found, refused) = find_lines(&format!("{}\n{good}\n{good}\n", junk.join("\n")), |_| None);
        assert_eq!((found, refused.count()), (vec![proof(1, "2026-11-26")], 2_000));
        let stranger = |proof: &Proof| Some(BadProof::Stranger(proof.statement.owner));
        let (found, refused) = find_lines(&good, stranger);
        assert_eq!((found.len(), refused.count()), (0, 1));
        let other = Statement { council: TextDigest::of("other"), ..statement(1, "2026-11-26") };
        for changed in [
            good.replace("2026-11-26", "2026-11-27"),
            good.replace(&address(1).to_string(), &address(2).to_string()),
            good.replace(&statement(1, "2026-11-26").council.to_string(), &other.council.to_string()),
        ] {
            let error = changed.parse::<Proof>().unwrap_err();
            assert!(matches!(error, BadProof::OtherSigner { .. }), "{error}");
        }
        let zero = Signature::new(U256::ZERO, U256::ZERO, false);
        assert!(matches!(Proof::verify(other, zero), Err(BadProof::Signature(_))));
    }

    #[test]
    fn a_line_of_another_day_or_of_a_stranger_is_refused() {
        let council = CouncilText::new().signer("alice", address(1)).signer("bob", address(2)).council();
        let today = "2026-11-26".parse().unwrap();
        assert_eq!(proof(1, "2026-11-26").check_today(&council, today), Ok(()));
        assert_eq!(proof(2, "2026-11-27").check_today(&council, today), Ok(()), "it is later there");
        assert!(matches!(proof(1, "2026-11-18").check_today(&council, today), Err(BadProof::Old { .. })));
        assert!(matches!(proof(1, "2026-11-28").check_today(&council, today), Err(BadProof::Ahead { .. })));
        assert!(matches!(proof(3, "2026-11-26").check_today(&council, today), Err(BadProof::Stranger(_))));
    }

    fn safe(byte: u8, owners: &[Address], threshold: u64) -> SafeState {
        crate::safe::tests::safe(Address::repeat_byte(byte), owners, threshold, 0)
    }

    fn told(proofs: &[Proof], safes: &[(&str, &SafeState)], today: &str) -> Vec<String> {
        let text = CouncilText::new().signer("alice", address(1)).signer("bob", address(2));
        let council = text.signer("carol", address(3)).council();
        let gaps = gaps(&council, TextDigest::of("file"), proofs, safes, today.parse().unwrap());
        gaps.iter().map(|gap| gap.report().sentence).collect()
    }

    #[test]
    fn a_proof_older_than_90_days_does_not_count_and_is_a_gap() {
        let guardian = safe(9, &[address(1), address(2)], 2);
        let safes = [("guardian", &guardian)];
        let proofs = [proof(1, "2026-08-28"), proof(2, "2026-11-20")];
        assert_eq!(told(&proofs, &safes, "2026-11-26"), [""; 0], "90 days");
        let old = told(&proofs, &safes, "2026-11-27");
        assert_eq!(
            old,
            [
                "alice last proved 91 days ago that they can sign",
                "guardian: 1 owners proved that they can sign, and 2 must sign"
            ]
        );
        let ahead = [&proofs[..], &[proof(1, "2036-11-27")]].concat();
        assert_eq!(told(&ahead, &safes, "2026-11-27"), old, "signed for a day that is not yet");
        let again = [&proofs[..], &[proof(1, "2026-11-27")]].concat();
        assert_eq!(told(&again, &safes, "2026-11-27"), [""; 0], "the newest proof counts");
    }

    #[test]
    fn the_owners_of_an_owner_safe_prove_for_it() {
        let (alice, bob, carol) = (address(1), address(2), address(3));
        let foundation = safe(8, &[bob, carol], 2);
        let guardian = safe(9, &[alice, foundation.id.address], 2);
        let safes = [("foundation", &foundation), ("guardian", &guardian)];
        let proofs = [1, 2, 3].map(|n| proof(n, "2026-11-26"));
        assert_eq!(told(&proofs, &safes, "2026-11-26"), [""; 0]);
        let short = told(&proofs[..2], &safes, "2026-11-26");
        assert_eq!(
            short,
            [
                "never proved that they can sign: carol",
                "foundation: 1 owners proved that they can sign, and 2 must sign",
                "guardian: 1 owners proved that they can sign, and 2 must sign"
            ]
        );
    }

    #[test]
    fn days_are_counted_over_months() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(days(date("2026-08-28"), date("2026-11-26")), 90);
        assert_eq!(days(date("2026-11-27"), date("2026-11-26")), -1);
        assert_eq!(day(1_795_680_000).to_string(), "2026-11-26");
    }
}
