//! Every state of a person and a device has a sentence that says what to do next.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, Bytes, TxKind, U256, address};
use alloy::rpc::types::AccessList;
use breakglass::device::{
    DerivationPath, DeviceError, Ledger, RequestedMode, SearchPaths, SigningMode, SigningRequest, Signs,
    Waiting, Watcher, Weight, choose_way,
};
use breakglass::safe::{Domain, Nonce, Operation, SafeId, SafeTx, SafeVersion, SignatureKind};

use crate::emulator::app::{Behaviour, Open, Reject, Signed};
use crate::emulator::{Emulator, Wire};
use crate::open;

pub const OWNER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
const DOMAIN: Domain = Domain::real(SAFE);
const SAFE: SafeId = SafeId {
    chain_id: 1,
    address: address!("1c511D88ba898b4D9cd9113D13B9c360a02Fcea1"),
    version: SafeVersion::V1_4_1,
};

fn pause() -> SafeTx {
    let data = Bytes::from_static(&[0x84, 0x56, 0xcb, 0x59]);
    SafeTx::new(OWNER, U256::ZERO, data, Operation::Call, Nonce::from(42))
}

fn request(tx: &SafeTx, way: SigningMode) -> SigningRequest<'_> {
    SigningRequest { domain: &DOMAIN, signs: Signs::Tx(tx), owner: OWNER, kind: SignatureKind::Ecdsa, way }
}

pub fn sign(ledger: &mut Ledger) -> Result<(), DeviceError> {
    sign_by(ledger, SigningMode::Fields)
}

fn sign_by(ledger: &mut Ledger, way: SigningMode) -> Result<(), DeviceError> {
    let tx = pause();
    let signature = ledger.sign_safe_tx(&request(&tx, way))?;
    assert_eq!(signature.signer(), OWNER);
    Ok(())
}

/// Opens with this patience and keeps the sentences of what is waited for.
pub fn watch_on(
    emulator: &Emulator,
    patience: Duration,
) -> (Result<Ledger, DeviceError>, Rc<RefCell<Vec<String>>>) {
    let told = Rc::new(RefCell::new(Vec::new()));
    let watcher: Watcher = Box::new({
        let told = Rc::clone(&told);
        move |waiting| {
            let text = match waiting {
                Waiting::ToBeReady { why, .. } => why.to_string(),
                Waiting::ForApproval => "approval".into(),
                Waiting::Searching { .. } => return,
                Waiting::ForTheAppToOpen => "agree that it opens".into(),
            };
            told.borrow_mut().push(text);
        }
    });
    let ledger = Ledger::open(emulator.url().parse().unwrap(), patience, watcher);
    (ledger, told)
}

pub fn watch(emulator: &Emulator, patience: Duration) -> (Result<Ledger, DeviceError>, Vec<String>) {
    let (ledger, told) = watch_on(emulator, patience);
    (ledger, told.take())
}

fn impatient(emulator: &Emulator) -> DeviceError {
    let (ledger, told) = watch(emulator, Duration::from_millis(100));
    let error = ledger.map(|_| ()).unwrap_err();
    let first_asked = ["agree that it opens".to_string(), error.to_string()];
    assert!(told.iter().all(|line| first_asked.contains(line)), "{told:?}");
    assert!(error.is_human(), "{error}");
    error
}

#[test]
fn a_device_that_is_not_ready_is_reported_with_its_state() {
    let opened = |open| Emulator::start(Behaviour { open, ..Behaviour::default() });
    assert!(matches!(impatient(&opened(Open::Dashboard)), DeviceError::NoApp));
    let other = impatient(&opened(Open::Other("Bitcoin")));
    assert_eq!(
        other.to_string(),
        "the Bitcoin app is open on the Ledger: leave it and open the Ethereum app"
    );
    let locked = Emulator::start(Behaviour { locked_for: usize::MAX, ..Behaviour::default() });
    assert!(matches!(impatient(&locked), DeviceError::Locked));
    let gone = Emulator::start(Behaviour::default()).url();
    let error = Ledger::open(gone.parse().unwrap(), Duration::from_millis(100), Box::new(|_| {}));
    assert!(matches!(error.map(|_| ()).unwrap_err(), DeviceError::NoEmulator(_)));
}

#[test]
fn it_waits_for_the_pin_and_goes_on_by_itself() {
    for garbage in [false, true] {
        let emulator = Emulator::start(Behaviour { locked_for: 2, garbage, ..Behaviour::default() });
        let (ledger, told) = watch(&emulator, Duration::from_secs(20));
        assert_eq!(told, ["the Ledger is locked: enter its PIN"; 2]);
        sign(&mut ledger.unwrap()).unwrap();
    }
}

