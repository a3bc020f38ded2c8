//! The values that an undo restores. The machine that proves the act reads them from the block before it, and keeps
//! them among the reader's own settings: the council file may be outdated, and others can write to the shared folder.
//! Without such a record, `--set` must give them.

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256};
use serde::{Deserialize, Serialize};

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::ceremony::order::{BoundPlaybook, Given, Order};
use crate::chain::Receipt;
use crate::council::Arguments;
use crate::error::{Error, Exit};
use crate::progress::Tone;
use crate::proposal::Proposal;
use crate::safe::Nonce;
use crate::store::{SettingsFolder, StoreError};

const VERSION: u32 = 1;

/// The values of one lever, before a transaction of it that was proven here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UndoRecord {
    version: u32,
    chain_id: u64,
    safe: Address,
    lever: String,
    playbook: String,
    /// The lever's other arguments: for another asset the values are others.
    set: Arguments,
    nonce: U256,
    safe_tx_hash: String,
    /// The block that executed it; the values are those of the block before.
    block: u64,
    was: Arguments,
}

impl UndoRecord {
    /// Returns `true` if it is about this lever on this Safe.
    fn is_of(&self, order: &Order, act: &BoundPlaybook) -> bool {
        self.version == VERSION
            && (self.chain_id, self.safe) == (order.chain.id, order.safe.address)
            && act.lever.as_ref() == Some(&self.lever)
            && act.own_playbook().id.as_str() == self.playbook
            && act.without_former() == self.set
    }
}

/// Reads the values before a proven transaction and keeps them for the undo. Returns them by lever.
pub fn keep(desk: &Desk, judged: &Judged, receipt: &Receipt) -> Result<BTreeMap<String, Arguments>, Error> {
    let Some(order) = undoable(judged) else { return Ok(BTreeMap::new()) };
    let was = read(desk, judged, order, receipt)?;
    let folder = (desk.settings.as_ref())
        .ok_or_else(|| Error::new(Exit::Failed, "neither HOME nor XDG_CONFIG_HOME is set"))?;
    let records = records(order, judged.proposal(), receipt, was);
    let keep = |record: UndoRecord| {
        let UndoRecord { safe_tx_hash, lever, .. } = &record;
        let text = serde_json::to_string_pretty(&record).unwrap_or_default();
        folder.keep_undo_value(
            &format!("{safe_tx_hash}-{lever}-{}", receipt.block.hash),
            &format!("{text}\n"),
        )?;
        Ok((record.lever, record.was))
    };
    records.into_iter().map(keep).collect()
}

/// Returns the order of an act whose undo needs values from before; `None` for an undo itself.
fn undoable<'j>(judged: &'j Judged<'_>) -> Option<&'j Order<'j>> {
    let order = &judged.derived.own.as_ref()?.order;
    (!order.pull.undo && has_former(order)).then_some(order)
}

fn has_former(order: &Order) -> bool {
    order.acts().iter().any(BoundPlaybook::has_former)
}

/// Returns the record for each lever that had such values.
fn records(order: &Order, proposal: &Proposal, receipt: &Receipt, was: Vec<Arguments>) -> Vec<UndoRecord> {
    let Nonce(nonce) = proposal.nonce();
    let record = |(act, was): (&BoundPlaybook, Arguments)| {
        Some(UndoRecord {
            version: VERSION,
            chain_id: order.chain.id,
            safe: order.safe.address,
            lever: act.lever.clone().filter(|_| !was.is_empty())?,
            playbook: act.own_playbook().id.to_string(),
            set: act.without_former(),
            nonce,
            safe_tx_hash: proposal.hash().to_string(),
            block: receipt.block.number,
            was,
        })
    };
    order.acts().iter().zip(was).filter_map(record).collect()
}

/// Reads the values of the block before the one that executed it.
pub(in crate::ceremony) fn read(
    desk: &Desk,
    judged: &Judged,
    order: &Order,
    receipt: &Receipt,
) -> Result<Vec<Arguments>, Error> {
    let link = &judged.seen()?.link;
    let what = format!("reading what was in force before block {}", receipt.block.number);
    let before = desk.progress.wait(&what, || link.parent(&receipt.block))?;
    order.former_values(|queries| desk.progress.wait(&what, || link.answers(queries, &before)))
}

