//! The claims of a line about the transaction that it signs. Its writer's word, which nobody signed: a claim never counts. It
//! explains a signature that fits nothing here.

use alloy::primitives::{Address, U256, hex};

use super::Proposal;
use super::line::{FIRST_CLAIM, Field, Writer};
use crate::council::{Council, TextDigest};
use crate::playbook::PlaybookDigest;
use crate::safe::{DEEPEST, Nonce};

/// The longest name, and the longest value of an argument, of those that are read.
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 120;
/// The most of one kind that are read: levers, those left out, arguments, playbooks.
const MOST: usize = 16;

const CHAIN: u8 = FIRST_CLAIM;
const SAFE: u8 = FIRST_CLAIM + 1;
const NONCE: u8 = FIRST_CLAIM + 2;
const LEVER: u8 = FIRST_CLAIM + 3;
const UNDO: u8 = FIRST_CLAIM + 4;
const WITHOUT: u8 = FIRST_CLAIM + 5;
const ARGUMENT: u8 = FIRST_CLAIM + 6;
const COUNCIL: u8 = FIRST_CLAIM + 7;
const PLAYBOOK: u8 = FIRST_CLAIM + 8;
const PROGRAM: u8 = FIRST_CLAIM + 9;
/// One Safe of those between the Safe and the signer.
const THROUGH: u8 = FIRST_CLAIM + 11;
/// Not all of it found room.
const CUT: u8 = FIRST_CLAIM + 10;
/// The time at which a signature made ahead was made.
const MADE: u8 = FIRST_CLAIM + 12;
/// One Safe of those by whose own transaction it is approved.
const APPROVE_AS: u8 = FIRST_CLAIM + 13;

/// The first half of the digits of a digest: enough to tell two files of one council apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{}", _0.chunks(2).map(hex::encode).collect::<Vec<_>>().join(" "))]
pub struct ShortDigest([u8; 8]);

impl ShortDigest {
    fn of(word: &[u8; 32]) -> Self {
        let mut short = [0; 8];
        short.copy_from_slice(&word[..8]);
        Self(short)
    }
}

impl From<TextDigest> for ShortDigest {
    fn from(digest: TextDigest) -> Self {
        Self::of(digest.word())
    }
}

impl From<PlaybookDigest> for ShortDigest {
    fn from(digest: PlaybookDigest) -> Self {
        Self::of(digest.word())
    }
}

/// The claims of a line. A name or a value is a stranger's text, cut to a length; whoever prints it makes it visible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Claims {
    pub chain_id: Option<u64>,
    pub safe: Option<Address>,
    /// The Safes from that one down to the signer's, without the first; empty for an owner of its own.
    pub through: Vec<Address>,
    pub nonce: Option<Nonce>,
    /// The levers that were named, or the playbook where none was.
    pub levers: Vec<String>,
    /// The levers that were left out.
    pub without: Vec<String>,
    pub undo: bool,
    /// The Safes by whose own transactions it is approved, in their order; empty for the transaction of the levers itself.
    pub approve_as: Vec<String>,
    /// The arguments that the signer's council file left open.
    pub args: Vec<(String, String)>,
    /// The digest of the signer's council file.
    pub council: Option<ShortDigest>,
    /// The digests of the playbooks, in the order of the calls.
    pub playbooks: Vec<ShortDigest>,
    /// The program's version.
    pub program: Option<String>,
    /// The time at which a signature made ahead was made, in seconds since 1970.
    pub made: Option<u64>,
    /// The line had no room for all of it.
    pub is_cut: bool,
}

impl Claims {
    /// Returns the claims of a line about this proposal, by the council file with this text.
    pub fn of(proposal: &Proposal, council: &Council, text: &str) -> Self {
        let binding = proposal.binding();
        let pull = binding.pull();
        let levers = if pull.names.is_empty() { vec![binding.title()] } else { pull.names.clone() };
        let safe = proposal.safe();
        Self {
            chain_id: Some(safe.chain_id),
            safe: Some(safe.address),
            through: Vec::new(),
            nonce: Some(proposal.nonce()),
            levers,
            without: pull.without.clone(),
            undo: pull.undo,
            approve_as: pull.approve_as.clone(),
            args: binding.open(council).into_iter().map(|open| (open.key, open.value)).collect(),
            council: Some(TextDigest::of(text).into()),
            playbooks: binding.playbooks().into_iter().map(|(_, digest)| digest.into()).collect(),
            program: Some(env!("CARGO_PKG_VERSION").into()),
            made: None,
            is_cut: false,
        }
    }

