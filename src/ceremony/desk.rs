//! The reader's own council file, playbooks and folder of proposals, from which every command starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::ceremony::folder::filed::Filed;
use crate::ceremony::folder::own_settings::{settings, settings_of};
use crate::ceremony::trials::council_check::bad_levers;
use crate::chain::{Chain, Options, proxy_of};
use crate::council::{self, Council, RpcAddress, RpcAddressError, SecretUrl};
use crate::error::{Error, Exit};
use crate::near::near;
use crate::playbook::{self, Catalogue};
use crate::progress::{Progress, Tone};
use crate::proposal::{Claims, Proposal};
use crate::store::{self, CacheFolder, Incidents, SettingsFolder};

/// The most playbooks of a council that are read: four times the built-in library.
const MOST_PLAYBOOKS: usize = 500;
/// This program's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The most left-out playbooks that are listed; more are counted.
const MOST_LEFT_OUT: usize = 5;

#[derive(Debug)]
pub struct Desk<'a> {
    pub progress: &'a dyn Progress,
    pub council: Council,
    pub path: PathBuf,
    /// The text of the council file.
    pub text: String,
    pub incidents: Incidents,
    pub catalogue: Catalogue,
    /// By lever, the values of the council file for former values. They are not used: an act reads them from the chain.
    pub not_used: BTreeMap<String, BTreeMap<String, String>>,
    /// The named proposal files, each read once, so that what was accepted is what is signed.
    pub read: Mutex<BTreeMap<PathBuf, Proposal>>,
    /// The files of `incidents/` that were read.
    pub filed: Filed,
    /// The number of RPCs that must agree in this run, instead of the council file's.
    pub quorum: Option<usize>,
    /// The reader's own folder of settings; `None` if the environment names none.
    pub settings: Option<SettingsFolder>,
    /// The reader's own cache; `None` if the environment names none.
    pub cache: Option<CacheFolder>,
    /// Returns a variable of the reader's environment.
    pub variable: fn(&str) -> Option<String>,
}

/// Removes former values from the levers, because they may have changed since they were written. Returns them.
fn remove_former_values(
    council: &mut Council,
    catalogue: &Catalogue,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut taken = BTreeMap::new();
    for (name, lever) in &mut council.levers {
        let Ok(entry) = catalogue.get(&lever.playbook) else { continue };
        let is_former = |param: &String, _: &mut String| entry.playbook.is_former(param);
        let former: BTreeMap<String, String> = lever.set.extract_if(.., is_former).collect();
        if !former.is_empty() {
            taken.insert(name.clone(), former);
        }
    }
    taken
}

