//! The full EIP-712 flow, from the device's side: definitions, then values in their order, then a hash computed from
//! nothing but what was received.

use alloy::primitives::{Address, B256, U256, keccak256};

use super::app::{BAD_DATA, Behaviour, NO_CONTEXT, Word};
use super::screens::{self, Screen, Shown};

/// A field as defined.
#[derive(Clone)]
struct Definition {
    kind: Kind,
    key: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Uint { bytes: u8 },
    Address,
    Bytes,
}

impl Kind {
    fn name(self) -> String {
        match self {
            Self::Uint { bytes } => format!("uint{}", u16::from(bytes) * 8),
            Self::Address => "address".into(),
            Self::Bytes => "bytes".into(),
        }
    }

    /// The value as 32 bytes for hashing, if its length is right.
    fn encode(self, value: &[u8]) -> Option<B256> {
        match self {
            Self::Uint { bytes } => (value.len() <= bytes.into()).then(|| B256::left_padding_from(value)),
            Self::Address => (value.len() == 20).then(|| B256::left_padding_from(value)),
            Self::Bytes => Some(keccak256(value)),
        }
    }

    /// The value as the app writes it.
    fn text(self, value: &[u8]) -> String {
        match self {
            Self::Uint { .. } => U256::from_be_slice(value).to_string(),
            Self::Address => Address::from_slice(value).to_string(),
            Self::Bytes => screens::upper(value),
        }
    }
}

struct Struct {
    name: String,
    fields: Vec<Definition>,
    values: Vec<Vec<u8>>,
}

impl Struct {
    fn is_complete(&self) -> bool {
        self.values.len() == self.fields.len()
    }

    fn shown(&self) -> Vec<Shown> {
        let fields = self.fields.iter().zip(&self.values);
        fields.map(|(field, value)| (field.key.clone(), field.kind.text(value))).collect()
    }

    fn hash(&self) -> B256 {
        let members: Vec<_> = self.fields.iter().map(|f| format!("{} {}", f.kind.name(), f.key)).collect();
        let mut encoded = keccak256(format!("{}({})", self.name, members.join(","))).to_vec();
        for (field, value) in self.fields.iter().zip(&self.values) {
            encoded.extend_from_slice(field.kind.encode(value).unwrap().as_slice());
        }
        keccak256(encoded)
    }
}

/// A flow under way. Both structs must be complete before it signs.
#[derive(Default)]
pub struct Flow {
    structs: Vec<Struct>,
    /// The number of structs that have been entered for their values.
    entered: usize,
    /// A value's bytes so far, its two length bytes first.
    partial: Vec<u8>,
    /// The device was locked while values were on their way.
    spoilt: bool,
}

/// The message as it was received, for the tests to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub domain_hash: B256,
    pub message_hash: B256,
    /// The primary struct's name, then each field's name and value.
    pub primary: String,
    pub fields: Vec<(String, Vec<u8>)>,
}

impl Flow {
    pub fn has_values(&self) -> bool {
        self.entered > 0
    }

    /// Locked once values were on their way, the flow goes on and cannot end well.
    pub fn lock(&mut self) {
        self.spoilt |= self.has_values();
    }

    pub fn define_struct(&mut self, name: &[u8]) -> Result<(), Word> {
        let name = identifier(name)?;
        if self.structs.iter().any(|s| s.name == name) {
            return Err(BAD_DATA);
        }
        self.structs.push(Struct { name, fields: Vec::new(), values: Vec::new() });
        Ok(())
    }

    pub fn define_field(&mut self, data: &[u8]) -> Result<(), Word> {
        let (&kind, rest) = data.split_first().ok_or(BAD_DATA)?;
        let (kind, rest) = match kind {
            0x42 => {
                let (&bytes @ 1..=32, rest) = rest.split_first().ok_or(BAD_DATA)? else {
                    return Err(BAD_DATA);
                };
                (Kind::Uint { bytes }, rest)
            }
            0x03 => (Kind::Address, rest),
            0x07 => (Kind::Bytes, rest),
            _ => return Err(BAD_DATA),
        };
        let (&length, key) = rest.split_first().ok_or(BAD_DATA)?;
        if key.len() != usize::from(length) {
            return Err(BAD_DATA);
        }
        let key = identifier(key)?;
        let fields = &mut self.structs.last_mut().ok_or(NO_CONTEXT)?.fields;
        if fields.iter().any(|f| f.key == key) {
            return Err(BAD_DATA);
        }
        fields.push(Definition { kind, key });
        Ok(())
    }

    /// The domain first, then the other struct, each once, and not before the one before is complete.
    pub fn enter(&mut self, name: &[u8]) -> Result<(), Word> {
        let next = self.structs.get(self.entered).ok_or(BAD_DATA)?;
        let in_order = self.entered > 0 || next.name == "EIP712Domain";
        let done = self.entered == 0 || self.structs[self.entered - 1].is_complete();
        if next.name.as_bytes() != name || next.fields.is_empty() || !in_order || !done {
            return Err(BAD_DATA);
        }
        self.entered += 1;
        Ok(())
    }

    pub fn value(&mut self, data: &[u8], more: bool) -> Result<(), Word> {
        let current = self.entered.checked_sub(1).ok_or(BAD_DATA)?;
        let current = &mut self.structs[current];
        let field = current.fields.get(current.values.len()).ok_or(BAD_DATA)?;
        if data.is_empty() || (more && data.len() != 255) {
            return Err(BAD_DATA);
        }
        self.partial.extend_from_slice(data);
        let (length, value) = self.partial.split_first_chunk::<2>().ok_or(BAD_DATA)?;
        let length = usize::from(u16::from_be_bytes(*length));
        match (more, value.len()) {
            (true, had) if had < length => Ok(()),
            (false, had) if had == length && field.kind.encode(value).is_some() => {
                current.values.push(value.to_vec());
                self.partial.clear();
                Ok(())
            }
            _ => Err(BAD_DATA),
        }
    }

    /// The pages of a flow that has ended well.
    pub fn screens(&self, on: &Behaviour) -> Vec<Screen> {
        let [domain, message] = &self.structs[..] else { return Vec::new() };
        let hashes = (domain.hash(), message.hash());
        screens::fields(on, &domain.shown(), (&message.name, &message.shown()), hashes)
    }

    pub fn finish(&self) -> Result<Received, Word> {
        let [domain, message] = &self.structs[..] else { return Err(BAD_DATA) };
        if self.spoilt
            || self.entered != 2
            || !domain.is_complete()
            || !message.is_complete()
            || !self.partial.is_empty()
        {
            return Err(BAD_DATA);
        }
        let keys = message.fields.iter().map(|f| f.key.clone());
        Ok(Received {
            domain_hash: domain.hash(),
            message_hash: message.hash(),
            primary: message.name.clone(),
            fields: keys.zip(message.values.iter().cloned()).collect(),
        })
    }
}

impl Received {
    pub fn digest(&self) -> B256 {
        keccak256([&[0x19, 0x01], self.domain_hash.as_slice(), self.message_hash.as_slice()].concat())
    }

    /// An integer field by name.
    pub fn number(&self, name: &str) -> U256 {
        let (_, value) = self.fields.iter().find(|(key, _)| key == name).unwrap();
        U256::from_be_slice(value)
    }
}

fn identifier(bytes: &[u8]) -> Result<String, Word> {
    let good = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_alphanumeric);
    good.then(|| String::from_utf8_lossy(bytes).into_owned()).ok_or(BAD_DATA)
}
