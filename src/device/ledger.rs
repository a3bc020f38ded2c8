//! A Ledger: waiting until it is ready, and for the person who holds it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::DeviceError;
use super::answered::Answered;
use super::apdu::{Apdu, Reply};
use super::app_status::Status;
use super::link::Link;
use super::pages::StatedSettings;
use super::transport::{LedgerLocation, PROMPTLY};

use crate::clock;

/// Time that a person may take to agree on the device that the app is opened; then they are told to open it by hand.
const AGREEING: Duration = Duration::from_secs(30);
/// Time that the device may be gone or without an app once it has agreed to open one: it connects anew.
const OPENING: Duration = Duration::from_secs(6);
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// The reason for a wait, for a spinner.
#[derive(Debug)]
pub enum Waiting<'a> {
    /// The device is not ready, and somebody can change that.
    ToBeReady { why: &'a DeviceError, left: Duration },
    /// The review is on the device's screen. Nothing else is sent meanwhile.
    ForApproval,
    /// Its keys are looked through.
    Searching { done: usize, of: usize },
    /// The device asks its person whether it may open the Ethereum app.
    ForTheAppToOpen,
}

/// Is told what is being waited for.
pub type Watcher = Box<dyn FnMut(&Waiting<'_>)>;

/// A Ledger with the Ethereum app open.
pub struct Ledger {
    pub(super) link: Link,
    pub(super) status: Status,
    pub(super) answered: Answered,
    /// The settings that the app does not tell.
    pub(super) stated: StatedSettings,
    patience: Duration,
    pub(super) watcher: Watcher,
}

impl Ledger {
    /// Its name in a sentence.
    pub const NAME: &'static str = "Ledger";

    /// Waits until the device is there, unlocked and in the Ethereum app, which is opened if none is.
    /// The error is the last reason why it was not ready, once `patience` is over.
    pub fn open(
        target: LedgerLocation,
        patience: Duration,
        mut watcher: Watcher,
    ) -> Result<Self, DeviceError> {
        let mut link = Link::new(target);
        let status = wait_for_app(&mut link, patience, &mut watcher)?;
        let (answered, stated) = (Answered::default(), StatedSettings::default());
        Ok(Self { link, status, answered, stated, patience, watcher })
    }

    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// Before anything is asked for: the same app still answers. One command, unless the device went away meanwhile;
    /// then it may be another one, and nothing known about it counts any more.
    pub(super) fn ready(&mut self) -> Result<(), DeviceError> {
        let same_connection = self.link.is_open();
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
        self.check_again()
    }

    /// Waits until "Blind signing" is on. Returns `true` if somebody turned it on meanwhile: they may still be in the menu,
    /// and a review that begins there is not seen.
    /// Fails with [`DeviceError::BlindSigningOff`] when it stays off.
    pub fn await_blind_signing(&mut self) -> Result<bool, DeviceError> {
        self.ready()?;
        let was_on = self.status.blind_signing || self.link.blind_signing_is_on().is_ok();
        if !was_on {
            wait(self.patience, &mut self.watcher, |_| self.link.blind_signing_is_on())?;
        }
        self.status.blind_signing = true;
        Ok(!was_on)
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
        self.status = wait_for_app(&mut self.link, self.patience, &mut self.watcher)?;
        Ok(())
    }
}

/// Waits until the Ethereum app answers. Where no app is open, it is opened by command, once: whoever refuses that opens it
/// by hand.
fn wait_for_app(link: &mut Link, patience: Duration, watcher: &mut Watcher) -> Result<Status, DeviceError> {
    let mut asked = false;
    let mut opened: Option<Instant> = None;
    wait(patience, watcher, |watcher| {
        let readiness = link.readiness();
        if matches!(readiness, Err(DeviceError::NoApp)) && !asked {
            asked = true;
            watcher(&Waiting::ForTheAppToOpen);
            link.open_app(AGREEING.min(patience))?;
            opened = Some(clock::moment());
            return Err(DeviceError::AppOpens);
        }
        let is_opening = opened.is_some_and(|at| at.elapsed() < OPENING);
        readiness.map_err(|why| if is_opening && why.is_between_apps() { DeviceError::AppOpens } else { why })
    })
}

/// Tries again until it works, fails for good, or the patience is over.
fn wait<T>(
    patience: Duration,
    watcher: &mut Watcher,
    mut attempt: impl FnMut(&mut Watcher) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    let deadline = clock::moment() + patience;
    loop {
        match attempt(watcher) {
            Err(why) if why.passes() => {
                let left = deadline.saturating_duration_since(clock::moment());
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