impl<'a> Desk<'a> {
    /// Returns [`Order::parts`], or the approvals of the Safes that are to approve them on chain. An undo has the
    /// values that were kept when its act was proven here, unless they are given. Fails for unknown names, or arguments
    /// that fit no lever or several.
    pub fn orders(&'a self, levers: &[String], given: &Given) -> Result<Vec<Order<'a>>, Error> {
        let orders = self.pulling_orders(levers, given)?;
        self.approvals(orders.into_iter().map(|order| (order, None)).collect(), given)
    }

    /// Returns the transactions that pull these levers, without approvals on chain.
    fn pulling_orders(&'a self, levers: &[String], given: &Given) -> Result<Vec<Order<'a>>, Error> {
        let texts = || self.settings.as_ref().map_or_else(|| Ok(Vec::new()), SettingsFolder::undo_values);
        Ok(self.restored(Order::parts(self, levers, given)?, given.undo, texts))
    }

    /// Returns the orders of an undo with the kept values; for others it reads nothing.
    fn restored(
        &self,
        orders: Vec<Order<'a>>,
        is_undo: bool,
        texts: impl FnOnce() -> Result<Vec<String>, StoreError>,
    ) -> Vec<Order<'a>> {
        if !is_undo || !orders.iter().any(has_former) {
            return orders;
        }
        let all = self.values(texts());
        let restored = |order: Order<'a>| {
            let was: Vec<Arguments> =
                order.acts().iter().map(|act| self.kept_values(&order, act, &all)).collect();
            order.restoring(&was)
        };
        orders.into_iter().map(restored).collect()
    }

    /// Returns the missing values of a lever from before its last proven act.
    fn kept_values(&self, order: &Order, act: &BoundPlaybook, all: &[UndoRecord]) -> Arguments {
        let missing = act.missing_former();
        let Some(lever) = act.lever.as_ref().filter(|_| !missing.is_empty()) else {
            return Arguments::new();
        };
        let last =
            all.iter().filter(|kept| kept.is_of(order, act)).max_by_key(|kept| (kept.nonce, kept.block));
        let Some(last) = last else {
            for (name, text) in
                self.not_used.get(lever).into_iter().flatten().filter(|(name, _)| missing.contains(name))
            {
                let text = format!(
                    "{name} = {text:?} of lever {lever}: this machine did not see what it was before. Look it up, and pass \
                     --set {name}=…"
                );
                self.progress.tell_once(Tone::Warn, "not used: ", &text);
            }
            return Arguments::new();
        };
        let was: Arguments =
            last.was.clone().into_iter().filter(|(name, _)| missing.contains(name)).collect();
        for (name, text) in &was {
            let text = format!("{name} = {text}, read before block {}, which executed {lever}", last.block);
            self.progress.tell_once(Tone::Plain, "brings back ", &text);
        }
        was
    }

