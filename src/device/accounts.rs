//! Which of a Ledger's keys is whose: asked path by path, or once for all paths below a hardened one.

use alloy::primitives::Address;

use super::DeviceError;
use super::answered::DeviceAccount;
use super::apdu::{self, Apdu};
use super::ledger::{Ledger, Waiting};
use super::link::accepted_data;
use super::path::{DerivationPath, SearchPaths};
use super::transport::PROMPTLY;

impl Ledger {
    /// Returns the address at a path, not shown on the device.
    pub fn address_at(&mut self, path: &DerivationPath) -> Result<Address, DeviceError> {
        if let Some(known) = self.answered.address(path) {
            return Ok(known);
        }
        let address = match self.computed_address(path)? {
            Some(address) => address,
            None => self.asked_address(path)?,
        };
        self.answered.accounts.push(DeviceAccount { path: path.clone(), address });
        Ok(address)
    }

    fn asked_address(&mut self, path: &DerivationPath) -> Result<Address, DeviceError> {
        const WHAT: &str = "the question for an address";
        let reply = self.link.exchange(&Apdu::address(path, false), PROMPTLY)?;
        apdu::read_address(&accepted_data(WHAT, reply)?).ok_or(DeviceError::Senseless { what: WHAT })
    }

    /// Computes the address from the key of its last hardened level. `None` where the device does not give that key.
    fn computed_address(&mut self, path: &DerivationPath) -> Result<Option<Address>, DeviceError> {
        let Some((parent, below)) = path.split() else { return Ok(None) };
        if let Some(key) = self.answered.parent(&parent) {
            return Ok(key.address_below(below));
        }
        if self.answered.path_by_path || below.is_empty() {
            return Ok(None);
        }
        let reply = self.link.exchange(&Apdu::extended_key(&parent), PROMPTLY)?;
        let data = match accepted_data("the question for a key", reply) {
            Err(DeviceError::Refused { .. }) => Vec::new(),
            data => data?,
        };
        let Some(key) = apdu::read_extended_key(&data) else {
            self.answered.path_by_path = true;
            return Ok(None);
        };
        let address = key.address_below(below);
        self.answered.parents.push((parent, key));
        Ok(address)
    }

    /// Shows the address at a path on the device, for the person to compare.
    /// Fails with [`DeviceError::Rejected`] when it was not confirmed.
    pub fn show_address(&mut self, path: &DerivationPath) -> Result<Address, DeviceError> {
        const WHAT: &str = "to show an address";
        self.ready()?;
        self.ask_for_approval();
        let reply = self.review(&Apdu::address(path, true))?;
        apdu::read_address(&accepted_data(WHAT, reply)?).ok_or(DeviceError::Senseless { what: WHAT })
    }

    /// Returns the keys at all of these paths, in their order.
    pub fn accounts(&mut self, paths: &SearchPaths) -> Result<Vec<DeviceAccount>, DeviceError> {
        self.ready()?;
        let mut accounts = Vec::new();
        for (done, path) in paths.all().enumerate() {
            accounts.push(self.looked_at(path, done, paths)?);
        }
        Ok(accounts)
    }

    /// Returns the address at the first of these paths.
    pub fn first(&mut self, paths: &SearchPaths) -> Result<Address, DeviceError> {
        self.ready()?;
        let path = paths.all().next().cloned().unwrap_or_default();
        let address = self.address_at(&path)?;
        self.answered.held.push(DeviceAccount { path, address });
        Ok(address)
    }

    /// Returns the keys that are one of `among`, each address once, in the order of the paths. It ends when all of them are
    /// found, after the near paths if one of them is, else at the first of the far ones.
    /// Fails with [`DeviceError::NoOwner`] when there is none.
    pub fn find(
        &mut self,
        paths: &SearchPaths,
        among: &[Address],
    ) -> Result<Vec<DeviceAccount>, DeviceError> {
        self.ready()?;
        self.find_now(paths, among)
    }

    fn find_now(
        &mut self,
        paths: &SearchPaths,
        among: &[Address],
    ) -> Result<Vec<DeviceAccount>, DeviceError> {
        let mut held: Vec<DeviceAccount> = Vec::new();
        for (done, path) in paths.all().enumerate() {
            let far = done >= paths.near.len();
            if held.len() == among.len() || (far && !held.is_empty()) {
                break;
            }
            let account = self.looked_at(path, done, paths)?;
            if among.contains(&account.address) && held.iter().all(|one| one.address != account.address) {
                held.push(account);
            }
        }
        if held.is_empty() {
            return Err(self.none_of(paths, among));
        }
        self.answered.held.extend(held.iter().cloned());
        Ok(held)
    }

    fn looked_at(
        &mut self,
        path: &DerivationPath,
        done: usize,
        paths: &SearchPaths,
    ) -> Result<DeviceAccount, DeviceError> {
        (self.watcher)(&Waiting::Searching { done: done + 1, of: paths.all().count() });
        Ok(DeviceAccount { path: path.clone(), address: self.address_at(path)? })
    }

    fn none_of(&mut self, paths: &SearchPaths, among: &[Address]) -> DeviceError {
        let first = paths.all().next().cloned().unwrap_or_default();
        match self.address_at(&first) {
            Ok(first) => DeviceError::NoOwner { sought: among.into(), first, searched: paths.describe() },
            Err(error) => error,
        }
    }

    /// Returns where this owner's key is: where it was found before, else on the usual paths.
    pub(super) fn path_of(&mut self, owner: Address) -> Result<DerivationPath, DeviceError> {
        if let Some(known) = self.answered.held.iter().find(|known| known.address == owner) {
            return Ok(known.path.clone());
        }
        let found = self.find_now(&SearchPaths::default(), &[owner])?;
        Ok(found.into_iter().next().map(|account| account.path).unwrap_or_default())
    }

    /// Asks again for the keys that were found, since it may be another device.
    /// Fails with [`DeviceError::WrongAddress`] when it is another key.
    pub(super) fn check_again(&mut self) -> Result<(), DeviceError> {
        let before = std::mem::take(&mut self.answered);
        for DeviceAccount { path, address: expected } in before.held {
            let found = self.address_at(&path)?;
            if found != expected {
                return Err(DeviceError::WrongAddress { path, expected, found });
            }
            self.answered.held.push(DeviceAccount { path, address: expected });
        }
        Ok(())
    }
}
