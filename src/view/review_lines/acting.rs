//! The account that acts, a Safe or one key alone, and the lines of the review about it.

use serde::Serialize;

use crate::ceremony::deputy::deputy_act::{Act, How};
use crate::ui::Text;
use crate::view::review_lines::review_layout::digits;

/// The account that makes the call, and whose approval it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Acting {
    /// The Safe, by its owners' approvals.
    Safe,
    /// One key, by a transaction of its own.
    Key { deputy: String, address: String, confirmed_by: String },
    /// The Safe, by one key's signature for its module.
    Module { deputy: String, address: String, module: String, nonce: String, confirmed_by: String },
}

impl Acting {
    pub const fn is_safe(&self) -> bool {
        matches!(self, Self::Safe)
    }

    /// Returns how a deputy acts.
    pub fn of_deputy(act: &Act) -> Self {
        let (deputy, address) = (act.deputy.0.to_string(), act.deputy.1.to_string());
        let confirmed_by = act.safe.name.clone();
        match &act.how {
            How::Key(_) => Self::Key { deputy, address, confirmed_by },
            How::Module(pause, _) => Self::Module {
                deputy,
                address,
                module: pause.module.to_string(),
                nonce: pause.nonce.to_string(),
                confirmed_by,
            },
        }
    }
}

/// Returns the line of the account that acts, with its label; `None` for a Safe.
pub fn account(acting: &Acting) -> Option<(&'static str, Text)> {
    match acting {
        Acting::Safe => None,
        Acting::Key { deputy, address, .. } | Acting::Module { deputy, address, .. } => {
            Some(("deputy", Text::default().bold(deputy).to_column(11).add(address).warn("  alone, at once")))
        }
    }
}

/// Returns the lines about the signature and about the confirmation afterwards.
pub fn consequences(acting: &Acting, [domain, message, whole]: [&str; 3]) -> Vec<(&'static str, Text)> {
    let after = |safe: &str| {
        let text = format!("{safe} confirms it or takes it back; breakglass report lists it");
        ("after", Text::new(&text))
    };
    match acting {
        Acting::Safe => Vec::new(),
        Acting::Key { deputy, confirmed_by, .. } => vec![
            ("signs", Text::new(&format!("a transaction of {deputy}'s own key, which is sent at once"))),
            after(confirmed_by),
        ],
        Acting::Module { module, nonce, confirmed_by, .. } => {
            let hash = |hash: &str| Text::default().bold(&digits(hash));
            vec![
                ("module", Text::new(&format!("{module}   nonce {}…", nonce.get(..10).unwrap_or_default()))),
                (
                    "signs",
                    Text::default().warn("a person who has the signature can use it, once, at any time"),
                ),
                ("domain", hash(domain)),
                ("message", hash(message)),
                ("hash", hash(whole)),
                after(confirmed_by),
            ]
        }
    }
}
