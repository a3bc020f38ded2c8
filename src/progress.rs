//! The way in which a ceremony tells its caller what it waits for and what is worth knowing.
//!
//! May touch nothing: a trait, which the terminal implements.

use std::fmt::Debug;
use std::time::Duration;

/// The gravity of a line, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
    Dim,
}

/// The receiver of progress.
pub trait Progress: Debug + Sync {
    /// Says what is being waited for, until the answer is dropped.
    fn begin(&self, what: &str) -> Box<dyn Shown>;

    /// Notes a wish to stop waiting, until the answer is dropped.
    fn stop(&self) -> Box<dyn Stop>;

    /// One line: a label in its tone, and the text.
    fn tell(&self, tone: Tone, label: &str, text: &str);

    /// Shows one line, and not again in this run.
    fn tell_once(&self, tone: Tone, label: &str, text: &str);
}

/// A wish to stop waiting for what goes on without this process.
pub trait Stop {
    fn is_requested(&self) -> bool;

    /// Sleeps for this long, or until it is wanted.
    fn pause(&self, time: Duration);
}

/// A display that lasts until it is dropped.
pub trait Shown {}

impl dyn Progress + '_ {
    /// Runs something slow, and says what is being waited for.
    pub fn wait<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        let shown = self.begin(what);
        let result = work();
        drop(shown);
        result
    }
}

/// Says nothing to anybody.
#[derive(Debug)]
pub struct Silent;

/// The one that says nothing.
pub static SILENT: Silent = Silent;

impl Progress for Silent {
    fn begin(&self, _: &str) -> Box<dyn Shown> {
        Box::new(Self)
    }

    fn stop(&self) -> Box<dyn Stop> {
        Box::new(Self)
    }

    fn tell(&self, _: Tone, _: &str, _: &str) {}

    fn tell_once(&self, _: Tone, _: &str, _: &str) {}
}

impl Shown for Silent {}

impl Stop for Silent {
    fn is_requested(&self) -> bool {
        false
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
