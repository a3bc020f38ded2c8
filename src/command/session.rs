//! What every command starts from: the reader's own council file, playbooks and folder of proposals.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;

use crate::chain::{Chain, Options, proxy_of};
use crate::council::{self, Council, RpcAddress, RpcAddressError, SecretUrl};
use crate::error::{Error, Exit};
use crate::excerpt::Fault;
use crate::playbook::{Catalogue, near};
use crate::proposal::{OwnerSignature, Proposal, Stated};
use crate::safe::Nonce;
use crate::store::{self, Incidents};
use crate::ui::{Text, Ui};

/// Playbooks of a council that are read: four times the built-in library.
const MOST_PLAYBOOKS: usize = 500;
/// Lines that say the same of one file after the other: more are counted.
const MOST_LEFT_OUT: usize = 5;

#[derive(Debug)]
pub struct Session<'a> {
    pub ui: &'a Ui,
    pub council: Council,
    pub path: PathBuf,
    pub incidents: Incidents,
    pub catalogue: Catalogue,
}

impl<'a> Session<'a> {
    /// Finds and reads the council file and the council's own playbooks.
    pub fn load(ui: &'a Ui, council: Option<&Path>) -> Result<Self, Error> {
        let path = match council {
            Some(path) => path.to_path_buf(),
            None => find_council(ui)?.ok_or_else(|| {
                Error::new(
                    Exit::Usage,
                    format!("there is no {} here or in a folder above", council::FILE_NAME),
                )
                .hint("pass --council FILE")
                .hint("or write a first one: breakglass init --safe 0x… --rpc '${MAINNET_RPC}'")
            })?,
        };
        let text = store::read_text(&path)?;
        let council = Council::parse(&path.display().to_string(), &text)?;
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let catalogue = council_playbooks(&folder)?;
        for fault in catalogue.unnamed().iter().take(MOST_LEFT_OUT) {
            ui.say(&Text::default().warn("left out: ").add(&fault.headline()));
        }
        if let Some(more) = catalogue.unnamed().len().checked_sub(MOST_LEFT_OUT).filter(|more| *more > 0) {
            ui.say(&Text::default().warn("left out: ").add(&format!("{more} more playbooks")));
        }
        Ok(Self { ui, council, path, incidents: Incidents::beside(&folder), catalogue })
    }

    /// The Safe's chain, with the RPC addresses' variables filled in.
    pub fn connect(&self, safe: &council::Safe) -> Result<Chain, Error> {
        connect(self.ui, self.chain_of(safe)?)
    }

    pub fn chain_of(&self, safe: &council::Safe) -> Result<&council::Chain, Error> {
        self.council.chain_of(safe).ok_or_else(|| {
            Error::new(Exit::Usage, format!("the council file has no chain called {:?}", safe.chain))
        })
    }

    pub fn lever(&self, name: &str) -> Result<&council::Lever, Error> {
        self.council.levers.get(name).ok_or_else(|| {
            let error =
                Error::new(Exit::Usage, format!("no lever is called {name:?} in {}", self.path.display()));
            let error = match near(name, self.council.levers.keys().map(String::as_str)) {
                Some(known) => error.hint(format!("did you mean {known}?")),
                None => error,
            };
            error.hint("breakglass, alone, lists the levers")
        })
    }

    pub fn safe(&self, name: &str) -> Result<&council::Safe, Error> {
        self.council.safes.get(name).ok_or_else(|| {
            let known = self.council.safes.keys().cloned().collect::<Vec<_>>().join(", ");
            Error::new(Exit::Usage, format!("no Safe is called {name:?}; known: {known}"))
        })
    }

