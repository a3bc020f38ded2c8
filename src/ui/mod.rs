//! The only room that prints or prompts. It shows what it is given and decides nothing.
//!
//! Data goes to standard output, everything else to standard error. Under `--json` standard output carries exactly
//! one object, which is written when the run ends. Data that standard output does not take is shown on standard error,
//! and the run has failed.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "the room of the terminal")]

mod interrupt;
#[cfg(unix)]
mod line_input;
mod prompt;
mod table;
mod text;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use dialoguer::console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Map, Value, json};

pub use interrupt::Interrupt;
pub use prompt::{NoTerminal, PromptError};
pub use text::Lines;
pub use text::{Text, bounded, visible};
use text::{cut, escaped};

use crate::error::{Error, Exit};
use crate::progress::{Progress, Shown, Stop, Tone};

/// The most characters of a value under `--json`: the data of the largest transaction is whole.
const LONGEST_VALUE: usize = 300_000;
/// The longest of an error's sentences.
const LONGEST_MESSAGE: usize = 8_000;

/// Narrower than this, addresses and hashes would be broken.
const MIN_WIDTH: u16 = 80;
const MAX_WIDTH: u16 = 120;
/// Narrower than this, nothing can be read.
const NARROWEST: u16 = 20;

/// Time that an input may take before the person is told what is being waited for.
const MOMENT: Duration = Duration::from_secs(1);

/// The terminal and the output of this run.
#[derive(Debug)]
pub struct Ui {
    json: bool,
    /// The texts that [`Ui::say_once`] has printed.
    said: Mutex<BTreeSet<String>>,
    /// The one object of `--json`, as far as it is known.
    object: Mutex<Map<String, Value>>,
    /// The objects of the parts of this run by their places, where there are several.
    parts: Mutex<BTreeMap<usize, Map<String, Value>>>,
    /// The part that a thread is at.
    at: Mutex<HashMap<ThreadId, At>>,
    /// Standard output has taken something.
    given: AtomicBool,
    /// Why standard output did not take what was written to it, the first time.
    lost: OnceLock<io::Error>,
}

/// The part of a run that a thread is at.
#[derive(Clone, Debug)]
struct At {
    place: usize,
    /// The label before each of its lines, if several parts run side by side.
    label: Option<String>,
}

impl Ui {
    pub fn new(json: bool) -> Self {
        Self {
            json,
            said: Mutex::default(),
            object: Mutex::default(),
            parts: Mutex::default(),
            at: Mutex::default(),
            given: AtomicBool::new(false),
            lost: OnceLock::new(),
        }
    }

    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// One line for the person, on standard error.
    pub fn say(&self, text: &Text) {
        match self.label() {
            Some(label) => say(&Text::default().dim(&format!("{label} │ ")).then(text.clone())),
            None => say(text),
        }
    }

    /// Prints lines for the person, on standard error.
    pub fn show(&self, lines: &Lines) {
        lines.iter().for_each(|line| self.say(line));
    }

    /// Prints a line, and not again in this run.
    pub fn say_once(&self, text: &Text) {
        if lock(&self.said).insert(text.plain()) {
            self.say(text);
        }
    }

    /// The columns to lay out for: the terminal's, or 100 where there is none.
    pub fn width(&self) -> usize {
        width().into()
    }

    pub fn blank(&self) {
        self.say(&Text::default());
    }

    /// Data: one line on standard output; left out under `--json`.
    pub fn data(&self, line: &str) {
        if !self.json {
            self.write_stdout(&format!("{}\n", visible(line)));
        }
    }

    /// Data whose lines are kept, on standard output; left out under `--json`.
    pub fn data_block(&self, text: &str) {
        for line in text.lines() {
            self.data(line);
        }
    }

    /// A script or a file for another program, byte for byte; it is our own text.
    pub fn script(&self, text: &str) {
        self.write_stdout(text);
    }

    /// A table on standard output; left out under `--json`. Cells are made visible.
    pub fn table(&self, header: &[&str], rows: &[Vec<String>]) {
        if !self.json {
            self.write_stdout(&format!("{}\n", table::render(header, rows, width())));
        }
    }

