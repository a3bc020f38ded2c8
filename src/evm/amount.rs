//! Amounts of ether as people read them.

use alloy::primitives::U256;
use alloy::primitives::utils::{format_ether, format_units};

/// Ether, exactly.
#[must_use]
pub fn ether(wei: U256) -> String {
    let text = format_ether(wei);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{} ether", if text.is_empty() { "0" } else { text })
}

/// Wei per gas, exactly.
#[must_use]
pub fn gwei(wei: u128) -> String {
    let text = format_units(wei, "gwei").unwrap_or_else(|_| wei.to_string());
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
