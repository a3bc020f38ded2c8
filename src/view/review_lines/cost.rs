//! The lines about the cost of sending, before the question.

use alloy::primitives::U256;

use crate::ceremony::sending::offer::Offer;
use crate::evm::{AddressBook, amount};
use crate::ui::{Lines, Text};

/// Returns the payer and the amounts, rounded up to four digits.
pub fn lines(offer: &Offer, names: &AddressBook) -> Lines {
    let payer = names.with_address(offer.from);
    let line = |label: &str, text: &str| Text::new("   ").dim(label).add(text);
    let [base, tip, limit] = [offer.base_fee, offer.tx.max_priority_fee_per_gas, offer.tx.max_fee_per_gas]
        .map(|wei| amount::gwei(amount::rounded_up(U256::from(wei)).saturating_to()));
    let [now, most] = [offer.now(), offer.most()].map(|wei| amount::ether(amount::rounded_up(wei)));
    Lines::from([
        line("payer   ", &format!("{payer}, its transaction {}", offer.tx.nonce)),
        line(
            "fee     ",
            &format!("{base} gwei now and a tip of {tip}, {limit} at most; gas {}", offer.tx.gas_limit),
        ),
        line("cost    ", &format!("{now} now, {most} at most")),
    ])
}
