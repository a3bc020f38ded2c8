//! A first council file about one Safe, as the chain has it. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use alloy::primitives::Address;

use crate::ceremony::discovery::new_safe::safe_fields;
use crate::chain::Snapshot;
use crate::check::{OwnerKind, owner_kinds};
use crate::error::{Error, Exit};

/// The contents of a first council file.
pub struct FirstCouncil<'a> {
    pub name: &'a str,
    pub chain: &'a str,
    pub chain_id: u64,
    /// The addresses as they were typed: without keys, or variables.
    pub rpc: &'a [String],
    pub safe_name: &'a str,
    /// The owners' names, in the Safe's order.
    pub owners: Vec<String>,
    pub snapshot: &'a Snapshot,
}

impl FirstCouncil<'_> {
    /// Returns the text of the file.
    pub fn text(&self) -> String {
        let Self { name, chain, chain_id, rpc, safe_name, owners, snapshot } = self;
        let quoted = |text: &str| toml::Value::String(text.into()).to_string();
        let list = |items: &[String]| items.iter().map(|i| quoted(i)).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            "# The council file: read it aloud together, and keep it in your protocol's repository.\n\
             # Owners, modules and all else are what the RPC said at block {}: compare them with your own records.\n\
             schema = 1\nname = {}\n\n\
             [chains.{chain}]\nid = {chain_id}\nrpc = [{}]\n\n\
             [safes.{safe_name}]\n",
            snapshot.header.number,
            quoted(name),
            list(rpc),
        );
        for (key, value) in safe_fields(chain, *chain_id, snapshot, owners.clone()) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{key} = {value}");
        }
        for (name, owner, note) in self.signers() {
            let note = note.map(|note| format!("# {note}\n")).unwrap_or_default();
            let _ = write!(text, "\n{note}[signers.{name}]\naddress = \"{owner}\"\n");
        }
        let _ = write!(
            text,
            "\n# Targets and levers, for example:\n\
             # [targets.vault]\n# {chain} = \"0x…\"\n#\n\
             # [levers.vault]\n# playbook = \"pause/oz-pausable\"\n# safe = {}\n# set = {{ target = \"vault\" }}\n",
            quoted(safe_name),
        );
        text
    }

    /// Returns a sentence about the Safe that was read.
    pub fn headline(&self) -> String {
        let state = &self.snapshot.state;
        format!(
            "Safe {} {} on {} ({}), {} of {} owners",
            state.id.version,
            state.id.address,
            self.chain,
            self.chain_id,
            state.owners.threshold(),
            state.owners.list().len()
        )
    }

    /// Returns a sentence about each owner that is not a plain key.
    pub fn warnings(&self) -> Vec<String> {
        self.signers().filter_map(|(_, _, note)| note).collect()
    }

    fn signers(&self) -> impl Iterator<Item = (&String, &Address, Option<String>)> {
        let list = self.snapshot.state.owners.list();
        let kinds: BTreeMap<Address, OwnerKind> =
            owner_kinds(&self.snapshot.accounts, list, &[]).into_iter().collect();
        self.owners.iter().zip(list).map(move |(name, owner)| {
            let note =
                |kind: &OwnerKind| format!("{}; {}", kind.sentence(&format!("{name} {owner}")), kind.fix());
            (name, owner, kinds.get(owner).map(note))
        })
    }
}

/// Returns the owners' names in their order: those that were given, and numbers for the others.
/// Fails if a name is given to an address that is not an owner, or a name or an address is given twice.
pub fn owner_names(given: &[(String, Address)], owners: &[Address]) -> Result<Vec<String>, Error> {
    for (at, (name, address)) in given.iter().enumerate() {
        let wrong = |why: String| Err(Error::new(Exit::Usage, format!("--owner {name}={address}: {why}")));
        if !owners.contains(address) {
            let all: Vec<String> = owners.iter().map(Address::to_string).collect();
            return wrong(format!("it is not an owner of the Safe; they are {}", all.join(", ")));
        }
        if given[..at].iter().any(|(other, theirs)| other == name || theirs == address) {
            return wrong("the name or the address is given twice".into());
        }
    }
    let named = |(n, owner): (usize, &Address)| {
        let name = given.iter().find(|(_, address)| address == owner).map(|(name, _)| name.clone());
        name.unwrap_or_else(|| format!("owner-{}", n + 1))
    };
    Ok(owners.iter().enumerate().map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_without_a_name_are_numbered_by_their_place() {
        let [a, b, c] = [1, 2, 3].map(Address::repeat_byte);
        let named = owner_names(&[("bob".into(), b)], &[a, b, c]).unwrap();
        assert_eq!(named, ["owner-1", "bob", "owner-3"]);
    }

    #[test]
    fn a_name_for_a_stranger_or_given_twice_is_refused() {
        let [a, b] = [1, 2].map(Address::repeat_byte);
        let refused = |given: &[(&str, Address)]| {
            let given: Vec<_> = given.iter().map(|(name, at)| ((*name).to_string(), *at)).collect();
            let error = owner_names(&given, &[a]).unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            error.message
        };
        assert!(refused(&[("bob", b)]).contains("it is not an owner of the Safe; they are 0x0101"));
        for twice in [[("ann", a), ("ann", a)], [("ann", a), ("bob", a)]] {
            assert!(refused(&twice).contains("given twice"), "{twice:?}");
        }
    }

    #[test]
    fn a_first_file_has_what_was_read_and_can_be_parsed() {
        use crate::ceremony::tests::on_chain::{header, now};
        let home = crate::ceremony::tests::Home::new();
        let desk = home.desk();
        let vault = crate::ceremony::tests::proposed(&desk, &["vault"], &crate::ceremony::tests::at(4), 0);
        let mut snapshot =
            Snapshot::told(header(21, 0), now(&vault, 4), Vec::new(), crate::evm::Readings::default());
        let owner = snapshot.state.owners.list()[2];
        snapshot.accounts.insert(owner, crate::evm::AccountKind::Contract);
        let rpc = ["${MAINNET_RPC}".to_string()];
        let first = FirstCouncil {
            name: "Example",
            chain: "mainnet",
            chain_id: 1,
            rpc: &rpc,
            safe_name: "guardian",
            owners: ["a", "b", "c"].map(String::from).to_vec(),
            snapshot: &snapshot,
        };
        let council = crate::council::Council::parse("breakglass.toml", &first.text()).unwrap();
        assert_eq!(council.safes["guardian"].owners.as_ref(), Some(&snapshot.state.owners));
        assert_eq!(council.signers["c"].address, owner);
        assert!(first.headline().ends_with("on mainnet (1), 2 of 3 owners"), "{}", first.headline());
        assert_eq!(first.warnings().len(), 1, "{:?}", first.warnings());
    }
    #[test]
    fn a_name_is_given_to_one_owner_only() {
        let [one, two] = [1, 2].map(Address::repeat_byte);
        let twice = [("a".to_string(), one), ("a".to_string(), two)];
        assert!(owner_names(&twice, &[one, two]).unwrap_err().message.contains("given twice"));
    }
}