impl<'a> Desk<'a> {
    /// Finds and reads the council file and the council's own playbooks.
    pub fn load(progress: &'a dyn Progress, council: Option<&Path>) -> Result<Self, Error> {
        let path = match council {
            Some(path) => path.to_path_buf(),
            None => find_council(progress)?.ok_or_else(|| {
                Error::new(
                    Exit::Usage,
                    format!("there is no {} here or in a folder above", council::FILE_NAME),
                )
                .hint("pass --council FILE")
                .hint("or write a first one: breakglass init --safe 0x… --rpc '${MAINNET_RPC}'")
            })?,
        };
        let text = store::read_text_up_to(council::MOST_BYTES, &path)?;
        let mut council = Council::parse(&path.display().to_string(), &text)?;
        if let Some(asked) = council.program.as_ref().filter(|_| !council.accepts_program(VERSION)) {
            let text =
                format!("{} asks for breakglass {asked}, and this is {VERSION}: update it", path.display());
            progress.tell_once(Tone::Warn, "version: ", &text);
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let catalogue = council_playbooks(&folder)?;
        for fault in catalogue.unnamed().iter().take(MOST_LEFT_OUT) {
            progress.tell(Tone::Warn, "left out: ", &fault.headline());
        }
        if let Some(more) = catalogue.unnamed().len().checked_sub(MOST_LEFT_OUT).filter(|more| *more > 0) {
            progress.tell(Tone::Warn, "left out: ", &format!("{more} more playbooks"));
        }
        let not_used = remove_former_values(&mut council, &catalogue);
        let incidents = Incidents::next_to(&folder);
        Ok(Self {
            progress,
            council,
            path,
            text,
            incidents,
            catalogue,
            not_used,
            quorum: None,
            settings: SettingsFolder::find(),
            cache: CacheFolder::find(),
            variable: store::variable,
            read: Mutex::default(),
            filed: Filed::default(),
        })
    }

    /// Reports in one line the levers that the reader's own files make unusable.
    pub fn warn_of_bad_levers(&self) {
        if let Some(line) = bad_levers(&self.council, &self.catalogue) {
            self.progress.tell_once(Tone::Warn, "council file: ", &line);
        }
    }

    /// Returns this desk with another number of RPCs that must agree.
    pub fn with_quorum(self, quorum: Option<u8>) -> Self {
        Self { quorum: quorum.map(usize::from), ..self }
    }

    /// Returns the reader's own settings.
    pub fn own_settings(&self) -> Result<council::Settings, Error> {
        settings_of(self.progress, self.settings.as_ref(), self.variable)
    }

    /// Returns the claims that this machine's lines make about a proposal.
    pub fn claims(&self, proposal: &Proposal) -> Claims {
        Claims::of(proposal, &self.council, &self.text)
    }

    /// Connects to the Safe's chain, with the variables of the RPC addresses filled in.
    pub fn connect(&self, safe: &council::Safe) -> Result<Chain, Error> {
        self.connect_to(self.chain_of(safe)?)
    }

    /// Connects to a chain of the council file, with the variables of the RPC addresses filled in.
    pub fn connect_to(&self, chain: &council::CouncilChain) -> Result<Chain, Error> {
        connect(self.progress, chain, self.quorum)
    }

    pub fn chain_of(&self, safe: &council::Safe) -> Result<&council::CouncilChain, Error> {
        self.council.chain_of(safe).ok_or_else(|| {
            Error::new(Exit::Usage, format!("the council file has no chain called {:?}", safe.chain))
        })
    }

    pub fn lever(&self, name: &str) -> Result<&council::Lever, Error> {
        self.council.levers.get(name).ok_or_else(|| self.no_lever(name))
    }

    /// Fails if no lever, simple or combined, has this name.
    pub fn require_lever(&self, name: &str) -> Result<(), Error> {
        let council = &self.council;
        let is_known = council.levers.contains_key(name) || council.combined.contains_key(name);
        if is_known { Ok(()) } else { Err(self.no_lever(name)) }
    }

    fn no_lever(&self, name: &str) -> Error {
        let error =
            Error::new(Exit::Usage, format!("no lever is called {name:?} in {}", self.path.display()));
        let known = self.council.levers.keys().chain(self.council.combined.keys());
        let error = match near(name, known.map(String::as_str)) {
            Some(known) => error.hint(format!("did you mean {known}?")),
            None => error,
        };
        error.hint("breakglass, alone, lists the levers")
    }

    /// Returns the Safe with this name or, without a name, the only one.
    pub fn only_safe(&self, name: Option<&str>) -> Result<&council::Safe, Error> {
        only("Safe", &self.council.safes, name)
    }

    /// Returns the chain with this name or, without a name, the only one.
    pub fn only_chain(&self, name: Option<&str>) -> Result<&council::CouncilChain, Error> {
        only("chain", &self.council.chains, name).map_err(|error| match name {
            Some(_) => error.hint("breakglass council add chain NAME ID --rpc '${NAME}'"),
            None => error,
        })
    }

    pub fn safe(&self, name: &str) -> Result<&council::Safe, Error> {
        self.only_safe(Some(name))
    }
}

/// Returns the entry of this name, or without a name the only one.
fn only<'c, T>(kind: &str, all: &'c BTreeMap<String, T>, name: Option<&str>) -> Result<&'c T, Error> {
    let known = || all.keys().cloned().collect::<Vec<_>>().join(", ");
    let usage = |message: String| Error::new(Exit::Usage, message);
    match name {
        Some(name) => {
            all.get(name).ok_or_else(|| usage(format!("no {kind} is called {name:?}; known: {}", known())))
        }
        None if all.len() > 1 => {
            let message = format!("the council file has {} {kind}s: which one?", all.len());
            Err(usage(message).hint(format!("pass --{} NAME, one of: {}", kind.to_lowercase(), known())))
        }
        None => all.values().next().ok_or_else(|| usage(format!("the council file has no {kind}"))),
    }
}

/// Returns the council file of the working folder, the nearest above it, or the one that the reader's own settings
/// name.
pub fn find_council(progress: &dyn Progress) -> Result<Option<PathBuf>, Error> {
    let here = store::working_folder()
        .map_err(|e| Error::new(Exit::Failed, format!("the working folder cannot be read: {e}")))?;
    // The settings are always read, so that a mistake in them is found before an emergency.
    let settings = settings(progress)?;
    Ok(council_above(progress, &here).or(settings.council))
}

