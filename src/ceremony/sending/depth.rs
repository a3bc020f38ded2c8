//! The depth of a mined transaction, and the wait until that is enough.

use std::time::Duration;

use crate::ceremony::desk::Desk;
use crate::chain::{Chain, ChainError, Depth, Receipt};
use crate::error::{Error, Exit};
use crate::progress::Tone;

/// The depth that is asked of a mined transaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequiredDepth {
    pub confirmations: Option<u64>,
    pub finalized: bool,
}

impl RequiredDepth {
    /// Returns `true` if there is something to wait for.
    pub const fn is_asked(&self) -> bool {
        self.finalized || self.confirmations.is_some()
    }
}

/// The shortest and longest pause between two questions.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(12);
/// The most answers in a row that may fail while it waits.
const MOST_FAULTS: u32 = 5;

/// Waits for the required depth and reports it. Fails if the block is no longer part of the chain, or if the chain does
/// not say which of its blocks are final.
pub fn settle(desk: &Desk, link: &Chain, receipt: &Receipt, wanted: &RequiredDepth) -> Result<Depth, Error> {
    let mut depth = measure(desk, link, receipt)?;
    if wanted.finalized && depth.final_block.is_none() {
        let message = format!("{} does not say which of its blocks are final", link.name());
        return Err(Error::new(Exit::Network, message)
            .hint("it is executed; broadcast again with --confirmations N instead of --finalized"));
    }
    if !is_enough(&depth, receipt, wanted) {
        let each = link.block_time(&depth.newest)?;
        let text = format!(
            "waiting until {}, about {}",
            depth_text(wanted),
            human(left(&depth, receipt, wanted, each))
        );
        desk.progress.tell(Tone::Plain, "", &text);
        let shown = desk.progress.begin(&text);
        let pause = || std::thread::sleep((each / 2).clamp(SHORTEST, LONGEST));
        depth = wait(depth, receipt, wanted, || link.depth(&receipt.block), pause)?;
        drop(shown);
    }
    desk.progress.tell(Tone::Dim, &describe(&depth, receipt), "");
    Ok(depth)
}

/// Asks repeatedly until the depth is enough. A few answers in a row may fail.
fn wait(
    mut depth: Depth,
    receipt: &Receipt,
    wanted: &RequiredDepth,
    mut ask: impl FnMut() -> Result<Option<Depth>, ChainError>,
    pause: impl Fn(),
) -> Result<Depth, Error> {
    let mut faults = 0;
    while !is_enough(&depth, receipt, wanted) {
        pause();
        match ask() {
            Ok(found) => (depth, faults) = (found.ok_or_else(|| receipt_gone(receipt))?, 0),
            Err(error) if faults >= MOST_FAULTS => return Err(error.into()),
            Err(_) => faults += 1,
        }
    }
    Ok(depth)
}

/// Returns the depth now.
fn measure(desk: &Desk, link: &Chain, receipt: &Receipt) -> Result<Depth, Error> {
    let depth = desk.progress.wait("looking how deep it lies", || link.depth(&receipt.block))?;
    depth.ok_or_else(|| receipt_gone(receipt))
}

fn receipt_gone(receipt: &Receipt) -> Error {
    let message = format!(
        "block {} with transaction {} is no longer part of the chain: it was reorganised",
        receipt.block.number, receipt.tx
    );
    Error::new(Exit::Drift, message).hint(
        "run breakglass broadcast again: it looks for the transaction, and sends the same one if it is gone",
    )
}

fn is_enough(depth: &Depth, receipt: &Receipt, wanted: &RequiredDepth) -> bool {
    let deep = wanted.confirmations.is_none_or(|least| depth.confirmations >= least);
    deep && (!wanted.finalized || depth.is_final(&receipt.block))
}

fn depth_text(wanted: &RequiredDepth) -> String {
    match (wanted.confirmations, wanted.finalized) {
        (Some(least), false) => format!("it has {least} confirmations"),
        (Some(least), true) => format!("it is final and has {least} confirmations"),
        (None, _) => "it is final".into(),
    }
}

