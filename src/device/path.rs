//! BIP-32 derivation paths as the Ethereum app takes them. Pure.

use std::fmt;
use std::str::FromStr;

/// The app refuses longer ones.
const MOST_LEVELS: usize = 10;
/// The bit of a hardened level.
pub(super) const HARDENED: u32 = 1 << 31;
const PURPOSE: u32 = 44 + HARDENED;
const ETHER: u32 = 60 + HARDENED;
/// The number of paths of each wallet's layout that are looked through.
const SEARCHED: u32 = 10;
/// The number of accounts that are looked through for the keys of several owners: each is one question to the device.
const NEAR: u32 = 3;

/// A path such as `m/44'/60'/0'/0/0`: one to ten levels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DerivationPath(Vec<u32>);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("derivation path {text:?} {why}; a usual one is m/44'/60'/0'/0/0")]
pub struct BadPath {
    text: String,
    why: &'static str,
}

impl DerivationPath {
    /// Count, then each level as a big-endian word.
    pub fn encode(&self) -> Vec<u8> {
        let count = u8::try_from(self.0.len()).unwrap_or(u8::MAX); // ten at most
        let mut out = vec![count];
        out.extend(self.0.iter().flat_map(|level| level.to_be_bytes()));
        out
    }

    /// Its levels up to the last hardened one, and those after it. `None` if no level is hardened.
    pub(super) fn split(&self) -> Option<(Self, &[u32])> {
        let last = self.0.iter().rposition(|level| level & HARDENED != 0)?;
        let (parent, below) = self.0.split_at(last + 1);
        Some((Self(parent.into()), below))
    }
}

/// Where keys are looked for, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPaths {
    /// Looked through for the keys of several owners.
    pub(super) near: Vec<DerivationPath>,
    /// Looked through only where those near have none.
    pub(super) far: Vec<DerivationPath>,
}

impl SearchPaths {
    /// These paths, then the usual ones, each once: all paths of account 0 (one question to the device), then the first
    /// address of each other account of Ledger's own wallet (one question each).
    pub fn after(own: Vec<DerivationPath>) -> Self {
        let account = |n: u32| vec![PURPOSE, ETHER, n | HARDENED];
        let other_wallets = (0..SEARCHED).map(|n| [account(0), vec![0, n]].concat()); // the first is Ledger's own too
        let legacy = (0..SEARCHED).map(|n| [account(0), vec![n]].concat());
        let accounts = (1..SEARCHED).map(|n| [account(n), vec![0, 0]].concat()).map(DerivationPath);
        let (next, far): (Vec<_>, Vec<_>) = accounts.zip(1..).partition(|(_, n)| *n < NEAR);
        let paths = |numbered: Vec<(DerivationPath, u32)>| numbered.into_iter().map(|(path, _)| path);
        let usual = other_wallets.chain(legacy).map(DerivationPath).chain(paths(next));
        let mut near: Vec<DerivationPath> = Vec::new();
        for path in own.into_iter().chain(usual) {
            if !near.contains(&path) {
                near.push(path);
            }
        }
        let far = paths(far).filter(|path| !near.contains(path)).collect();
        Self { near, far }
    }

    pub fn only(path: DerivationPath) -> Self {
        Self { near: vec![path], far: Vec::new() }
    }

    pub fn all(&self) -> impl Iterator<Item = &DerivationPath> {
        self.near.iter().chain(&self.far)
    }

    /// All of them as ranges, for a person.
    pub fn describe(&self) -> String {
        DerivationPath::ranges(self.all())
    }
}

impl Default for SearchPaths {
    fn default() -> Self {
        Self::after(Vec::new())
    }
}

impl DerivationPath {
    /// Paths as ranges: those that differ in one level and follow one another are one.
    fn ranges<'a>(paths: impl Iterator<Item = &'a Self>) -> String {
        let mut out: Vec<(Self, Self)> = Vec::new();
        for path in paths {
            match out.last_mut().filter(|(first, last)| path.follows(first, last)) {
                Some((_, last)) => *last = path.clone(),
                None => out.push((path.clone(), path.clone())),
            }
        }
        let told =
            out.iter().map(
                |(first, last)| {
                    if first == last { first.to_string() } else { format!("{first} to {last}") }
                },
            );
        told.collect::<Vec<_>>().join(", ")
    }

    /// Returns `true` if it is one further than `last` in the level in which a range from `first` counts.
    fn follows(&self, first: &Self, last: &Self) -> bool {
        if self.0.len() != last.0.len() {
            return false;
        }
        let differs = |a: &Self, b: &Self| -> Vec<usize> {
            a.0.iter().zip(&b.0).enumerate().filter(|(_, (a, b))| a != b).map(|(i, _)| i).collect()
        };
        match differs(self, last).as_slice() {
            [i] => {
                let counted = differs(first, last);
                self.0[*i] == last.0[*i].wrapping_add(1) && counted.iter().all(|level| level == i)
            }
            _ => false,
        }
    }
}

