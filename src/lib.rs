//! breakglass: emergency actions for EVM multisigs.
//!
//! A signer approves on the device what the playbook says, and nobody else's machine, file, web page or RPC
//! had to be trusted to know it.
//!
//! # The way data flows
//!
//! One direction, each arrow a type that consumes the last. [`Desk::evaluate`](ceremony::desk::Desk::evaluate) in
//! `ceremony/evaluate.rs` drives it for every command. What is judged may be rehearsed and judged once more, as the chain
//! is by then. A signature never changes a proposal.
//!
//! ```text
//! lever or file ──▶ Found ──▶ Derived   from the reader's own council file and playbooks
//!                         ──▶ Online    with the Safe's state, readings and code at one agreed block
//!                         ──▶ Rehearsed with the effects of a run on a fork
//!                         ──▶ Judged    with the findings, in the order in which a signer should doubt
//! Judged + a human's yes + key          ──▶ OwnerSignature ──▶ file or one line of text
//! proposal + signatures + fresh SafeTree ─▶ Ready, or how many are missing
//! Ready + payer                         ──▶ Receipt ──▶ Outcome
//! ```
//!
//! Offline the way goes from `Derived` to `Judged`, and nothing is rehearsed.
//!
//! | Arrow | Function |
//! |---|---|
//! | what was named → `Found` | [`Desk::find`](ceremony::desk::Desk::find) in `ceremony/find.rs`, [`Order::parts`](ceremony::order::Order::parts) for levers |
//! | playbook, arguments, readings → `Plan` | [`playbook::derive()`] (pure) |
//! | lever → proposal, from the chain's values | [`Order::live`](ceremony::order::Order::live) in `ceremony/derivation.rs` |
//! | proposal → proposal, from its own values | [`Order::derive_from_file`](ceremony::order::Order::derive_from_file) in `ceremony/derivation.rs` (pure) |
//! | both compared | [`matching::compare`](ceremony::matching::compare) (pure) |
//! | `Found` → `Derived`, without a network | [`Existing::offline`](ceremony::find::Existing::offline); a lever for the [assumed](evm::Assumed) Safe of the council file: [`Desk::offline`](ceremony::desk::Desk::offline) in `ceremony/evaluate.rs` |
//! | `Found` → `Online` | [`Found::online`](ceremony::find::Found::online), which asks [`Chain::snapshot`](chain::Chain::snapshot) |
//! | `Online` → `Rehearsed` | [`Online::rehearse`](ceremony::online::Online::rehearse) in `ceremony/rehearse.rs`, which runs [`fork::rehearse`] (pure) |
//! | values proven by Merkle proofs | [`Rehearsed::prove`](ceremony::rehearse::Rehearsed::prove) |
//! | `Rehearsed` → `Judged` | [`Rehearsed::judge`](ceremony::rehearse::Rehearsed::judge) in `ceremony/judged.rs`, by [`check::findings`] (pure) |
//! | a refusal stops the command | [`enforce`](ceremony::enforce::enforce) (pure) |
//! | a key signs | [`Key::sign_safe_tx`](device::Key::sign_safe_tx) |
//! | stated signature → `OwnerSignature` | [`OwnerSignature::verify`](proposal::OwnerSignature::verify) (pure) |
//! | approvals → `Ready` or `Shortfall` | [`proposal::assemble`] (pure) |
//! | `Ready` → the network | [`Chain::send`](chain::Chain::send) |
//! | `Receipt` → `Outcome` | [`outcome::read`](ceremony::aftermath::outcome::read) |
//! | each step that acts → one line of the journal | [`Desk::enter`](ceremony::desk::Desk::enter) in `ceremony/aftermath/entering.rs`, by [`incident::next`] (pure) |
//!
//! # Rooms
//!
//! From the top: a room knows only rooms on lower floors, and `tests/walls.rs` fails on any other arrow.
//!
//! | Floor | Room | Holds |
//! |---|---|---|
//! | 12 | [`command`] | one file per command: its flags, and the function that it calls |
//! | 11 | [`session`] | each command as a sequence: what is asked of the person at the terminal, the chain, keys and files, and in which order |
//! | 10 | [`cli`] | the command line: shared flags, completions, suggestions, topics of the help |
//! | 10 | [`remedy`] | every room's errors: the exit code, and what to do next |
//! | 10 | [`view`] | what a person and what a script is shown |
//! | 9 | [`readiness`] | is everyone and everything ready: the questions and gaps of `doctor`, the roll call; what is signed ahead; what drills took |
//! | 8 | [`ceremony`] | the way from a lever or file to a verdict, and the proof after it was sent |
//! | 7 | [`check`] | findings, each attack of record one small function |
//! | 6 | [`chain`] | the only room that talks to a network |
//! | 5 | [`fork`] | the rehearsal, in this process |
//! | 5 | [`incident`] | the journal: who did what, and when |
//! | 4 | [`proposal`] | proposals, owner signatures, and when they are ready |
//! | 3 | [`playbook`] | playbook text to plan |
//! | 2 | [`council`] | the council file, and a person's own settings |
//! | 1 | [`device`] | keys: hardware wallets and keystores; the pages that a Ledger will show |
//! | 1 | [`evm`] | blocks, questions and answers, revert reasons, the functions in a bytecode |
//! | 1 | [`ui`] | the only room that prints or prompts |
//! | 0 | [`store`] | the only room that touches files and the environment |
//! | 0 | [`safe`] | the Safe protocol |
//! | 0 | [`progress`] | a trait: who is told what is being waited for |
//! | 0 | [`clock`] | the only room that asks what time it is |
//! | 0 | [`mod@error`] | what ends a command: the sentence, the hints, the exit code |
//! | 0 | [`excerpt`] | a place in a text, with a caret under the fault |
//! | 0 | [`near`] | the name that was probably meant |
//! | 0 | [`shell`] | words as a shell reads them |
//!
//! The largest rooms have folders, each with its subject in its head. At the top of [`ceremony`] stands the way of a proposal;
//! beside it [`signatures`](ceremony::signatures) that were handed over, the [`folder`](ceremony::folder) of this
//! machine's files, [`contention`](ceremony::contention) for one nonce, [`sending`](ceremony::sending) and its
//! [`aftermath`](ceremony::aftermath), [`deputy`](ceremony::deputy), [`drills`](ceremony::drills),
//! [`trials`](ceremony::trials) of levers, [`discovery`](ceremony::discovery) for authors, and
//! [`overviews`](ceremony::overviews). [`session`] has [`signing`](session::signing),
//! [`broadcasts`](session::broadcasts), [`one_key`](session::one_key) for deputies, [`alarms`](session::alarms),
//! [`records`](session::records) of an incident, [`authoring`](session::authoring) and the keys of this
//! [`machine`](session::machine). [`view`] has the [`review_lines`](view::review_lines) before the question.
//!
//! # Words
//!
//! | Word | Means |
//! |---|---|
//! | council | the people and contracts that `breakglass.toml` names: [`Council`](council::Council) |
//! | playbook | an act as TOML: parameters, steps, checks: [`Playbook`](playbook::Playbook) |
//! | lever | a playbook bound to a Safe and arguments: [`Lever`](council::Lever); a [combined](council::Combined) lever is several, pulled together |
//! | plan | ordered calls, checks and allowed effects of a lever: [`Plan`](playbook::Plan) |
//! | proposal | one Safe transaction to sign, with all that it was derived from: [`Proposal`](proposal::Proposal) |
//! | part | one proposal of a combined lever that needs several Safes or chains: [`Part`](council::Part) |
//! | ceremony | the way of a proposal from a lever or file to a verdict: [`ceremony`] |
//! | reading | a value asked of the chain at one block: [`Query`](evm::Query), [`Readings`](evm::Readings) |
//! | rehearsal | the proposal run on a fork, in this process: [`Rehearsal`](fork::Rehearsal) |
//! | finding | one check's answer: passes, warns, refuses, or *is already done*; its reason is a [`Problem`](check::Problem): [`Finding`](check::Finding) |
//! | approval | what counts for one owner: a signature, a contract signature, an approved hash, the sender: [`Approval`](safe::Approval) |
//! | way | from a proposal's Safe to a Safe that owns it, whose owners sign a message: [`Way`](proposal::Way) |
//! | ready | threshold met, by fresh state: the only Safe transaction that can be sent: [`Ready`](proposal::Ready) |
//! | outcome | what is read back at the receipt's block: checks, effects, code: [`Outcome`](ceremony::aftermath::outcome::Outcome) |
//! | set | signatures made ahead of one transaction at a range of nonces: [`Set`](proposal::Set) |
//! | armed | what is signed ahead and what it is worth now: by nonce in [`readiness::armed_status`]; why a set is stale in `ceremony/folder/armed_sets.rs` |
//! | journal | a line for each act, with the digest of the line before: [`Journal`](incident::Journal) |
//! | gap | what keeps the council from being ready: [`Gap`](readiness::Gap) |
//! | deputy | one key that may act alone, by a lever of its own, to be confirmed afterwards: [`By`](council::By), [`Act`](ceremony::deputy::deputy_act::Act) |
//! | drill | a ceremony whose signatures are good on no chain: [`Domain`](safe::Domain), [`DrillName`](proposal::DrillName) |
//! | roll call | each owner signs a dated sentence: who can sign, with which council file: [`Proof`](readiness::roll_call::Proof) |
//! | incident | what is done between `incident open` and `incident close`: [`Belongs`](incident::Belongs) |
//! | card | a transaction's hashes at several nonces, for paper: [`Card`](proposal::Card) |
//! | quorum | how many RPCs must give the same answer before it counts: [`Chain`](chain::Chain) |
//! | page | what a Ledger shows at once: [`Page`](device::Page) |
//!
//! # Four walks
//!
//! **Where a pasted signature is verified.** [`receive`](session::incoming::receive), for `import` and for
//! `broadcast --chat`, reads what was pasted, and files and folders. [`proposal::find_signatures`] finds lines and files in it, [`proposal::gather`] offers each to the proposals that it
//! may be for, and [`OwnerSignature::verify`](proposal::OwnerSignature::verify) recovers the signer from the hash that
//! this machine computed. There is no other way to make an `OwnerSignature`.
//!
//! **Where a delegatecall is refused.** [`Judged`](ceremony::judged::Judged) asks [`check::findings`], whose list has
//! `no_unknown_delegatecall` in `check/transaction.rs`: operation 1 passes for a contract of Safe's that is in the built-in list,
//! if the chain has the published code there: the batch contract with plain calls, the migration and the library for messages.
//! [`enforce`](ceremony::enforce::enforce) makes the refusal the
//! error that ends `sign` and `broadcast`.
//!
//! **Where a proposal is derived again.** [`Desk::find_own_lever`](ceremony::desk::Desk::find_own_lever) finds the reader's own
//! lever for a file, online [`Order::live`](ceremony::order::Order::live) derives it from the chain and
//! [`Order::derive_from_file`](ceremony::order::Order::derive_from_file) from the file's values;
//! [`matching::compare`](ceremony::matching::compare) says whether they are the same, and
//! [`check::findings`] refuses what is not.
//!
//! **Where the pages are predicted.** [`prepare`](session::signing::on_ledger::prepare) chooses how the device is asked with
//! [`device::choose_way`], predicts the pages with [`device::safe_tx_pages`] from the device's model, app version and
//! settings, and [`view::review_lines::ledger_pages::lines`] lists them before the device is asked.
//!
//! # Where to look
//!
//! | Question | Place |
//! |---|---|
//! | Where could an RPC's lie reach a signature? | Every value that a check or a signature rests on counts by the votes of `chain/agreement.rs`; what comes late is held against them by `ceremony/freshness.rs`. Hints (gas, fees, what is fetched early) need no vote, and reach what the payer pays alone; with `--proofs`, [`Rehearsed::prove`](ceremony::rehearse::Rehearsed::prove) holds each against a state root. Against a lie of the whole quorum only the pins of the council file stand (the Safe, code), in [`check::findings`]; a value that nothing pins is shown as decided by the chain |
//! | What is refused, and in which order? | [`check::findings`] runs the list `CHECKS`: one small function for each attack. A new check: the function and its row in the file's `CHECKS`, its problem with level and sentence, a row in `check/tests/list.rs`, a good and a bad case in `check/tests/faults.rs` |
//! | How is another hardware wallet added? | One more variant of [`device::Key`] and a file beside [`device::Ledger`] sign; [`session::machine::keys`] opens it, [`cli::args`] and [`council`]'s settings name it. `has_screen` decides what is asked at the terminal; pages, `doctor` and `device` know the Ledger alone, by [`Key::ledger`](device::Key::ledger) |
//! | What does a command do, and in which order? | The file of [`command`] names its function in [`session`]: [`sign`](session::signing::sign_each::run), [`broadcast`](session::broadcasts::broadcasting::run), [`status`](session::status_report::online), [`pause` and `drill`](session::proposing), which write a proposal and ask nothing about it; `sign` asks |
//! | How is another flag or command added? | A flag of several commands: [`cli::args`]. A command: a file in [`command`], a row of its `Command`, and an arm in its `dispatch` |
//! | What decides the exit code? | [`error::Exit`] has the table, [`remedy`] gives each room's errors theirs, with what to do next; a refusal's is in [`enforce`](ceremony::enforce::enforce), that of `status` in `ceremony/stage.rs`, that of `armed` in `session/signing/armed_run.rs` |
//! | Can a transaction be sent without its threshold? | No: [`Chain::send`](chain::Chain::send) takes an [`Outgoing`](proposal::Outgoing), of a [`Ready`](proposal::Ready), which only [`proposal::assemble`] and [`proposal::reassemble`] make, from a [`Fresh`](evm::Fresh) state that only [`chain`] makes; or of a deputy, whose key alone signs it |
//! | How does a Safe that owns another approve on chain? | `--approve-as`: [`Order::approved_by`](ceremony::order::Order::approved_by) makes its transaction of the one that it approves, [`Desk::evaluate_found`](ceremony::desk::Desk::evaluate_found) judges that one first, and [`check::with_approved`] refuses both together |
//! | What may one key do alone? | The call of its lever's playbook: [`Desk::evaluate_as_deputy`](ceremony::desk::Desk::evaluate_as_deputy) derives and rehearses it, [`check::of_deputy`] judges it |
//! | Can a drill's signature become a real one? | No: it is over the hash of another [`Domain`](safe::Domain), [`OwnerSignature::verify`](proposal::OwnerSignature::verify) refuses it for what is real, and [`proposal::assemble`] never makes a drill ready |
//! | What if it waits in the pool, or was sent before? | [`sent_before`](session::broadcasts::earlier::sent_before) looks for it, [`must_be_replaced`](ceremony::sending::sent::must_be_replaced) decides whether it is replaced, [`Offer`](ceremony::sending::offer::Offer) at which price |
//! | What is written to disk, and can it be overwritten? | [`store`] alone writes, and never over a file: only the cache, and the council file when its owner adds to it, are replaced; [`ceremony::folder::filing`] says where a proposal's files lie |
//! | How is an effect proven after it was mined? | [`outcome::read`](ceremony::aftermath::outcome::read) at the receipt's block, [`outcome::prove`](ceremony::aftermath::outcome::prove) by Merkle proofs, [`report`](session::broadcasts::after_mining::report) says it, from one [`MinedReport`](view::mined_report::MinedReport) |
//! | Where does a text or a JSON object come from? | [`view`]: a struct of values gives the lines and, by `Serialize`, the object of `--json`; the review is [`review_lines::review`](view::review_lines::review), its last lines `review_block.rs`, its object `summary.rs`, its order that of [`check`]'s list; [`session`] prompts for answers and [`Ui`](ui::Ui) prints |

#![deny(rustdoc::broken_intra_doc_links)]
#![allow(rustdoc::private_intra_doc_links, reason = "the map is for those who read the code")]
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

#[cfg(test)]
#[path = "../tests/stage/node.rs"]
mod anvil_node;
mod ceremony;
mod chain;
mod check;
mod cli;
mod clock;
mod command;
pub mod council;
pub mod device;
mod error;
pub mod evm;
mod excerpt;
mod fork;
mod incident;
mod near;
pub mod playbook;
mod progress;
pub mod proposal;
mod readiness;
mod remedy;
pub mod safe;
mod session;
mod shell;
mod store;
pub mod ui;
mod view;

use std::ffi::OsString;

/// Runs the program and returns its exit code, see [`error::Exit`].
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    command::run(args) as u8
}
