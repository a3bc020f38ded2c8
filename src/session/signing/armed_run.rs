//! `armed`: shows what is signed ahead, who can use it, and the commands that revoke it.

use crate::ceremony::folder::armed_sets::Group;
use crate::ceremony::order::Given;
use crate::clock;
use crate::error::{Error, Exit};
use crate::readiness::armed_status::{Usability, assess};
use crate::session::Session;
use crate::ui::Text;
use crate::view::armed_texts;
use crate::view::armed_texts::ArmedObject;

/// Shows the sets of levers, or all.
pub fn show(session: &Session, levers: &[String], given: &Given) -> Result<Exit, Error> {
    let groups = session.armed(levers, given)?;
    if groups.is_empty() {
        let what = if levers.is_empty() { "LEVER".into() } else { levers.join(" ") };
        session.ui.say(&Text::new("nothing is signed ahead"));
        let how =
            format!("breakglass sign {what} --nonces A..B --to FILE, then breakglass import {what} FILE");
        session.ui.say(&Text::default().dim("  → ").add(&how));
    }
    let (mut objects, mut whole) = (Vec::new(), Exit::Done);
    for group in &groups {
        let (object, exit) = one(session, group)?;
        objects.push(object);
        whole = whole.more_severe(exit);
    }
    session.ui.field("armed", &objects);
    Ok(whole)
}

/// Shows one transaction. A stale one has an exit code of its own; one that can no longer be used does not.
fn one(session: &Session, group: &Group) -> Result<(ArmedObject, Exit), Error> {
    let examined = session.examine(group)?;
    let armed = assess(&examined.signatures, examined.threshold_then, &examined.now);
    let name = |owner| session.name_of(owner);
    session.ui.show(&armed_texts::armed(&examined, &armed, clock::seconds(), &name));
    session.ui.blank();
    let is_dead = matches!(armed.by, Usability::Nobody(_));
    let exit = if is_dead || examined.is_good() { Exit::Done } else { Exit::Drift };
    Ok((ArmedObject::new(&examined, &armed), exit))
}
