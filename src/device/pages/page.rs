//! One page, and how a device lays out what it was given: a Nano value by value, a large screen several to a page.

use super::AppSettings;
use super::font::{large_lines, nano_lines, small_lines};
use crate::device::plugged::Model;

/// A title and the lines below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageEntry {
    pub title: String,
    pub lines: Vec<String>,
}

/// A page: the text that is on the screen at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// On a large screen "Skip" is above: it leads to the page that signs.
    pub skip: bool,
    /// One on a Nano.
    pub entries: Vec<PageEntry>,
    /// The text below them on a large screen: "More", "Reject", "2 of 7", "Hold to sign".
    pub foot: Vec<String>,
    /// The pages that "More" leads to, in order.
    pub more: Vec<Self>,
}

/// The thing that the app asks for a yes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    TypedMessage,
    Message,
    Transaction,
}

/// The contents of a review, whatever the screen.
pub struct Review {
    pub kind: RequestKind,
    /// The warning "Blind signing ahead" comes first.
    pub blind: bool,
    /// `true` if what was not yet shown can be skipped.
    pub skippable: bool,
    pub items: Vec<PageItem>,
}

pub struct PageItem {
    pub title: String,
    pub value: String,
    /// Begins a new page on a large screen.
    pub apart: bool,
}

impl PageItem {
    pub fn new(title: &str, value: impl Into<String>) -> Self {
        Self { title: title.into(), value: value.into(), apart: false }
    }
}

impl Page {
    pub fn of(title: &str, lines: &[&str]) -> Self {
        let lines = lines.iter().map(ToString::to_string).collect();
        Self { entries: vec![PageEntry { title: title.into(), lines }], ..Self::default() }
    }

    /// Every line on the screen from top to bottom.
    pub fn texts(&self) -> Vec<&str> {
        let skip = self.skip.then_some("Skip");
        let entries = self.entries.iter().flat_map(|entry| std::iter::once(&entry.title).chain(&entry.lines));
        skip.into_iter().chain(entries.chain(&self.foot).map(String::as_str)).collect()
    }

    /// Returns `true` if the rest can be skipped from here: both buttons on a Nano, "Skip" on a large screen.
    pub fn offers_skip(&self) -> bool {
        self.skip || self.entries.iter().any(|entry| entry.title == OFFER.0)
    }
}

/// Pressing both buttons here leads to the page that signs.
const OFFER: (&str, &[&str]) = ("Press right button to", &["continue message or", "press both to skip"]);
/// The lines of a value on one page of a Nano.
const NANO_LINES: usize = 3;

pub fn lay_out(model: Model, settings: AppSettings, review: &Review) -> Vec<Page> {
    if model.is_large() { large(model, settings, review) } else { nano(review) }
}

fn nano(review: &Review) -> Vec<Page> {
    let mut pages = Vec::new();
    if review.blind {
        pages.push(Page::of("Blind signing ahead", &["To accept risk, press", "both buttons"]));
    }
    pages.push(match review.kind {
        RequestKind::TypedMessage => Page::of("Review typed", &["message"]),
        RequestKind::Message => Page::of("Review message", &[]),
        RequestKind::Transaction => Page::of("Review transaction", &[]),
    });
    for (i, item) in review.items.iter().enumerate() {
        if review.skippable && i > 0 {
            pages.push(Page::of(OFFER.0, OFFER.1));
        }
        pages.extend(paged(&item.title, &nano_lines(&item.value), NANO_LINES));
    }
    pages.push(match (review.kind, review.blind) {
        (RequestKind::TypedMessage | RequestKind::Message, _) => Page::of("Sign message", &[]),
        (RequestKind::Transaction, true) => Page::of("Accept risk and", &["sign transaction"]),
        (RequestKind::Transaction, false) => Page::of("Sign transaction", &[]),
    });
    pages
}

/// A value on as many pages as it takes, counted in the title.
pub fn paged(title: &str, lines: &[String], lines_a_page: usize) -> Vec<Page> {
    let chunks: Vec<_> = lines.chunks(lines_a_page).collect();
    let count = chunks.len();
    let page = |(i, lines): (usize, &[String])| {
        let title = if count == 1 { title.into() } else { format!("{title} ({}/{count})", i + 1) };
        Page { entries: vec![PageEntry { title, lines: lines.into() }], ..Page::default() }
    };
    chunks.into_iter().enumerate().map(page).collect()
}

/// Pixels of a large screen, read off recorded screens.
struct ScreenSize {
    /// The height of an entry beside its lines.
    entry: usize,
    line: usize,
    with_skip: usize,
    without_skip: usize,
    /// A longer value shows its beginning, and the rest behind "More".
    most_lines: usize,
    cut_to: usize,
    /// Lines on a page behind "More".
    more: usize,
}

