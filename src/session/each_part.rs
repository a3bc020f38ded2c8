//! Several transactions in one command, one after the other; an error of one does not stop the others.

use crate::ceremony::derived::Derived;
use crate::ceremony::evaluate::PartResult;
use crate::ceremony::judged::Judged;
use crate::ceremony::rehearse::Rehearsed;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::ui::{Text, Ui};

/// Judges each and acts on it. A single one is the whole run. If there are several, each has its own object and a row
/// in the table at the end, and the gravest exit code counts.
pub fn each<'a>(
    session: &Session,
    parts: Vec<PartResult<'a>>,
    proofs: bool,
    signing: bool,
    mut act: impl FnMut(Judged<'a>) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let ui = session.ui;
    let parts = parts.into_iter().map(|part| (part.title, part.result)).collect();
    run_each(ui, parts, |part: Result<Rehearsed<'a>, Error>| act(part?.prove(ui, proofs)?.judge(signing)))
}

/// Judges each and acts on it, offline.
pub fn each_offline<'a>(
    session: &Session,
    derived: Vec<Derived<'a>>,
    signing: bool,
    mut act: impl FnMut(Judged<'a>) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let titled = |one: Derived<'a>| {
        let title = one.proposal.binding().title();
        (format!("{title} · {} on {}", one.safe.name, one.chain.name), one)
    };
    let parts = derived.into_iter().map(titled).collect();
    run_each(session.ui, parts, |one: Derived<'a>| act(one.judge(signing)))
}

fn run_each<T>(
    ui: &Ui,
    parts: Vec<(String, T)>,
    mut run: impl FnMut(T) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let count = parts.len();
    if count == 1 {
        return parts.into_iter().next().map_or(Ok(Exit::Done), |(_, part)| run(part));
    }
    let mut rows = Vec::new();
    let mut whole = Exit::Done;
    for (at, (title, part)) in parts.into_iter().enumerate() {
        ui.blank();
        ui.say(&Text::default().bold(&format!("{} of {count}: {title}", at + 1)));
        let exit = ui.part(at, || ui.end(run(part)));
        rows.push(vec![title, exit.word().to_string()]);
        whole = whole.more_severe(exit);
    }
    ui.blank();
    ui.table(&["transaction", "result"], &rows);
    Ok(whole)
}
