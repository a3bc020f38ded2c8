//! No app is open: the program asks the dashboard to open the Ethereum app, once, and waits if that is refused.

use std::time::Duration;

use breakglass::device::DeviceError;

use crate::emulator::app::{Behaviour, Open, Opening};
use crate::emulator::{Emulator, Wire};
use crate::faults::{sign, watch, watch_on};

const OPEN_BY_HAND: &str = "no app is open on the Ledger: open the Ethereum app";
const COMMAND: &[u8] = &[0xe0, 0xd8, 0, 0, 8, b'E', b't', b'h', b'e', b'r', b'e', b'u', b'm'];

fn dashboard(opening: Opening) -> Behaviour {
    Behaviour { open: Open::Dashboard, opening, ..Behaviour::default() }
}

/// Returns how many times the dashboard was asked.
fn asked(emulator: &Emulator) -> usize {
    emulator.commands().iter().filter(|command| *command == COMMAND).count()
}

#[test]
fn the_app_is_opened_once_its_person_agrees() {
    let wire = Wire { thinks_for: Duration::from_millis(300), ..Wire::default() };
    let emulator = Emulator::start_with(dashboard(Opening::Agreed), wire);
    let (ledger, told) = watch(&emulator, Duration::from_secs(20));
    assert_eq!(told, ["agree that it opens", "the Ethereum app is being opened on the Ledger"]);
    emulator.change_wire(|wire| wire.thinks_for = Duration::ZERO);
    sign(&mut ledger.unwrap()).unwrap();
    assert_eq!((asked(&emulator), emulator.faults()), (1, Vec::new()));
}

/// Refused on the device, or unknown to its firmware: it is not asked again, and somebody opens the app by hand.
#[test]
fn after_a_refusal_the_app_is_opened_by_hand() {
    for opening in [Opening::Refused, Opening::Unknown] {
        let emulator = Emulator::start(dashboard(opening));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(1300));
                emulator.change(|device| device.open = Open::Ethereum([1, 22, 0]));
            });
            let (ledger, told) = watch(&emulator, Duration::from_secs(20));
            assert_eq!(told[..2], ["agree that it opens", OPEN_BY_HAND], "{opening:?}");
            assert!(told[2..].iter().all(|line| line == OPEN_BY_HAND), "{told:?}");
            sign(&mut ledger.unwrap()).unwrap();
        });
        assert_eq!(asked(&emulator), 1, "{opening:?}");
    }
}

/// Nobody answers on the device: after the time limit the message says what to do for a person who comes back.
#[test]
fn without_an_answer_the_waiting_ends() {
    let wire = Wire { thinks_for: Duration::from_mins(1), ..Wire::default() };
    let emulator = Emulator::start_with(dashboard(Opening::Agreed), wire);
    let (ledger, told) = watch(&emulator, Duration::from_millis(700));
    let error = ledger.map(|_| ()).unwrap_err();
    assert!(matches!(error, DeviceError::NoApp), "{error}");
    assert_eq!(told[0], "agree that it opens");
    assert_eq!(error.to_string(), OPEN_BY_HAND);
}

#[test]
fn an_app_that_is_not_installed_is_reported_at_once() {
    let emulator = Emulator::start(dashboard(Opening::NotInstalled));
    let (ledger, _) = watch(&emulator, Duration::from_mins(1));
    let error = ledger.map(|_| ()).unwrap_err();
    assert!(matches!(error, DeviceError::NotInstalled) && error.is_human(), "{error}");
}

/// The app is left between two proposals of one sitting: it is opened again.
#[test]
fn it_is_opened_again_between_two_signatures() {
    let emulator = Emulator::start(Behaviour { opening: Opening::Agreed, ..Behaviour::default() });
    let (ledger, told) = watch_on(&emulator, Duration::from_secs(20));
    let mut ledger = ledger.unwrap();
    sign(&mut ledger).unwrap();
    emulator.change(|device| device.open = Open::Dashboard);
    sign(&mut ledger).unwrap();
    assert!(told.borrow().contains(&"agree that it opens".to_string()));
    assert_eq!((emulator.signed().len(), asked(&emulator)), (2, 1));
}
