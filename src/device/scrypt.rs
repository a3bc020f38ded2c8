//! scrypt, RFC 7914. Pure.
//!
//! Written out here because the `scrypt` crate (0.12) wipes none of its working memory, from which the password's key
//! could be read. Here all of it is wiped. The tests compare it with the crate wherever both answer.

use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// The most memory that a file may ask for, in bytes.
const MOST_MEMORY: u64 = 1 << 30;
/// The most memory traffic that a file may ask for: 32 times a usual keystore's, some ten seconds.
const MOST_WORK: u64 = 1 << 33;

/// One Salsa20 block of 64 bytes.
type Block = [u32; 16];

/// scrypt's parameters, known to be affordable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    n: usize,
    r: usize,
    p: usize,
}

impl Cost {
    pub(super) fn new(n: u64, r: u64, p: u64) -> Result<Self, String> {
        if !n.is_power_of_two() || n < 2 {
            return Err(format!("scrypt n = {n} is not a power of two above 1"));
        }
        if r == 0 || p == 0 {
            return Err(format!("scrypt r = {r}, p = {p}: both must be at least 1"));
        }
        let bytes = |factors: [u64; 3]| factors.into_iter().try_fold(128_u64, u64::checked_mul);
        let fits = |asked: Option<u64>, most: u64| asked.is_some_and(|asked| asked <= most);
        if !fits(bytes([n, r, 1]), MOST_MEMORY) || !fits(bytes([p, r, 1]), MOST_MEMORY) {
            return Err(format!("scrypt n = {n}, r = {r}, p = {p} asks for more than 1 GiB of memory"));
        }
        if !fits(bytes([n, r, p]), MOST_WORK) {
            return Err(format!("scrypt n = {n}, r = {r}, p = {p} asks for minutes of work"));
        }
        let size = |x: u64| usize::try_from(x).map_err(|_| format!("scrypt parameter {x} is too large"));
        Ok(Self { n: size(n)?, r: size(r)?, p: size(p)? })
    }
}

/// Stretches a password to a key of any length.
pub(super) fn scrypt(password: &[u8], salt: &[u8], cost: Cost, out: &mut [u8]) -> Result<(), String> {
    let mut bytes = Zeroizing::new(reserve(cost.p * cost.r * 128, 0_u8)?);
    pbkdf2_hmac::<Sha256>(password, salt, 1, &mut bytes);
    let mut table = Zeroizing::new(reserve(cost.n * cost.r * 2, [0_u32; 16])?);
    let mut lane = Zeroizing::new(reserve(cost.r * 2, [0_u32; 16])?);
    let mut spare = lane.clone();
    for chunk in bytes.chunks_exact_mut(cost.r * 128) {
        load(chunk, &mut lane);
        mix_lane(&mut lane, &mut spare, &mut table);
        store(&lane, chunk);
    }
    pbkdf2_hmac::<Sha256>(password, &bytes, 1, out);
    Ok(())
}

fn reserve<T: Clone>(length: usize, value: T) -> Result<Vec<T>, String> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(length).map_err(|_| {
        format!("this machine has not the {} MiB for scrypt", (length * size_of::<T>()) >> 20)
    })?;
    vec.resize(length, value);
    Ok(vec)
}

fn load(bytes: &[u8], lane: &mut [Block]) {
    for (word, four) in lane.as_flattened_mut().iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*four);
    }
}

fn store(lane: &[Block], bytes: &mut [u8]) {
    for (word, four) in lane.as_flattened().iter().zip(bytes.as_chunks_mut::<4>().0) {
        *four = word.to_le_bytes();
    }
}

/// scryptROMix, RFC 7914 section 5: fills the table in order, then reads it in an order that the data decides.
fn mix_lane(lane: &mut [Block], spare: &mut [Block], table: &mut [Block]) {
    let width = lane.len();
    for row in table.chunks_exact_mut(width) {
        row.copy_from_slice(lane);
        mix_blocks(lane, spare);
        lane.copy_from_slice(spare);
    }
    let rows = table.len() / width;
    for _ in 0..rows {
        // Integerify: n is a power of two below 2^32, so the low word of the last block is enough.
        let row = lane[width - 1][0] as usize & (rows - 1);
        for (block, other) in lane.iter_mut().zip(&table[row * width..]) {
            xor(block, other);
        }
        mix_blocks(lane, spare);
        lane.copy_from_slice(spare);
    }
}

