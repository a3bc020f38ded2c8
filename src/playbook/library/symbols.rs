//! The functions and events that a playbook names, and whether a text is among its words. Pure.

use alloy::json_abi::{Error, Event, Function};
use alloy::primitives::hex;

use crate::playbook::Playbook;
use crate::playbook::claim::{Claim, Fact, StaticCall, ValueSource};

impl Playbook {
    /// Returns every function that it calls or asks, in the order of its parts.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        let reads = self.reads.iter().filter_map(|read| asked(&read.source));
        let claims = self.claims().filter_map(|claim| match &claim.fact {
            Fact::Value { source, .. } => asked(source),
            Fact::Call { call, .. } => Some(&call.function),
            Fact::Event { .. } => None,
        });
        self.steps.iter().map(|step| &step.function).chain(reads).chain(claims)
    }

    /// Returns every event that it expects.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.claims().filter_map(|claim| match &claim.fact {
            Fact::Event { event, .. } => Some(event),
            _ => None,
        })
    }

    fn claims(&self) -> impl Iterator<Item = &Claim> {
        let skips = self.steps.iter().flat_map(|step| &step.skip_if);
        skips.chain(&self.before).chain(&self.after)
    }

    /// Returns `true` if each word of the text is in its id, title, protocol, or a function, event or error that it
    /// names: by name, or a function by its selector.
    pub fn is_about(&self, text: &str) -> bool {
        let mut words = vec![self.id.to_string(), self.title.clone()];
        words.extend(self.family.clone());
        for function in self.functions() {
            words.extend([function.signature(), hex::encode_prefixed(function.selector())]);
        }
        words.extend(self.events().map(Event::signature));
        words.extend(self.errors.iter().map(Error::signature));
        let words = words.join("\n").to_lowercase();
        text.to_lowercase().split_whitespace().all(|word| words.contains(word))
    }
}

fn asked(asked: &ValueSource) -> Option<&Function> {
    match asked {
        ValueSource::View(StaticCall { function, .. }) => Some(function),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::playbook::Catalogue;

    #[test]
    fn a_playbook_is_found_by_its_words_functions_and_selectors() {
        let library = Catalogue::new(Vec::new());
        let playbook = library.get("pause/aave-v3-reserve").unwrap().playbook;
        for text in [
            "aave",
            "AAVE reserve",
            "setReservePause",
            "setreservepause(address,bool)",
            "pause/aave-v3-reserve",
            "  ",
        ] {
            assert!(playbook.is_about(text), "{text}");
        }
        let selector = alloy::hex::encode_prefixed(playbook.steps[0].function.selector());
        assert!(playbook.is_about(&selector));
        for text in ["compound", "aave compound", "setReserveFreeze", "0x8456cb59"] {
            assert!(!playbook.is_about(text), "{text}");
        }
    }
}
