//! How the endpoints of a chain stand: for the review, and for whoever counts how many agree. Values only.

use super::error::Fault;

/// How an endpoint stood when it was last asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Unasked,
    Agrees,
    /// Its answer was not used, and why.
    Outvoted(Fault),
    /// A quorum contradicts it about the same block. It stays so and is not asked again.
    Lying(Fault),
    /// The same host and port as another address, shown here. It is not asked, and counts for nothing.
    SameAs(String),
}

/// One endpoint, for the review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointReport {
    /// Its address without the key.
    pub shown: String,
    pub standing: Standing,
    /// The newest block that it showed.
    pub newest: Option<u64>,
    /// The size of a batch that it turned out to take, if it is a smaller one than it was sent at first.
    pub batch: Option<usize>,
}

/// How many independent endpoints agree, and of how many: an address that leads to the same host and port as another
/// counts for neither.
#[must_use]
pub fn agreeing(endpoints: &[EndpointReport]) -> (usize, usize) {
    let count = |is: fn(&Standing) -> bool| endpoints.iter().filter(|e| is(&e.standing)).count();
    (
        count(|standing| *standing == Standing::Agrees),
        count(|standing| !matches!(standing, Standing::SameAs(_))),
    )
}
