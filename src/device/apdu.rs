//! Messages to and from the Ethereum app: bytes only. Pure.
//!
//! Source of every command and word: the app's own documentation, and the exchanges recorded with the real app in
//! `tests/vectors`.

use std::fmt;

use alloy::primitives::{Address, Signature, U256};

use super::extended::ExtendedKey;
use super::path::DerivationPath;
use crate::safe::Hashes;

pub(super) const MOST_DATA: usize = 255;

/// One command. The data never exceeds 255 bytes: every constructor either fits or splits.
#[derive(Clone, PartialEq, Eq)]
pub struct Apdu {
    class: u8,
    instruction: u8,
    p1: u8,
    p2: u8,
    data: Vec<u8>,
}

impl Apdu {
    fn ethereum(instruction: u8, p1: u8, p2: u8, data: Vec<u8>) -> Self {
        Self { class: 0xe0, instruction, p1, p2, data }
    }

    /// Which app is open; answered by every app and by the dashboard.
    pub(super) fn app_info() -> Self {
        Self { class: 0xb0, instruction: 0x01, p1: 0, p2: 0, data: Vec::new() }
    }

    pub(super) fn configuration() -> Self {
        Self::ethereum(0x06, 0, 0, Vec::new())
    }

    pub(super) fn address(path: &DerivationPath, show: bool) -> Self {
        Self::ethereum(0x02, u8::from(show), 0, path.encode())
    }

    /// The public key at a path with its chain code, not shown on the device.
    pub(super) fn extended_key(path: &DerivationPath) -> Self {
        Self::ethereum(0x02, 0, 1, path.encode())
    }

    /// Opens the Ethereum app from the dashboard; on newer firmware its person is asked first.
    ///
    /// Source: LedgerHQ/device-sdk-ts, `OpenAppCommand`.
    pub(super) fn open_app() -> Self {
        Self::ethereum(0xd8, 0, 0, b"Ethereum".into())
    }

    /// The two hashes alone: the device shows nothing else.
    pub(super) fn sign_hashes(path: &DerivationPath, hashes: &Hashes) -> Self {
        let data = [&path.encode()[..], hashes.domain.word().as_slice(), hashes.message.word().as_slice()];
        Self::ethereum(0x0c, 0, 0, data.concat())
    }

    /// Ends a full EIP-712 flow with its signature, or clears one that was left unfinished.
    pub(super) fn sign_fields(path: &DerivationPath) -> Self {
        Self::ethereum(0x0c, 0, 1, path.encode())
    }

    pub(super) fn define_struct(name: &str) -> Self {
        Self::ethereum(0x1a, 0, 0x00, name.into())
    }

    pub(super) fn define_field(definition: Vec<u8>) -> Self {
        Self::ethereum(0x1a, 0, 0xff, definition)
    }

    pub(super) fn defines_struct(&self) -> bool {
        self.instruction == 0x1a
    }

    pub(super) fn enter_struct(name: &str) -> Self {
        Self::ethereum(0x1c, 0, 0x00, name.into())
    }

    /// A field's value with its length before it, in as many commands as it takes: P1 says whether more follow.
    /// `None` for a value that the two length bytes cannot tell.
    pub(super) fn field_value(value: &[u8]) -> Option<Vec<Self>> {
        let length = u16::try_from(value.len()).ok()?;
        let whole = [&length.to_be_bytes(), value].concat();
        let last = whole.len().div_ceil(MOST_DATA) - 1; // two bytes at least
        let commands = whole.chunks(MOST_DATA).enumerate();
        Some(commands.map(|(i, part)| Self::ethereum(0x1c, u8::from(i < last), 0xff, part.into())).collect())
    }

    /// A personal message with its length before it, in as many commands as it takes.
    pub(super) fn personal_message(path: &DerivationPath, message: &[u8]) -> Vec<Self> {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        let whole = [&path.encode()[..], &length, message].concat();
        let more = |i: usize| if i == 0 { 0x00 } else { 0x80 };
        let commands = whole.chunks(MOST_DATA).enumerate();
        commands.map(|(i, part)| Self::ethereum(0x08, more(i), 0, part.into())).collect()
    }

    /// A transaction without its signature, in as many commands as it takes.
    pub(super) fn transaction(path: &DerivationPath, payload: &[u8]) -> Vec<Self> {
        let whole = [&path.encode()[..], payload].concat();
        let more = |i: usize| if i == 0 { 0x00 } else { 0x80 };
        let commands = whole.chunks(MOST_DATA).enumerate();
        commands.map(|(i, part)| Self::ethereum(0x04, more(i), 0, part.into())).collect()
    }

