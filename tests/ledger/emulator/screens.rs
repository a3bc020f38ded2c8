//! The pages that a Nano S Plus with Ethereum 1.22.0 shows, from what it received and nothing else. Written apart from
//! the program's own prediction, and held against the recorded pages in `settings.rs`.

use alloy::hex;
use alloy::primitives::B256;

use super::app::Behaviour;

/// The lines of one page, its title first.
pub type Screen = Vec<String>;

/// A title and its value as the app writes it.
pub type Shown = (String, String);

/// The pixels of a line, and the lines of a page.
const WIDTH: usize = 114;
const LINES: usize = 3;

/// The page of an app whose settings forbid it.
pub fn refusal() -> Vec<Screen> {
    vec![page(&["Blind signing must", "be enabled in", "settings"])]
}

pub fn warning() -> Screen {
    page(&["Blind signing ahead", "To accept risk, press", "both buttons"])
}

/// Typed data that came field by field: the domain, then the message with its name.
pub fn fields(
    on: &Behaviour,
    domain: &[Shown],
    (name, message): (&str, &[Shown]),
    (domain_hash, message_hash): (B256, B256),
) -> Vec<Screen> {
    let named = |name: &str| vec![("Review struct".to_string(), name.to_string())];
    let of_domain = ("Domain hash".to_string(), upper(domain_hash.as_slice()));
    let of_message = ("Message hash".to_string(), upper(message_hash.as_slice()));
    let ends = if on.transaction_hash { vec![of_domain, of_message.clone()] } else { Vec::new() };
    if on.raw_messages {
        let all = [&named("EIP712Domain"), domain, &named(name), message, &ends].concat();
        return review(&all, true);
    }
    // Blind signing alone: the message is its hash.
    let ends = if ends.is_empty() { vec![of_message] } else { ends };
    review(&[domain, &ends].concat(), false)
}

/// The two hashes alone.
pub fn hashes(on: &Behaviour, domain: &[u8], message: &[u8]) -> Vec<Screen> {
    let both = [("Domain hash".to_string(), upper(domain)), ("Message hash".to_string(), upper(message))];
    review(&both, on.raw_messages)
}

/// A personal message of bytes that are no text.
pub fn message(bytes: &[u8]) -> Vec<Screen> {
    let mut screens = vec![page(&["Review message"])];
    screens.extend(value(&("Message".into(), hex::encode_prefixed(bytes))));
    screens.push(page(&["Sign message"]));
    screens
}

fn review(values: &[Shown], can_skip: bool) -> Vec<Screen> {
    let mut screens = vec![warning(), page(&["Review typed", "message"])];
    for (at, one) in values.iter().enumerate() {
        if can_skip && at > 0 {
            screens.push(page(&["Press right button to", "continue message or", "press both to skip"]));
        }
        screens.extend(value(one));
    }
    screens.push(page(&["Sign message"]));
    screens
}

fn value((title, value): &Shown) -> Vec<Screen> {
    let lines = broken(value);
    let count = lines.len().div_ceil(LINES);
    let pages = lines.chunks(LINES).enumerate().map(|(at, lines)| {
        let title = if count > 1 { format!("{title} ({}/{count})", at + 1) } else { title.clone() };
        [&[title], lines].concat()
    });
    pages.collect()
}

/// A line ends before the digit that would pass its width. Words are short enough for one.
fn broken(value: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for digit in value.chars() {
        let pixels = match digit {
            '4' | 'D' => 8,
            'A' | 'B' | 'C' | 'b' | 'd' => 7,
            'c' | 'f' => 5,
            _ => 6,
        };
        if used + pixels > WIDTH && value.starts_with(|c: char| c.is_ascii_digit()) {
            lines.push(String::new());
            used = 0;
        }
        used += pixels;
        lines.last_mut().unwrap().push(digit);
    }
    lines
}

fn page(lines: &[&str]) -> Screen {
    lines.iter().map(ToString::to_string).collect()
}

/// Bytes as the app writes them; it keeps 376 characters of them.
pub fn upper(bytes: &[u8]) -> String {
    let text = format!("0x{}", hex::encode_upper(bytes));
    if text.len() > 379 { format!("{}...", &text[..376]) } else { text }
}
