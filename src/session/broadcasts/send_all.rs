//! Sends several transactions at once. All questions come before the first is sent; then none waits for another, except
//! those of one Safe, which are executed one after the other.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use alloy::consensus::TxEip1559;
use alloy::primitives::Address;

use crate::ceremony::aftermath::outcome::Outcome;
use crate::ceremony::at_once::side_by_side;
use crate::ceremony::sending::offer::Besides;
use crate::error::{Error, Exit};
use crate::proposal::Ready;
use crate::session::Session;
use crate::session::broadcasts::sendable::{JudgedSend, SendStatus};
use crate::session::broadcasts::submit::{Handed, Payer, SendCandidate, confirm, nonce_passed};
use crate::session::machine::keys::KeyHolder;
use crate::ui::{Text, Ui};

/// Opens the payer's key; returns its address with it.
pub type Open<'o> = &'o mut dyn FnMut() -> Result<(KeyHolder, Address), Error>;

/// One of the transactions, and its place among all.
struct QueuedTx<'a> {
    place: usize,
    stage: TxStage<'a>,
}

enum TxStage<'a> {
    Executed(JudgedSend<'a>, Box<Outcome>, String),
    /// It is done already, and that was shown.
    Done(JudgedSend<'a>),
    Ready(JudgedSend<'a>, Ready),
    Priced(SendCandidate<'a>),
    /// It is sent once the one before it is mined.
    Behind(JudgedSend<'a>),
}

/// The result of each of them, with its title.
pub struct Board<'a> {
    ui: &'a Ui,
    titles: Vec<String>,
    ends: Mutex<BTreeMap<usize, Exit>>,
}

impl<'a> Board<'a> {
    pub fn new(ui: &'a Ui, titles: Vec<String>) -> Self {
        Self { ui, titles, ends: Mutex::default() }
    }

    fn title(&self, place: usize) -> &str {
        self.titles.get(place).map_or("", String::as_str)
    }

    fn say_title(&self, place: usize) {
        let text = format!("{} of {}: {}", place + 1, self.titles.len(), self.title(place));
        self.ui.blank();
        self.ui.say(&Text::default().bold(&text));
    }

    /// Runs a step of one of them. An error ends that one alone.
    fn step<T>(&self, place: usize, run: impl FnOnce() -> Result<T, Error>) -> Option<T> {
        self.ui.part(place, || self.ended_by(place, run()))
    }

    /// Runs a step of one of several that run side by side.
    fn step_beside<T>(&self, place: usize, run: impl FnOnce() -> Result<T, Error>) -> Option<T> {
        let label = format!("{}/{}", place + 1, self.titles.len());
        self.ui.run_labelled(place, &label, || self.ended_by(place, run()))
    }

    fn ended_by<T>(&self, place: usize, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.end(place, Err(error))).ok()
    }

    fn end(&self, place: usize, result: Result<Exit, Error>) {
        let exit = self.ui.end(result);
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(place, exit);
    }

    /// Prints a row for each. Returns the gravest exit code.
    fn close(&self) -> Exit {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let end = |place: usize| ends.get(&place).copied().unwrap_or(Exit::Failed);
        let rows: Vec<Vec<String>> = self
            .titles
            .iter()
            .enumerate()
            .map(|(place, title)| vec![title.clone(), end(place).word().to_string()])
            .collect();
        self.ui.blank();
        self.ui.table(&["transaction", "result"], &rows);
        (0..self.titles.len()).map(end).fold(Exit::Done, Exit::more_severe)
    }
}

/// Reviews each, and prints the call of those that are ready.
pub fn print_calls(
    board: &Board,
    judged_sends: Vec<Result<JudgedSend<'_>, Error>>,
    print: impl Fn(&Session, &Ready),
) -> Exit {
    for piece in review(board, judged_sends) {
        let QueuedTx { place, stage } = piece;
        board.ui.part(place, || match &stage {
            TxStage::Ready(judged_send, ready) => {
                print(judged_send.session, ready);
                board.end(place, Ok(Exit::Done));
            }
            TxStage::Executed(..) | TxStage::Done(_) | TxStage::Priced(_) => board.end(place, finish(stage)),
            TxStage::Behind(judged_send) => {
                board.end(place, judged_send.status(false).map(|_| Exit::Done));
            }
        });
    }
    board.close()
}

fn finish(stage: TxStage) -> Result<Exit, Error> {
    match stage {
        TxStage::Executed(judged_send, outcome, by) => Handed::Executed(judged_send, outcome, by).finish(),
        TxStage::Done(_) | TxStage::Ready(..) | TxStage::Priced(_) | TxStage::Behind(_) => Ok(Exit::Done),
    }
}

/// Reviews each, asks about each, sends all of them at once and proves each. `payer` is the account for which they were
/// read.
pub fn send_all(
    board: &Board,
    judged_sends: Vec<Result<JudgedSend<'_>, Error>>,
    payer: Option<Address>,
    open: Open,
) -> Result<Exit, Error> {
    let mut pieces = review(board, judged_sends);
    if pieces.iter().all(|piece| matches!(piece.stage, TxStage::Executed(..) | TxStage::Done(_))) {
        for QueuedTx { place, stage } in pieces {
            board.ui.part(place, || board.end(place, finish(stage)));
        }
        return Ok(board.close());
    }
    let (mut signer, from) = open()?;
    if payer != Some(from) {
        pieces = again(board, pieces, |_, stage| match stage {
            TxStage::Ready(judged_send, _) => read_for(judged_send, from),
            stage => Ok(stage),
        });
    }
    let pieces = ask(board, pieces, &signer, from);
    board.ui.blank();
    let text = format!("sending {} transactions at once; Ctrl-C stops only the waiting", pieces.len());
    board.ui.say(&Text::new(&text));
    let (requests, asked) = mpsc::channel::<PaymentToSign>();
    thread::scope(|scope| {
        let mut running = Vec::new();
        for pieces in grouped(pieces, |judged_send| judged_send.judged.derived.chain.id) {
            let lane = PayerQueue { board, from, requests: requests.clone(), left: Mutex::default() };
            running.push(scope.spawn(move || send_on_chain(&lane, pieces)));
        }
        drop(requests);
        for PaymentToSign { place, tx, signed } in asked {
            if signer.screen().is_some() {
                board.say_title(place);
            }
            // An error here means that this part has ended and does not wait any more.
            let _ = signed.send(signer.sign_transaction(board.ui, &tx, from));
        }
        for one in running {
            let _ = one.join();
        }
    });
    Ok(board.close())
}

/// Reviews each, and keeps those that can be sent or were executed.
fn review<'a>(board: &Board, judged_sends: Vec<Result<JudgedSend<'a>, Error>>) -> Vec<QueuedTx<'a>> {
    let mut pieces: Vec<QueuedTx> = Vec::new();
    for (place, judged_send) in judged_sends.into_iter().enumerate() {
        board.say_title(place);
        let stage = board.step(place, || {
            let mut judged_send = judged_send?;
            let goes_before = |piece: &QueuedTx| match &piece.stage {
                TxStage::Ready(before, _) | TxStage::Behind(before) => before.is_before(&judged_send),
                TxStage::Executed(..) | TxStage::Done(_) | TxStage::Priced(_) => false,
            };
            let is_behind = pieces.iter().any(goes_before);
            let status = judged_send.begin(is_behind)?;
            Ok(TxStage::of(judged_send, status))
        });
        pieces.extend(stage.map(|stage| QueuedTx { place, stage }));
    }
    pieces
}