/// An act while the program waits, and the words that it had said until then.
fn helped(behaviour: Behaviour, wire: Wire, help: impl Fn(&Emulator) + Sync) -> Vec<String> {
    let emulator = Emulator::start_with(behaviour, wire);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            help(&emulator);
        });
        let (ledger, told) = watch(&emulator, Duration::from_secs(20));
        sign(&mut ledger.unwrap()).unwrap();
        told
    })
}

#[test]
fn it_waits_for_the_right_app_and_goes_on_by_itself() {
    let right = |emulator: &Emulator| emulator.change(|device| device.open = Open::Ethereum([1, 22, 0]));
    let said = "the Bitcoin app is open on the Ledger: leave it and open the Ethereum app";
    let bitcoin = Behaviour { open: Open::Other("Bitcoin"), ..Behaviour::default() };
    let told = helped(bitcoin, Wire::default(), right);
    assert!(!told.is_empty() && told.iter().all(|line| line == said), "{told:?}");
}

#[test]
fn it_waits_until_it_is_woken_and_goes_on_by_itself() {
    let wire = Wire { asleep: true, ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour::default(), wire.clone());
    let asleep = impatient(&emulator);
    assert!(asleep.to_string().contains("press a button to wake it"), "{asleep}");
    drop(emulator);
    let wake = |emulator: &Emulator| {
        std::thread::sleep(Duration::from_secs(2));
        emulator.change_wire(|wire| wire.asleep = false);
    };
    let told = helped(Behaviour::default(), wire, wake);
    assert_eq!(told, [asleep.to_string()]);
}

#[test]
fn it_waits_until_it_is_plugged_in_again_and_goes_on_by_itself() {
    let wire = Wire { hangs_up_at: Some(1), ..Wire::default() };
    let told = helped(Behaviour::default(), wire, |_| {});
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("unplugged"), "{told:?}");
}

/// It locks itself between two proposals of one sitting.
#[test]
fn it_waits_again_between_two_signatures() {
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    sign(&mut ledger).unwrap();
    emulator.change(|device| device.locked_for = 1);
    sign(&mut ledger).unwrap();
    assert_eq!(emulator.signed().len(), 2);
}

#[test]
fn a_rejection_is_a_rejection_and_the_next_one_goes_on() {
    for way in [SigningMode::Fields, SigningMode::Hashes] {
        for point in [Reject::Warning, Reject::End] {
            let behaviour = Behaviour {
                reject: Some(point),
                blind_signing: way == SigningMode::Hashes,
                garbage: true,
                ..Behaviour::default()
            };
            let emulator = Emulator::start(behaviour);
            let mut ledger = open(&emulator);
            let error = sign_by(&mut ledger, way).unwrap_err();
            assert!(matches!(error, DeviceError::Rejected) && error.is_human(), "{error}");
            emulator.change(|device| device.reject = None);
            sign_by(&mut ledger, way).unwrap();
        }
    }
}

#[test]
fn settings_that_forbid_it_are_named() {
    let both_off = Behaviour { raw_messages: false, ..Behaviour::default() };
    let emulator = Emulator::start(both_off);
    let mut ledger = watch(&emulator, Duration::from_millis(100)).0.unwrap();
    assert!(matches!(sign(&mut ledger), Err(DeviceError::RawMessagesOff)));
    assert!(matches!(sign_by(&mut ledger, SigningMode::Hashes), Err(DeviceError::BlindSigningOff)));
    assert!(matches!(ledger.sign_transaction(&exec(), OWNER), Err(DeviceError::BlindSigningOff)));
    emulator.change(|device| device.raw_messages = true);
    sign(&mut ledger).unwrap();
}

/// If the setting was off, the caller learns that the person may still be in the menu. If it is turned off later, the
/// app's refusal is reported.
#[test]
fn the_program_waits_for_blind_signing_and_reports_if_it_is_turned_off() {
    let tx = pause();
    for hashes in [true, false] {
        let emulator = Emulator::start(Behaviour::default());
        let (ledger, told) = watch_on(&emulator, Duration::from_secs(20));
        let mut ledger = ledger.unwrap();
        assert!(ledger.needs_blind_signing(&request(&tx, SigningMode::Hashes)));
        assert!(!ledger.needs_blind_signing(&request(&tx, SigningMode::Fields)));
        emulator.change(|device| device.blind_signing_in = 4);
        assert!(ledger.await_blind_signing().unwrap(), "it was off");
        assert!(told.take().iter().all(|line| line.contains("turn it on in the Ethereum app's settings")));
        assert!(!ledger.await_blind_signing().unwrap(), "it is on");
        if hashes {
            sign_by(&mut ledger, SigningMode::Hashes).unwrap();
        } else {
            ledger.sign_transaction(&exec(), OWNER).unwrap();
        }
        emulator.change(|device| device.blind_signing = false);
        let error = ledger.sign_transaction(&exec(), OWNER).unwrap_err();
        assert!(matches!(error, DeviceError::BlindSigningOff), "{error}");
    }
}

