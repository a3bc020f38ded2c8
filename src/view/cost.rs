//! The cost of sending, before the question.

use crate::ceremony::offer::Offer;
use crate::evm::{AddressBook, amount};
use crate::ui::{Lines, Text};

/// Returns the payer, and the amount.
#[must_use]
pub fn lines(offer: &Offer, names: &AddressBook) -> Lines {
    let payer = match names.name(offer.from) {
        Some(name) => format!("{name} {}", offer.from),
        None => offer.from.to_string(),
    };
    let line = |label: &str, text: &str| Text::new("  ").dim(label).add(text);
    let (base, tip) = (amount::gwei(offer.base_fee), amount::gwei(offer.tx.max_priority_fee_per_gas));
    let limit = amount::gwei(offer.tx.max_fee_per_gas);
    [
        line("payer   ", &format!("{payer}, its transaction {}", offer.tx.nonce)),
        line("gas     ", &format!("{} at most", offer.tx.gas_limit)),
        line("fee     ", &format!("{base} gwei now and a tip of {tip}, {limit} at most")),
        line(
            "cost    ",
            &format!("{} now, {} at most", amount::ether(offer.now()), amount::ether(offer.most())),
        ),
    ]
    .into_iter()
    .collect()
}