/// Reads the chain again, for another payer.
fn read_for(judged_send: JudgedSend<'_>, from: Address) -> Result<TxStage<'_>, Error> {
    let judged_send = judged_send.refreshed(from)?;
    let status = judged_send.status(false)?;
    Ok(TxStage::of(judged_send, status))
}

/// Runs the next step of each, side by side.
fn again<'a>(
    board: &Board,
    pieces: Vec<QueuedTx<'a>>,
    step: impl Fn(usize, TxStage<'a>) -> Result<TxStage<'a>, Error> + Sync,
) -> Vec<QueuedTx<'a>> {
    let one = |QueuedTx { place, stage }| {
        Ok(board.step_beside(place, || step(place, stage)).map(|stage| QueuedTx { place, stage }))
    };
    side_by_side(board.ui, pieces, one).into_iter().filter_map(|piece| piece.ok().flatten()).collect()
}

/// Prices each and asks about it. One that is older than a block by then is read again, and asked about again only if
/// it costs more.
fn ask<'a>(board: &Board, pieces: Vec<QueuedTx<'a>>, signer: &KeyHolder, from: Address) -> Vec<QueuedTx<'a>> {
    let (mut pieces, mut asked) = (ask_each(board, pieces, signer, from).0, true);
    while asked {
        let is_stale =
            |piece: &&QueuedTx| matches!(&piece.stage, TxStage::Priced(one) if one.judged_send.is_stale());
        let older: BTreeMap<usize, Besides> = pieces
            .iter()
            .filter(is_stale)
            .map(|piece| {
                (piece.place, other_gas_costs(pieces.iter().filter(|p| p.place < piece.place), &piece.stage))
            })
            .collect();
        if older.is_empty() {
            break;
        }
        pieces = again(board, pieces, |place, stage| match (stage, older.get(&place)) {
            (TxStage::Priced(one), Some(besides)) => Ok(TxStage::Priced(one.refreshed(from, besides)?)),
            (stage, _) => Ok(stage),
        });
        (pieces, asked) = ask_each(board, pieces, signer, from);
    }
    pieces.retain(|piece| match &piece.stage {
        TxStage::Behind(judged_send) => {
            board.step(piece.place, || ask_behind(board, piece.place, judged_send)).is_some()
        }
        _ => true,
    });
    pieces
}

