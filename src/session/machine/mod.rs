//! The keys and the Ledger of this machine.

pub mod address_on_ledger;
pub mod device_state;
pub mod keys;
pub mod long_wait;
pub mod own_keys;
pub mod udev_rule;