    /// The bytes on the wire: header, then length and data. No Le: the app refuses it beside data.
    pub fn encode(&self) -> Vec<u8> {
        let length = u8::try_from(self.data.len()).unwrap_or(u8::MAX); // 255 at most
        [&[self.class, self.instruction, self.p1, self.p2, length], &self.data[..]].concat()
    }

    pub(super) fn header(&self) -> [u8; 4] {
        [self.class, self.instruction, self.p1, self.p2]
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }
}

impl fmt::Debug for Apdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&alloy::hex::encode(self.encode()))
    }
}

/// The two bytes at the end of every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusWord(pub u16);

impl StatusWord {
    pub const OK: Self = Self(0x9000);
}

pub(super) const REJECTED: StatusWord = StatusWord(0x6985);
/// Malformed data, or a setting that forbids it.
pub(super) const BAD_DATA: StatusWord = StatusWord(0x6a80);
/// A definition while an earlier flow was left unfinished; the same command again succeeds.
pub(super) const UNFINISHED: StatusWord = StatusWord(0x6a00);
pub(super) const UNKNOWN_INSTRUCTION: StatusWord = StatusWord(0x6d00);
pub(super) const UNKNOWN_CLASS: StatusWord = StatusWord(0x6e00);
/// The dashboard knows no app of that name. Source: LedgerHQ/device-sdk-ts, `OpenAppCommand`.
pub(super) const UNKNOWN_APP: StatusWord = StatusWord(0x6807);

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04x}", self.0)
    }
}

/// An answer. Some errors carry garbage before the status word: data means something only beside 0x9000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub data: Vec<u8>,
    pub status: StatusWord,
}

impl Reply {
    /// `None` for an answer too short to hold a status word.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (data, status) = bytes.split_last_chunk::<2>()?;
        Some(Self { data: data.into(), status: StatusWord(u16::from_be_bytes(*status)) })
    }
}

/// An app's version. Ordered, so that features can be asked for by comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppVersion(pub u16, pub u16, pub u16);

impl fmt::Display for AppVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The name that the dashboard gives, where no app is open.
pub(super) const DASHBOARD: &str = "BOLOS";
/// Its length and name on a Nano X with firmware 1.2.4. Source: LedgerHQ/ledger-live, `dashboardAppNames`.
const OTHER_DASHBOARD: &[u8] = b"\x05OLOS\0";

/// Which app is open. The texts are what the device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppInfo {
    pub name: String,
    pub version: String,
}

impl AppInfo {
    /// `01, len + name, len + version, …`; `None` for bytes of another form, which is how a stale answer is known.
    pub fn read(data: &[u8]) -> Option<Self> {
        let (&1, rest) = data.split_first()? else { return None };
        let (name, rest) = match rest.strip_prefix(OTHER_DASHBOARD) {
            Some(rest) => (DASHBOARD.into(), rest),
            None => text(rest)?,
        };
        let (version, _) = text(rest)?;
        Some(Self { name, version })
    }

    /// `1.22.0`, also with a suffix such as `-dev`.
    pub fn parsed_version(&self) -> Option<AppVersion> {
        let mut parts = self.version.split(['-', '+']).next()?.split('.').map(|part| part.parse().ok());
        let version = AppVersion(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }
}

/// A length byte and that many printable ASCII characters.
fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(length.into())?;
    let text = std::str::from_utf8(text).ok().filter(|t| t.bytes().all(|b| (b' '..=b'~').contains(&b)))?;
    Some((text.into(), rest))
}

/// The settings that the app tells. "Raw messages", "Transaction hash", "Nonce" and "Debug contracts" cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub blind_signing: bool,
    pub transaction_check: bool,
}

impl Configuration {
    /// Flags, then three bytes of version. `None` for bytes of another form.
    pub fn read(data: &[u8]) -> Option<Self> {
        let [flags, _, _, _] = data else { return None };
        Some(Self { blind_signing: flags & 0x01 != 0, transaction_check: flags & 0x10 != 0 })
    }
}

/// `len + public key, len + address`. The address is computed from the key and compared with the text.
pub fn read_address(data: &[u8]) -> Option<Address> {
    read_key(data).map(|(address, ..)| address)
}

/// Reads a public key and 32 bytes of chain code.
pub(super) fn read_extended_key(data: &[u8]) -> Option<ExtendedKey> {
    let (_, point, chain_code) = read_key(data)?;
    ExtendedKey::new(point, chain_code.try_into().ok()?)
}

/// The address, the 65 bytes of its point, and the bytes that follow.
fn read_key(data: &[u8]) -> Option<(Address, &[u8], &[u8])> {
    let (&65, rest) = data.split_first()? else { return None };
    let (key, rest) = rest.split_at_checked(65)?;
    let (text, rest) = text(rest)?;
    let (&4, point) = key.split_first()? else { return None };
    let address = Address::from_raw_public_key(point);
    (text.parse::<Address>().ok()? == address).then_some((address, key, rest))
}