    /// Adds them to a line, what explains most first: what has no room is left out, and that it was is said.
    pub(super) fn write(&self, writer: &mut Writer) {
        // Kept free for the word that something is missing.
        const ROOM_FOR_CUT: usize = 2;
        let texts = |tag: u8, list: &[String]| -> Vec<Field> {
            list.iter().take(MOST).map(|text| (tag, text.as_bytes().to_vec())).collect()
        };
        let args: Vec<String> = self.args.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let fields = [
            self.chain_id.map(|id| (CHAIN, trimmed(U256::from(id)))).into_iter().collect(),
            self.safe.map(|safe| (SAFE, safe.to_vec())).into_iter().collect(),
            self.through.iter().take(DEEPEST).map(|safe| (THROUGH, safe.to_vec())).collect(),
            self.nonce.map(|nonce| (NONCE, trimmed(nonce.0))).into_iter().collect(),
            self.made.map(|made| (MADE, trimmed(U256::from(made)))).into_iter().collect(),
            self.council.map(|digest| (COUNCIL, digest.0.to_vec())).into_iter().collect(),
            self.undo.then(|| (UNDO, Vec::new())).into_iter().collect(),
            texts(APPROVE_AS, &self.approve_as),
            texts(LEVER, &self.levers),
            texts(WITHOUT, &self.without),
            texts(ARGUMENT, &args),
            self.playbooks.iter().take(MOST).map(|digest| (PLAYBOOK, digest.0.to_vec())).collect(),
            texts(PROGRAM, self.program.as_slice()),
        ];
        let all = fields.concat();
        let lists = [&self.levers, &self.without, &self.approve_as, &args].map(Vec::len);
        let mut is_cut =
            self.is_cut || lists.iter().chain([&self.playbooks.len()]).any(|length| *length > MOST);
        for (tag, value) in &all {
            is_cut |= !writer.add_leaving(ROOM_FOR_CUT, *tag, value);
        }
        if is_cut {
            writer.add(CUT, &[]);
        }
    }

    /// Reads the claims among the fields of a line. One that cannot be read is passed over: nothing rests on it.
    pub(super) fn read(fields: &[Field]) -> Self {
        let values = |tag: u8| fields.iter().filter(move |(t, _)| *t == tag).map(|(_, value)| &value[..]);
        let number = |tag| values(tag).next().and_then(U256::try_from_be_slice);
        let texts = |tag, longest| values(tag).take(MOST).map(|text| cut(text, longest)).collect::<Vec<_>>();
        let digests = |tag| values(tag).take(MOST).filter_map(|v| Some(ShortDigest(v.try_into().ok()?)));
        let args = texts(ARGUMENT, LONGEST_NAME + LONGEST_VALUE).into_iter();
        Self {
            chain_id: number(CHAIN).and_then(|id| id.try_into().ok()),
            safe: values(SAFE).next().and_then(|bytes| Address::try_from(bytes).ok()),
            through: values(THROUGH)
                .take(DEEPEST)
                .filter_map(|bytes| Address::try_from(bytes).ok())
                .collect(),
            nonce: number(NONCE).map(Nonce),
            levers: texts(LEVER, LONGEST_NAME),
            without: texts(WITHOUT, LONGEST_NAME),
            undo: values(UNDO).next().is_some(),
            approve_as: texts(APPROVE_AS, LONGEST_NAME),
            args: args.filter_map(|arg| arg.split_once('=').map(|(n, v)| (n.into(), v.into()))).collect(),
            council: digests(COUNCIL).next(),
            playbooks: digests(PLAYBOOK).collect(),
            program: texts(PROGRAM, LONGEST_NAME).into_iter().next(),
            made: number(MADE).and_then(|made| made.try_into().ok()),
            is_cut: values(CUT).next().is_some(),
        }
    }
}

/// A number without the zero bytes before it.
fn trimmed(number: U256) -> Vec<u8> {
    number.to_be_bytes_trimmed_vec()
}

