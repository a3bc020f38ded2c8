//! A person at a device: which page is shown after each press or touch, given the pages of the review.

use breakglass::device::{Page, RequestKind};

/// The page on which the person is.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Page(usize),
    /// "Reject …" after the page with this number.
    Reject(usize),
    /// "Skip review?", asked on the page with this number.
    Skip(usize),
    /// Behind "More" of a page, and which page there.
    More(usize, usize),
    End(bool),
}

pub struct Person<'p> {
    pub pages: &'p [Page],
    /// The kind of text to sign: "Message" or "Transaction".
    pub kind: RequestKind,
    /// Only the two hashes.
    pub hashes: bool,
    pub large: bool,
    /// A Stax or an Apex P, whose dialogues break earlier than a Flex's.
    pub narrow: bool,
}

impl Person<'_> {
    /// Every screen in order; one more than presses, but for presses that change nothing.
    pub fn screens(&self, presses: &[String]) -> Vec<Vec<String>> {
        let mut at = At::Page(0);
        let mut shown = vec![self.shown(at)];
        for press in presses {
            let next = if self.large { self.touched(at, press) } else { self.pressed(at, press) };
            if next != at {
                shown.push(self.shown(next));
            }
            at = next;
        }
        shown
    }

    fn last(&self) -> usize {
        self.pages.len() - 1
    }

    fn title(&self, page: usize) -> &str {
        self.pages[page].texts()[0]
    }

    fn pressed(&self, at: At, press: &str) -> At {
        let warned = |i: usize| self.title(i) == "Blind signing ahead";
        let confirms = |i: usize| self.title(i).starts_with("Confirm ");
        match (at, press) {
            (At::Page(i), "r") if warned(i) || confirms(i) || i == self.last() => At::Reject(i),
            (At::Page(i), "r") => At::Page(i + 1),
            (At::Page(i), "l") if i > 0 && !warned(i - 1) => At::Page(i - 1),
            (At::Page(i), "b") if i == self.last() => At::End(true),
            (At::Page(i), "b") if warned(i) || confirms(i) => At::Page(i + 1),
            (At::Page(i), "b") if self.pages[i].offers_skip() => At::Page(self.last()),
            // The first no under "Debug contracts" leaves the page as it is.
            (At::Reject(i), "b") if !confirms(i) => At::End(false),
            (At::Reject(i), "l") => At::Page(i),
            (at, _) => at,
        }
    }

    fn touched(&self, at: At, touch: &str) -> At {
        match (at, touch) {
            (At::Page(i), "tap Accept risk and continue" | "swipe left") => At::Page(i + 1),
            (At::Page(i), "tap Skip") => At::Skip(i),
            (At::Skip(_), "tap Yes, skip") => At::Page(self.last()),
            (At::Page(i), "tap More") => At::More(i, 0),
            (At::More(i, page), "swipe left") => At::More(i, page + 1),
            (At::More(i, _), "tap X") => At::Page(i),
            (At::Page(i), "tap Reject") => At::Reject(i),
            (At::Reject(_), "tap Yes, reject") | (At::Page(_), "tap Back to safety") => At::End(false),
            (At::Page(i), "hold Hold to sign") if i == self.last() => At::End(true),
            (_, other) => panic!("{other} leads nowhere"),
        }
    }

    fn shown(&self, at: At) -> Vec<String> {
        let what = match self.kind {
            RequestKind::Transaction => "transaction",
            RequestKind::Message | RequestKind::TypedMessage => "message",
        };
        let own = |texts: &[&str]| texts.iter().map(|text| text.trim_end().to_string()).collect();
        match at {
            At::Page(i) => own(&self.pages[i].texts()),
            At::More(i, page) => own(&self.pages[i].more[page].texts()),
            At::Reject(_) if self.large => {
                let what = if self.hashes { "transaction" } else { what };
                own(&[&format!("Reject {what}?"), &format!("Go back to {what}"), "Yes, reject"])
            }
            At::Reject(i) if self.hashes || i < self.last() => own(&["Reject transaction"]),
            At::Reject(_) => own(&[&format!("Reject {what}")]),
            At::Skip(_) if self.narrow => own(&[
                "Skip review?",
                "If you're sure you don't need",
                "to review all fields, you can",
                "skip straight to signing.",
                "Go back to review",
                "Yes, skip",
            ]),
            At::Skip(_) => own(&[
                "Skip review?",
                "If you're sure you don't need to",
                "review all fields, you can skip",
                "straight to signing.",
                "Go back to review",
                "Yes, skip",
            ]),
            At::End(signed) => {
                let what = if what == "transaction" { "Transaction" } else { "Message" };
                own(&[&format!("{what} {}", if signed { "signed" } else { "rejected" })])
            }
        }
    }
}
