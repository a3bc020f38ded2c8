//! Several transactions in one command: one after the other, whatever becomes of the others.

use crate::ceremony::judged::Judged;
use crate::ceremony::look::Part;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::ui::Text;

/// Judges each and acts on it. A single one is the whole run; of several, each has its own object and a row in the table
/// at the end, and the run ends as the gravest of them.
pub fn each<'a>(
    session: &Session,
    parts: Vec<Part<'a>>,
    proofs: bool,
    signing: bool,
    mut act: impl FnMut(Judged<'a>) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let ui = session.ui;
    let mut run = |part: Part<'a>| act(part.result?.prove(ui, proofs)?.judge(signing));
    let count = parts.len();
    if count == 1 {
        return parts.into_iter().next().map_or(Ok(Exit::Done), run);
    }
    let mut rows = Vec::new();
    let mut whole = Exit::Done;
    for (at, part) in parts.into_iter().enumerate() {
        let title = part.title.clone();
        ui.blank();
        ui.say(&Text::default().bold(&format!("{} of {count}: {title}", at + 1)));
        let exit = ui.part(at, || ui.end(run(part)));
        rows.push(vec![title, exit.word().to_string()]);
        whole = whole.graver(exit);
    }
    ui.blank();
    ui.table(&["transaction", "result"], &rows);
    Ok(whole)
}
