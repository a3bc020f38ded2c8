//! One command out, one answer back: over USB, or over the emulator's TCP framing.
//!
//! The only place where coins-ledger is used. Its own transport trait is asynchronous and cannot be made an object; its
//! blocking device can be used directly, so that nothing here is asynchronous.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::{Duration, Instant};

use coins_ledger::transports::native::{HidDeviceId, HidLedgerDevice, NativeTransportError};
use coins_ledger::{ApduCommand, LedgerError};

use super::DeviceError;
use super::apdu::{Apdu, Reply, StatusWord};
use super::plugged::{Model, Plugged, choose_plugged};

use crate::clock;

/// Time that an answer may take that no person has to give.
pub(super) const PROMPTLY: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);
/// An emulator's answer has at most 255 bytes; more is not an emulator.
const MOST_ANSWER: u32 = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerLocation {
    /// Plugged in; with a serial number or a path when there are several.
    Usb { which: Option<String> },
    /// An emulator at HOST:PORT, which does not say its model.
    Tcp { address: String, model: Option<Model> },
}

impl Default for LedgerLocation {
    fn default() -> Self {
        Self::Usb { which: None }
    }
}

impl FromStr for LedgerLocation {
    type Err = DeviceError;

    /// `usb`, or `tcp://HOST:PORT`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "usb" {
            return Ok(Self::default());
        }
        text.strip_prefix("tcp://")
            .map(|rest| rest.strip_suffix('/').unwrap_or(rest))
            .filter(|rest| {
                rest.rsplit_once(':')
                    .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
            })
            .map(|address| Self::Tcp { address: address.into(), model: None })
            .ok_or_else(|| DeviceError::BadTarget(text.into()))
    }
}

fn plugged(id: &HidDeviceId) -> Plugged {
    Plugged {
        model: Model::of(id.model()),
        serial: id.serial_number().map(String::from),
        path: id.path().to_string_lossy().into_owned(),
    }
}

/// An open connection. After an error it is to be dropped: an answer may still be under way.
pub(super) enum Transport {
    Usb(Box<HidLedgerDevice>),
    Tcp(TcpStream, Option<Model>),
}

impl Transport {
    pub(super) fn open(target: &LedgerLocation) -> Result<Self, DeviceError> {
        match target {
            LedgerLocation::Usb { which } => open_usb(which.as_deref()).map(Box::new).map(Self::Usb),
            LedgerLocation::Tcp { address, model } => {
                open_tcp(address).map(|stream| Self::Tcp(stream, *model))
            }
        }
    }

    /// `None` for an emulator whose model nobody said.
    pub(super) fn model(&self) -> Option<Model> {
        match self {
            Self::Usb(device) => Some(Model::of(device.id().model())),
            Self::Tcp(_, model) => *model,
        }
    }

    pub(super) fn exchange(
        &mut self,
        command: &Apdu,
        patience: Option<Duration>,
    ) -> Result<Reply, DeviceError> {
        match self {
            Self::Usb(device) => exchange_usb(device, command, patience),
            Self::Tcp(stream, _) => {
                let bytes = command.encode();
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX); // 260 at most
                let frame = [&length.to_be_bytes()[..], &bytes].concat();
                stream.write_all(&frame).map_err(|e| broken(&e, PROMPTLY))?;
                read_frame(stream, patience)
            }
        }
    }

    /// The next answer without asking, when the last one belonged to somebody else's question. Over USB only opening the
    /// device again gets rid of it.
    pub(super) fn answer_after(&mut self, patience: Duration) -> Result<Reply, DeviceError> {
        match self {
            Self::Usb(_) => Err(DeviceError::Stale),
            Self::Tcp(stream, _) => read_frame(stream, Some(patience)),
        }
    }
}

fn open_usb(wanted: Option<&str>) -> Result<HidLedgerDevice, DeviceError> {
    let ids = HidLedgerDevice::list().map_err(|e| native(&e))?;
    let all: Vec<Plugged> = ids.iter().map(plugged).collect();
    let one = choose_plugged(&all, wanted)?;
    let id = ids.iter().find(|id| plugged(id) == *one).ok_or(DeviceError::NotPluggedIn)?;
    HidLedgerDevice::open(id).map_err(|e| native(&e))
}

fn native(error: &NativeTransportError) -> DeviceError {
    let text = error.to_string();
    match error {
        NativeTransportError::DeviceNotFound => DeviceError::NotPluggedIn,
        NativeTransportError::CantOpen(_) => cannot_open(&text),
        NativeTransportError::SequenceMismatch { .. }
        | NativeTransportError::UnexpectedChannel { .. }
        | NativeTransportError::UnexpectedTag(_) => DeviceError::Stale,
        NativeTransportError::Hid(_) | NativeTransportError::ShortWrite { .. } => DeviceError::Unplugged,
        _ => DeviceError::Transport(text),
    }
}

/// The system tells its reason in words only.
fn cannot_open(text: &str) -> DeviceError {
    match text.to_ascii_lowercase() {
        text if text.contains("permission denied") => DeviceError::NoPermission,
        text if text.contains("no such") => DeviceError::NotPluggedIn,
        _ => DeviceError::InUse,
    }
}

