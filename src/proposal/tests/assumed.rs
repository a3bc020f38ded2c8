//! A proposal for a Safe that nobody read.

use alloy::primitives::Address;

use super::proposal;
use crate::evm::Assumed;
use crate::proposal::{Proposal, ProposalError};
use crate::safe::SafeVersion;

/// The Safe was not read, so no value in the file was; and values outside the hashes cannot have changed since.
#[test]
fn a_file_about_an_assumed_safe_has_no_block_and_nothing_that_was_read() {
    let read = proposal(42);
    let written =
        Proposal::assuming(read.tx().clone(), Assumed::new(read.snapshot().clone()), read.binding().clone());
    assert_eq!((written.hash(), written.block()), (read.hash(), None));
    assert_eq!(Proposal::parse(&written.to_json()), Ok(written.clone()));
    let mut value: serde_json::Value = serde_json::from_str(&read.to_json()).unwrap();
    value.as_object_mut().unwrap().remove("block");
    assert_eq!(Proposal::parse(&value.to_string()), Err(ProposalError::NoBlock));

    let mut now = read.snapshot().clone();
    (now.singleton, now.guard) = (Address::repeat_byte(1), Address::repeat_byte(2));
    assert_eq!((written.drift(&now).len(), read.drift(&now).len()), (0, 2));
    now.id.version = SafeVersion::V1_3_0;
    assert_eq!(written.drift(&now).len(), 1, "{:?}", written.drift(&now));
}
