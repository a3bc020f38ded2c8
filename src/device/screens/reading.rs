//! How to read the pages: the few that carry facts, and from which page nothing can be skipped any more.

use super::Screens;

/// A value to compare, and the pages that show it, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub first: usize,
    pub last: usize,
    pub title: String,
    pub value: String,
}

/// Fields to read whatever they say.
const ALWAYS: [&str; 9] =
    ["to", "data", "operation", "nonce", "message", "Message", "Domain hash", "Message hash", "Tx hash"];
/// What the two hashes commit to as well.
const DOMAIN: [&str; 2] = ["chainId", "verifyingContract"];
/// `0x` and the selector: of data more is on the device's own pages.
const SELECTOR: usize = 10;

impl Screens {
    /// The values that a person has to compare; every other one is zero. The domain is among them where no hash is shown.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        for (i, page) in self.pages.iter().enumerate() {
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
                        fact.last = i + 1;
                        fact.value.push_str(&value);
                    }
                    None => facts.push(Fact { first: i + 1, last: i + 1, title: title.into(), value }),
                }
            }
        }
        for fact in facts.iter_mut().filter(|fact| fact.title == "data") {
            fact.value.truncate(SELECTOR);
        }
        facts
    }

    /// The first and the last page, counted from 1, on which the rest can be skipped: after the last of them it is safe.
    #[must_use]
    pub fn skippable(&self) -> Option<(usize, usize)> {
        let first = self.pages.iter().position(super::Page::offers_skip)?;
        let last = self.pages.iter().rposition(super::Page::offers_skip)?;
        Some((first + 1, last + 1))
    }
}

/// The fields of a `SafeTx` that this program leaves zero, but for `value`.
fn is_field(title: &str) -> bool {
    ["value", "safeTxGas", "baseGas", "gasPrice", "gasToken", "refundReceiver"].contains(&title)
}

fn is_zero(value: &str) -> bool {
    value.chars().all(|c| matches!(c, '0' | 'x'))
}