    /// Every proposal kept here. One that cannot be read is named and left out: it must not stop an emergency.
    pub fn kept(&self) -> Result<Vec<Proposal>, Error> {
        let mut kept = Vec::new();
        for stored in self.incidents.proposals()? {
            let parsed = match stored.text {
                Ok(text) => Proposal::parse(&text).map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match parsed {
                Ok(proposal) if proposal.hash().to_string() == stored.folder => kept.push(proposal),
                Ok(proposal) => {
                    self.left_out(&stored.path, &format!("it is proposal {}", proposal.hash()));
                }
                Err(why) => self.left_out(&stored.path, &why),
            }
        }
        Ok(kept)
    }

    fn left_out(&self, path: &Path, why: &str) {
        self.ui.say(&Text::default().warn("left out: ").add(&format!("{}: {why}", path.display())));
    }

    /// Everybody whose signature may count: the Safe's owners by the proposal and by the council file, and the
    /// council's signers. Who is an owner now is decided against the chain.
    #[must_use]
    pub fn owners(&self, proposal: &Proposal) -> Vec<Address> {
        let id = proposal.safe();
        let pinned = self.council.safe_at(id.chain_id, id.address).and_then(|s| s.owners.as_ref());
        let mut owners = proposal.snapshot().owners.list().to_vec();
        owners.extend(pinned.iter().flat_map(|o| o.list()));
        owners.extend(self.council.signers.values().map(|s| s.address));
        owners
    }

    /// Nonces and hashes of the proposals kept for one Safe.
    pub fn others(&self, safe: &council::Safe) -> Result<Vec<(Nonce, String)>, Error> {
        Ok(self
            .kept()?
            .iter()
            .filter(|p| {
                let id = p.safe();
                self.council.safe_at(id.chain_id, id.address).is_some_and(|s| s.name == safe.name)
            })
            .map(|p| (p.nonce(), p.hash().to_string()))
            .collect())
    }

    /// The verified signatures kept for a proposal. A file that is not one is named and left out.
    pub fn signatures(&self, proposal: &Proposal) -> Result<Vec<OwnerSignature>, Error> {
        let owners = self.owners(proposal);
        let mut signatures = Vec::new();
        for stored in self.incidents.signatures(&proposal.hash().to_string())? {
            let verified = stored.text.map_err(|e| e.to_string()).and_then(|text| {
                let stated = Stated::from_json(&text).ok_or("it is not a signature file")?;
                OwnerSignature::verify(&stated, proposal, &owners).map_err(|e| e.to_string())
            });
            match verified {
                Ok(signature) => signatures.push(signature),
                Err(why) => self.left_out(&stored.path, &why),
            }
        }
        Ok(signatures)
    }
}

/// The council file of the working folder or the nearest above it.
pub fn find_council(ui: &Ui) -> Result<Option<PathBuf>, Error> {
    let here = std::env::current_dir()
        .map_err(|e| Error::new(Exit::Failed, format!("the working folder cannot be read: {e}")))?;
    let found = store::find_upwards(&here, council::FILE_NAME);
    for path in &found.passed_over {
        let text = format!("{} is not used: it lies in a folder of incidents", path.display());
        ui.say_once(&Text::default().warn("note: ").add(&text).add("; --council FILE names another"));
    }
    Ok(found.path)
}

/// The council's own playbooks before the built-in ones.
fn council_playbooks(folder: &Path) -> Result<Catalogue, Error> {
    let mut catalogue = Catalogue::new(Vec::new());
    for (at, path) in store::files_below(&folder.join("playbooks"), "toml")?.into_iter().enumerate() {
        let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        if at >= MOST_PLAYBOOKS {
            let why = format!("there are too many playbooks: only the first {MOST_PLAYBOOKS} files are read");
            catalogue.add_unreadable(&name, &why);
            continue;
        }
        match store::read_text(&path) {
            Ok(text) => catalogue.add(&name, &text),
            Err(error) => catalogue.add_unreadable(&name, &error.to_string()),
        }
    }
    Ok(catalogue)
}

/// Opens a chain of a council file; the environment fills in the RPC addresses.
fn connect(ui: &Ui, chain: &council::Chain) -> Result<Chain, Error> {
    if chain.rpc.is_empty() {
        let message = format!("chain {} has no RPC address in the council file", chain.name);
        return Err(Error::new(Exit::Usage, message).hint("add rpc = [\"${MAINNET_RPC}\"] to it"));
    }
    let urls = chain.rpc.iter().map(|rpc| resolve(ui, rpc)).collect::<Result<Vec<_>, _>>().map_err(|e| {
        Error::new(Exit::Usage, format!("chain {}: {e}", chain.name))
            .hint("set it in this shell, or sign with --offline")
    })?;
    let options = Options { parallel: chain.parallel, ..Options::default() };
    Ok(Chain::new(&chain.name, chain.id, urls, chain.quorum, chain.batch, options)?)
}

/// An RPC address ready for use. Says once which proxy its requests go through, where one is in force.
pub fn resolve(ui: &Ui, address: &RpcAddress) -> Result<SecretUrl, RpcAddressError> {
    let url = address.resolve(|name| std::env::var(name).ok())?;
    if let Some(proxy) = proxy_of(&url) {
        let text = format!("requests to {url} go through the proxy {proxy}, which your environment names");
        ui.say_once(&Text::default().warn("note: ").add(&text).add("; NO_PROXY excepts a host"));
    }
    Ok(url)
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let mut error = Self::new(Exit::Failed, fault.headline()).hint("mend that line");
        error.excerpt = fault.excerpt();
        error
    }
}
