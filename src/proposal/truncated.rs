//! The first few of many: what a stranger repeats a million times is counted, and not kept a million times.

/// The first of a list, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truncated<T> {
    first: Vec<T>,
    count: usize,
}

impl<T> Truncated<T> {
    /// The number that is kept to be shown.
    pub const SHOWN: usize = 5;

    /// Counts one more; `make` is called only if it is one of the first.
    pub fn push(&mut self, make: impl FnOnce() -> T) {
        if self.first.len() < Self::SHOWN {
            self.first.push(make());
        }
        self.count += 1;
    }

    /// Returns the same with each of the first turned into something else.
    pub fn map<U>(self, change: impl Fn(&T) -> U) -> Truncated<U> {
        Truncated { first: self.first.iter().map(change).collect(), count: self.count }
    }

    /// Returns the first items: at most [`Self::SHOWN`].
    pub fn first(&self) -> &[T] {
        &self.first
    }

    /// Returns the number of all items, those that were not kept too.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Returns the number of those beside the first.
    pub fn more(&self) -> usize {
        self.count - self.first.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl Truncated<String> {
    /// Returns the first, and in one more how many there are beside them.
    pub fn sentences(&self) -> Vec<String> {
        let more = (self.more() > 0).then(|| format!("and {} more", self.more()));
        self.first.iter().cloned().chain(more).collect()
    }
}

impl<T> Default for Truncated<T> {
    fn default() -> Self {
        Self { first: Vec::new(), count: 0 }
    }
}
