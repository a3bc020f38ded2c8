//! A Ledger: whether it is ready, which of its keys is whose, and waiting for the person who holds it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use alloy::primitives::Address;

use super::DeviceError;
use super::apdu::{self, Apdu, AppInfo, AppVersion, Configuration, Reply, StatusWord};
use super::path::DerivationPath;
use super::plugged::Model;
use super::transport::{PROMPTLY, Target, Transport};

/// How long the device may take to be ready, unless said otherwise.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// How long a device that is awake takes to name its app; asked again and again while it is waited for.
const AWAKE: Duration = Duration::from_secs(2);
/// How long a person takes to leave the settings after they changed one: a review that begins under the menu is not seen.
const LEAVING: Duration = Duration::from_secs(4);
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// How many answers to earlier questions are skipped before giving up.
const MOST_STALE: usize = 3;

/// What is being waited for, for a spinner.
#[derive(Debug)]
pub enum Waiting<'a> {
    /// The device is not ready, and somebody can change that.
    ToBeReady { why: &'a DeviceError, left: Duration },
    /// The review is on the device's screen. Nothing else is sent meanwhile.
    ForApproval,
    /// Its keys are looked through.
    Searching { done: usize, of: usize },
    /// A setting was changed, and the review must not begin under the menu.
    ToLeaveTheMenu,
}

/// Is told what is being waited for.
pub type Watcher = Box<dyn FnMut(&Waiting<'_>)>;

/// What the device says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Nothing over TCP.
    pub model: Option<Model>,
    pub version: AppVersion,
    pub blind_signing: bool,
    /// Whether the app asks Ledger's servers about a transaction; on large screens only.
    pub transaction_check: bool,
    /// Whether the app takes typed data field by field; an old one takes only the two hashes.
    pub takes_fields: bool,
}

impl Status {
    /// What to change on the device before signing with it, if anything. Raw messages cannot be read from outside.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match (self.takes_fields, self.blind_signing) {
            (false, _) => "update the Ethereum app: this one shows two hashes and nothing of what is signed",
            (true, true) => {
                "turn \"Raw messages\" and \"Transaction hash\" on and \"Blind signing\" off in the Ethereum app's settings: \
                 only then does the Ledger itself show every field and both hashes of what is signed"
            }
            (true, false) => {
                "\"Blind signing\" is off, as it should be; \"Raw messages\" and \"Transaction hash\" must be on, for the \
                 Ledger to show every field and both hashes of what is signed (the app does not tell whether they are)"
            }
        }
    }
}

/// One key of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub path: DerivationPath,
    pub address: Address,
}

/// A Ledger with the Ethereum app open.
pub struct Ledger {
    pub(super) link: Link,
    pub(super) status: Status,
    account: Option<Account>,
    pub(super) patience: Duration,
    pub(super) watcher: Watcher,
}

impl Ledger {
    /// Waits until the device is there, unlocked and in the Ethereum app.
    ///
    /// # Errors
    /// The last reason why it was not ready, once `patience` is over.
    pub fn open(target: Target, patience: Duration, mut watcher: Watcher) -> Result<Self, DeviceError> {
        let mut link = Link { target, transport: None };
        let status = wait(patience, &mut watcher, || link.readiness())?;
        Ok(Self { link, status, account: None, patience, watcher })
    }

    #[must_use]
    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// The address at a path, not shown on the device.
    ///
    /// # Errors
    /// When the device does not answer or refuses the path.
    pub fn address_at(&mut self, path: &DerivationPath) -> Result<Address, DeviceError> {
        const WHAT: &str = "the question for an address";
        let reply = self.link.exchange(&Apdu::address(path, false), PROMPTLY)?;
        apdu::read_address(&granted(WHAT, reply)?).ok_or(DeviceError::Senseless { what: WHAT })
    }

    /// Shows the address at a path on the device, for the person to compare.
    ///
    /// # Errors
    /// [`DeviceError::Rejected`] when it was not confirmed.
    pub fn show_address(&mut self, path: &DerivationPath) -> Result<Address, DeviceError> {
        const WHAT: &str = "to show an address";
        self.ready()?;
        self.ask_for_approval();
        let reply = self.review(&Apdu::address(path, true))?;
        apdu::read_address(&granted(WHAT, reply)?).ok_or(DeviceError::Senseless { what: WHAT })
    }