    fn values(&self, texts: Result<Vec<String>, StoreError>) -> Vec<UndoRecord> {
        match texts {
            Ok(texts) => texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect(),
            Err(error) => {
                self.progress.tell_once(
                    Tone::Warn,
                    "what an undo brings back is not read: ",
                    &error.to_string(),
                );
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::tests::on_chain::{judged, receipt};
    use crate::ceremony::tests::{Home, at, on_chain, order, proposed, setting};
    use crate::evm::Readings;

    /// Returns the record of a fee of 40 bps at nonce 4, before which it was 30 bps.
    fn kept(order: &Order) -> UndoRecord {
        let text = |text: &str| text.to_string();
        UndoRecord {
            version: VERSION,
            chain_id: order.chain.id,
            safe: order.safe.address,
            lever: text("fee"),
            playbook: text("param/fee-bps"),
            set: [(text("target"), text("vault")), (text("fee"), text("40 bps"))].into(),
            nonce: U256::from(4),
            safe_tx_hash: text("0x01"),
            block: 21,
            was: [(text("was"), text("30 bps")), (text("other"), text("1"))].into(),
        }
    }

    #[test]
    fn only_values_from_before_this_very_act_are_restored() {
        let home = Home::new();
        let desk = home.desk();
        let given = Given { undo: true, ..setting(setting(at(5), "fee", "40 bps"), "was", "1 bps") };
        let undo = order(&desk, &["fee"], &given);
        let own = kept(&undo);
        let is_of = |kept: &UndoRecord| kept.is_of(&undo, &undo.acts()[0]);
        assert!(is_of(&own));
        let other = |change: &dyn Fn(&mut UndoRecord)| {
            let mut other = own.clone();
            change(&mut other);
            other
        };
        for wrong in [
            other(&|kept| kept.version = 2),
            other(&|kept| kept.chain_id = 5),
            other(&|kept| kept.safe = Address::ZERO),
            other(&|kept| kept.lever = "cap".into()),
            other(&|kept| kept.playbook = "param/cap".into()),
            other(&|kept| drop(kept.set.insert("fee".into(), "50 bps".into()))),
        ] {
            assert!(!is_of(&wrong), "{wrong:?}");
        }
        let act = &undo.acts()[0];
        assert!(desk.kept_values(&undo, act, std::slice::from_ref(&own)).is_empty(), "somebody gave it");
        // Without a given value, the last act counts.
        let mut act = act.clone();
        act.given.remove("was");
        let later = other(&|kept| {
            kept.nonce = U256::from(6);
            kept.was.insert("was".into(), "25 bps".into());
        });
        let was = |all: &[UndoRecord]| desk.kept_values(&undo, &act, all);
        let expected = |value: &str| Arguments::from([("was".to_string(), value.to_string())]);
        assert_eq!(was(std::slice::from_ref(&own)), expected("30 bps"));
        assert_eq!(home.heard(), ["brings back was = 30 bps, read before block 21, which executed fee"]);
        assert_eq!(was(&[later.clone(), own.clone()]), expected("25 bps"));
        assert_eq!(was(&[own, later]), expected("25 bps"));
        assert!(was(&[]).is_empty());
    }

    /// The values before an act are kept for its own undo alone.
    #[test]
    fn an_undo_gets_the_kept_values_of_its_act() {
        let home = Home::new();
        let desk = home.desk();
        let given = setting(at(4), "fee", "40 bps");
        let fee = order(&desk, &["fee"], &given);
        let proposal = on_chain(&fee, &given, 30).proposal;
        let was: Arguments = [("was".to_string(), "30 bps".to_string())].into();
        let kept = records(&fee, &proposal, &receipt(21, true), vec![was.clone()]);
        assert_eq!((kept.len(), kept[0].lever.as_str(), &kept[0].was), (1, "fee", &was));
        assert_eq!((kept[0].nonce, kept[0].block), (U256::from(4), 21));
        assert_eq!(kept[0].safe_tx_hash, proposal.hash().to_string());
        assert!(records(&fee, &proposal, &receipt(21, true), vec![Arguments::new()]).is_empty());
        let texts = || kept.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        let undo = Given { undo: true, ..setting(Given::default(), "fee", "40 bps") };
        let parts = |given: &Given| Order::parts(&desk, &["fee".into()], given).unwrap();
        let restored = desk.restored(parts(&undo), true, || Ok(texts()));
        assert_eq!(restored[0].acts()[0].given["was"], "30 bps");
        assert_eq!(home.heard(), ["brings back was = 30 bps, read before block 21, which executed fee"]);
        // Nothing is read for the act itself, or if no former value is needed.
        let unread = |orders: Vec<Order<'_>>, is_undo: bool| {
            let orders = desk.restored(orders, is_undo, || panic!("it is not read"));
            assert!(!orders[0].acts()[0].given.contains_key("was"));
        };
        unread(parts(&Given { undo: false, ..undo.clone() }), false);
        let pause = Given { undo: true, ..Given::default() };
        unread(Order::parts(&desk, &["vault".into()], &pause).unwrap(), true);
        // A file that is not a record is skipped, and an unreadable folder is reported.
        assert!(desk.values(Ok(vec!["{}".into()])).is_empty());
        let lost = StoreError::Exists { path: "undo".into() };
        assert!(desk.values(Err(lost)).is_empty());
        assert!(home.heard()[0].starts_with("what an undo brings back is not read: "));
    }

    #[test]
    fn only_an_act_with_former_values_is_undone_by_them() {
        let home = Home::new();
        let desk = home.desk();
        let is_undoable = |levers: &[&str], given: &Given| {
            let proposal = proposed(&desk, levers, given, if given.undo { 40 } else { 30 });
            let judged = judged(&desk, &proposal, 5, Readings::default());
            let order = undoable(&judged);
            order.is_some()
        };
        let fee = setting(at(4), "fee", "40 bps");
        assert!(is_undoable(&["fee"], &fee));
        assert!(!is_undoable(&["vault"], &at(4)));
        assert!(!is_undoable(&["fee"], &Given { undo: true, ..setting(fee, "was", "30 bps") }));
    }

    #[test]
    fn a_value_of_the_council_file_is_reported_and_not_used() {
        let home = Home::new();
        let mut desk = home.desk();
        let values = BTreeMap::from([("was".to_string(), "20 bps".to_string()), ("x".into(), "1".into())]);
        desk.not_used = BTreeMap::from([("fee".to_string(), values)]);
        let given = Given { undo: true, ..setting(setting(at(5), "fee", "40 bps"), "was", "1 bps") };
        let undo = order(&desk, &["fee"], &given);
        let mut act = undo.acts()[0].clone();
        act.given.remove("was");
        home.heard();
        assert!(desk.kept_values(&undo, &act, &[]).is_empty());
        let heard = home.heard();
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert!(heard[0].starts_with("not used: was = \"20 bps\" of lever fee"), "{heard:?}");
    }
}
