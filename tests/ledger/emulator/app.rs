//! The Ethereum app's commands, strictly: what is not well formed is refused with the word that the real app was
//! recorded to give, and noted as a fault of the client.

use alloy::hex;
use alloy::primitives::{B256, eip191_hash_message, keccak256};

use super::keys;
use super::rlp::{has_data, transaction_length, transaction_v};
use super::screens::{self, Screen};
use super::typed::{Flow, Received};

/// A status word.
pub type Word = u16;

pub const OK: Word = 0x9000;
pub const REJECTED: Word = 0x6985;
pub const BAD_DATA: Word = 0x6a80;
pub const NO_CONTEXT: Word = 0x6980;
const UNFINISHED: Word = 0x6a00;
const WRONG_LENGTH: Word = 0x6a87;
const WRONG_P1_P2: Word = 0x6b00;
const FORBIDDEN_PATH: Word = 0x6a12;
const UNKNOWN_INSTRUCTION: Word = 0x6d00;
const UNKNOWN_CLASS: Word = 0x6e00;
const LOCKED: Word = 0x5515;
/// Not recorded, from LedgerHQ/device-sdk-ts: the person said no; the dashboard knows no such app.
const NOT_OPENED: Word = 0x5501;
const UNKNOWN_APP: Word = 0x6807;

/// Which app is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// The Ethereum app with this version: `1.22.0`, or `1.9.18`, which takes only hashes.
    Ethereum([u8; 3]),
    Other(&'static str),
    Dashboard,
}

/// The answer to the dashboard's question if an app may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    Agreed,
    Refused,
    NotInstalled,
    /// Firmware without that command.
    Unknown,
}

/// The question to which the person says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    Warning,
    End,
}

/// The acts of the device and of the person.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // independent switches of a device
pub struct Behaviour {
    pub open: Open,
    pub opening: Opening,
    /// It has the keys of somebody else.
    pub other_seed: bool,
    /// It gives no chain codes.
    pub path_by_path: bool,
    pub blind_signing: bool,
    /// After so many commands somebody turns blind signing on; nobody, where it is 0.
    pub blind_signing_in: usize,
    pub raw_messages: bool,
    /// "Transaction hash": the hashes of typed data are shown at its end.
    pub transaction_hash: bool,
    /// A Stax, Flex or Apex P.
    pub large: bool,
    /// So many commands find it locked.
    pub locked_for: usize,
    /// After so many commands it locks for one; never, where it is 0.
    pub locks_in: usize,
    pub reject: Option<Reject>,
    /// Rejects the review with this number, counted from 0, and no other.
    pub reject_at: Option<(usize, Reject)>,
    /// Signs with a key of another path than the one asked for.
    pub wrong_key: bool,
    /// Bytes before the status word of an error.
    pub garbage: bool,
}

impl Default for Behaviour {
    /// As recommended: "Raw messages" and "Transaction hash" on, "Blind signing" off.
    fn default() -> Self {
        Self {
            open: Open::Ethereum([1, 22, 0]),
            opening: Opening::Unknown,
            other_seed: false,
            path_by_path: false,
            blind_signing: false,
            blind_signing_in: 0,
            raw_messages: true,
            transaction_hash: true,
            large: false,
            locked_for: 0,
            locks_in: 0,
            reject: None,
            reject_at: None,
            wrong_key: false,
            garbage: false,
        }
    }
}

/// An answer, and whether a person had to give it.
pub struct Answer {
    pub data: Vec<u8>,
    pub word: Word,
    pub by_person: bool,
}

/// The text or transaction that the app signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    Fields(Received),
    Hashes(B256),
    Message(B256),
    Transaction(B256),
}

/// The app with its state between commands.
#[derive(Default)]
pub struct App {
    pub behaviour: Behaviour,
    flow: Option<Flow>,
    /// A message or transaction under way: path and bytes so far.
    pending: Option<(u8, Vec<u32>, Vec<u8>)>,
    pub signed: Vec<Signed>,
    /// The pages of each review of a message, as a Nano S Plus shows them; of a transaction none.
    pub shown: Vec<Vec<Screen>>,
    /// Reviews that have ended, signed or rejected.
    reviewed: usize,
}