/// Returns the council file of a folder or the nearest above it, and reports those that are not used.
fn council_above(progress: &dyn Progress, here: &Path) -> Option<PathBuf> {
    let found = store::find_upwards(here, council::FILE_NAME);
    for path in &found.passed_over {
        let text = format!("{} is not used: it lies in a folder of incidents", path.display());
        progress.tell_once(Tone::Warn, "note: ", &format!("{text}; --council FILE names another"));
    }
    found.path
}

/// Returns the council's own playbooks before the built-in ones.
fn council_playbooks(folder: &Path) -> Result<Catalogue, Error> {
    let mut catalogue = Catalogue::new(Vec::new());
    let files = store::files_below(&folder.join("playbooks"), "toml", MOST_PLAYBOOKS)?;
    if files.left > 0 {
        let why = format!("{} more are not read: the most playbooks are {MOST_PLAYBOOKS}", files.left);
        catalogue.add_unreadable("playbooks", &why);
    }
    for path in files.paths {
        let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        match store::read_text_up_to(playbook::MOST_BYTES, &path) {
            Ok(text) => catalogue.add(&name, &text),
            Err(error) => catalogue.add_unreadable(&name, &error.to_string()),
        }
    }
    Ok(catalogue)
}

/// Connects to the private relays of a chain; `None` if the council file names none.
pub fn relay(progress: &dyn Progress, chain: &council::CouncilChain) -> Result<Option<Chain>, Error> {
    if chain.send.is_empty() {
        return Ok(None);
    }
    let urls = all_resolved(progress, chain, &chain.send)?;
    Ok(Some(Chain::new(&chain.name, chain.id, urls, 1, 1, Options::default())?))
}

fn all_resolved(
    progress: &dyn Progress,
    chain: &council::CouncilChain,
    addresses: &[RpcAddress],
) -> Result<Vec<SecretUrl>, Error> {
    addresses.iter().map(|address| resolve(progress, address)).collect::<Result<Vec<_>, _>>().map_err(|e| {
        Error::new(Exit::Usage, format!("chain {}: {e}", chain.name))
            .hint("set it in this shell, or sign with --offline")
    })
}

/// Connects to a chain of a council file; the environment fills in the RPC addresses.
fn connect(
    progress: &dyn Progress,
    chain: &council::CouncilChain,
    quorum: Option<usize>,
) -> Result<Chain, Error> {
    if chain.rpc.is_empty() {
        let message = format!("chain {} has no RPC address in the council file", chain.name);
        return Err(Error::new(Exit::Usage, message).hint("add rpc = [\"${MAINNET_RPC}\"] to it"));
    }
    let urls = all_resolved(progress, chain, &chain.rpc)?;
    let options = Options { parallel: chain.parallel, block_time: chain.block_time, ..Options::default() };
    let quorum = quorum.unwrap_or(chain.quorum);
    Ok(Chain::new(&chain.name, chain.id, urls, quorum, chain.batch, options)?)
}

/// Connects to one endpoint of the caller's choice instead of the council's.
pub fn fork(progress: &dyn Progress, chain: &council::CouncilChain, url: &str) -> Result<Chain, Error> {
    let url = RpcAddress::parse(url).and_then(|address| resolve(progress, &address)).map_err(|e| {
        Error::new(Exit::Usage, format!("--fork-url: {e}"))
            .hint("--fork-url https://…, or --fork-url '${NAME}' in single quotes")
    })?;
    let options = Options { parallel: chain.parallel, ..Options::default() };
    Ok(Chain::new(&chain.name, chain.id, vec![url], 1, chain.batch, options)?)
}

/// Returns an RPC address ready for use, and reports once the proxy of its requests, if any.
pub fn resolve(progress: &dyn Progress, address: &RpcAddress) -> Result<SecretUrl, RpcAddressError> {
    let url = address.resolve(store::variable)?;
    say_proxy(progress, &url, proxy_of(&url));
    Ok(url)
}

fn say_proxy(progress: &dyn Progress, url: &SecretUrl, proxy: Option<String>) {
    if let Some(proxy) = proxy {
        let text = format!("requests to {url} go through the proxy {proxy}, which your environment names");
        progress.tell_once(Tone::Warn, "note: ", &format!("{text}; NO_PROXY excepts a host"));
    }
}