pub fn exec() -> TxEip1559 {
    TxEip1559 {
        chain_id: 1,
        nonce: 3,
        gas_limit: 200_000,
        max_fee_per_gas: 20_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(SAFE.address),
        value: U256::ZERO,
        access_list: AccessList::default(),
        input: pause().exec_calldata(vec![7; 65 * 5].into()),
    }
}

#[test]
fn an_old_app_signs_hashes_and_never_silently() {
    let emulator = Emulator::start(Behaviour { open: Open::Ethereum([1, 9, 18]), ..Behaviour::default() });
    let mut ledger = open(&emulator);
    let chosen = choose_way(ledger.status(), RequestedMode::Nothing, Weight::Short);
    assert_eq!((ledger.status().takes_fields, chosen.way), (false, SigningMode::Hashes));
    assert!(chosen.why.contains("too old"));
    let error = sign(&mut ledger).unwrap_err();
    assert!(matches!(error, DeviceError::AppTooOld(_)) && error.to_string().contains("1.9.18"));
    assert!(emulator.signed().is_empty());
    sign_by(&mut ledger, SigningMode::Hashes).unwrap();
    let hash = *SAFE.hashes(&pause()).safe_tx.word();
    assert_eq!(emulator.signed(), [Signed::Hashes(hash)]);
}

#[test]
fn an_unplugged_device_is_reported_and_signs_after_it_is_back() {
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    ledger.find(&SearchPaths::default(), &[OWNER]).unwrap();
    for after in [1, 2, 10, 25] {
        emulator.forget_commands();
        emulator.change_wire(|wire| wire.hangs_up_at = Some(after));
        let outcome = sign(&mut ledger);
        if after == 1 {
            outcome.unwrap(); // before anything was asked: it simply connects again
        } else {
            assert!(matches!(outcome, Err(DeviceError::Unplugged)), "{after}");
        }
        emulator.change_wire(|wire| wire.hangs_up_at = None);
        sign(&mut ledger).unwrap();
    }
}

/// A client that goes away during a review leaves an answer for the next one.
#[test]
fn an_answer_that_came_too_late_is_not_taken_for_the_next_one() {
    let wire = Wire { thinks_for: Duration::from_mins(1), ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour::default(), wire);
    let path = DerivationPath::default();
    let commands = breakglass::device::TypedData::safe_tx(&DOMAIN, &pause()).commands(&path).unwrap();
    left_after(&emulator, &commands);
    emulator.change_wire(|wire| wire.thinks_for = Duration::ZERO);
    std::thread::sleep(Duration::from_millis(100));
    sign(&mut open(&emulator)).unwrap();
}

/// 36 pages take minutes: the time limit for the device to be ready does not limit the review.
#[test]
fn a_review_has_no_time_limit() {
    let wire = Wire { thinks_for: Duration::from_secs(2), ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour { blind_signing: true, ..Behaviour::default() }, wire);
    let target = emulator.url().parse().unwrap();
    let mut ledger = Ledger::open(target, Duration::from_millis(400), Box::new(|_| {})).unwrap();
    sign(&mut ledger).unwrap();
    sign_by(&mut ledger, SigningMode::Hashes).unwrap();
    ledger.sign_transaction(&exec(), OWNER).unwrap();
    ledger.show_address(&DerivationPath::default()).unwrap();
    assert!(emulator.faults().is_empty(), "{:?}", emulator.faults());
}

/// Locked in mid-flow, the real app looks alive and ends in 6A80: the whole flow is sent again.
#[test]
fn a_device_that_locks_in_mid_flow_gets_the_whole_flow_again() {
    for after in [2, 6, 16, 21, 28] {
        let emulator = Emulator::start(Behaviour::default());
        let mut ledger = open(&emulator);
        ledger.find(&SearchPaths::default(), &[OWNER]).unwrap();
        emulator.change(|device| device.locks_in = after);
        sign(&mut ledger).unwrap();
        let hash = *SAFE.hashes(&pause()).safe_tx.word();
        let signed = emulator.signed();
        let [Signed::Fields(received)] = &signed[..] else { panic!("{after}: {signed:?}") };
        assert_eq!(received.digest(), hash, "{after}");
    }
}