/// Asks about one whose price is unknown until the one before it is mined.
fn ask_behind(board: &Board, place: usize, judged_send: &JudgedSend) -> Result<(), Error> {
    board.say_title(place);
    let gas = judged_send.judged.rehearsal.done().map(|done| done.rehearsal.gas_used);
    let gas = gas.map(|gas| format!(", with about {gas} gas")).unwrap_or_default();
    let text = format!(
        "it is sent once the one before it is mined{gas} at no more than {} gwei each",
        judged_send.terms.fees.max_fee
    );
    board.ui.say(&Text::new("  ").add(&text));
    confirm(judged_send, None)
}

/// Asks about each at its price. Returns them, and `true` if a question was asked.
fn ask_each<'a>(
    board: &Board,
    pieces: Vec<QueuedTx<'a>>,
    signer: &KeyHolder,
    from: Address,
) -> (Vec<QueuedTx<'a>>, bool) {
    let (mut kept, mut was_asked): (Vec<QueuedTx>, bool) = (Vec::new(), false);
    for QueuedTx { place, stage } in pieces {
        let besides = other_gas_costs(kept.iter(), &stage);
        let asked = board.step(place, || match stage {
            TxStage::Ready(judged_send, ready) => {
                board.say_title(place);
                let mut one = SendCandidate::new(judged_send, ready, from, &besides)?;
                let asked = one.ask(signer)?;
                Ok((TxStage::Priced(one), asked))
            }
            TxStage::Priced(mut one) => {
                let asked = one.ask(signer)?;
                Ok((TxStage::Priced(one), asked))
            }
            stage @ (TxStage::Executed(..) | TxStage::Done(_) | TxStage::Behind(_)) => Ok((stage, false)),
        });
        if let Some((stage, asked)) = asked {
            was_asked |= asked;
            kept.push(QueuedTx { place, stage });
        }
    }
    (kept, was_asked)
}

/// Returns the gas cost of the others on the same chain.
fn other_gas_costs<'p, 'a: 'p>(others: impl Iterator<Item = &'p QueuedTx<'a>>, stage: &TxStage) -> Besides {
    let mut besides = Besides::default();
    let chain_id = stage.send().judged.derived.chain.id;
    for other in others.filter(|other| other.stage.send().judged.derived.chain.id == chain_id) {
        if let TxStage::Priced(one) = &other.stage
            && let Some(offer) = one.offer()
        {
            besides.add(offer);
        }
    }
    besides
}

impl<'a> TxStage<'a> {
    fn of(judged_send: JudgedSend<'a>, status: SendStatus) -> Self {
        match status {
            SendStatus::Executed(outcome, by) => Self::Executed(judged_send, outcome, by),
            SendStatus::Done => Self::Done(judged_send),
            SendStatus::Ready(ready) => Self::Ready(judged_send, ready),
            SendStatus::Behind => Self::Behind(judged_send),
        }
    }