    /// The keys at these paths, in their order.
    ///
    /// # Errors
    /// When the device stops answering.
    pub fn accounts(&mut self, paths: &[DerivationPath]) -> Result<Vec<Account>, DeviceError> {
        self.ready()?;
        paths.iter().map(|path| Ok(Account { path: path.clone(), address: self.address_at(path)? })).collect()
    }

    /// Takes an owner's key into use: the one at `path`, or the first among the usual paths.
    ///
    /// # Errors
    /// When another key is at that path, or none of the usual ones is the owner's.
    pub fn find(&mut self, owner: Address, path: Option<&DerivationPath>) -> Result<Account, DeviceError> {
        self.ready()?;
        self.find_now(owner, path)
    }

    fn find_now(&mut self, owner: Address, path: Option<&DerivationPath>) -> Result<Account, DeviceError> {
        if let Some(path) = path {
            let found = self.address_at(path)?;
            if found != owner {
                return Err(DeviceError::WrongAddress { path: path.clone(), expected: owner, found });
            }
            return Ok(self.take(Account { path: path.clone(), address: owner }));
        }
        let paths = DerivationPath::search_order();
        for path in &paths {
            if self.address_at(path)? == owner {
                return Ok(self.take(Account { path: path.clone(), address: owner }));
            }
        }
        Err(DeviceError::OwnerNotFound { owner, searched: DerivationPath::ranges(&paths) })
    }

    /// Takes the first of these paths into use whose key is one of `among`; the first path of all where `among` is empty. The
    /// key already in use is kept where it will do.
    ///
    /// # Errors
    /// When none of the keys is among them, or the device stops answering or refuses a path.
    pub fn choose(&mut self, paths: &[DerivationPath], among: &[Address]) -> Result<Account, DeviceError> {
        self.ready()?;
        if let Some(account) = self.account.as_ref().filter(|account| among.contains(&account.address)) {
            return Ok(account.clone());
        }
        if among.is_empty() {
            let path = paths.first().cloned().unwrap_or_default();
            let address = self.address_at(&path)?;
            return Ok(self.take(Account { path, address }));
        }
        for (done, path) in paths.iter().enumerate() {
            (self.watcher)(&Waiting::Searching { done: done + 1, of: paths.len() });
            let address = self.address_at(path)?;
            if among.contains(&address) {
                return Ok(self.take(Account { path: path.clone(), address }));
            }
        }
        Err(self.none_of(paths))
    }

    /// Every key at these paths that is one of `among`, each address once.
    ///
    /// # Errors
    /// When there is none, or the device stops answering.
    pub fn search(
        &mut self,
        paths: &[DerivationPath],
        among: &[Address],
    ) -> Result<Vec<Account>, DeviceError> {
        self.ready()?;
        let mut held: Vec<Account> = Vec::new();
        for (done, path) in paths.iter().enumerate() {
            (self.watcher)(&Waiting::Searching { done: done + 1, of: paths.len() });
            let address = self.address_at(path)?;
            if among.contains(&address) && held.iter().all(|account| account.address != address) {
                held.push(Account { path: path.clone(), address });
            }
        }
        if held.is_empty() { Err(self.none_of(paths)) } else { Ok(held) }
    }

    /// Returns `true` if the key in use is one of these.
    #[must_use]
    pub fn uses_one_of(&self, among: &[Address]) -> bool {
        self.account.as_ref().is_some_and(|account| among.contains(&account.address))
    }

    fn none_of(&mut self, paths: &[DerivationPath]) -> DeviceError {
        let first = self.address_at(&paths.first().cloned().unwrap_or_default());
        match first {
            Ok(first) => DeviceError::NoOwner { first, searched: DerivationPath::ranges(paths) },
            Err(error) => error,
        }
    }