type Outcome = Result<(Vec<u8>, bool), Word>;

impl App {
    pub fn new(behaviour: Behaviour) -> Self {
        Self { behaviour, ..Self::default() }
    }

    /// Answers one command.
    pub fn handle(&mut self, bytes: &[u8]) -> Answer {
        let (data, word, by_person) = match self.outcome(bytes) {
            Ok((data, by_person)) => (data, OK, by_person),
            Err(REJECTED) => (Vec::new(), REJECTED, true),
            Err(word) => (Vec::new(), word, false),
        };
        let data = if word != OK && self.behaviour.garbage { vec![0xe0, 0x1c, 0x90, 0x00] } else { data };
        Answer { data, word, by_person }
    }

    fn outcome(&mut self, bytes: &[u8]) -> Outcome {
        if self.behaviour.locks_in > 0 {
            self.behaviour.locks_in -= 1;
            self.behaviour.locked_for += usize::from(self.behaviour.locks_in == 0);
        }
        if self.behaviour.locked_for > 0 {
            self.behaviour.locked_for -= 1;
            if let Some(flow) = &mut self.flow {
                flow.lock();
            }
            return Err(LOCKED);
        }
        if self.behaviour.blind_signing_in > 0 {
            self.behaviour.blind_signing_in -= 1;
            self.behaviour.blind_signing |= self.behaviour.blind_signing_in == 0;
        }
        let (header, data) = match bytes {
            [_, _, _, _] => (bytes, &[][..]),
            [_, _, _, _, length, data @ ..] if data.len() == usize::from(*length) => (&bytes[..4], data),
            _ => return Err(WRONG_LENGTH),
        };
        let (class, instruction, p1, p2) = (header[0], header[1], header[2], header[3]);
        match (class, &self.behaviour.open) {
            (0xb0, _) if instruction == 1 => Ok((self.app_info(), false)),
            (0xe0, Open::Ethereum(version)) => {
                let old = *version < [1, 10, 0];
                self.ethereum(old, instruction, (p1, p2), data)
            }
            (0xe0, Open::Dashboard) if instruction == 0xd8 && data == b"Ethereum" => self.open_ethereum(),
            _ => Err(UNKNOWN_CLASS), // also from the dashboard and every other app
        }
    }

    fn open_ethereum(&mut self) -> Outcome {
        match self.behaviour.opening {
            Opening::Agreed => {
                self.behaviour.open = Open::Ethereum([1, 22, 0]);
                Ok((Vec::new(), true))
            }
            Opening::Refused => Err(NOT_OPENED),
            Opening::NotInstalled => Err(UNKNOWN_APP),
            Opening::Unknown => Err(UNKNOWN_CLASS),
        }
    }

    fn app_info(&self) -> Vec<u8> {
        let (name, version) = match &self.behaviour.open {
            Open::Ethereum([a, b, c]) => ("Ethereum", format!("{a}.{b}.{c}")),
            Open::Other(name) => (*name, "2.4.6".into()),
            Open::Dashboard => ("BOLOS", "1.5.1".into()),
        };
        let text = |t: &str| [&[u8::try_from(t.len()).unwrap()], t.as_bytes()].concat();
        [vec![1], text(name), text(&version), vec![1, 0]].concat()
    }