    /// The object of `--json`, or fields to add to it. It is written when the run ends.
    pub fn object(&self, value: &impl Serialize) {
        let Ok(Value::Object(fields)) = serde_json::to_value(value) else { return };
        match self.place() {
            Some(place) => lock(&self.parts).entry(place).or_default().extend(fields),
            None => lock(&self.object).extend(fields),
        }
    }

    /// One field of the object of `--json`.
    pub fn field(&self, key: &str, value: &impl Serialize) {
        self.object(&BTreeMap::from([(key, value)]));
    }

    /// Runs something of one part of several: its object is that part's.
    pub fn part<T>(&self, place: usize, run: impl FnOnce() -> T) -> T {
        self.at(At { place, label: None }, run)
    }

    /// Runs a part beside others: each of its lines begins with the label, and no spinner turns.
    pub fn run_labelled<T>(&self, place: usize, label: &str, run: impl FnOnce() -> T) -> T {
        self.at(At { place, label: Some(label.into()) }, run)
    }

    fn at<T>(&self, at: At, run: impl FnOnce() -> T) -> T {
        let thread = thread::current().id();
        let before = lock(&self.at).insert(thread, at);
        let result = run();
        match before {
            Some(before) => lock(&self.at).insert(thread, before),
            None => lock(&self.at).remove(&thread),
        };
        result
    }

    /// Ends the part that this thread is at: shows its error. Returns how it ends.
    pub fn end(&self, result: Result<Exit, Error>) -> Exit {
        let exit = result.unwrap_or_else(|error| {
            self.error(&error);
            error.exit
        });
        self.field("exit", &(exit as u8));
        exit
    }

    fn place(&self) -> Option<usize> {
        lock(&self.at).get(&thread::current().id()).map(|at| at.place)
    }

    fn label(&self) -> Option<String> {
        lock(&self.at).get(&thread::current().id()).and_then(|at| at.label.clone())
    }

    /// Ends the run: shows its error, writes the object of `--json`, and says if standard output did not take
    /// everything. Returns the exit code.
    pub fn finish(&self, result: Result<Exit, Error>) -> Exit {
        let exit = result.unwrap_or_else(|error| {
            self.error(&error);
            error.exit
        });
        if self.json {
            let mut object = Value::Object(std::mem::take(&mut lock(&self.object)));
            let parts = std::mem::take(&mut *lock(&self.parts));
            if !parts.is_empty() {
                object["parts"] = parts.into_values().map(Value::Object).collect();
            }
            cut_values(&mut object);
            self.write_stdout(&format!("{}\n", escaped(&format!("{object:#}"))));
        }
        let Some(why) = self.lost.get() else { return exit };
        let message = format!("standard output could not be written to the end: {why}");
        self.say(&Text::default().bad("error: ").add(&message));
        self.say(&Text::default().dim("  → ").add("the rest is shown above, on standard error"));
        if exit == Exit::Done { Exit::Failed } else { exit }
    }