    /// Takes whichever key is at a path into use.
    ///
    /// # Errors
    /// When the device does not answer or refuses the path.
    pub fn use_path(&mut self, path: DerivationPath) -> Result<Account, DeviceError> {
        self.ready()?;
        let address = self.address_at(&path)?;
        Ok(self.take(Account { path, address }))
    }

    /// Takes a key into use.
    pub fn take(&mut self, account: Account) -> Account {
        self.account = Some(account.clone());
        account
    }

    /// The key of this owner, looked for if another one is in use.
    pub(super) fn account_of(&mut self, owner: Address) -> Result<Account, DeviceError> {
        match &self.account {
            Some(account) if account.address == owner => Ok(account.clone()),
            _ => self.find_now(owner, None),
        }
    }

    /// The key in use; the one at the usual first path if none was chosen.
    pub(super) fn account(&mut self) -> Result<Account, DeviceError> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let path = DerivationPath::default();
        let address = self.address_at(&path)?;
        Ok(self.take(Account { path, address }))
    }

    /// Before anything is asked for: the same app still answers. One command, unless the device went away meanwhile;
    /// then it may be another one, and nothing known about it counts any more.
    pub(super) fn ready(&mut self) -> Result<(), DeviceError> {
        let same_connection = self.link.transport.is_some();
        let version = self.link.app_version();
        if same_connection && version.as_ref().is_ok_and(|version| *version == self.status.version) {
            return Ok(());
        }
        if let Err(error) = version
            && !error.passes()
        {
            return Err(error);
        }
        self.until_ready()?;
        if let Some(Account { path, address }) = self.account.take() {
            self.find_now(address, Some(&path))?;
        }
        Ok(())
    }

    /// Waits until the app signs what it cannot show: a person may turn that on meanwhile.
    pub(super) fn until_blind_signing(&mut self) -> Result<(), DeviceError> {
        if !self.status.blind_signing {
            let first = self.link.blind_signing_is_on();
            if first.is_err() {
                wait(self.patience, &mut self.watcher, || self.link.blind_signing_is_on())?;
                (self.watcher)(&Waiting::ToLeaveTheMenu);
                sleep(LEAVING);
            }
            self.status.blind_signing = true;
        }
        Ok(())
    }

    /// Tells that the device is about to show something.
    pub(super) fn ask_for_approval(&mut self) {
        (self.watcher)(&Waiting::ForApproval);
    }

    /// One command that a person may have to answer on the device: they take the time that they need.
    pub(super) fn review(&mut self, command: &Apdu) -> Result<Reply, DeviceError> {
        self.link.exchange(command, None)
    }

    /// One command of a full flow. While structs are defined nothing is shown, so that nobody is waited for.
    pub(super) fn step(&mut self, command: &Apdu) -> Result<Reply, DeviceError> {
        let patience = command.defines_struct().then_some(PROMPTLY);
        self.link.exchange(command, patience)
    }

    /// Waits until it is unlocked and in its app again, as at the beginning.
    pub(super) fn until_ready(&mut self) -> Result<(), DeviceError> {
        self.status = wait(self.patience, &mut self.watcher, || self.link.readiness())?;
        Ok(())
    }
}

/// Tries again until it works, fails for good, or the patience is over.
fn wait<T>(
    patience: Duration,
    watcher: &mut Watcher,
    mut attempt: impl FnMut() -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    let deadline = Instant::now() + patience;
    loop {
        match attempt() {
            Err(why) if why.passes() => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(why);
                }
                watcher(&Waiting::ToBeReady { why: &why, left });
                sleep(BETWEEN_LOOKS.min(left));
            }
            other => return other,
        }
    }
}

/// The connection, opened when it is needed and dropped after an error, since an answer may still be under way.
pub(super) struct Link {
    target: Target,
    transport: Option<Transport>,
}

impl Link {
    /// One command; without a patience it waits for a person, however long.
    pub(super) fn exchange(
        &mut self,
        command: &Apdu,
        patience: impl Into<Option<Duration>>,
    ) -> Result<Reply, DeviceError> {
        let mut transport = self.open()?;
        let reply = transport.exchange(command, patience.into())?;
        self.transport = Some(transport);
        Ok(reply)
    }