    fn ethereum(&mut self, old: bool, instruction: u8, p: (u8, u8), data: &[u8]) -> Outcome {
        if p.0 != 0x80 {
            self.pending = None;
        }
        match (instruction, p) {
            (0x06, (0, 0)) => Ok((self.configuration(), false)),
            (0x02, (0, 1)) if self.behaviour.path_by_path => Err(WRONG_P1_P2),
            (0x02, (0 | 1, 0 | 1)) => self.address(p, data),
            (0x04 | 0x08, (0 | 0x80, 0)) => self.chunk(instruction, p.0 == 0, data),
            (0x0c, (0, 0)) => self.hashes(old, data),
            (0x0c, (0, 1)) if !old => self.finish_fields(data),
            (0x1a | 0x1c, _) if old => Err(UNKNOWN_INSTRUCTION),
            (0x1a, (0, 0 | 0xff)) => self.define(p.1 == 0, data),
            (0x1c, (0 | 1, 0 | 0xff)) => self.fill(p, data),
            (0x02 | 0x04 | 0x06 | 0x08 | 0x0c | 0x1a | 0x1c, _) => Err(WRONG_P1_P2),
            _ => Err(UNKNOWN_INSTRUCTION),
        }
    }

    fn configuration(&self) -> Vec<u8> {
        let Open::Ethereum([a, b, c]) = self.behaviour.open else { unreachable!() };
        let others = if a == 1 && b < 10 { 0x0e } else { 0x02 };
        vec![others | u8::from(self.behaviour.blind_signing), a, b, c]
    }

    fn address(&mut self, (show, with_chain_code): (u8, u8), data: &[u8]) -> Outcome {
        let show = show == 1;
        let (mut path, rest) = read_path(data)?;
        if let Some(account) = path.get_mut(2).filter(|_| self.behaviour.other_seed) {
            *account += 100; // an account that nobody here uses
        }
        if !matches!(rest.len(), 0 | 8) {
            return Err(BAD_DATA);
        }
        if show {
            self.ask()?;
        }
        let (key, chain_code) = keys::extended(&path);
        let public = key.verifying_key().to_encoded_point(false);
        let address = keys::address(&key).to_string();
        let text = &address.as_bytes()[2..];
        let chain_code = if with_chain_code == 1 { &chain_code[..] } else { &[] };
        Ok(([&[65], public.as_bytes(), &[40], text, chain_code].concat(), show))
    }

    /// A personal message or a transaction, whole once its own length says so.
    fn chunk(&mut self, instruction: u8, first: bool, data: &[u8]) -> Outcome {
        let (path, so_far) = if first {
            let (path, rest) = read_path(data)?;
            (path, rest.to_vec())
        } else {
            let (kind, path, before) = self.pending.take().ok_or(BAD_DATA)?;
            if kind != instruction {
                return Err(BAD_DATA);
            }
            (path, [&before, data].concat())
        };
        let whole = if instruction == 0x08 {
            message_length(&so_far)?
        } else {
            transaction_length(&so_far).ok_or(BAD_DATA)?
        };
        if instruction == 0x04 && !self.behaviour.blind_signing && (so_far.len() < whole || has_data(&so_far))
        {
            return Err(BAD_DATA);
        }
        if so_far.len() < whole {
            self.pending = Some((instruction, path, so_far));
            return Ok((Vec::new(), false));
        }
        if so_far.len() > whole {
            return Err(BAD_DATA);
        }
        if instruction == 0x08 {
            self.shown.push(screens::message(&so_far[4..]));
        }
        self.ask()?;
        let (digest, signed): (B256, fn(B256) -> Signed) = if instruction == 0x08 {
            (eip191_hash_message(&so_far[4..]), Signed::Message)
        } else {
            (keccak256(&so_far), Signed::Transaction)
        };
        self.signed.push(signed(digest));
        let offset = if instruction == 0x08 { 27 } else { transaction_v(&so_far) };
        Ok((self.signature(&path, &digest, offset), true))
    }

    fn hashes(&mut self, old: bool, data: &[u8]) -> Outcome {
        let (path, hashes) = read_path(data)?;
        if hashes.len() != 64 {
            return Err(BAD_DATA);
        }
        if !(old || self.behaviour.blind_signing) {
            self.shown.push(screens::refusal());
            return Err(BAD_DATA);
        }
        if !old {
            self.shown.push(screens::hashes(&self.behaviour, &hashes[..32], &hashes[32..]));
        }
        self.ask()?;
        let digest = keccak256([&[0x19, 0x01], hashes].concat());
        self.signed.push(Signed::Hashes(digest));
        Ok((self.signature(&path, &digest, 27), true))
    }

