//! Off-chain messages of a Safe: `SafeMessage(bytes message)` in the Safe's own domain, both ways, every version.

use alloy::primitives::{Address, B256, Bytes, U256, address};
use alloy::sol_types::{Eip712Domain, SolStruct};
use breakglass::device::{DerivationPath, DeviceError, SigningMode, SigningRequest, Signs, TypedData};
use breakglass::safe::{Domain, SafeId, SafeVersion, SignatureKind};
use proptest::prelude::*;

use crate::emulator::Emulator;
use crate::emulator::app::{App, Behaviour, Open, Reject, Signed};
use crate::open;

const OWNER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

alloy::sol! {
    struct SafeMessage { bytes message; }
}

fn safe(version: SafeVersion) -> SafeId {
    SafeId { chain_id: 1, address: Address::repeat_byte(0x5a), version }
}

/// alloy's own EIP-712, as an independent second opinion.
fn hash(safe: &SafeId, message: &Bytes) -> B256 {
    let chain_id = safe.version.domain_has_chain_id().then(|| U256::from(safe.chain_id));
    let domain = Eip712Domain { chain_id, verifying_contract: Some(safe.address), ..Eip712Domain::default() };
    SafeMessage { message: message.clone() }.eip712_signing_hash(&domain)
}

fn request<'m>(
    domain: &'m Domain,
    message: &'m Bytes,
    owner: Address,
    way: SigningMode,
) -> SigningRequest<'m> {
    SigningRequest { domain, signs: Signs::Message(message), owner, kind: SignatureKind::Ecdsa, way }
}

#[test]
fn a_message_is_signed_field_by_field_for_every_version() {
    let message = Bytes::from_static(b"we hold these keys");
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    for (i, version) in SafeVersion::ALL.into_iter().enumerate() {
        let made = ledger
            .sign_safe_tx(&request(&Domain::real(safe(version)), &message, OWNER, SigningMode::Fields))
            .unwrap();
        assert_eq!(made.signer(), OWNER);
        let signed = emulator.signed();
        let Signed::Fields(received) = &signed[i] else { panic!("{:?}", signed[i]) };
        assert_eq!(received.digest(), hash(&safe(version), &message), "{version}");
        assert_eq!(received.primary, "SafeMessage");
        assert_eq!(received.fields, [("message".to_string(), message.to_vec())]);
    }
    assert!(emulator.faults().is_empty(), "{:?}", emulator.faults());
}

#[test]
fn a_message_is_signed_by_its_hashes_for_every_version() {
    let message = Bytes::from_static(b"we hold these keys");
    for open_app in [Open::Ethereum([1, 22, 0]), Open::Ethereum([1, 9, 18])] {
        let behaviour = Behaviour { blind_signing: true, open: open_app, ..Behaviour::default() };
        let emulator = Emulator::start(behaviour);
        let mut ledger = open(&emulator);
        for version in SafeVersion::ALL {
            let made = ledger
                .sign_safe_tx(&request(&Domain::real(safe(version)), &message, OWNER, SigningMode::Hashes))
                .unwrap();
            assert_eq!(made.signer(), OWNER);
            let last = emulator.signed().pop();
            assert_eq!(last, Some(Signed::Hashes(hash(&safe(version), &message))), "{version}");
        }
    }
}

#[test]
fn a_message_that_is_not_approved_is_not_signed() {
    let message = Bytes::from_static(b"no");
    let domain = Domain::real(safe(SafeVersion::V1_4_1));
    let emulator = Emulator::start(Behaviour::default());
    let mut ledger = open(&emulator);
    for (change, refused) in [
        (
            (|d| d.reject = Some(Reject::Warning)) as fn(&mut Behaviour),
            (|e| matches!(e, DeviceError::Rejected)) as fn(&DeviceError) -> bool,
        ),
        (|d| d.reject = Some(Reject::End), |e| matches!(e, DeviceError::Rejected)),
        (|d| d.raw_messages = false, |e| matches!(e, DeviceError::RawMessagesOff)),
        (|d| d.wrong_key = true, |e| matches!(e, DeviceError::WrongSigner { .. })),
    ] {
        emulator.change(|device| {
            *device = Behaviour::default();
            change(device);
        });
        let error = ledger.sign_safe_tx(&request(&domain, &message, OWNER, SigningMode::Fields)).unwrap_err();
        assert!(refused(&error), "{error}");
    }
    let stranger = Address::repeat_byte(7);
    let error = ledger.sign_safe_tx(&request(&domain, &message, stranger, SigningMode::Fields)).unwrap_err();
    assert!(matches!(error, DeviceError::NoOwner { .. }), "{error}");
}

proptest! {
    #[test]
    fn any_message_is_reassembled_to_the_same_hash(
        length in prop_oneof![0usize..300, 250usize..262, 0usize..20_000],
        seed in any::<u8>(), chain_id in any::<u64>(), version in 0usize..6,
    ) {
        let message: Bytes = (0..length).map(|i| seed.wrapping_add(u8::try_from(i % 251).unwrap())).collect();
        let safe = SafeId { chain_id, ..safe(SafeVersion::ALL[version]) };
        let mut app = App::new(Behaviour::default());
        for command in TypedData::safe_message(&Domain::real(safe), &message).commands(&DerivationPath::default()).unwrap() {
            prop_assert_eq!(app.handle(&command.encode()).word, 0x9000);
        }
        let [Signed::Fields(received)] = &app.signed[..] else { panic!("{:?}", app.signed) };
        prop_assert_eq!(received.digest(), hash(&safe, &message));
    }
}
