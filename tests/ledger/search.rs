//! The search for the owner's key on the device, and the number of questions that it takes.

use alloy::primitives::{Address, address};
use breakglass::device::{DerivationPath, DeviceError, SearchPaths};

use crate::emulator::Emulator;
use crate::emulator::app::Behaviour;
use crate::faults::{OWNER, sign};
use crate::open;

/// Recorded with the real app, one by one.
const KEYS: [(&str, Address); 4] = [
    ("m/44'/60'/0'/0/0", OWNER),
    ("m/44'/60'/2'/0/0", address!("98e503f35D0a019cB0a251aD243a4cCFCF371F46")),
    ("m/44'/60'/0'/1", address!("c89D42189f0450C2b2c3c61f58Ec5d628176A1E7")),
    ("m/44'/60'/0'/0/2", address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")),
];
const STRANGER: Address = Address::repeat_byte(7);

/// The instruction of every command but the first.
fn asked(emulator: &Emulator) -> Vec<u8> {
    emulator.commands().iter().skip(1).map(|command| command[1]).collect()
}

#[test]
fn an_owner_s_path_is_found() {
    for path_by_path in [false, true] {
        let emulator = Emulator::start(Behaviour { path_by_path, ..Behaviour::default() });
        let mut ledger = open(&emulator);
        for (path, owner) in KEYS {
            let found = ledger.find(&SearchPaths::default(), &[owner]).unwrap();
            assert_eq!((found.len(), found[0].path.to_string().as_str()), (1, path));
            assert_eq!(ledger.address_at(&found[0].path).unwrap(), owner);
        }
        sign(&mut ledger).unwrap();
    }
}

/// The first of Ledger's own paths, and with it 19 others, take one question.
#[test]
fn the_usual_path_takes_one_question() {
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    emulator.forget_commands();
    ledger.find(&SearchPaths::default(), &[OWNER]).unwrap();
    assert_eq!(asked(&emulator), [0x02]);
}

/// Ten questions in place of 29; where the device gives no chain codes, one that it refuses and 29.
#[test]
fn a_wrong_seed_takes_ten_questions_and_is_reported_with_every_path() {
    for (path_by_path, questions) in [(false, 10), (true, 30)] {
        let emulator = Emulator::start(Behaviour { path_by_path, ..Behaviour::default() });
        let mut ledger = open(&emulator);
        emulator.forget_commands();
        let error = ledger.find(&SearchPaths::default(), &[STRANGER, Address::ZERO]).unwrap_err();
        assert_eq!(asked(&emulator), vec![0x02; questions]);
        let told = error.to_string();
        for said in [
            "this Ledger has no owner's key",
            &format!("Its first address is {OWNER}"),
            "m/44'/60'/0'/0/0 to m/44'/60'/0'/0/9",
            "m/44'/60'/0'/0 to m/44'/60'/0'/9",
            "m/44'/60'/1'/0/0 to m/44'/60'/9'/0/0",
        ] {
            assert!(told.contains(said), "{told}");
        }
        let error = ledger.find(&SearchPaths::default(), &[STRANGER]).unwrap_err().to_string();
        assert!(error.contains(&format!("no key of {STRANGER}")), "{error}");
        assert_eq!(asked(&emulator).len(), questions + 1, "asked again for what it had answered");
    }
}

/// The keys of several owners are searched for in the first three accounts; in further ones only if those have none.
#[test]
fn the_keys_of_several_owners_are_all_found() {
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    emulator.forget_commands();
    let owners: Vec<Address> = KEYS.iter().map(|(_, owner)| *owner).chain([STRANGER]).collect();
    let found = ledger.find(&SearchPaths::default(), &owners).unwrap();
    let mut addresses: Vec<Address> = found.iter().map(|account| account.address).collect();
    addresses.push(STRANGER);
    addresses.sort();
    let mut expected = owners;
    expected.sort();
    assert_eq!(addresses, expected);
    assert_eq!(asked(&emulator), [0x02; 3]);
}

#[test]
fn a_key_that_is_not_found_is_reported_with_the_searched_path() {
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    let elsewhere = SearchPaths::only("m/44'/60'/5'/0/0".parse().unwrap());
    let error = ledger.find(&elsewhere, &[OWNER]).unwrap_err().to_string();
    assert!(error.contains(&OWNER.to_string()) && error.contains("looked at m/44'/60'/5'/0/0"), "{error}");
    let forbidden: DerivationPath = "m/0".parse().unwrap();
    assert!(matches!(ledger.address_at(&forbidden), Err(DeviceError::Refused { .. })));
    // A path without any level to compute is asked for by itself.
    let hardened: DerivationPath = "m/44'/60'/0'".parse().unwrap();
    let recorded = address!("340d8879778d3D3Fec643D1736ebFd2bC5824662");
    assert_eq!(ledger.address_at(&hardened).unwrap(), recorded);
}