    fn define(&mut self, is_struct: bool, data: &[u8]) -> Outcome {
        if self.flow.as_ref().is_some_and(Flow::has_values) {
            self.flow = None;
            return Err(UNFINISHED);
        }
        let flow = self.flow.get_or_insert_default();
        let defined = if is_struct { flow.define_struct(data) } else { flow.define_field(data) };
        if defined.is_err() {
            self.flow = None;
        }
        defined.map(|()| (Vec::new(), false))
    }

    fn fill(&mut self, (p1, p2): (u8, u8), data: &[u8]) -> Outcome {
        let unseen = !(self.behaviour.blind_signing || self.behaviour.raw_messages);
        let refused = self.rejects(Reject::Warning) && self.behaviour.raw_messages;
        let flow = self.flow.as_mut().ok_or(NO_CONTEXT)?;
        let filled = match (p1, p2) {
            (0, 0) if unseen && self.behaviour.large => Err(BAD_DATA),
            (0, 0) => flow.enter(data),
            (_, 0) => Err(WRONG_P1_P2),
            _ if unseen => Err(BAD_DATA),
            _ if refused => Err(REJECTED), // the warning comes with the first value
            (more, _) => flow.value(data, more == 1),
        };
        if filled.is_err() {
            self.flow = None;
            if unseen || refused {
                self.shown.push(if unseen { screens::refusal() } else { vec![screens::warning()] });
            }
            self.reviewed += usize::from(filled == Err(REJECTED));
        }
        filled.map(|()| (Vec::new(), false))
    }

    fn finish_fields(&mut self, data: &[u8]) -> Outcome {
        let (path, rest) = read_path(data)?;
        let flow = self.flow.take().ok_or(NO_CONTEXT)?;
        if !rest.is_empty() {
            return Err(BAD_DATA);
        }
        let received = flow.finish()?;
        self.shown.push(flow.screens(&self.behaviour));
        self.ask()?;
        let digest = received.digest();
        self.signed.push(Signed::Fields(received));
        Ok((self.signature(&path, &digest, 27), true))
    }

    /// The end of a review.
    fn ask(&mut self) -> Result<(), Word> {
        let rejects = self.rejects(Reject::Warning) || self.rejects(Reject::End);
        self.reviewed += 1;
        if rejects { Err(REJECTED) } else { Ok(()) }
    }

    /// Returns `true` if the person says no at this place of the review.
    fn rejects(&self, point: Reject) -> bool {
        self.behaviour.reject == Some(point) || self.behaviour.reject_at == Some((self.reviewed, point))
    }

    fn signature(&self, path: &[u32], digest: &B256, offset: u8) -> Vec<u8> {
        let mut path = path.to_vec();
        if self.behaviour.wrong_key {
            *path.last_mut().unwrap() += 1;
        }
        let (rs, parity) = keys::sign(&keys::key(&path), digest);
        [&[offset.wrapping_add(parity)], &rs[..]].concat()
    }
}

fn read_path(data: &[u8]) -> Result<(Vec<u32>, &[u8]), Word> {
    let (&count, rest) = data.split_first().ok_or(BAD_DATA)?;
    if !(1..=10).contains(&count) || rest.len() < usize::from(count) * 4 {
        return Err(BAD_DATA);
    }
    let (levels, rest) = rest.split_at(usize::from(count) * 4);
    let levels: Vec<_> = levels.as_chunks::<4>().0.iter().map(|b| u32::from_be_bytes(*b)).collect();
    if !levels.starts_with(&[0x8000_002c, 0x8000_003c]) {
        return Err(FORBIDDEN_PATH);
    }
    Ok((levels, rest))
}

fn message_length(bytes: &[u8]) -> Result<usize, Word> {
    let (length, _) = bytes.split_first_chunk::<4>().ok_or(BAD_DATA)?;
    Ok(4 + usize::try_from(u32::from_be_bytes(*length)).unwrap())
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:04x}", hex::encode(&self.data), self.word)
    }
}