/// scryptBlockMix, RFC 7914 section 4: even results to the first half, odd ones to the second.
fn mix_blocks(lane: &[Block], out: &mut [Block]) {
    let half = lane.len() / 2;
    let mut x = lane[lane.len() - 1];
    for (i, block) in lane.iter().enumerate() {
        xor(&mut x, block);
        salsa20_8(&mut x);
        out[i / 2 + (i % 2) * half] = x;
    }
    x.zeroize();
}

/// Sixteen statements rather than a loop, here and below: a debug build must still open a keystore in seconds.
macro_rules! sixteen {
    ($each:ident) => {
        $each!(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    };
}

fn xor(block: &mut Block, other: &Block) {
    macro_rules! each { ($($i:literal),*) => { $(block[$i] ^= other[$i];)* } }
    sixteen!(each);
}

/// The Salsa20/8 core, RFC 7914 section 3.
fn salsa20_8(block: &mut Block) {
    macro_rules! quarter {
        ($x:ident, $a:literal, $b:literal, $c:literal, $d:literal) => {
            $x[$b] ^= $x[$a].wrapping_add($x[$d]).rotate_left(7);
            $x[$c] ^= $x[$b].wrapping_add($x[$a]).rotate_left(9);
            $x[$d] ^= $x[$c].wrapping_add($x[$b]).rotate_left(13);
            $x[$a] ^= $x[$d].wrapping_add($x[$c]).rotate_left(18);
        };
    }
    let mut x = *block;
    for _ in 0..4 {
        quarter!(x, 0, 4, 8, 12);
        quarter!(x, 5, 9, 13, 1);
        quarter!(x, 10, 14, 2, 6);
        quarter!(x, 15, 3, 7, 11);
        quarter!(x, 0, 1, 2, 3);
        quarter!(x, 5, 6, 7, 4);
        quarter!(x, 10, 11, 8, 9);
        quarter!(x, 15, 12, 13, 14);
    }
    macro_rules! each { ($($i:literal),*) => { $(block[$i] = block[$i].wrapping_add(x[$i]);)* } }
    sixteen!(each);
}

#[cfg(test)]
mod tests {
    use alloy::hex;
    use proptest::prelude::*;

    use super::*;

    /// RFC 7914 section 12; the last of its four vectors asks for exactly 1 GiB and is left out.
    #[test]
    fn known_answers() {
        let rows = [
            (
                "",
                "",
                16,
                1,
                1,
                "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
            ),
            (
                "password",
                "NaCl",
                1024,
                8,
                16,
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
            ),
            (
                "pleaseletmein",
                "SodiumChloride",
                16384,
                8,
                1,
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
            ),
        ];
        for (password, salt, n, r, p, expected) in rows {
            let mut out = [0; 64];
            scrypt(password.as_bytes(), salt.as_bytes(), Cost::new(n, r, p).unwrap(), &mut out).unwrap();
            assert_eq!(hex::encode(out), expected);
        }
    }

    #[test]
    fn a_hostile_file_is_told_what_it_asks_for() {
        for (n, r, p, word) in [
            (0, 8, 1, "power of two"),
            (1, 8, 1, "power of two"),
            (262_143, 8, 1, "power of two"),
            (1 << 20, 8, 0, "at least 1"),
            (1 << 20, 0, 1, "at least 1"),
            (1 << 21, 8, 1, "1 GiB"),
            (1 << 63, u64::MAX, u64::MAX, "1 GiB"),
            (2, 1, u64::MAX, "1 GiB"),
            (1 << 18, 8, 64, "minutes"),
        ] {
            let refusal = Cost::new(n, r, p).unwrap_err();
            assert!(refusal.contains(word), "{refusal}");
        }
        assert!(Cost::new(1 << 20, 8, 1).is_ok(), "1 GiB itself is what some wallets use");
    }

    proptest! {
        #[test]
        fn agrees_with_the_crate(
            password in proptest::collection::vec(any::<u8>(), 0..40),
            salt in proptest::collection::vec(any::<u8>(), 0..40),
            log_n in 1u8..8, r in 1u32..5, p in 1u32..4,
        ) {
            let (mut ours, mut theirs) = ([0; 32], [0; 32]);
            scrypt(&password, &salt, Cost::new(1 << log_n, r.into(), p.into()).unwrap(), &mut ours).unwrap();
            let params = ::scrypt::Params::new(log_n, r, p).unwrap();
            ::scrypt::scrypt(&password, &salt, &params, &mut theirs).unwrap();
            prop_assert_eq!(ours, theirs);
        }
    }
}
