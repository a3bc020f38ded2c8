//! The connection to a Ledger: one command at a time, and which app answers.

use std::time::Duration;

use super::DeviceError;
use super::apdu::{self, Apdu, AppInfo, AppVersion, Configuration, DASHBOARD, Reply, StatusWord};
use super::app_status::Status;
use super::path::DerivationPath;
use super::transport::{LedgerLocation, PROMPTLY, Transport};

/// Time that a device that is awake takes to name its app; asked again and again while it is waited for.
const AWAKE: Duration = Duration::from_secs(2);
/// The number of answers to earlier questions that are skipped before giving up.
const MOST_STALE: usize = 3;

/// The connection, opened when it is needed and dropped after an error, since an answer may still be under way.
pub(super) struct Link {
    target: LedgerLocation,
    transport: Option<Transport>,
}

impl Link {
    pub(super) const fn new(target: LedgerLocation) -> Self {
        Self { target, transport: None }
    }

    /// Returns `true` if nothing has broken since the last answer: it is the same device still.
    pub(super) const fn is_open(&self) -> bool {
        self.transport.is_some()
    }

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
    pub(super) fn readiness(&mut self) -> Result<Status, DeviceError> {
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
        Configuration::read(&accepted_data(WHAT, reply)?).ok_or(DeviceError::Senseless { what: WHAT })
    }

    pub(super) fn blind_signing_is_on(&mut self) -> Result<(), DeviceError> {
        if self.configuration()?.blind_signing { Ok(()) } else { Err(DeviceError::BlindSigningOff) }
    }

    /// The version of the Ethereum app, if that is what is open.
    pub(super) fn app_version(&mut self) -> Result<AppVersion, DeviceError> {
        let info = self.app_info()?;
        match info.name.as_str() {
            "Ethereum" => {
                info.parsed_version().ok_or(DeviceError::Senseless { what: "the question for its version" })
            }
            DASHBOARD => Err(DeviceError::NoApp),
            _ => Err(DeviceError::OtherApp(info.name)),
        }
    }

    /// Asks the dashboard to open the Ethereum app. Its person may have to agree on the device, which then connects anew.
    /// Fails with [`DeviceError::NotInstalled`]; else [`DeviceError::NoApp`], whatever the reason.
    pub(super) fn open_app(&mut self, patience: Duration) -> Result<(), DeviceError> {
        let reply = self.exchange(&Apdu::open_app(), patience);
        self.transport = None;
        match reply.map_err(|_| DeviceError::NoApp)?.status {
            StatusWord::OK => Ok(()),
            apdu::UNKNOWN_APP => Err(DeviceError::NotInstalled),
            _ => Err(DeviceError::NoApp),
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
        accepted_data("typed data", reply).map(|_| true)
    }

    /// Clears an unfinished flow. The app answers with an error whether there was one or not.
    pub(super) fn clear(&mut self) -> Result<(), DeviceError> {
        self.exchange(&Apdu::sign_fields(&DerivationPath::default()), PROMPTLY).map(drop)
    }
}

/// The answer's data, or why there is none.
pub(super) fn accepted_data(what: &'static str, reply: Reply) -> Result<Vec<u8>, DeviceError> {
    match reply.status {
        StatusWord::OK => Ok(reply.data),
        apdu::REJECTED => Err(DeviceError::Rejected),
        status => Err(not_ready(status).unwrap_or(DeviceError::Refused { what, status })),
    }
}

/// Words that a locked device, its dashboard or its own menu gives to any command. 0x5515 is recorded; 0x6901 is from
/// LedgerHQ/device-sdk-ts, issue 1773; the others are older firmware's.
fn not_ready(status: StatusWord) -> Option<DeviceError> {
    match status.0 {
        0x5515 | 0x6804 | 0x6982 => Some(DeviceError::Locked),
        0x6901 => Some(DeviceError::OwnMenu),
        0x5501 | 0x6511 | 0x6d02 | 0x6e01 => Some(DeviceError::NoApp),
        _ => None,
    }
}
