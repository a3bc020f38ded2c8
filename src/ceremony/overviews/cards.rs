//! A lever's transaction at several nonces, for paper: from the reader's own files if they say everything, else from
//! the chain at one block.

use crate::ceremony::derivation::{First, read_at};
use crate::ceremony::desk::Desk;
use crate::ceremony::order::{Given, Order};
use crate::error::{Error, Exit};
use crate::evm::Block;
use crate::incident::{Journal, JournalAct, Plain, TransactionRef, Utc};
use crate::playbook::CombinedPlan;
use crate::proposal::{BatchSource, Card, PrintedCard, build_tx};
use crate::safe::{Nonces, SafeId, SafeTx};

/// The number of nonces of a card by default, from the next one on.
const USUAL: u64 = 5;

/// A card with the order and plans that it was made from.
pub struct LeverCard<'a> {
    pub order: Order<'a>,
    /// Lever by lever.
    pub plans: CombinedPlan,
    pub card: Card,
    /// `None` if it rests on the reader's own files alone.
    pub seen: Option<CardAnswers>,
}

/// The chain's answers for a card.
pub struct CardAnswers {
    pub block: Block,
    /// The parts of the transaction that the chain decides, each with its reason: with another answer the transaction
    /// is another one.
    pub decided: Vec<String>,
}

impl Desk<'_> {
    /// Returns a card for each transaction of the levers. The network is not asked if the nonces are given, the council
    /// file has the Safe's version, and the lever reads nothing. Fails for unknown names, missing arguments, or a chain
    /// that cannot be asked.
    pub fn cards(
        &self,
        levers: &[String],
        given: &Given,
        nonces: Option<Nonces>,
    ) -> Result<Vec<LeverCard<'_>>, Error> {
        let orders = Order::parts(self, levers, given)?;
        orders.into_iter().map(|order| self.card(order, nonces)).collect()
    }

    fn card<'d>(&'d self, order: Order<'d>, nonces: Option<Nonces>) -> Result<LeverCard<'d>, Error> {
        if let Some((plans, card)) = nonces.and_then(|nonces| from_files(&order, nonces)) {
            return Ok(LeverCard { order, plans, card, seen: None });
        }
        let link = self.connect(order.safe)?;
        let reading = format!("reading {} on {}", order.safe.name, order.chain.name);
        let (snapshot, proposed) = self.progress.wait(&reading, || order.live(&link, First::LATEST))?;
        let proposed = proposed?;
        let next = snapshot.state.nonce;
        let usual =
            || Nonces::new(next, next.plus(USUAL - 1)).map_err(|e| Error::new(Exit::Failed, e.to_string()));
        let nonces = shift_nonces(nonces.map_or_else(usual, Ok)?, order.after)?;
        let decided = order.decided(&proposed.plans.merged()).iter().map(ToString::to_string).collect();
        let card = Card::new(*proposed.proposal.safe(), proposed.proposal.tx(), nonces);
        let block = read_at(&snapshot);
        Ok(LeverCard { order, plans: proposed.plans, card, seen: Some(CardAnswers { block, decided }) })
    }
}

impl LeverCard<'_> {
    /// Returns the reference of a journal entry to the card: its transaction at the first nonce.
    pub fn about(&self) -> TransactionRef {
        let (id, tx) = (self.card.safe(), self.card.tx());
        let what = self.order.pull.words().unwrap_or_else(|| self.order.words());
        TransactionRef {
            what: Plain::cut(&what),
            safe: Plain::cut(&self.order.safe.name),
            address: id.address,
            chain_id: id.chain_id,
            nonce: tx.nonce,
            safe_tx_hash: self.card.printed().first,
        }
    }
}

/// A card as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournaledCard {
    /// Its levers and Safe, and its transaction at the first nonce.
    pub about: TransactionRef,
    pub time: Utc,
    pub card: PrintedCard,
}

/// Returns the newest card of each lever and Safe.
pub fn printed(journal: &Journal) -> Vec<JournaledCard> {
    let mut newest: Vec<JournaledCard> = Vec::new();
    for entry in journal.iter() {
        let (JournalAct::Card { nonces }, Some(about)) = (&entry.draft.act, &entry.draft.about) else {
            continue;
        };
        let card = PrintedCard { nonces: *nonces, first: about.safe_tx_hash };
        newest.retain(|kept| !is_same(&kept.about, about));
        newest.push(JournaledCard { about: about.clone(), time: entry.draft.time, card });
    }
    newest
}

/// Returns `true` if both are about the same levers of the same Safe.
pub fn is_same(one: &TransactionRef, other: &TransactionRef) -> bool {
    (&one.what, one.address, one.chain_id) == (&other.what, other.address, other.chain_id)
}

/// Returns the card without the network; `None` if the reader's files leave something open.
fn from_files(order: &Order, nonces: Nonces) -> Option<(CombinedPlan, Card)> {
    let version = order.safe.version?;
    let plans = order.offline_plans()?;
    let nonces = shift_nonces(nonces, order.after).ok()?;
    let tx = transaction(order, &plans, nonces)?;
    let safe = SafeId { chain_id: order.chain.id, address: order.safe.address, version };
    Some((plans, Card::new(safe, &tx, nonces)))
}

fn transaction(order: &Order, plans: &CombinedPlan, nonces: Nonces) -> Option<SafeTx> {
    let version = order.safe.version?;
    let calls: Vec<_> = plans.calls().map(|(_, planned)| planned.call.clone()).collect();
    build_tx(version, &calls, nonces.first(), order.batch(version), BatchSource::Offline).ok()
}

/// Returns the nonces of a transaction that comes this many after the first of its pull.
fn shift_nonces(nonces: Nonces, after: u64) -> Result<Nonces, Error> {
    let shifted = Nonces::new(nonces.first().plus(after), nonces.last().plus(after));
    shifted.map_err(|e| Error::new(Exit::Usage, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::tests::{Home, at, proposed};

    #[test]
    fn a_card_of_a_lever_that_reads_nothing_rests_on_the_files_alone() {
        let home = Home::new();
        let desk = home.desk();
        let nonces = Nonces::new(4.into(), 6.into()).unwrap();
        let cards = desk.cards(&["vault".into()], &Given::default(), Some(nonces)).unwrap();
        assert_eq!(cards.len(), 1);
        assert!(cards[0].seen.is_none());
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let about = cards[0].about();
        assert_eq!((about.safe_tx_hash, about.nonce), (vault.hash(), vault.nonce()));
        assert!(is_same(&about, &TransactionRef { nonce: 9.into(), ..about.clone() }));
        assert!(!is_same(&about, &TransactionRef { what: Plain::cut("bridge"), ..about.clone() }));
        assert!(!is_same(&about, &TransactionRef { chain_id: 5, ..about.clone() }));
    }
}