/// `v, r, s`: 65 bytes exactly.
fn read_vrs(data: &[u8]) -> Option<(u8, &[u8])> {
    let (&v, rs) = data.split_first()?;
    (rs.len() == 64).then_some((v, rs))
}

/// A signature of a message, as r ‖ s ‖ v with v 27 or 28.
pub fn read_message_signature(data: &[u8]) -> Option<[u8; 65]> {
    let (v @ (27 | 28), rs) = read_vrs(data)? else { return None };
    [rs, &[v]].concat().try_into().ok()
}

/// A signature of an EIP-1559 transaction; v is the parity.
pub fn read_transaction_signature(data: &[u8]) -> Option<Signature> {
    let (v @ (0 | 1), rs) = read_vrs(data)? else { return None };
    Some(Signature::new(U256::from_be_slice(&rs[..32]), U256::from_be_slice(&rs[32..]), v == 1))
}

#[cfg(test)]
mod tests {
    use alloy::hex;
    use alloy::primitives::address;
    use proptest::prelude::*;

    use super::*;

    /// Recorded: Ethereum 1.22.0 on a Nano S+, Bitcoin Testnet 2.4.6.
    #[test]
    fn reads_the_recorded_app_names() {
        let read = |hex: &str| AppInfo::read(&hex::decode(hex).unwrap()).unwrap();
        let ethereum = read("0108457468657265756d06312e32322e300100");
        assert_eq!(
            (ethereum.name.as_str(), ethereum.parsed_version()),
            ("Ethereum", Some(AppVersion(1, 22, 0)))
        );
        assert_eq!(read("010c426974636f696e205465737405322e342e360100").name, "Bitcoin Test");
        assert_eq!(read("01054f4c4f530005312e322e34").name, DASHBOARD);
        assert!(AppVersion(1, 9, 18) < AppVersion(1, 22, 0));
        for (version, parsed) in [("1.9.18-dev", true), ("1.9", false), ("1.2.3.4", false), ("", false)] {
            let info = AppInfo { name: String::new(), version: version.into() };
            assert_eq!(info.parsed_version().is_some(), parsed, "{version}");
        }
    }

    #[test]
    fn an_answer_to_something_else_is_not_taken_for_an_app_name() {
        for data in [&[][..], &[0; 65], &[27; 65], &[1, 8, b'E'], &[1, 1, 0x1b, 1, b'1'], &[1, 1, 0xff, 0]] {
            assert_eq!(AppInfo::read(data), None, "{data:?}");
        }
    }

    /// A device that names another address than its key's is broken or hostile.
    #[test]
    fn the_address_is_the_keys() {
        let right = "41048318535b54105d4a7aae60c08fc45f9687181b4fdfc625bd1a753fa7397fed753547f11ca8696646f2f3acb08e31016afac23e630c5d11f59f61fef57b0d2aa52866333946643665353161616438384636463463653661423838323732373963666646623932323636";
        let right = hex::decode(right).unwrap();
        assert_eq!(read_address(&right), Some(address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266")));
        let mut other = right.clone();
        other[70] = b'0';
        assert_eq!(read_address(&other), None);
    }

    #[test]
    fn only_the_last_two_bytes_are_the_status() {
        let reply = Reply::read(&[0xe0, 0x02, 0x6a, 0x87]).unwrap();
        assert_eq!((reply.status, reply.status.to_string()), (StatusWord(0x6a87), "0x6a87".into()));
        assert_eq!(Reply::read(&[0x90]), None);
    }

    #[test]
    fn values_split_at_255_and_lose_nothing() {
        for length in [0, 1, 252, 253, 254, 255, 256, 257, 508, 509, 20_000, 65_535] {
            let value: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let commands = Apdu::field_value(&value).unwrap();
            let joined: Vec<u8> = commands.iter().flat_map(|c| c.data.clone()).collect();
            assert_eq!(joined[2..], value);
            let (last, others) = commands.split_last().unwrap();
            assert!(last.p1 == 0 && !last.data.is_empty());
            assert!(others.iter().all(|c| c.p1 == 1 && c.data.len() == 255));
        }
        assert!(Apdu::field_value(&vec![0; 65_536]).is_none());
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..140)) {
            if let Some(reply) = Reply::read(&bytes) {
                let _ = AppInfo::read(&reply.data).map(|info| info.parsed_version());
                let _ = (read_address(&reply.data), Configuration::read(&reply.data));
                let _ = read_extended_key(&reply.data);
                let _ = (read_message_signature(&reply.data), read_transaction_signature(&reply.data));
            }
        }
    }
}
