//! The names of drills on the command line, and the check that a drill is the one that was announced.

use crate::ceremony::order::Order;
use crate::error::{Error, Exit};
use crate::proposal::{DrillName, Proposal};
use crate::safe::{Domain, NoDrill, SafeTree};

impl Order<'_> {
    /// Returns a proposal for the order's purpose.
    /// Fails for a drill with a Safe before 1.3.0, and for another drill than the one that was announced.
    pub(in crate::ceremony) fn for_its_purpose(&self, proposal: Proposal) -> Result<Proposal, Error> {
        if !self.is_drill() {
            return Ok(proposal);
        }
        let drill = proposal.for_drill()?;
        let Some(name) = self.announced.as_ref().filter(|name| !name.names(&drill)) else { return Ok(drill) };
        let hash = drill.hash();
        let message = format!("{name} is not the drill that your own files give: that is {hash}");
        Err(Error::new(Exit::Refused, message)
            .hint(
                "nothing was signed; compare council file, playbook and arguments with the person who announced it",
            )
            .hint("breakglass council check prints their digests; a value on the chain may have changed since"))
    }
}

/// Returns the levers of names, those of drills included. Fails for a drill's name that cannot be read, and for drills
/// beside levers.
pub fn pulled(names: &[&String]) -> Result<Vec<String>, Error> {
    let names: Vec<String> = names.iter().copied().cloned().collect();
    let drills = drills(&names)?;
    if drills.is_empty() {
        return Ok(names);
    }
    let mut levers: Vec<String> = Vec::new();
    for lever in drills.iter().flat_map(DrillName::levers) {
        if !levers.contains(lever) {
            levers.push(lever.clone());
        }
    }
    Ok(levers)
}

pub fn names_drill(what: &[String]) -> bool {
    what.iter().any(|word| DrillName::looks_like_drill_name(word))
}

/// Returns the named drills; empty if levers are named.
pub(in crate::ceremony) fn drills(names: &[String]) -> Result<Vec<DrillName>, Error> {
    if !names_drill(names) {
        return Ok(Vec::new());
    }
    if let Some(lever) = names.iter().find(|name| !DrillName::looks_like_drill_name(name)) {
        let message = format!("{lever} is REAL, and a drill is named beside it");
        return Err(Error::new(Exit::Usage, message).hint("name drills and levers in separate commands"));
    }
    names.iter().map(|name| Ok(name.parse::<DrillName>()?)).collect()
}

/// Checks that every Safe of a drill's tree has the chain id in its signatures. The error names the first that has not.
pub(in crate::ceremony) fn require_drillable(proposal: &Proposal, tree: &SafeTree) -> Result<(), NoDrill> {
    if !proposal.is_drill() {
        return Ok(());
    }
    Domain::drill(tree.id)?;
    tree.children.iter().try_for_each(|child| require_drillable(proposal, child))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn drills_and_levers_cannot_be_named_together() {
        assert_eq!(drills(&names(&["vault", "bridge"])).unwrap(), []);
        assert_eq!(drills(&names(&["drill:vault-n4-7f3a", "drill:bridge-n5-91bc"])).unwrap().len(), 2);
        for mixed in [["drill:vault-n4-7f3a", "vault"], ["vault", "drill:vault-n4-7f3a"]] {
            let error = drills(&names(&mixed)).unwrap_err();
            assert_eq!((error.exit, error.message.starts_with("vault is REAL")), (Exit::Usage, true));
        }
        assert_eq!(drills(&names(&["drill:vault"])).unwrap_err().exit, Exit::Usage);
        let word = "drill:vault+oracle-n4-7f3a".to_string();
        assert_eq!(pulled(&[&word]).unwrap(), ["vault", "oracle"]);
    }
}