fn exchange_usb(
    device: &mut HidLedgerDevice,
    command: &Apdu,
    patience: Option<Duration>,
) -> Result<Reply, DeviceError> {
    let [class, instruction, p1, p2] = command.header();
    let builder = ApduCommand::builder().cla(class).ins(instruction).p1(p1).p2(p2);
    // Le only where there is no data: beside data the app refuses it.
    let builder = if command.data().is_empty() { builder.le(0) } else { builder.data(command.data()) };
    let built = builder.build().map_err(|e| DeviceError::Transport(e.to_string()))?;
    match device.exchange(&built, patience) {
        Ok(answer) => Ok(Reply { data: answer.data().into(), status: StatusWord::OK }),
        Err(LedgerError::BadRetcode(word)) => Ok(Reply { data: Vec::new(), status: StatusWord(word.raw()) }),
        Err(LedgerError::Timeout(_)) => Err(DeviceError::Asleep(patience.unwrap_or(PROMPTLY))),
        Err(LedgerError::Transport(inner)) => Err(inner
            .downcast_ref::<NativeTransportError>()
            .map_or_else(|| DeviceError::Transport(inner.to_string()), native)),
        Err(other) => Err(DeviceError::Transport(other.to_string())),
    }
}

fn open_tcp(address: &str) -> Result<TcpStream, DeviceError> {
    let absent = || DeviceError::NoEmulator(address.into());
    let stream = address
        .to_socket_addrs()
        .map_err(|_| absent())?
        .find_map(|resolved| TcpStream::connect_timeout(&resolved, CONNECT).ok())
        .ok_or_else(absent)?;
    stream.set_nodelay(true).map_err(|e| broken(&e, CONNECT))?;
    stream.set_write_timeout(Some(PROMPTLY)).map_err(|e| broken(&e, PROMPTLY))?;
    Ok(stream)
}

/// Length of the data, data, status word: the status word is not counted.
fn read_frame(stream: &mut TcpStream, patience: Option<Duration>) -> Result<Reply, DeviceError> {
    let deadline = patience.map(|patience| clock::moment() + patience);
    let told = patience.unwrap_or(PROMPTLY);
    let mut read = |bytes: &mut [u8]| read_until(stream, bytes, deadline).map_err(|e| broken(&e, told));
    let mut length = [0; 4];
    read(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MOST_ANSWER {
        return Err(DeviceError::Senseless { what: "a command" });
    }
    let mut bytes = vec![0; length as usize + 2];
    read(&mut bytes)?;
    Reply::read(&bytes).ok_or(DeviceError::Senseless { what: "a command" })
}

/// Without a deadline it waits until there is an answer or the connection ends.
fn read_until(stream: &mut TcpStream, bytes: &mut [u8], deadline: Option<Instant>) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(clock::moment()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(left)?;
        match stream.read(&mut bytes[done..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => done += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn broken(error: &io::Error, patience: Duration) -> DeviceError {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => DeviceError::Asleep(patience),
        _ => DeviceError::Unplugged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_usb_or_an_emulator() {
        assert_eq!("usb".parse::<LedgerLocation>().unwrap(), LedgerLocation::Usb { which: None });
        for text in ["tcp://127.0.0.1:9999", "tcp://localhost:9999/", "tcp://[::1]:9999"] {
            assert!(matches!(text.parse(), Ok(LedgerLocation::Tcp { .. })), "{text}");
        }
        for text in
            ["", "tcp://", "tcp://:1", "tcp://h", "tcp://h:", "tcp://h:70000", "http://h:1", "USB", "h:1"]
        {
            assert!(matches!(text.parse::<LedgerLocation>(), Err(DeviceError::BadTarget(_))), "{text}");
        }
    }

    /// hidapi's own sentence on Linux, with the C library's words for the reason.
    #[test]
    fn why_it_cannot_be_opened_is_told_apart() {
        let told = |why: &str| {
            cannot_open(&format!("hidapi error: Failed to open a device with path '/dev/hidraw3': {why}"))
        };
        assert!(matches!(told("Permission denied"), DeviceError::NoPermission));
        assert!(
            told("Permission denied")
                .to_string()
                .contains("breakglass device --udev | sudo tee /etc/udev/rules.d/")
        );
        assert!(matches!(told("No such file or directory"), DeviceError::NotPluggedIn));
        assert!(matches!(told("Device or resource busy"), DeviceError::InUse));
    }

    #[test]
    fn an_emulator_that_does_not_answer_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        for address in [address, "no-such-host.invalid:1".into()] {
            let error = Transport::open(&LedgerLocation::Tcp { address: address.clone(), model: None })
                .map(|_| ())
                .unwrap_err();
            assert!(matches!(&error, DeviceError::NoEmulator(a) if *a == address), "{error}");
        }
    }

    /// Returns what the client makes of these bytes; a server that `holds` keeps the connection open until the client gives up.
    fn answering(bytes: &'static [u8], holds: bool) -> Result<Reply, DeviceError> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = LedgerLocation::Tcp { address: listener.local_addr().unwrap().to_string(), model: None };
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut command = [0; 9];
            stream.read_exact(&mut command).unwrap();
            assert_eq!(command, [0, 0, 0, 5, 0xb0, 1, 0, 0, 0]);
            stream.write_all(bytes).unwrap();
            if holds {
                let _ = stream.read(&mut [0]);
            }
        });
        let patience = if holds { Duration::from_millis(100) } else { PROMPTLY };
        let answer = Transport::open(&target).unwrap().exchange(&Apdu::app_info(), Some(patience));
        server.join().unwrap();
        answer
    }

    #[test]
    fn frames_are_read_whole_or_not_at_all() {
        let reply = answering(&[0, 0, 0, 1, 7, 0x90, 0], false).unwrap();
        assert_eq!((reply.data, reply.status), (vec![7], StatusWord::OK));
        assert!(matches!(answering(&[], false), Err(DeviceError::Unplugged)));
        assert!(matches!(answering(&[0, 0, 0, 1, 7, 0x90], false), Err(DeviceError::Unplugged)));
        assert!(matches!(answering(&[0xff, 0, 0, 0, 0], false), Err(DeviceError::Senseless { .. })));
        assert!(matches!(answering(&[0, 0, 0], true), Err(DeviceError::Asleep(_))));
    }
}
