//! The lines about the message that an owner signs for a Safe that owns the proposal's Safe, with those between.

use alloy::hex;
use alloy::primitives::Address;

use crate::device::{Pages, Preview};
use crate::proposal::{Proposal, Way};
use crate::safe::{Hashes, SafeMessage};
use crate::ui::{Lines, Text};

/// Returns the Safe and the message of a signature; empty for the proposal's own Safe. `ways` are all ways.
pub fn lines(proposal: &Proposal, ways: &[Way], way: &Way, name: impl Fn(Address) -> String) -> Lines {
    let mut out = Lines::default();
    let Some((own, above)) = way.through.split_last() else { return out };
    let (own, safe) = (name(*own), proposal.safe().address);
    let owners: Vec<String> = above.iter().rev().chain([&safe]).map(|safe| name(*safe)).collect();
    let mut line = |text: &str| out.say(&Text::new("    ").add(text));
    line(&format!("{own} owns {}. You sign a message of {own}: with it {own}", owners.join(" owns ")));
    let transaction = format!("the transaction of {}", name(safe));
    line(&format!("approves {transaction}, whole, and nothing else."));
    let mut known = vec![(transaction, *proposal.hashes())];
    for depth in 1..=way.through.len() {
        let at = ways.iter().find(|one| one.through == way.through[..depth]);
        let Some(message) = at.and_then(|way| way.message.as_ref()) else { continue };
        let whose = name(way.through[depth - 1]);
        line(&format!("The message of {whose} is {}:", about(message, &known)));
        let hash = if depth == way.through.len() { "to sign" } else { "hash" };
        let rows = [
            ("message", hex::encode_prefixed(&message.message)),
            ("domain", message.hashes.domain.to_string()),
            ("msg hash", message.hashes.message.to_string()),
            (hash, message.hashes.safe_tx.to_string()),
        ];
        for (label, value) in rows {
            line(&format!("{label:<9}{value}"));
        }
        known.push((format!("the message of {whose}"), message.hashes));
    }
    line("No device shows a call, target or nonce of it: these hashes stand for them.");
    out
}

/// Returns what the bytes of a message are, by the `known` hashes above it, the nearest last.
fn about(message: &SafeMessage, known: &[(String, Hashes)]) -> String {
    let bytes = &message.message;
    let found = known.iter().rev().find_map(|(what, hashes)| {
        if hashes.pre_image() == *bytes {
            return Some(format!("0x1901, then the domain hash and the message hash of {what}"));
        }
        (bytes[..] == hashes.safe_tx.word()[..]).then(|| format!("the hash of {what}"))
    });
    found.unwrap_or_else(|| "of another form: compare it with another signer's machine".into())
}

/// Returns what a device shows of the message: one sentence if its settings make no difference.
pub fn on_device(preview: &Preview, safe: &str) -> Lines {
    let possible = preview.possible.iter();
    let sentences: Vec<(&str, String)> = possible
        .filter_map(|one| Some((one.settings.as_str(), shown(preview.device, &one.pages, safe)?)))
        .collect();
    let is_one = sentences.windows(2).all(|pair| pair[0].1 == pair[1].1);
    let count = if is_one { 1 } else { sentences.len() };
    let line = |(settings, sentence): &(&str, String)| {
        let when = if is_one { String::new() } else { format!("with {settings}: ") };
        Text::new("    ").warn("! ").add(&format!("{when}{sentence}"))
    };
    sentences.iter().take(count).map(line).collect()
}

/// Returns the sentence for these pages; `None` if the app's settings forbid the signature.
fn shown(device: &str, pages: &Pages, safe: &str) -> Option<String> {
    if pages.refused {
        return None;
    }
    let has = |title: &str| {
        let mut entries = pages.all.iter().flat_map(|page| &page.entries);
        entries.any(|entry| entry.title.split(" (").next() == Some(title) && !entry.lines.is_empty())
    };
    let compare = "and no call, target or nonce: compare";
    Some(match () {
        () if has("message") => {
            format!("The {device} shows this message whole, {compare} it with the one above")
        }
        () if has("Domain hash") => {
            format!(
                "The {device} shows only the domain hash and the message hash of this message, {compare} both with those above"
            )
        }
        () if has("verifyingContract") => {
            format!(
                "The {device} shows only the message hash of this message, and {safe} as verifyingContract, {compare} both with those above"
            )
        }
        () => format!("The {device} shows only the hash to sign, {compare} all of it"),
    })
}