impl Default for DerivationPath {
    /// `m/44'/60'/0'/0/0`
    fn default() -> Self {
        Self(vec![PURPOSE, ETHER, HARDENED, 0, 0])
    }
}

impl fmt::Display for DerivationPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("m")?;
        for level in &self.0 {
            let mark = if level & HARDENED == 0 { "" } else { "'" };
            write!(f, "/{}{mark}", level & !HARDENED)?;
        }
        Ok(())
    }
}

impl FromStr for DerivationPath {
    type Err = BadPath;

    /// Takes `m/44'/60'/0'/0/0`, also without `m/`, and `h` or `H` for `'`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |why| BadPath { text: text.into(), why };
        let levels = text
            .strip_prefix("m/")
            .unwrap_or(text)
            .split('/')
            .map(level)
            .collect::<Option<Vec<u32>>>()
            .ok_or_else(|| bad("is not numbers below 2^31, each with or without ', separated by /"))?;
        if levels.len() > MOST_LEVELS {
            return Err(bad("has more than the ten levels that the app takes"));
        }
        Ok(Self(levels))
    }
}

fn level(text: &str) -> Option<u32> {
    let digits = text.strip_suffix(['\'', 'h', 'H']);
    let mark = if digits.is_some() { HARDENED } else { 0 };
    let digits = digits.unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse::<u32>().ok()).flatten().filter(|n| n & HARDENED == 0).map(|n| n | mark)
}

#[cfg(test)]
mod tests {
    use alloy::hex;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodes_as_recorded() {
        let path: DerivationPath = "m/44'/60'/0'/0/0".parse().unwrap();
        assert_eq!(hex::encode(path.encode()), "058000002c8000003c800000000000000000000000");
        assert_eq!(path, DerivationPath::default());
        assert_eq!("44h/60H/0'/1".parse::<DerivationPath>().unwrap().to_string(), "m/44'/60'/0'/1");
    }

    #[test]
    fn refuses_what_is_no_path() {
        for text in [
            "",
            "m",
            "m/",
            "/",
            "m//0",
            "m/44''",
            "m/+1",
            "m/-1",
            "m/0x1",
            "m/2147483648",
            "m/99999999999",
            "m/44'/60'/0'/0/0/",
            "44.60",
            "m/0/1/2/3/4/5/6/7/8/9/10",
            "M/0",
            "m/'",
        ] {
            let told = text.parse::<DerivationPath>().unwrap_err().to_string();
            assert!(told.contains("m/44'/60'/0'/0/0"), "{told}");
        }
    }

    #[test]
    fn the_search_looks_at_each_path_once() {
        let order: Vec<_> = SearchPaths::default().all().map(ToString::to_string).collect();
        assert_eq!((order.first().unwrap().as_str(), order.len()), ("m/44'/60'/0'/0/0", 29));
        for path in ["m/44'/60'/9'/0/0", "m/44'/60'/0'/0", "m/44'/60'/0'/9", "m/44'/60'/0'/0/1"] {
            assert_eq!(order.iter().filter(|p| *p == path).count(), 1, "{path}");
        }
    }

    #[test]
    fn the_council_s_own_paths_come_first_and_once() {
        let own: Vec<DerivationPath> =
            ["m/44'/60'/7'/0/0", "m/44'/60'/0'/1"].map(|text| text.parse().unwrap()).to_vec();
        let paths = SearchPaths::after([own.clone(), own.clone()].concat());
        assert_eq!((&paths.near[..2], paths.all().count()), (&own[..], 29));
        assert!(!paths.far.contains(&own[0]));
    }

    /// Ten questions to the device in place of 29.
    #[test]
    fn the_usual_paths_have_ten_parents_and_those_near_three() {
        let parents = |paths: &[DerivationPath]| {
            let mut all: Vec<String> = paths.iter().map(|p| p.split().unwrap().0.to_string()).collect();
            all.dedup();
            all
        };
        let usual = SearchPaths::default();
        assert_eq!(parents(&usual.near), ["m/44'/60'/0'", "m/44'/60'/1'", "m/44'/60'/2'"]);
        assert_eq!(parents(&usual.far).len(), 7);
        assert_eq!("m/0/1".parse::<DerivationPath>().unwrap().split(), None);
    }

    #[test]
    fn searched_paths_are_listed_as_ranges() {
        assert_eq!(
            SearchPaths::default().describe(),
            "m/44'/60'/0'/0/0 to m/44'/60'/0'/0/9, m/44'/60'/0'/0 to m/44'/60'/0'/9, m/44'/60'/1'/0/0 to \
             m/44'/60'/9'/0/0"
        );
    }

    proptest! {
        #[test]
        fn reads_back(levels in proptest::collection::vec(any::<u32>(), 1..=10)) {
            let path = DerivationPath(levels);
            prop_assert_eq!(path.to_string().parse::<DerivationPath>(), Ok(path));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<DerivationPath>();
        }
    }
}
