//! The named levers and files with their existing proposals, which are not derived here.

use crate::ceremony::desk::Desk;
use crate::ceremony::find::is_file;
use crate::ceremony::order::{Given, Order};
use crate::council;
use crate::error::{Error, Exit};
use crate::proposal::Proposal;

pub enum NamedTransaction<'a> {
    /// The file of a proposal.
    File { path: String, proposal: Box<Proposal> },
    /// A lever, with the proposal that is kept here for it.
    Lever { order: Box<Order<'a>>, kept: Option<Box<Proposal>> },
}

impl<'a> Desk<'a> {
    /// Returns the named transactions: each file, and those of the levers. Fails for unknown names, and for files that
    /// are not what was asked for.
    pub fn named(&'a self, what: &[String], given: &Given) -> Result<Vec<NamedTransaction<'a>>, Error> {
        let (files, levers): (Vec<&String>, Vec<&String>) = what.iter().partition(|what| is_file(what));
        let mut named = Vec::new();
        for path in files {
            if let Some(order) = self.approval_of(path, given)? {
                let kept = self.stored_for(&order, given, true)?.map(Box::new);
                named.push(NamedTransaction::Lever { order: Box::new(order), kept });
                continue;
            }
            named.push(NamedTransaction::File {
                path: path.clone(),
                proposal: Box::new(self.file(path, given)?),
            });
        }
        if !levers.is_empty() {
            let levers: Vec<String> = levers.into_iter().cloned().collect();
            for order in self.orders_named(&levers, given)? {
                let kept = self.stored_for(&order, given, true)?.map(Box::new);
                named.push(NamedTransaction::Lever { order: Box::new(order), kept });
            }
        }
        let is_first_drill = named.first().is_some_and(NamedTransaction::is_drill);
        match named.iter().find(|one| one.is_drill() != is_first_drill) {
            Some(other) => {
                let message = format!("{} and {} are not both drills", named[0].title(), other.title());
                Err(Error::new(Exit::Usage, message).hint("name drills and levers in separate commands"))
            }
            None => Ok(named),
        }
    }
}

impl<'a> NamedTransaction<'a> {
    /// Returns its Safe of the council file.
    pub fn safe(&self, desk: &'a Desk) -> Result<&'a council::Safe, Error> {
        match self {
            Self::File { proposal, .. } => desk.safe_of(proposal),
            Self::Lever { order, .. } => Ok(order.safe),
        }
    }

    pub fn is_drill(&self) -> bool {
        match self {
            Self::File { proposal, .. } => proposal.is_drill(),
            Self::Lever { order, .. } => order.is_drill(),
        }
    }

    /// Returns the proposal that exists already.
    pub fn proposal(&self) -> Option<&Proposal> {
        match self {
            Self::File { proposal, .. } => Some(proposal),
            Self::Lever { kept, .. } => kept.as_deref(),
        }
    }

    /// Returns the proposal itself.
    pub fn into_proposal(self) -> Option<Proposal> {
        match self {
            Self::File { proposal, .. } => Some(*proposal),
            Self::Lever { kept, .. } => kept.map(|kept| *kept),
        }
    }

    /// Returns the file, or the levers and their Safe.
    pub fn title(&self) -> String {
        match self {
            Self::File { path, .. } => path.clone(),
            Self::Lever { order, .. } => order.words(),
        }
    }
}
