//! Reading of the pages: the few that carry facts, and from which page nothing can be skipped any more.

use super::Pages;

/// A value to compare, and the numbers of the pages that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFact {
    pub first: usize,
    pub last: usize,
    pub title: String,
    pub value: String,
}

impl PageFact {
    /// Returns `true` for a hash, which a person compares whole with the one that the review shows.
    pub fn is_hash(&self) -> bool {
        HASHES.contains(&self.title.as_str())
    }
}

/// Fields to read whatever they say.
const ALWAYS: [&str; 9] =
    ["to", "data", "operation", "nonce", "message", "Message", "Domain hash", "Message hash", "Tx hash"];
const HASHES: [&str; 3] = ["Domain hash", "Message hash", "Tx hash"];
/// The fields that the two hashes commit to as well.
const DOMAIN: [&str; 2] = ["chainId", "verifyingContract"];
/// `0x` and the selector: of data more is on the device's own pages.
const SELECTOR: usize = 10;

impl Pages {
    /// The number of a page, as the device counts: a large screen does not count the warning that comes first.
    pub fn number(&self, index: usize) -> usize {
        let is_large = self.all.last().is_some_and(|page| !page.foot.is_empty());
        let warned = self.all.first().is_some_and(|page| page.foot.is_empty());
        if is_large && warned { index } else { index + 1 }
    }

    /// The values that a person has to compare; every other one is zero. The domain is among them where no hash is shown.
    pub fn facts(&self) -> Vec<PageFact> {
        let mut facts: Vec<PageFact> = Vec::new();
        for (i, page) in self.all.iter().enumerate() {
            for entry in &page.entries {
                let title = entry.title.split(" (").next().unwrap_or_default();
                let value = entry.lines.concat();
                let domain = DOMAIN.contains(&title) && !self.hashes;
                let rest = !DOMAIN.contains(&title) && title != "Review struct" && !is_zero(&value);
                if entry.lines.is_empty() || !(ALWAYS.contains(&title) || domain || (rest && is_field(title)))
                {
                    continue;
                }
                match facts.last_mut().filter(|fact| fact.title == title) {
                    Some(fact) => {
                        fact.last = self.number(i);
                        fact.value.push_str(&value);
                    }
                    None => facts.push(PageFact {
                        first: self.number(i),
                        last: self.number(i),
                        title: title.into(),
                        value,
                    }),
                }
            }
        }
        for fact in facts.iter_mut().filter(|fact| fact.title == "data") {
            fact.value.truncate(SELECTOR);
        }
        facts
    }

    /// Returns `true` if they show the fields of a `SafeTx` that this program leaves zero.
    pub fn has_zeros(&self) -> bool {
        self.all.iter().flat_map(|page| &page.entries).any(|entry| entry.title == "gasToken")
    }

    /// The numbers of the first and the last page on which the rest can be skipped: after the last of them it is safe.
    pub fn skippable(&self) -> Option<(usize, usize)> {
        let first = self.all.iter().position(super::Page::offers_skip)?;
        let last = self.all.iter().rposition(super::Page::offers_skip)?;
        Some((self.number(first), self.number(last)))
    }
}

/// The fields of a `SafeTx` that this program leaves zero, but for `value`.
fn is_field(title: &str) -> bool {
    ["value", "safeTxGas", "baseGas", "gasPrice", "gasToken", "refundReceiver"].contains(&title)
}

fn is_zero(value: &str) -> bool {
    value.chars().all(|c| matches!(c, '0' | 'x'))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, U256};

    use super::*;
    use crate::device::{
        AppSettings, AppVersion, Model, SigningMode, SigningRequest, Signs, Status, safe_tx_pages,
    };
    use crate::safe::{Domain, Nonce, Operation, SafeId, SafeTx, SafeVersion, SignatureKind};

    fn predicted(model: Model, transaction_hash: bool) -> Pages {
        let status = Status {
            model: Some(model),
            version: AppVersion(1, 22, 0),
            blind_signing: false,
            transaction_check: false,
            takes_fields: true,
        };
        let settings = AppSettings { raw_messages: true, transaction_hash, ..AppSettings::default() };
        let safe = SafeId { chain_id: 1, address: Address::repeat_byte(5), version: SafeVersion::V1_4_1 };
        let data = vec![0x84, 0x56, 0xcb, 0x59].into();
        let tx = SafeTx::new(Address::repeat_byte(6), U256::ZERO, data, Operation::Call, Nonce::from(42));
        let (kind, way) = (SignatureKind::Ecdsa, SigningMode::Fields);
        safe_tx_pages(
            &status,
            settings,
            &SigningRequest {
                domain: &Domain::real(safe),
                signs: Signs::Tx(&tx),
                owner: safe.address,
                kind,
                way,
            },
        )
    }

    fn told(pages: &Pages) -> Vec<String> {
        let fact = |fact: &PageFact| format!("{}-{} {}", fact.first, fact.last, fact.title);
        pages.facts().iter().map(fact).collect()
    }

    /// Six of 36; without the hashes, the domain too.
    #[test]
    fn the_pages_to_read_are_few() {
        let facts = [
            "11-11 to",
            "15-15 data",
            "17-17 operation",
            "29-29 nonce",
            "31-32 Domain hash",
            "34-35 Message hash",
        ];
        let hashed = predicted(Model::NanoSPlus, true);
        assert_eq!((hashed.all.len(), told(&hashed)), (36, facts.map(String::from).to_vec()));
        let bare = predicted(Model::NanoX, false);
        let facts = [
            "5-5 chainId",
            "7-7 verifyingContract",
            "11-11 to",
            "15-15 data",
            "17-17 operation",
            "29-29 nonce",
        ];
        assert_eq!((bare.all.len(), told(&bare)), (30, facts.map(String::from).to_vec()));
    }

    /// As the device counts: "2 of 7" is the second page after the warning.
    #[test]
    fn pages_are_numbered_as_on_the_device() {
        let stax = predicted(Model::Stax, true);
        assert_eq!(told(&stax)[0], "3-3 to");
        assert!(stax.all[3].foot.contains(&"3 of 7".to_string()));
        assert_eq!(stax.skippable(), Some((2, 6)));
        assert_eq!(predicted(Model::NanoSPlus, true).skippable(), Some((4, 33)));
    }
}