    const fn send(&self) -> &JudgedSend<'a> {
        match self {
            Self::Executed(judged_send, ..)
            | Self::Done(judged_send)
            | Self::Ready(judged_send, _)
            | Self::Behind(judged_send) => judged_send,
            Self::Priced(one) => &one.judged_send,
        }
    }
}

/// A request to the thread that has the key to sign a payment.
struct PaymentToSign {
    place: usize,
    tx: TxEip1559,
    signed: Sender<Result<Vec<u8>, Error>>,
}

/// Groups them by a key, each group in their order.
fn grouped<K: PartialEq>(
    pieces: Vec<QueuedTx<'_>>,
    key: impl Fn(&JudgedSend) -> K,
) -> Vec<Vec<QueuedTx<'_>>> {
    let mut groups: Vec<(K, Vec<QueuedTx>)> = Vec::new();
    for piece in pieces {
        let key = key(piece.stage.send());
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(piece),
            None => groups.push((key, vec![piece])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The transactions of one chain that one account pays for.
struct PayerQueue<'l> {
    board: &'l Board<'l>,
    from: Address,
    requests: Sender<PaymentToSign>,
    /// The gas and nonces of those that were sent.
    left: Mutex<Besides>,
}

/// Submits those of one chain in the order of the payer's nonces, and waits for all of them at once.
fn send_on_chain(lane: &PayerQueue, pieces: Vec<QueuedTx>) {
    thread::scope(|scope| {
        let mut running = Vec::new();
        for queue in grouped(pieces, |judged_send| *judged_send.judged.proposal().safe()) {
            let mut queue = queue.into_iter();
            let Some(QueuedTx { place, stage }) = queue.next() else { continue };
            let handed = lane.board.step_beside(place, || lane.submit(place, stage));
            running.push(scope.spawn(move || {
                if let Some(handed) = handed {
                    lane.finish(place, &handed);
                }
                for QueuedTx { place, stage } in queue {
                    let handed = lane
                        .board
                        .step_beside(place, || lane.submit(place, stage.after_previous(lane.from)?));
                    if let Some(handed) = handed {
                        lane.finish(place, &handed);
                    }
                }
            }));
        }
        // One that ended early has no exit code on the board, which counts that as a failure.
        for one in running {
            let _ = one.join();
        }
    });
}

impl PayerQueue<'_> {
    fn submit<'a>(&self, place: usize, stage: TxStage<'a>) -> Result<Handed<'a>, Error> {
        let sign = |tx: &TxEip1559| {
            let (signed, answer) = mpsc::channel();
            let gone = |()| Error::new(Exit::Failed, "the key was closed early: a fault of this program");
            self.requests.send(PaymentToSign { place, tx: tx.clone(), signed }).map_err(|_| gone(()))?;
            answer.recv().map_err(|_| gone(()))?
        };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let one = match stage {
            TxStage::Executed(judged_send, outcome, by) => {
                return Ok(Handed::Executed(judged_send, outcome, by));
            }
            TxStage::Done(_) => return Ok(Handed::Done),
            TxStage::Ready(judged_send, ready) => SendCandidate::new(judged_send, ready, self.from, &left)?,
            TxStage::Priced(one) => one,
            TxStage::Behind(judged_send) => {
                return Err(judged_send.status(false).map_or_else(|error| error, |_| nonce_passed()));
            }
        };
        one.submit(&Payer { from: self.from, sign: &sign }, &mut left)
    }

    fn finish(&self, place: usize, handed: &Handed) {
        self.board.step_beside(place, || {
            let exit = handed.finish()?;
            self.board.end(place, Ok(exit));
            Ok(())
        });
    }
}

impl TxStage<'_> {
    /// Reads it again once the one before it on its Safe has ended.
    fn after_previous(self, from: Address) -> Result<Self, Error> {
        match self {
            Self::Behind(judged_send) => {
                let (judged_send, status) = judged_send.unchanged(from)?;
                Ok(Self::of(judged_send, status))
            }
            Self::Priced(one) => Ok(Self::Priced(one.refreshed(from, &Besides::default())?)),
            stage => Ok(stage),
        }
    }
}