const fn screen_size(model: Model) -> ScreenSize {
    match model {
        Model::Stax => ScreenSize {
            entry: 48,
            line: 40,
            with_skip: 432,
            without_skip: 512,
            most_lines: 10,
            cut_to: 7,
            more: 12,
        },
        Model::ApexP => ScreenSize {
            entry: 44,
            line: 28,
            with_skip: 288,
            without_skip: 328,
            most_lines: 9,
            cut_to: 6,
            more: 11,
        },
        _ => ScreenSize {
            entry: 64,
            line: 40,
            with_skip: 416,
            without_skip: 472,
            most_lines: 9,
            cut_to: 6,
            more: 11,
        },
    }
}

fn large(model: Model, settings: AppSettings, review: &Review) -> Vec<Page> {
    let mut pages = vec![first(model, review.kind)];
    pages.extend(filled(model, review));
    pages.push(last(review));
    let count = pages.len();
    for (i, page) in pages.iter_mut().enumerate() {
        page.foot.push("Reject".into());
        page.foot.push(format!("{} of {count}", i + 1));
    }
    if let [first, .., last] = &mut pages[..] {
        let checked: &[&str] = if model == Model::Stax {
            &["Transaction Check", "unavailable."]
        } else {
            &["Transaction Check unavailable."]
        };
        if settings.transaction_check && review.blind {
            first.foot.extend(checked.iter().map(ToString::to_string));
        }
        if review.blind {
            first.foot.push("Blind signing required.".into());
        }
        last.foot.push("Hold to sign".into());
    }
    if review.blind {
        pages.insert(0, warning());
    }
    pages
}

fn warning() -> Page {
    let lines = [
        "If you sign this transaction,",
        "you could loose your assets.", // as the device spells it
        "Explore safer alternatives:",
        "ledger.com/integrated-apps",
        "Accept risk and continue",
        "Back to safety",
    ];
    Page::of("Blind signing ahead", &lines)
}

fn first(model: Model, kind: RequestKind) -> Page {
    match kind {
        RequestKind::TypedMessage if model == Model::Stax => Page::of("Review typed", &["message"]),
        RequestKind::TypedMessage => Page::of("Review typed message", &[]),
        RequestKind::Message => Page::of("Review message", &["Swipe to review"]),
        RequestKind::Transaction => Page::of("Review transaction", &[]),
    }
}

fn last(review: &Review) -> Page {
    match (review.kind, review.blind) {
        (RequestKind::Message, _) => Page::of("Sign message?", &[]),
        (RequestKind::TypedMessage, _) => Page::of("Accept risk and sign", &["typed message?"]),
        (RequestKind::Transaction, true) => Page::of("Accept risk and sign", &["transaction?"]),
        (RequestKind::Transaction, false) => Page::of("Sign transaction?", &[]),
    }
}

/// The values, as many on a page as fit.
fn filled(model: Model, review: &Review) -> Vec<Page> {
    let room = screen_size(model);
    let most = if review.skippable { room.with_skip } else { room.without_skip };
    let mut pages: Vec<Page> = Vec::new();
    let mut used = usize::MAX / 2;
    for item in &review.items {
        let mut lines = large_lines(model, &item.value);
        let cut = lines.len() > room.most_lines;
        if cut {
            lines.truncate(room.cut_to);
            if let Some(line) = lines.last_mut() {
                line.truncate(line.len().saturating_sub(3));
                line.push_str("...");
            }
        }
        let height = room.entry + room.line * lines.len();
        if item.apart || cut || used + height > most {
            pages.push(Page { skip: review.skippable, ..Page::default() });
            used = 0;
        }
        used += if cut { usize::MAX / 2 } else { height };
        if let Some(page) = pages.last_mut() {
            page.entries.push(PageEntry { title: item.title.clone(), lines });
            if cut {
                page.foot.push("More".into());
                let small = small_lines(model, &item.value);
                let more = |lines: &[String]| Page {
                    entries: vec![PageEntry { title: item.title.clone(), lines: lines.into() }],
                    ..Page::default()
                };
                page.more = small.chunks(room.more).map(more).collect();
            }
        }
    }
    pages
}

/// Returns the page that the app shows instead of a review when its settings forbid it.
pub fn refusal(model: Model) -> Page {
    let (title, head): (&str, &[&str]) = match model {
        Model::Stax | Model::ApexP => ("This transaction", &["cannot be clear-", "signed"]),
        Model::Flex => ("This transaction cannot", &["be clear-signed"]),
        _ => return Page::of("Blind signing must", &["be enabled in", "settings"]),
    };
    let rest = [
        "Enable blind signing in the",
        "settings to sign this",
        "transaction.",
        "Reject transaction",
        "Go to settings",
    ];
    Page::of(title, &[head, &rest].concat())
}
