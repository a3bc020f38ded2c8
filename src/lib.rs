//! breakglass: emergency actions for EVM multisigs.
//!
//! A signer approves on the device what the playbook says, and nobody else's machine, file, web page or RPC
//! had to be trusted to know it.
//!
//! # The way data flows
//!
//! One direction, each arrow a type that consumes the last. `ceremony/evaluate.rs` drives it: for levers and files
//! [`Desk::evaluate`](ceremony::desk::Desk::evaluate) finds the parts, and
//! [`Desk::evaluate_found`](ceremony::desk::Desk::evaluate_found) rehearses each. Before it is signed or sent, a proposal is
//! rehearsed and judged again at the newest block. A signature never changes a proposal.
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
//! | what was named → `Found` | [`Desk::parts`](ceremony::desk::Desk::parts) in `ceremony/find.rs` (levers by [`Order::parts`](ceremony::order::Order::parts)), then [`Desk::for_purpose`](ceremony::desk::Desk::for_purpose), which goes on with a proposal that is kept here |
//! | playbook, arguments, readings → `Plan` | [`playbook::derive()`] (pure) |
//! | lever → proposal, from the chain's values | [`Order::live`](ceremony::order::Order::live) in `ceremony/derivation.rs` |
//! | proposal → proposal, from its own values | [`Order::derive_from_file`](ceremony::order::Order::derive_from_file) in `ceremony/derivation.rs` (pure) |
//! | both compared | [`matching::compare`](ceremony::matching::compare) (pure) |
//! | `Found` → `Derived`, without a network | [`Existing::offline`](ceremony::find::Existing::offline); a lever for the [assumed](evm::Assumed) Safe of the council file: [`Desk::offline`](ceremony::desk::Desk::offline) in `ceremony/evaluate.rs` |
//! | `Found` → `Online` | [`Found::online`](ceremony::find::Found::online), which asks [`Chain::snapshot`](chain::Chain::snapshot) |
//! | `Online` → `Rehearsed` | [`Online::rehearse`](ceremony::online::Online::rehearse) in `ceremony/rehearse.rs`, which runs [`fork::rehearse`] (pure) |
//! | values proven by Merkle proofs | [`Rehearsed::prove`](ceremony::rehearse::Rehearsed::prove) |
//! | `Rehearsed` → `Judged` | [`Rehearsed::judge`](ceremony::rehearse::Rehearsed::judge) in `ceremony/judged.rs`, by [`check::findings`] (pure) |
//! | a refusal stops the command, unless its id is accepted with `--accept` | [`enforce`](ceremony::enforce::enforce) (pure) |
//! | a key signs | [`Key::sign_safe_tx`](device::Key::sign_safe_tx) |
//! | stated signature → `OwnerSignature` | [`OwnerSignature::verify`](proposal::OwnerSignature::verify) (pure) |
//! | approvals → `Ready` or `Shortfall` | [`proposal::assemble`] (pure) |
//! | `Ready` → the network | [`Chain::send`](chain::Chain::send) |
//! | `Receipt` → `Outcome` | [`outcome::read`](ceremony::aftermath::outcome::read) |
//! | each step that acts → its lines of the journal | [`Desk::enter`](ceremony::desk::Desk::enter) in `ceremony/aftermath/entering.rs`, by [`incident::next`] (pure) |
//!
//! # Rooms
//!
//! From the top: a room knows only rooms on lower floors, and `tests/walls.rs` fails on any other arrow.
//!
//! | Floor | Room | Holds |
//! |---|---|---|
//! | 12 | [`command`] | a file for each command: its flags, and the function that it calls (`propose.rs`: `pause`, `param`, `rotate`, `undo`) |
//! | 11 | [`session`] | each command as a sequence: what is asked of the person at the terminal, the chain, keys and files, and in which order |
//! | 10 | [`cli`] | the command line: shared flags, completions, suggestions, topics of the help |
//! | 10 | [`remedy`] | every room's errors: the exit code, and what to do next (what to do about a finding stands with its problem, in [`check`]) |
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
//! | 1 | [`device`] | keys: hardware wallets and keystores; the pages that a device will show |
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
//! The largest rooms have folders, each with its subject in its head. The files at the top of [`ceremony`] are the way of a
//! proposal. Its folders: [`signatures`](ceremony::signatures) takes in what was handed over,
//! [`folder`](ceremony::folder) reads and keeps this machine's files, [`contention`](ceremony::contention) decides which
//! proposal keeps a nonce, [`sending`](ceremony::sending) decides what is sent and at which price,
//! [`aftermath`](ceremony::aftermath) reads what came of it, [`deputy`](ceremony::deputy) does the same for one key alone,
//! [`drills`](ceremony::drills) for drills, [`trials`](ceremony::trials) run every lever for `playbook test`,
//! [`discovery`](ceremony::discovery) writes an author's first files, and [`overviews`](ceremony::overviews) lists what is
//! open. [`session`] has [`signing`](session::signing),
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
//! | part | the levers that become one proposal; a [combined](council::Combined) lever over several Safes or chains has several: [`Part`](council::Part) |
//! | ceremony | the way of a proposal from a lever or file to a verdict: [`ceremony`] |
//! | reading | a value asked of the chain at one block: [`Query`](evm::Query), [`Readings`](evm::Readings) |
//! | rehearsal | the proposal run on a fork, in this process: [`Rehearsal`](fork::Rehearsal) |
//! | finding | one check's answer: passes, warns, refuses, or *is already done*; its reason is a [`Problem`](check::Problem): [`Finding`](check::Finding) |
//! | approval | what counts for one owner: a signature, a contract signature, an approved hash, the sender: [`Approval`](safe::Approval) |
//! | way | the Safes between a proposal's Safe and an owner who signs for one that owns it, by a message: [`Way`](proposal::Way) |
//! | ready | threshold met, by fresh state: the only Safe transaction that can be sent: [`Ready`](proposal::Ready) |
//! | outcome | what is read back at the receipt's block, or at the newest if no RPC keeps that: checks, effects, code: [`Outcome`](ceremony::aftermath::outcome::Outcome) |
//! | set | signatures made ahead of one transaction at a range of nonces: [`Set`](proposal::Set) |
//! | armed | what is signed ahead and what it is worth now: by nonce in [`readiness::armed_status`] |
//! | stale, dead | a set is stale if the reader's own files now give another transaction, none, or one that is refused (`why_stale` in `ceremony/folder/armed_sets.rs`); its signatures at a nonce are dead if nobody can use them any more |
//! | journal | a line for each act, with the digest of the line before, checked by [`Journal::read`](incident::Journal::read). It shows what was altered, not what was cut off at the end or written anew: [`Journal`](incident::Journal) |
//! | alarm | a reading that rouses the council, and the levers that answer it: [`Alarm`](council::Alarm) |
//! | gap | what keeps the council from being ready: [`Gap`](readiness::Gap) |
//! | deputy | one key that may act alone, by a lever of its own, to be confirmed afterwards: [`By`](council::By), [`Act`](ceremony::deputy::deputy_act::Act) |
//! | drill | a ceremony whose signatures are good on no chain: [`Domain`](safe::Domain), [`DrillName`](proposal::DrillName) |
//! | roll call | each owner signs a dated sentence: who can sign, with which council file: [`Proof`](readiness::roll_call::Proof) |
//! | incident | what is done between `incident open` and `incident close`: [`Belongs`](incident::Belongs) |
//! | card | a transaction's hashes at several nonces, for paper: [`Card`](proposal::Card) |
//! | quorum | how many RPCs must give the same answer before it counts: [`Chain`](chain::Chain) |
//! | page | what a device shows at once: [`Page`](device::Page) |
//! | preview | the pages that a device will show of a request: [`Preview`](device::Preview) |
//!
//! # Four walks
//!
//! **Where a pasted signature is verified.** [`receive`](session::incoming::receive), for `import` and for
//! `broadcast --chat`, reads pasted text, files and folders. [`proposal::find_signatures`] finds the signatures in them.
//! [`Desk::import`](ceremony::desk::Desk::import) in `ceremony/signatures/importing.rs` has [`proposal::gather`] offer each
//! to the proposals that it may be for, and keeps what counts.
//! [`OwnerSignature::verify`](proposal::OwnerSignature::verify) in `proposal/owner_signature.rs` recovers the signer from the
//! hash that this machine computed. There is no other way to make an `OwnerSignature`. A contract's signature is asked of
//! the contract ([`ceremony::signatures::by_chain`]); what was signed ahead goes through
//! [`Desk::import_ahead`](ceremony::desk::Desk::import_ahead).
//!
//! **Where a delegatecall is refused.** [`Rehearsed::judge`](ceremony::rehearse::Rehearsed::judge) asks
//! [`check::findings`], whose list has `no_unknown_delegatecall` in `check/transaction.rs`. Operation 1 passes for three kinds
//! of Safe's own contracts, if the address is in the built-in list and the chain has the published code there: the batch
//! contract with plain calls, the migration, and the library for messages. Offline the code is not seen, which is a warning.
//! [`enforce`](ceremony::enforce::enforce) makes the refusal the error that ends every command that would write, sign or
//! send it.
//!
//! **Where a proposal is derived again.** `sign LEVER` makes the proposal anew from the chain, by
//! [`Order::live`](ceremony::order::Order::live). For a file, or a proposal that is kept here,
//! [`Desk::find_own_lever`](ceremony::desk::Desk::find_own_lever) puts the reader's own order beside it.
//! [`matching::compare`](ceremony::matching::compare) derives that order from the file's values, by
//! [`Order::derive_from_file`](ceremony::order::Order::derive_from_file), and online from the chain. It says whether they are
//! the same, and [`check::findings`] refuses what is not.
//!
//! **Where the pages are predicted.** [`prepare`](session::signing::on_device::prepare) asks the key's
//! [`Screen`](device::Screen) how the device is asked, and which pages it will show. A Ledger's, in `device/ledger_screen.rs`,
//! chooses with [`device::choose_way`] and predicts with [`device::safe_tx_pages`] in `device/pages` from the device's model, app
//! version and settings. [`view::review_lines::device_pages::lines`] lists the pages before the device is asked. For the payer
//! `session/broadcasts/submit.rs` does the same, with [`device::transaction_pages`].
//!
//! # Where to look
//!
//! | Question | Place |
//! |---|---|
//! | Where could an RPC's lie reach a signature? | Every value that a check or a signature rests on counts by the votes of `chain/agreement.rs`; what comes late is held against them by `ceremony/freshness.rs`. With a quorum of 1, one RPC decides; `doctor` and the review say so. Hints (gas, fees, what is fetched early: `Request::hint` in `chain/json_rpc.rs`) need no vote, and change only what the payer pays; with `--proofs`, [`Rehearsed::prove`](ceremony::rehearse::Rehearsed::prove) holds each against a state root. Against a lie of the whole quorum only the pins of the council file stand (the Safe, code), in [`check::findings`]; a value that nothing pins is shown as decided by the chain |
//! | What is refused, and in which order? | [`check::findings`] runs the list `CHECKS`: one small function for each attack. A new check, in a file of [`check`]: the function, its row in the file's `CHECKS`, a variant of the file's `…Problem`, whose `describe` gives id, level, sentence and what to do; a row in `check/tests/list.rs`; two bad cases that differ in one value in `check/tests/faults.rs`. A new file of checks also needs a row in `check/problem.rs` and in `CHECKS` of `check/mod.rs` |
//! | Who decides that it is already done? | `Facts::already_done` in `check/facts.rs`: all that the reader's own playbook promises is so on the chain now. [`check::already_done`] lets it count where nothing refuses, and [`enforce`](ceremony::enforce::enforce) ends with exit code 0. A playbook with no step left: `PlanError::NothingToDo` |
//! | Which nonce does a new proposal get? | `--nonce`, or else the Safe's own, in [`Order::live`](ceremony::order::Order::live). [`Desk::make_room`](ceremony::desk::Desk::make_room) takes the next one where [`proposal::nonce_keeper`] says that another proposal keeps it. `sign` goes on with what others have signed: [`Desk::prefer_signed`](ceremony::desk::Desk::prefer_signed) |
//! | What of several Safes or chains? | [`council::expand`] makes the [`Part`](council::Part)s of a combined lever, [`Desk::evaluate`](ceremony::desk::Desk::evaluate) evaluates them side by side, [`session::each_part::each`] goes through them one after the other, `session/broadcasts/send_all.rs` sends them |
//! | How does the owner of a Safe that is an owner sign? | [`SafeOwners::ways`](proposal::SafeOwners::ways) has each [`Way`](proposal::Way) to the Safe that the owner may sign for, [`SafeMessage`](safe::SafeMessage) what is signed for it, `session/signing/signers.rs` asks for which; [`proposal::assemble`] counts it. How such a Safe approves on chain is below |
//! | How is another hardware wallet, or another kind of key, added? | One more variant of [`device::Key`] and of [`device::NamedKey`], which has its word for the settings, and a file beside `device/ledger.rs`; with a [`device::Screen`] if its person reads and approves there. The compiler asks for the rest in these files: every room above works with the values of [`device::Screen`]. A flag of its own goes into [`cli::args::DeviceArgs`] |
//! | What does a command do, and in which order? | The file of [`command`] names its function in [`session`]: [`sign`](session::signing::sign_each::run), [`broadcast`](session::broadcasts::broadcasting::run), [`status`](session::status_report::online), [`pause` and `drill`](session::proposing) |
//! | For example `pause`? | [`session::proposing::propose`], function by function: a changed council file or playbook is accepted (`Session::require_accepted`); [`Desk::evaluate`](ceremony::desk::Desk::evaluate) derives, rehearses and makes room; [`each`](session::each_part::each) part is judged; `review` shows it, [`enforce`](ceremony::enforce::enforce) ends it, [`Derived::keep`](ceremony::derived::Derived::keep) writes the file, `Session::note` the journal; `announce` prints what to do next. No key is asked: `sign` does that |
//! | How is another flag or command added? | A flag of several commands: [`cli::args`]. A command: a file in [`command`], a row of its `Command`, and an arm in its `dispatch` |
//! | What decides the exit code? | [`error::Exit`] has the table, [`remedy`] gives each room's errors theirs, with what to do next; a refusal's is in [`enforce`](ceremony::enforce::enforce); of several parts [`Exit::more_severe`](error::Exit::more_severe) counts. What is no error: of `status` in `ceremony/stage.rs`, of `armed` in `session/signing/armed_run.rs`, of `doctor` and `watch` in their files of [`command`], of what was mined in `session/broadcasts/after_mining.rs` and `session/one_key/deputy_sending.rs` |
//! | Can a transaction be sent without its threshold? | No: [`Chain::send`](chain::Chain::send) takes an [`Outgoing`](proposal::Outgoing), of a [`Ready`](proposal::Ready), which only [`proposal::assemble`] and [`proposal::reassemble`] in `proposal/ready.rs` make, from a [`Fresh`](evm::Fresh) state that only [`chain`] makes (`tests/walls.rs` holds that); or of a deputy, whose key alone signs it |
//! | How does a Safe that owns another approve on chain? | `--approve-as`: [`Order::approved_by`](ceremony::order::Order::approved_by) makes its transaction of the one that it approves, [`Desk::evaluate_found`](ceremony::desk::Desk::evaluate_found) judges that one first, and [`check::with_approved`] refuses both together |
//! | What may one key do alone? | The call of its lever's playbook: [`Desk::evaluate_as_deputy`](ceremony::desk::Desk::evaluate_as_deputy) derives and rehearses it, [`check::of_deputy`] judges it |
//! | Can a drill's signature become a real one? | No: it is over the hash of another [`Domain`](safe::Domain), [`OwnerSignature::verify`](proposal::OwnerSignature::verify) refuses it for what is real, and [`proposal::assemble`] never makes a drill ready |
//! | What if it waits in the pool, or was sent before? | [`sent_before`](session::broadcasts::earlier::sent_before) finds it, [`must_be_replaced`](ceremony::sending::sent::must_be_replaced) decides whether it is replaced, [`Offer`](ceremony::sending::offer::Offer) at which price |
//! | What is written to disk, and can it be overwritten? | [`store`] alone writes, and never over a file: only the cache, and the council file when its owner adds to it, are replaced; [`ceremony::folder::filing`] says where a proposal's files lie |
//! | What starts an alarm, and what may it run? | [`session::alarms`]: a reading under `watch`, or a message that `alert` receives. `raise_alarm.rs` derives and rehearses the lever, writes the journal and tells people; it has no key and sends nothing. It runs the command that `--run` names, and this program: [`store::run_command`]. No file and no message can name a command |
//! | How is an effect proven after it was mined? | [`outcome::read`](ceremony::aftermath::outcome::read) judges the `after` checks at the receipt's block, `ceremony/aftermath/mined.rs` holds what was mined against the rehearsal, with `--proofs` [`outcome::prove`](ceremony::aftermath::outcome::prove) proves the state by Merkle proofs, [`report`](session::broadcasts::after_mining::report) says it, from one [`MinedReport`](view::mined_report::MinedReport) |
//! | Where does a text or a JSON object come from? | [`view`]: a struct of values gives the lines and, by `Serialize`, the object of `--json`; the review is [`review_lines::review`](view::review_lines::review), its last lines `review_block.rs`, its object `summary.rs`; the findings stand in the order of [`check`]'s list, in sentences of [`check`]; [`session`] prompts for answers and [`Ui`](ui::Ui) prints |
//! | Where does a test go? | A decision: beside it, or in the room's `tests`. A whole ceremony on a chain: `tests/story`, with `tests/stage` for the chain and its people. The Safe's own contracts: `tests/contracts`. The device: `tests/ledger`. Playbooks: `tests/library`. `make setup` installs what they need |

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
