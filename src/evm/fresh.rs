//! Values that are a chain's newest, and values that nobody read. Values only.

/// A value of the newest block that a quorum of endpoints agreed on.
///
/// The chain room alone makes one (`tests/walls.rs` holds that), so what asks for one takes no value of a file and no guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Deref)]
pub struct Fresh<T>(T);

impl<T> Fresh<T> {
    pub(crate) const fn from_quorum(value: T) -> Self {
        Self(value)
    }
}

/// A value that nobody read: the reader's own files say that the chain holds it. No function makes a [`Fresh`] from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Deref)]
pub struct Assumed<T>(T);

impl<T> Assumed<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value, for whoever keeps beside it that nobody read it.
    pub(crate) fn into_value(self) -> T {
        self.0
    }
}
