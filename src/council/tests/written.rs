//! Council files for the tests of every room, written from what a test looks at.

use std::fmt::Write;

use super::*;

/// The text of a council file with one chain, `main` with id 1.
pub(crate) struct CouncilText(pub(crate) String);

impl CouncilText {
    pub(crate) fn new() -> Self {
        Self("schema = 1\nname = \"x\"\n[chains.main]\nid = 1\nrpc = [\"https://a.example\"]\n".into())
    }

    pub(crate) fn and(mut self, text: &str) -> Self {
        self.0.push_str(text);
        self
    }

    pub(crate) fn signer(mut self, name: &str, address: Address) -> Self {
        write!(self.0, "[signers.{name}]\naddress = \"{address}\"\n").unwrap();
        self
    }

    /// Adds a Safe; its owners are pinned where some are named.
    pub(crate) fn safe(mut self, name: &str, address: Address, owners: &[&str], threshold: u64) -> Self {
        write!(self.0, "[safes.{name}]\nchain = \"main\"\naddress = \"{address}\"\n").unwrap();
        if !owners.is_empty() {
            write!(self.0, "owners = {owners:?}\nthreshold = {threshold}\n").unwrap();
        }
        self
    }

    /// Adds a lever of the Safe `guardian`, with one argument.
    pub(crate) fn lever(mut self, name: &str, playbook: &str, target: &str) -> Self {
        write!(
            self.0,
            "[levers.{name}]\nplaybook = \"{playbook}\"\nsafe = \"guardian\"\nset = {{ target = \"{target}\" }}\n"
        )
        .unwrap();
        self
    }

    pub(crate) fn council(&self) -> Council {
        Council::parse("breakglass.toml", &self.0).unwrap()
    }
}
