//! `breakglass` alone: what is open and the state of every lever now, or how to begin.

use std::path::Path;

use crate::ceremony::desk::{Desk, find_council};
use crate::error::{Error, Exit};
use crate::session::{Session, levers_now};
use crate::ui::Ui;
use crate::view::lever_table::{NoCouncil, beginning};

pub fn run(ui: &Ui, council: Option<&Path>) -> Result<Exit, Error> {
    if council.is_none() && find_council(ui)?.is_none() {
        ui.object(&NoCouncil::default());
        ui.show(&beginning());
        return Ok(Exit::Done);
    }
    levers_now::now(&Session { ui, desk: Desk::load(ui, council)? }, false)
}