impl From<council::PullError> for Error {
    fn from(error: council::PullError) -> Self {
        Self::new(Exit::Usage, error.to_string()).hint("breakglass, alone, lists the levers")
    }
}

impl From<council::ArgumentError> for Error {
    fn from(error: council::ArgumentError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::ceremony::tests::Home;

    fn load(home: &Home) -> Vec<String> {
        let path = home.path().join(council::FILE_NAME);
        fs::write(&path, home.desk().text).unwrap();
        Desk::load(home.desk().progress, Some(&path)).unwrap();
        home.heard()
    }

    /// Writes playbook files that cannot be read.
    fn write_bad(home: &Home, names: std::ops::Range<usize>) {
        let folder = home.path().join("playbooks");
        fs::create_dir_all(&folder).unwrap();
        names.for_each(|n| fs::write(folder.join(format!("bad{n:03}.toml")), [0xff]).unwrap());
    }

    #[test]
    fn playbooks_that_are_left_out_are_listed_and_counted() {
        let home = Home::new();
        assert!(load(&home).is_empty(), "there is none");
        write_bad(&home, 0..MOST_LEFT_OUT);
        let heard = load(&home);
        assert_eq!(heard.len(), MOST_LEFT_OUT, "{heard:?}");
        assert!(heard.iter().all(|line| line.starts_with("left out: playbooks/bad00")), "{heard:?}");
        write_bad(&home, MOST_LEFT_OUT..MOST_PLAYBOOKS);
        let heard = load(&home);
        assert_eq!(
            heard.last().unwrap(),
            &format!("left out: {} more playbooks", MOST_PLAYBOOKS - MOST_LEFT_OUT)
        );
        assert!(heard.iter().all(|line| !line.contains("the most playbooks are")));
        write_bad(&home, MOST_PLAYBOOKS..MOST_PLAYBOOKS + 1);
        let heard = load(&home);
        assert!(
            heard.iter().any(|line| line.ends_with("1 more are not read: the most playbooks are 500")),
            "{heard:?}"
        );
    }

    #[test]
    fn unusable_levers_are_reported_in_one_line() {
        let home = Home::new().with("playbook = \"param/fee-bps\"", "playbook = \"param/none\"");
        home.desk().warn_of_bad_levers();
        let heard = home.heard();
        assert!(heard.len() == 1 && heard[0].starts_with("council file: "), "{heard:?}");
    }

    #[test]
    fn a_relay_is_opened_if_the_council_file_names_one() {
        let relay = |home: &Home| {
            let desk = home.desk();
            relay(desk.progress, &desk.council.chains["mainnet"]).map(|relay| relay.is_some())
        };
        assert!(!relay(&Home::new()).unwrap());
        let rpc = "rpc = [\"http://127.0.0.1:9\"]";
        assert!(relay(&Home::new().with(rpc, &format!("{rpc}\nsend = [\"http://127.0.0.1:8\"]"))).unwrap());
        let unset = format!("{rpc}\nsend = [\"${{BREAKGLASS_NO_SUCH_VARIABLE}}\"]");
        assert!(relay(&Home::new().with(rpc, &unset)).is_err());
    }

    #[test]
    fn a_proxy_is_reported_when_it_is_used() {
        let home = Home::new();
        let (desk, address) = (home.desk(), RpcAddress::parse("https://h.example/v2/KEY").unwrap());
        let url = address.resolve(|_| None).unwrap();
        say_proxy(desk.progress, &url, None);
        assert!(home.heard().is_empty());
        say_proxy(desk.progress, &url, Some("proxy.example:3128".into()));
        let heard = home.heard();
        assert!(
            heard[0].contains("go through the proxy proxy.example:3128") && !heard[0].contains("KEY"),
            "{heard:?}"
        );
    }

    #[test]
    fn a_council_file_in_a_folder_of_incidents_is_not_used() {
        let home = Home::new();
        let (desk, path) = (home.desk(), home.path().join(council::FILE_NAME));
        let below = home.path().join("incidents/2026-11-26-vault");
        fs::create_dir_all(&below).unwrap();
        fs::write(&path, "").unwrap();
        assert_eq!(council_above(desk.progress, &below), Some(path.clone()));
        assert!(home.heard().is_empty());
        fs::write(below.join(council::FILE_NAME), "").unwrap();
        assert_eq!(council_above(desk.progress, &below), Some(path));
        let heard = home.heard();
        assert!(heard[0].contains("is not used: it lies in a folder of incidents"), "{heard:?}");
    }
}
