//! A Ledger that is not ready is told of once, in lines that stay, when it has been waited for a moment: a spinner is seen on a
//! terminal alone, and goes when it ends.

use std::time::Duration;

use crate::device::DeviceError;
use crate::ui::{Lines, Text};

/// Nobody is told of a shorter wait.
const MOMENT: Duration = Duration::from_secs(2);

/// The reasons of a wait that were told.
#[derive(Debug, Default)]
pub struct LongWait {
    /// The time that was left when it began, and when it was last looked at.
    left: Option<(Duration, Duration)>,
    told: Option<String>,
}

impl LongWait {
    /// Returns `true` if it is to be told why the device is waited for, with this time left: once for each reason.
    pub fn is_news(&mut self, why: &str, left: Duration) -> bool {
        let begun = match self.left {
            Some((begun, before)) if left <= before => begun,
            _ => left, // another wait
        };
        self.left = Some((begun, left));
        let is_news = begun.saturating_sub(left) >= MOMENT && self.told.as_deref() != Some(why);
        if is_news {
            self.told = Some(why.into());
        }
        is_news
    }
}

/// Returns why it waits, for how long, and how it is ended.
pub fn waited_for(why: &DeviceError, left: Duration) -> Lines {
    let mut lines = vec![Text::default().warn("waiting: ").add(&why.to_string())];
    if matches!(why, DeviceError::NotPluggedIn) {
        let text = "if it is plugged in: try another cable or port, some cables only charge";
        lines.push(Text::default().dim("  → ").add(text));
    }
    let text = format!("it is looked for {} s more; Ctrl-C ends it, and nothing is signed", left.as_secs());
    lines.push(Text::default().dim("  → ").add(&text));
    lines.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_once_after_a_moment() {
        let seconds = Duration::from_secs;
        let mut wait = LongWait::default();
        assert!(!wait.is_news("none is plugged in", seconds(120)));
        assert!(!wait.is_news("none is plugged in", seconds(119)));
        assert!(wait.is_news("none is plugged in", seconds(118)));
        assert!(!wait.is_news("none is plugged in", seconds(117)));
        assert!(wait.is_news("it is locked", seconds(110)));
        assert!(!wait.is_news("it is locked", seconds(109)));
        // Another wait: what is over within a moment is not told.
        assert!(!wait.is_news("no app is open", seconds(120)));
        assert!(!wait.is_news("no app is open", seconds(119)));
        assert!(wait.is_news("no app is open", seconds(118)));
    }

    #[test]
    fn a_person_without_a_ledger_is_told_what_to_do() {
        let told = |why: &DeviceError| {
            waited_for(why, Duration::from_secs(117)).iter().map(Text::plain).collect::<Vec<_>>()
        };
        let none = told(&DeviceError::NotPluggedIn);
        assert_eq!(none[0], "waiting: no Ledger is plugged in: plug it in and unlock it");
        assert!(none[1].contains("some cables only charge") && none[2].contains("117 s more; Ctrl-C"));
        assert_eq!(told(&DeviceError::Locked).len(), 2);
    }
}
