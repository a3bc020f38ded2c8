//! A contract on one of the council's chains: its place and the functions of its code.

use std::collections::BTreeSet;

use alloy::primitives::{Address, Bytes, Selector};

use crate::ceremony::desk::Desk;
use crate::council::CouncilChain;
use crate::error::{Error, Exit};
use crate::evm::{functions, selectors};
use crate::near;
use crate::playbook::{Fit, LibraryEntry, Signatures};
use crate::safe::parse_address;

#[derive(Clone, Copy, Debug)]
pub struct ContractLocation<'a> {
    pub chain: &'a CouncilChain,
    pub address: Address,
}

impl Desk<'_> {
    /// Finds a contract by its address or by its name in the council file. The chain may be left out if there is only
    /// one that it can be on. Fails for a name or chain that the council file does not have, or several chains to
    /// choose from.
    pub fn place(&self, contract: &str, chain: Option<&str>) -> Result<ContractLocation<'_>, Error> {
        let council = &self.council;
        if let Some(name) = chain.filter(|name| !council.chains.contains_key(*name)) {
            let hint = near::hint(name, council.chains.keys().map(String::as_str));
            return Err(Error::new(Exit::Usage, format!("no chain is called {name:?}")).hint(hint));
        }
        let parsed = parse_address(contract);
        let on = |chain: &CouncilChain| match &parsed {
            Ok(address) => Some(*address),
            Err(_) => council.names_on(&chain.name).address(contract),
        };
        let wanted = council.chains.values().filter(|known| chain.is_none_or(|name| name == known.name));
        let mut places: Vec<ContractLocation> =
            wanted.filter_map(|chain| Some(ContractLocation { chain, address: on(chain)? })).collect();
        let names =
            |place: &ContractLocation| council.names_on(&place.chain.name).name(place.address).is_some();
        if places.iter().any(names) {
            // An address that the file names is on that chain; another may be on any.
            places.retain(names);
        }
        match (&places[..], parsed) {
            ([place], _) => Ok(*place),
            ([], Err(error)) if contract.starts_with("0x") => Err(Error::new(Exit::Usage, error.to_string())),
            ([], _) => {
                let known = council.targets.keys().map(String::as_str);
                let message = format!("no target is called {contract:?} in {}", self.path.display());
                Err(Error::new(Exit::Usage, message).hint(near::hint(contract, known)))
            }
            (several, _) => {
                let names: Vec<&str> = several.iter().map(|place| place.chain.name.as_str()).collect();
                let message = format!("{contract} may be on {}", names.join(" or "));
                Err(Error::new(Exit::Usage, message).hint("pass --chain NAME"))
            }
        }
    }

    /// Returns every code that runs on the contract's storage in the newest block: a proxy's own, and its
    /// implementation's.
    pub fn code_at(&self, place: ContractLocation<'_>) -> Result<Vec<Bytes>, Error> {
        let ContractLocation { chain, address } = place;
        let link = self.connect_to(chain)?;
        let reading = format!("reading {address} on {}", chain.name);
        let mut found = self.progress.wait(&reading, || link.code_behind(&BTreeSet::from([address])))?;
        match found.remove(&address) {
            Some(codes) if !codes.is_empty() => Ok(codes),
            _ => {
                let message = format!("{address} has no code on {}", chain.name);
                Err(Error::new(Exit::Failed, message)
                    .hint("check the address, or name its chain with --chain NAME"))
            }
        }
    }

    /// Returns the functions of the code at a place, a proxy's implementation included, by the names that the library
    /// knows.
    pub fn signatures_at(&self, place: ContractLocation<'_>) -> Result<Signatures, Error> {
        let found = self.code_at(place)?.iter().flat_map(|code| functions(code)).collect();
        Ok(Signatures::code(found, self.catalogue.all().iter().map(|entry| entry.playbook)))
    }

    /// Returns the playbooks that fit a contract with these functions.
    pub fn playbooks_for(
        &self,
        place: ContractLocation<'_>,
        has: &BTreeSet<Selector>,
    ) -> Vec<(LibraryEntry<'_>, Fit<'_>)> {
        let is_safe = self.council.safe_at(place.chain.id, place.address).is_some();
        let mut found = self.catalogue.fitting(has);
        // Playbooks for a Safe's calls to itself fit only a Safe.
        found.retain(|(_, fit)| is_safe || fit.param != "safe");
        found
    }
}

/// Returns the selectors of all code that runs on a contract's storage.
pub fn selectors_of(codes: &[Bytes]) -> BTreeSet<Selector> {
    codes.iter().flat_map(|code| selectors(code)).collect()
}
