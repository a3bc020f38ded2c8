//! breakglass: emergency actions for EVM multisigs.
//!
//! What a signer approves on the device is what the playbook says, and nobody else's machine, file, web page or RPC
//! had to be trusted to know it.
//!
//! Data flows one way, each arrow a type, no arrow back:
//!
//! ```text
//! playbook text + arguments + council      ──▶ Plan            (pure)
//! Plan + SafeState at a block              ──▶ Proposal        ──▶ file
//! Proposal + Rehearsal + SafeState         ──▶ Findings        (pure)
//! Proposal + a human's yes + key           ──▶ OwnerSignature  ──▶ file or one line of text
//! Proposal + signatures + fresh SafeState  ──▶ Ready | Shortfall (pure)
//! Ready + sender                           ──▶ Receipt ──▶ Outcome
//! ```
//!
//! Each room knows only the rooms below it; `command` alone knows them all.
//!
//! | Room | Holds |
//! |---|---|
//! | [`command`] | one file per command: load, decide, show |
//! | [`ui`] | the only room that prints or prompts |
//! | [`store`] | the only room that touches files and the environment |
//! | [`check`] | findings, each attack of record one small function |
//! | [`chain`] | the only room that talks to a network |
//! | [`fork`] | the rehearsal, in this process |
//! | [`device`] | keys: hardware wallets and keystores |
//! | [`proposal`] | proposals, owner signatures, and when they are ready |
//! | [`playbook`] | playbook text to plan |
//! | [`council`] | the council file |
//! | [`evm`] | the words of a chain: blocks, questions and answers, revert reasons |
//! | [`near`] | the name that was probably meant |
//! | [`safe`] | the Safe protocol |
//! | [`clock`] | the only room that asks what time it is |
//! | [`shell`] | words as a shell reads them |

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

mod ceremony;
pub mod chain;
pub mod check;
pub mod clock;
mod command;
pub mod council;
pub mod device;
pub mod error;
pub mod evm;
pub mod excerpt;
pub mod fork;
pub mod near;
pub mod playbook;
mod progress;
pub mod proposal;
pub mod safe;
pub mod shell;
pub mod store;
pub mod ui;
mod view;

use std::ffi::OsString;

/// Runs the program; answers its exit code, see [`error::Exit`].
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    command::run(args) as u8
}
