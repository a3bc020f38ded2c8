//! The keys and the device of this machine.

pub mod device_state;
pub mod keys;
pub mod long_wait;
pub mod own_keys;
pub mod udev_rule;
