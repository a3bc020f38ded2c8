//! The place where a transaction failed. Pure.

use alloy::json_abi;
use alloy::primitives::{Address, Bytes};

use super::trace::{End, FrameKind, Trace};
use crate::evm::{Reason, decode_revert};

/// One failed call on the way to the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    /// Whose code failed.
    pub by: Address,
    pub data: Bytes,
    /// Why the EVM stopped it, where it did not revert by itself.
    pub halt: Option<String>,
}

impl Revert {
    /// Decodes the reason with the errors that the caller knows, and the common ones.
    pub fn reason(&self, errors: &[json_abi::Error]) -> Reason {
        match &self.halt {
            Some(halt) => Reason::Halted(halt.clone()),
            None => decode_revert(&self.data, errors),
        }
    }
}

/// The failed calls from the outermost to the one where it began.
///
/// A caller that passes on what its callee reverted with, or adds nothing to it, is left out. A caller may also
/// catch a failure and then fail for a reason of its own: so the last is the likely cause, and all are shown.
pub(super) fn chain(trace: &Trace, start: usize) -> Vec<Revert> {
    let mut chain: Vec<Revert> = Vec::new();
    let mut next = Some(start);
    while let Some(frame) = next.and_then(|i| trace.frames.get(i)) {
        let halt = match &frame.end {
            End::Returned => break,
            End::Reverted => None,
            End::Halted(halt) => Some(halt.clone()),
        };
        let revert = Revert { by: frame.to, data: frame.output.clone(), halt };
        if chain
            .last()
            .is_some_and(|outer| outer.halt.is_none() && (outer.data.is_empty() || outer.data == revert.data))
        {
            chain.pop();
        }
        chain.push(revert);
        next = next.and_then(|i| trace.children(i).next_back());
    }
    chain
}

/// The inner call of a Safe that carried on after its failure: the outermost failed call the Safe made.
pub(super) fn inner_failure(trace: &Trace, safe: Address) -> Option<usize> {
    let acts = |kind| matches!(kind, FrameKind::Call | FrameKind::DelegateCall);
    let failed =
        trace.frames.iter().enumerate().filter(|(_, f)| f.from == safe && acts(f.kind) && !f.succeeded());
    failed.min_by_key(|(_, f)| f.depth).map(|(i, _)| i)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;
    use crate::fork::trace::Frame;

    fn frame(depth: usize, by: u8, end: End, output: &[u8]) -> Frame {
        Frame {
            depth,
            kind: FrameKind::Call,
            from: Address::ZERO,
            to: Address::repeat_byte(by),
            value: U256::ZERO,
            input: Bytes::new(),
            output: Bytes::copy_from_slice(output),
            end,
            gas_used: 0,
        }
    }

    #[test]
    fn the_chain_ends_where_it_began_and_skips_what_is_only_passed_on() {
        let frames = vec![
            frame(0, 1, End::Reverted, b"GS013"),
            frame(1, 2, End::Returned, b""),
            frame(1, 3, End::Reverted, b"inner"),
            frame(2, 4, End::Reverted, b""),
            frame(3, 5, End::Reverted, b"inner"),
            frame(4, 6, End::Returned, b""),
        ];
        let chain = chain(&Trace { frames, cut: false }, 0);
        assert_eq!(chain.iter().map(|r| r.by).collect::<Vec<_>>(), [1, 3, 5].map(Address::repeat_byte));
    }

    #[test]
    fn a_failure_that_another_call_follows_is_not_the_cause() {
        let frames = vec![
            frame(0, 1, End::Reverted, b"own"),
            frame(1, 2, End::Reverted, b"caught"),
            frame(1, 3, End::Returned, b""),
        ];
        assert_eq!(chain(&Trace { frames, cut: false }, 0).len(), 1);
    }
}
