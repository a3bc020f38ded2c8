//! The gaps that keep a council from being ready: one enum with data. Pure.

use super::told::GapReport;
use super::{
    by_cast, journal_gaps, key_gaps, last_drills, levers, people_gaps, prepared, roll_call, rpcs, safe_state,
    service_gaps, targets,
};

/// A gap. The gravest kinds come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    Rpc(rpcs::RpcGap),
    Service(service_gaps::ServiceGap),
    Safe(safe_state::SafeGap),
    Lever(levers::LeverGap),
    Target(targets::TargetGap),
    Key(key_gaps::KeyGap),
    Prepared(prepared::PreparedGap),
    Cast(by_cast::CastGap),
    People(people_gaps::PeopleGap),
    RollCall(roll_call::RollCallGap),
    Drill(last_drills::DrillGap),
    Journal(journal_gaps::JournalGap),
    /// The council file asks for another version of this program.
    Program {
        asked: String,
        is: String,
    },
}

impl Gap {
    /// Returns its id, level, sentence and fix.
    pub fn report(&self) -> GapReport {
        match self {
            Self::Rpc(gap) => gap.report(),
            Self::Service(gap) => gap.report(),
            Self::Safe(gap) => gap.report(),
            Self::Lever(gap) => gap.report(),
            Self::Target(gap) => gap.report(),
            Self::Key(gap) => gap.report(),
            Self::Prepared(gap) => gap.report(),
            Self::Cast(gap) => gap.report(),
            Self::People(gap) => gap.report(),
            Self::RollCall(gap) => gap.report(),
            Self::Drill(gap) => gap.report(),
            Self::Journal(gap) => gap.report(),
            Self::Program { asked, is } => super::told::not_ready(
                "program",
                format!("the council file asks for breakglass {asked}, and this is {is}"),
                "install that version",
            ),
        }
    }
}
