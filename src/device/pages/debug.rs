//! "Debug contracts": the selector and each word of the data come first, three pages or more for each, while the
//! transaction is still being sent.

use alloy::hex;

use super::font::nano_lines;
use super::page::{Page, paged};

const WORD: usize = 32;
const SELECTOR: usize = 4;

/// The pages before the review, as recorded on a Nano S Plus.
pub fn pages(data: &[u8]) -> Vec<Page> {
    let (selector, words) = data.split_at(data.len().min(SELECTOR));
    let mut pages = part("selector", "Selector", &hex::encode_upper(selector));
    for word in words.chunks(WORD) {
        pages.extend(part("parameter", "Parameter", &grouped(word)));
    }
    pages
}

fn part(name: &str, title: &str, value: &str) -> Vec<Page> {
    let mut pages = vec![Page::of(&format!("Verify {name}"), &[])];
    pages.extend(paged(title, &nano_lines(value), 3));
    pages.push(Page::of(&format!("Confirm {name}"), &[]));
    pages
}

/// Groups of eight bytes, each without the zero bytes before it.
fn grouped(word: &[u8]) -> String {
    let group = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(bytes.len().saturating_sub(1));
        hex::encode_upper(&bytes[zeros..])
    };
    word.chunks(8).map(group).collect::<Vec<_>>().join(":")
}