    /// Writes data to standard output, or else shows it on standard error.
    fn write_stdout(&self, text: &str) {
        let mut stdout = io::stdout();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => self.given.store(true, Ordering::Relaxed),
            // A reader that has what it wanted (`| head`) is not a reason to fail; one that was never there is.
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe && self.given.load(Ordering::Relaxed) => {}
            Err(why) => {
                let _ = self.lost.set(why);
                write_line(&mut io::stderr(), text.trim_end_matches('\n'));
            }
        }
    }

    /// Shows the error, and what to do next; the object holds it beside what was done.
    fn error(&self, error: &Error) {
        let is_done = error.exit == Exit::Done;
        let mark =
            if is_done { Text::default().good("nothing to do: ") } else { Text::default().bad("error: ") };
        self.say(&mark.add(&error.message));
        for line in Text::block(&error.excerpt) {
            self.say(&line);
        }
        for hint in &error.hints {
            self.say(&Text::default().dim("  → ").add(hint));
        }
        self.object(error.done.as_ref().unwrap_or(&Value::Null));
        let key = if is_done { "nothing_to_do" } else { "error" };
        self.object(&json!({ key: {
            "exit": error.exit as u8,
            "message": cut(&error.message, LONGEST_MESSAGE),
            "excerpt": cut(&error.excerpt, LONGEST_MESSAGE),
            "hints": error.hints.iter().map(|hint| cut(hint, LONGEST_MESSAGE)).collect::<Vec<_>>(),
        }}));
    }

    /// Reads what somebody else has to provide, and says after a second what is being waited for.
    pub fn receive<T>(&self, what: &str, read: impl FnOnce() -> T) -> T {
        let (read_all, waiting) = mpsc::channel::<()>();
        let text = Text::new(&format!("reading {what}, until its writer ends it …"));
        thread::scope(|scope| {
            scope.spawn(move || {
                if waiting.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) {
                    say(&text);
                }
            });
            let result = read();
            drop(read_all);
            result
        })
    }

    /// Runs something slow with a spinner that says what is being waited for.
    pub fn wait<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        let spinner = self.spinner(what);
        let result = work();
        spinner.stop();
        result
    }

    fn spinner(&self, what: &str) -> Spinner {
        if self.label().is_some() { Spinner(ProgressBar::hidden()) } else { Spinner::start(what) }
    }
}

impl Progress for Ui {
    fn begin(&self, what: &str) -> Box<dyn Shown> {
        Box::new(self.spinner(what))
    }

    fn stop(&self) -> Box<dyn Stop> {
        Box::new(Interrupt::watch())
    }

    fn tell(&self, tone: Tone, label: &str, text: &str) {
        self.say(&toned(tone, label, text));
    }

    fn tell_once(&self, tone: Tone, label: &str, text: &str) {
        self.say_once(&toned(tone, label, text));
    }
}

impl Shown for Spinner {}

fn toned(tone: Tone, label: &str, text: &str) -> Text {
    let line = Text::default();
    let line = match tone {
        Tone::Plain => line.add(label),
        Tone::Good => line.good(label),
        Tone::Warn => line.warn(label),
        Tone::Bad => line.bad(label),
        Tone::Dim => line.dim(label),
    };
    line.add(text)
}

/// Says what is being waited for, where standard error is a terminal.
#[derive(Debug)]
pub struct Spinner(ProgressBar);

impl Spinner {
    pub fn start(what: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(bounded(what));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Prints lines above it, which stay.
    pub fn say(&self, lines: &Lines) {
        self.0.suspend(|| lines.iter().for_each(say));
    }

    pub fn update(&self, what: &str) {
        self.0.set_message(bounded(what));
    }

    pub fn stop(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The width to lay out for: the terminal's, or 100 columns where there is none.
fn width() -> u16 {
    columns().clamp(MIN_WIDTH, MAX_WIDTH)
}

fn rows() -> usize {
    Term::stderr().size_checked().map_or(24, |(rows, _)| rows).into()
}

fn columns() -> u16 {
    Term::stderr().size_checked().map_or(100, |(_, columns)| columns)
}

/// Bounds every text in it.
fn cut_values(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONGEST_VALUE => *text = cut(text, LONGEST_VALUE),
        Value::Array(items) => items.iter_mut().for_each(cut_values),
        Value::Object(fields) => fields.values_mut().for_each(cut_values),
        _ => {}
    }
}

fn say(text: &Text) {
    // Into a file or a log it goes unbroken, so that it can be searched.
    // A terminal that is too narrow would break lines itself, and let the rest of a stranger's text begin one.
    let columns =
        if Term::stderr().is_term() { columns().clamp(NARROWEST, MAX_WIDTH).into() } else { usize::MAX };
    for line in text.wrapped(columns) {
        write_line(&mut io::stderr(), &line.painted());
    }
}

/// Where standard error goes nowhere, there is nowhere to say so.
fn write_line(stream: &mut impl Write, line: &str) {
    let _ = writeln!(stream, "{line}");
    let _ = stream.flush();
}

/// Returns `true` if a person can be asked.
pub fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}