#[test]
fn no_command_is_sent_while_a_person_reviews() {
    let wire = Wire { thinks_for: Duration::from_millis(700), ..Wire::default() };
    let emulator = Emulator::start_with(Behaviour::default(), wire);
    sign(&mut open(&emulator)).unwrap();
    assert!(emulator.faults().is_empty(), "{:?}", emulator.faults());
}

/// Answers to an earlier program's request: a rejection, another signature, an address, garbage.
#[test]
fn a_stale_answer_is_not_taken_for_ours() {
    let signature = [vec![27; 65], vec![0x90, 0]].concat();
    let address = [vec![65; 107], vec![0x90, 0]].concat();
    for stale in [vec![0x69, 0x85], signature, address, vec![0x90, 0], vec![0xff, 0xff, 0x6a, 0x80]] {
        let emulator =
            Emulator::start_with(Behaviour::default(), Wire { stale: Some(stale), ..Wire::default() });
        sign(&mut open(&emulator)).unwrap();
    }
}

/// Another program sends these and goes away; it waits for every answer but one that takes longer than a moment.
fn left_after(emulator: &Emulator, commands: &[breakglass::device::Apdu]) {
    use std::io::{Read, Write};
    let url = emulator.url();
    let mut other = std::net::TcpStream::connect(url.strip_prefix("tcp://").unwrap()).unwrap();
    other.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    for command in commands {
        let bytes = command.encode();
        other.write_all(&u32::try_from(bytes.len()).unwrap().to_be_bytes()).unwrap();
        other.write_all(&bytes).unwrap();
        if other.read_exact(&mut [0; 6]).is_err() {
            return;
        }
    }
}

#[test]
fn a_flow_that_somebody_left_unfinished_is_cleared() {
    let tx = pause();
    let commands = breakglass::device::TypedData::safe_tx(&DOMAIN, &tx).commands(&DerivationPath::default());
    for left in [1, 2, 14, 15, 18, 25] {
        let emulator = Emulator::start(Behaviour::default());
        let mut ledger = open(&emulator);
        // Another program talks to the same device between our opening and our signing.
        drop(ledger);
        left_after(&emulator, &commands.as_ref().unwrap()[..left]);
        ledger = open(&emulator);
        sign(&mut ledger).unwrap();
    }
}

#[test]
fn a_signature_by_another_key_shows_both_addresses() {
    let emulator = Emulator::start(Behaviour { wrong_key: true, ..Behaviour::default() });
    let error = sign(&mut open(&emulator)).unwrap_err().to_string();
    let other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    assert!(error.contains(&OWNER.to_string()) && error.contains(other), "{error}");
    emulator.change(|device| device.blind_signing = true);
    let error = open(&emulator).sign_transaction(&exec(), OWNER).unwrap_err().to_string();
    assert!(error.contains(&OWNER.to_string()) && error.contains(other), "{error}");
}

#[test]
fn an_address_is_shown_on_the_device_and_may_be_rejected() {
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    assert_eq!(ledger.show_address(&DerivationPath::default()).unwrap(), OWNER);
    emulator.change(|device| device.reject = Some(Reject::End));
    assert!(matches!(ledger.show_address(&DerivationPath::default()), Err(DeviceError::Rejected)));
}

/// At most 30 commands: the name, and the 29 that the flow needs.
#[test]
fn one_signature_takes_thirty_commands() {
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    ledger.find(&SearchPaths::default(), &[OWNER]).unwrap();
    emulator.forget_commands();
    sign(&mut ledger).unwrap();
    assert_eq!(emulator.commands().len(), 30);
}

#[test]
fn a_kind_of_signature_that_a_safe_refuses_is_not_asked_for() {
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    emulator.forget_commands();
    let tx = pause();
    let old = Domain::real(SafeId { version: SafeVersion::V1_0_0, ..SAFE });
    for kind in [SignatureKind::EthSign, SignatureKind::ApprovedHash] {
        let request = SigningRequest { domain: &old, kind, ..request(&tx, SigningMode::Fields) };
        assert!(ledger.sign_safe_tx(&request).is_err());
    }
    let huge = SafeTx { data: vec![0; 65_536].into(), ..tx };
    assert!(matches!(
        ledger.sign_safe_tx(&request(&huge, SigningMode::Fields)),
        Err(DeviceError::FieldTooLong { .. })
    ));
    assert!(emulator.signed().is_empty());
}
