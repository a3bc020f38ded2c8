//! Any transaction of any Safe reaches the device whole.

use alloy::primitives::{Address, U256};
use breakglass::device::{DerivationPath, TypedData};
use breakglass::safe::{Domain, Nonce, Operation, SafeId, SafeTx, SafeVersion};
use proptest::prelude::*;

use crate::emulator::app::{App, Behaviour, Signed};
use crate::emulator::typed::Received;

fn any_word() -> impl Strategy<Value = U256> {
    prop_oneof![
        Just(U256::ZERO),
        Just(U256::ONE),
        Just(U256::from(255)),
        Just(U256::from(256)),
        Just(U256::MAX),
        Just(U256::ONE << 255),
        any::<u64>().prop_map(U256::from),
        any::<[u8; 32]>().prop_map(U256::from_be_bytes),
    ]
}

fn any_address() -> impl Strategy<Value = Address> {
    prop_oneof![
        Just(Address::ZERO),
        Just(Address::repeat_byte(0xff)),
        any::<[u8; 20]>().prop_map(Address::from)
    ]
}

fn any_data() -> impl Strategy<Value = Vec<u8>> {
    let lengths = prop_oneof![
        4 => 0usize..300,
        4 => 250usize..262,
        2 => 505usize..515,
        1 => 0usize..=20_000,
    ];
    (lengths, any::<u8>()).prop_map(|(length, seed)| {
        (0..length).map(|i| seed.wrapping_add(u8::try_from(i % 251).unwrap())).collect()
    })
}

prop_compose! {
    fn any_tx()(
        to in any_address(), value in any_word(), data in any_data(), delegate in any::<bool>(),
        gas in [any_word(), any_word(), any_word()], gas_token in any_address(),
        refund_receiver in any_address(), nonce in any_word(),
    ) -> SafeTx {
        let operation = if delegate { Operation::DelegateCall } else { Operation::Call };
        let [safe_tx_gas, base_gas, gas_price] = gas;
        SafeTx { to, value, data: data.into(), operation, safe_tx_gas, base_gas, gas_price, gas_token,
            refund_receiver, nonce: Nonce(nonce) }
    }
}

/// Returns the transaction as the strict device understood it.
fn received(safe: &SafeId, tx: &SafeTx) -> Received {
    let mut app = App::new(Behaviour::default());
    let path = DerivationPath::default();
    for command in TypedData::safe_tx(&Domain::real(*safe), tx).commands(&path).unwrap() {
        let answer = app.handle(&command.encode());
        assert_eq!(answer.word, 0x9000, "{command:?}");
    }
    let [Signed::Fields(received)] = &app.signed[..] else { panic!("{:?}", app.signed) };
    received.clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_transaction_is_reassembled_to_the_same_hashes(
        tx in any_tx(), chain_id in any::<u64>(), address in any_address(), version in 0usize..6,
    ) {
        let safe = SafeId { chain_id, address, version: SafeVersion::ALL[version] };
        let received = received(&safe, &tx);
        let hashes = safe.hashes(&tx);
        prop_assert_eq!(&received.domain_hash, hashes.domain.word());
        prop_assert_eq!(&received.message_hash, hashes.message.word());
        prop_assert_eq!(&received.digest(), hashes.safe_tx.word());
        prop_assert_eq!(received.number("value"), tx.value);
        prop_assert_eq!(received.number("nonce"), tx.nonce.0);
        prop_assert_eq!(received.number("operation"), U256::from(tx.operation.as_u8()));
        let (_, data) = received.fields.iter().find(|(key, _)| key == "data").unwrap();
        prop_assert_eq!(&data[..], &tx.data[..]);
    }

    /// The emulator answers every command and does not crash: a crash would hide a fault of ours.
    #[test]
    fn no_command_breaks_the_emulator(commands in proptest::collection::vec(
        (0usize..8, any::<u8>(), any::<u8>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..12,
    )) {
        let mut app = App::new(Behaviour::default());
        for (instruction, p1, p2, data) in commands {
            let instruction = [0x02, 0x04, 0x06, 0x08, 0x0c, 0x1a, 0x1c, 0x7f][instruction];
            let length = u8::try_from(data.len()).unwrap();
            app.handle(&[&[0xe0, instruction, p1, p2, length], &data[..]].concat());
        }
    }
}

/// The lengths where clients are known to lose a byte, one by one.
#[test]
fn no_byte_is_lost_where_commands_are_split() {
    let safe = SafeId { chain_id: 1, address: Address::ZERO, version: SafeVersion::V1_4_1 };
    for length in (0..=2).chain(250..=260).chain(505..=515).chain([20_000, 65_535]) {
        let data: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let tx = SafeTx::new(Address::ZERO, U256::ZERO, data.into(), Operation::Call, Nonce::from(0));
        assert_eq!(&received(&safe, &tx).message_hash, safe.hashes(&tx).message.word(), "{length}");
    }
}