/// Returns the estimated time: the distance between the newest and the final block is assumed to stay.
fn left(depth: &Depth, receipt: &Receipt, wanted: &RequiredDepth, each: Duration) -> Duration {
    let deeper = wanted.confirmations.unwrap_or(0).saturating_sub(depth.confirmations);
    let unfinal = depth.final_block.filter(|_| wanted.finalized);
    let unfinal = unfinal.map_or(0, |number| receipt.block.number.saturating_sub(number));
    each.saturating_mul(u32::try_from(deeper.max(unfinal)).unwrap_or(u32::MAX))
}

fn human(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=90 => format!("{} s", seconds.max(1)),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

/// Returns `block 12, 3 confirmations, not final yet`.
pub fn describe(depth: &Depth, receipt: &Receipt) -> String {
    let finality = match depth.final_block {
        _ if depth.is_final(&receipt.block) => "final",
        Some(_) => "not final yet: a reorganisation may still undo it",
        None => "this chain does not say what is final",
    };
    let s = if depth.confirmations == 1 { "" } else { "s" };
    format!("block {}, {} confirmation{s}, {finality}", receipt.block.number, depth.confirmations)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use alloy::primitives::{B256, Bytes};

    use super::*;
    use crate::ceremony::tests::Home;
    use crate::ceremony::tests::executed::PAYER;
    use crate::ceremony::tests::live::{chain, home};
    use crate::ceremony::tests::memory::Memory;
    use crate::ceremony::tests::on_chain::receipt;
    use crate::evm::{BlockHash, BlockRef};

    fn wanted(confirmations: Option<u64>, finalized: bool) -> RequiredDepth {
        RequiredDepth { confirmations, finalized }
    }

    #[test]
    fn the_depth_is_enough_if_every_requirement_is_met() {
        let receipt = receipt(40, true);
        let depth = |confirmations, final_block| {
            let newest = receipt.block;
            Depth { newest, confirmations, final_block }
        };
        let enough = |depth: &Depth, confirmations, finalized| {
            is_enough(depth, &receipt, &wanted(confirmations, finalized))
        };
        let three = depth(3, Some(39));
        assert!(
            enough(&three, None, false) && enough(&three, Some(3), false) && !enough(&three, Some(4), false)
        );
        assert!(!enough(&three, Some(3), true) && !enough(&three, None, true));
        assert!(enough(&depth(3, Some(40)), Some(3), true) && !enough(&depth(2, Some(40)), Some(3), true));
        let each = Duration::from_secs(12);
        let left = |confirmations, finalized| {
            left(&three, &receipt, &wanted(confirmations, finalized), each).as_secs()
        };
        assert_eq!((left(Some(5), false), left(None, true), left(Some(5), true)), (24, 12, 24));
        assert_eq!(left(Some(1), false), 0);
        assert!(wanted(None, true).is_asked() && wanted(Some(1), false).is_asked());
        assert!(!wanted(None, false).is_asked());
    }

    #[test]
    fn times_and_goals_are_described() {
        let goals = [(Some(3), false), (Some(3), true), (None, true)].map(|(n, f)| depth_text(&wanted(n, f)));
        assert_eq!(goals, ["it has 3 confirmations", "it is final and has 3 confirmations", "it is final"]);
        let human = |seconds| human(Duration::from_secs(seconds));
        assert_eq!([human(0), human(90), human(91)], ["1 s", "90 s", "2 min"]);
    }

    #[test]
    fn the_depth_of_a_block_is_described() {
        let receipt = receipt(40, true);
        let of = |confirmations, final_block| {
            describe(&Depth { newest: receipt.block, confirmations, final_block }, &receipt)
        };
        assert_eq!(of(1, None), "block 40, 1 confirmation, this chain does not say what is final");
        assert_eq!(
            of(2, Some(39)),
            "block 40, 2 confirmations, not final yet: a reorganisation may still undo it"
        );
        assert_eq!(of(3, Some(40)), "block 40, 3 confirmations, final");
    }

    /// Returns a chain with one mined transaction, and its receipt.
    fn mined() -> (Memory, Home, Receipt) {
        let node = chain();
        let home = home(&node);
        let tx = node.mine_call(PAYER, PAYER, &Bytes::new(), true);
        let receipt = link(&home.desk()).receipt(tx).unwrap().unwrap();
        (node, home, receipt)
    }

    fn link(desk: &Desk) -> Chain {
        desk.connect_to(&desk.council.chains["mainnet"]).unwrap()
    }

    #[test]
    fn a_reached_depth_needs_no_wait() {
        let (node, home, receipt) = mined();
        let desk = home.desk();
        let settle = |wanted: RequiredDepth| settle(&desk, &link(&desk), &receipt, &wanted);
        assert_eq!(settle(wanted(None, false)).unwrap().confirmations, 1);
        assert_eq!(settle(wanted(Some(1), false)).unwrap().final_block, None);
        let number = receipt.block.number;
        let told = format!("block {number}, 1 confirmation, this chain does not say what is final");
        assert_eq!(home.heard(), [told.clone(), told]);
        let error = settle(wanted(None, true)).unwrap_err();
        assert_eq!(error.message, "mainnet does not say which of its blocks are final");
        node.finalize(number);
        assert!(settle(wanted(Some(1), true)).unwrap().is_final(&receipt.block));
        assert_eq!(home.heard(), [format!("block {number}, 1 confirmation, final")]);
        let other = BlockRef { hash: BlockHash::claimed(B256::repeat_byte(9)), ..receipt.block };
        let gone = Receipt { block: other, ..receipt.clone() };
        let error = super::settle(&desk, &link(&desk), &gone, &wanted(None, false)).unwrap_err();
        assert_eq!(error.exit, Exit::Drift);
        assert!(error.message.ends_with("is no longer part of the chain: it was reorganised"));
    }

    #[test]
    fn it_waits_until_the_depth_is_reached() {
        let (node, home, receipt) = mined();
        let desk = home.desk();
        let number = receipt.block.number;
        node.finalize(number - 1);
        let reached = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(SHORTEST);
                node.mine();
                node.finalize(number);
            });
            settle(&desk, &link(&desk), &receipt, &wanted(Some(2), true)).unwrap()
        });
        assert_eq!((reached.confirmations, reached.final_block), (2, Some(number)));
        let heard = home.heard();
        assert_eq!(heard.len(), 2, "{heard:?}");
        assert!(
            heard[0].starts_with("waiting until it is final and has 2 confirmations, about "),
            "{heard:?}"
        );
        assert_eq!(heard[1], format!("block {number}, 2 confirmations, final"));
    }

    #[test]
    fn a_few_answers_in_a_row_may_fail_and_no_more() {
        let receipt = receipt(40, true);
        let at = |confirmations| Depth { newest: receipt.block, confirmations, final_block: None };
        let fault = || Err(ChainError::NoEndpoint("mainnet".into()));
        let waited = |answers: Vec<Result<Option<Depth>, ChainError>>| {
            let mut answers = answers.into_iter();
            let (all, pauses) = (answers.len(), Cell::new(0));
            let pause = || pauses.set(pauses.get() + 1);
            let ended = wait(at(1), &receipt, &wanted(Some(3), false), || answers.next().unwrap(), pause);
            assert_eq!(pauses.get(), all - answers.len(), "a pause before each");
            (ended.map(|depth| depth.confirmations).map_err(|error| error.exit), answers.len())
        };
        let faults = |count: u32| (0..count).map(|_| fault()).collect::<Vec<_>>();
        let with = |parts: [Vec<Result<Option<Depth>, ChainError>>; 4]| parts.into_iter().flatten().collect();
        let most = MOST_FAULTS;
        let answers =
            with([faults(most), vec![Ok(Some(at(2)))], faults(most), vec![Ok(Some(at(3))), fault()]]);
        assert_eq!(waited(answers), (Ok(3), 1), "it is not asked once more");
        let (lost, left) = waited(with([faults(most), vec![fault()], vec![Ok(Some(at(3)))], Vec::new()]));
        assert!(lost.is_err() && left == 1, "{lost:?}");
        assert_eq!(waited(vec![Ok(None), Ok(Some(at(3)))]), (Err(Exit::Drift), 1), "it is gone");
    }
}