fn cut(bytes: &[u8], longest: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut chars = text.chars();
    let mut cut: String = chars.by_ref().take(longest).collect();
    if chars.next().is_some() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::line::{LineKind, read};
    use super::*;

    fn read_back(claims: &Claims) -> (usize, Claims) {
        let mut writer = Writer::default();
        writer.add(1, &[7; 32]);
        writer.add(2, &[7; 65]);
        claims.write(&mut writer);
        let line = writer.line(LineKind::Signature);
        let fields = read(LineKind::Signature, line.strip_prefix("bgsig2").unwrap()).unwrap();
        (line.len(), Claims::read(&fields))
    }

    fn claims() -> Claims {
        Claims {
            chain_id: Some(1),
            safe: Some(Address::repeat_byte(5)),
            through: vec![Address::repeat_byte(6)],
            nonce: Some(Nonce::from(42)),
            levers: vec!["freeze".into()],
            without: vec!["bridge".into()],
            undo: true,
            approve_as: Vec::new(),
            args: vec![("fee".into(), "0.4%".into())],
            council: Some(ShortDigest([0x60; 8])),
            playbooks: vec![ShortDigest([1; 8]), ShortDigest([2; 8])],
            program: Some("0.1.0".into()),
            made: None,
            is_cut: false,
        }
    }

    #[test]
    fn they_are_read_as_they_were_written_in_half_of_what_a_chat_shows() {
        let (length, read) = read_back(&claims());
        assert_eq!(read, claims());
        assert!(length < 370, "{length}");
        assert_eq!(read_back(&Claims::default()).1, Claims::default());
        let ahead = Claims { made: Some(1_795_651_200), ..claims() };
        assert_eq!(read_back(&ahead).1, ahead);
        let approval = Claims { approve_as: vec!["middle".into(), "inner".into()], ..claims() };
        assert_eq!(read_back(&approval).1, approval);
        assert_eq!(ShortDigest([0x60; 8]).to_string(), "6060 6060 6060 6060");
    }

    #[test]
    fn claims_that_do_not_fit_are_left_out_and_counted() {
        let long = |n: usize| (format!("name{n}"), "x".repeat(100));
        let (length, read) = read_back(&Claims { args: (0..9).map(long).collect(), ..claims() });
        assert!(length < 600, "{length}");
        assert!(read.is_cut && read.args.len() < 4, "{read:?}");
        assert_eq!(
            (read.nonce, read.levers, read.council),
            (claims().nonce, claims().levers, claims().council)
        );
    }

    #[test]
    fn a_strangers_texts_are_cut_and_what_cannot_be_read_is_passed_over() {
        let fields: Vec<Field> = vec![
            (CHAIN, vec![1; 33]),
            (SAFE, vec![1; 3]),
            (COUNCIL, vec![1; 9]),
            (LEVER, vec![0xff; 500]),
            (ARGUMENT, b"no value".to_vec()),
            (200, b"of a newer version".to_vec()),
        ];
        let read = Claims::read(&fields);
        assert_eq!(read.levers[0].chars().count(), LONGEST_NAME + 1);
        assert_eq!(Claims { levers: Vec::new(), ..read }, Claims::default());
        let many: Vec<Field> = vec![(LEVER, b"a".to_vec()); 60];
        assert_eq!(Claims::read(&many).levers.len(), MOST);
    }

    #[test]
    fn as_many_as_fit_are_not_cut_and_what_was_cut_stays_so() {
        let levers = |count: usize| Claims { levers: vec!["a".into(); count], ..Claims::default() };
        assert_eq!(read_back(&levers(MOST)).1, levers(MOST));
        assert!(read_back(&levers(MOST + 1)).1.is_cut);
        let cut = Claims { is_cut: true, ..claims() };
        assert_eq!(read_back(&cut).1, cut);
    }

    proptest! {
        #[test]
        fn any_claims_fit_and_come_back_or_say_that_they_were_cut(
            nonce in any::<u64>(),
            levers in proptest::collection::vec("[a-z][a-z0-9-]{0,40}", 0..20),
            without in proptest::collection::vec("[a-z][a-z0-9-]{0,40}", 0..20),
            args in proptest::collection::vec(("[a-z.]{1,20}", "[ -~é]{0,80}"), 0..6),
        ) {
            let claims = Claims { nonce: Some(Nonce::from(nonce)), levers, without, args, ..claims() };
            let (length, read) = read_back(&claims);
            prop_assert!(length < 600);
            prop_assert!(read == claims || read.is_cut);
        }
    }
}
