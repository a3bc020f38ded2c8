//! Things that keep a council from being ready: one enum with data.

use super::told::GapReport;
use super::{
    by_cast, key_gaps, last_drills, levers, people_gaps, prepared, roll_call, rpcs, safe_state, service_gaps,
    targets,
};

/// A gap. The order of the kinds is that of their worth.
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
    /// The council file asks for another version of this program.
    Program {
        asked: String,
        is: String,
    },
}

impl Gap {
    /// Returns how it is told.
    #[must_use]
    pub fn tell(&self) -> GapReport {
        match self {
            Self::Rpc(gap) => gap.tell(),
            Self::Service(gap) => gap.tell(),
            Self::Safe(gap) => gap.tell(),
            Self::Lever(gap) => gap.tell(),
            Self::Target(gap) => gap.tell(),
            Self::Key(gap) => gap.tell(),
            Self::Prepared(gap) => gap.tell(),
            Self::Cast(gap) => gap.tell(),
            Self::People(gap) => gap.tell(),
            Self::RollCall(gap) => gap.tell(),
            Self::Drill(gap) => gap.tell(),
            Self::Program { asked, is } => super::told::not_ready(
                "program",
                format!("the council file asks for breakglass {asked}, and this is {is}"),
                "install that version",
            ),
        }
    }
}
