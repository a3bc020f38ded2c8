//! Values that are a chain's newest. Values only.

use std::ops::Deref;

/// A value of the newest block that a quorum of endpoints agreed on.
///
/// The chain room alone makes one (`tests/walls.rs` holds that), so what asks for one takes no value of a file and no guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh<T>(T);

impl<T> Fresh<T> {
    pub(crate) const fn from_quorum(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Fresh<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