    fn open(&mut self) -> Result<Transport, DeviceError> {
        self.transport.take().map_or_else(|| Transport::open(&self.target), Ok)
    }

    /// Everything that must be true before signing, and what is worth knowing.
    fn readiness(&mut self) -> Result<Status, DeviceError> {
        let version = self.app_version()?;
        let flags = self.configuration()?;
        let takes_fields = self.takes_fields()?;
        let model = self.transport.as_ref().and_then(Transport::model);
        Ok(Status {
            model,
            version,
            blind_signing: flags.blind_signing,
            transaction_check: flags.transaction_check,
            takes_fields,
        })
    }

    pub(super) fn configuration(&mut self) -> Result<Configuration, DeviceError> {
        const WHAT: &str = "the question for its settings";
        let reply = self.exchange(&Apdu::configuration(), PROMPTLY)?;
        Configuration::read(&granted(WHAT, reply)?).ok_or(DeviceError::Senseless { what: WHAT })
    }

    fn blind_signing_is_on(&mut self) -> Result<(), DeviceError> {
        if self.configuration()?.blind_signing { Ok(()) } else { Err(DeviceError::BlindSigningOff) }
    }

    /// The version of the Ethereum app, if that is what is open.
    fn app_version(&mut self) -> Result<AppVersion, DeviceError> {
        let info = self.app_info()?;
        match info.name.as_str() {
            "Ethereum" => {
                info.parsed_version().ok_or(DeviceError::Senseless { what: "the question for its version" })
            }
            "BOLOS" => Err(DeviceError::NoApp),
            _ => Err(DeviceError::OtherApp(info.name)),
        }
    }

    /// Asks for the app's name, and skips answers to what an earlier program asked.
    fn app_info(&mut self) -> Result<AppInfo, DeviceError> {
        let mut transport = self.open()?;
        let mut reply = transport.exchange(&Apdu::app_info(), Some(AWAKE))?;
        for _ in 0..MOST_STALE {
            if let Some(error) = not_ready(reply.status) {
                return Err(error);
            }
            if reply.status == StatusWord::OK
                && let Some(info) = AppInfo::read(&reply.data)
            {
                self.transport = Some(transport);
                return Ok(info);
            }
            reply = transport.answer_after(AWAKE)?;
        }
        Err(DeviceError::Stale)
    }

    /// Begins a full EIP-712 flow and clears it again, and with it whatever was left unfinished. Shows nothing.
    fn takes_fields(&mut self) -> Result<bool, DeviceError> {
        let begin = Apdu::define_struct("EIP712Domain");
        let mut reply = self.exchange(&begin, PROMPTLY)?;
        if matches!(reply.status, apdu::UNKNOWN_INSTRUCTION | apdu::UNKNOWN_CLASS) {
            return Ok(false);
        }
        self.clear()?;
        if reply.status != StatusWord::OK {
            reply = self.exchange(&begin, PROMPTLY)?;
            self.clear()?;
        }
        granted("typed data", reply).map(|_| true)
    }

    /// Clears an unfinished flow. The app answers with an error whether there was one or not.
    pub(super) fn clear(&mut self) -> Result<(), DeviceError> {
        self.exchange(&Apdu::sign_fields(&DerivationPath::default()), PROMPTLY).map(drop)
    }
}

/// The answer's data, or why there is none.
pub(super) fn granted(what: &'static str, reply: Reply) -> Result<Vec<u8>, DeviceError> {
    match reply.status {
        StatusWord::OK => Ok(reply.data),
        apdu::REJECTED => Err(DeviceError::Rejected),
        status => Err(not_ready(status).unwrap_or(DeviceError::Refused { what, status })),
    }
}

/// Words that a locked device or its dashboard gives to any command. 0x5515 is recorded; the others are older firmware's.
fn not_ready(status: StatusWord) -> Option<DeviceError> {
    match status.0 {
        0x5515 | 0x6804 | 0x6982 => Some(DeviceError::Locked),
        0x5501 | 0x6511 | 0x6d02 | 0x6e01 => Some(DeviceError::NoApp),
        _ => None,
    }
}
