//! Every recorded exchange, three times: the emulator answers as the real app did, the program sends what was sent and
//! gets the same signature, and the screens are those that were shown.

use alloy::consensus::TxEip1559;
use alloy::hex;
use alloy::primitives::{Address, TxKind, U256};
use alloy::rpc::types::AccessList;
use breakglass::device::{
    Ledger, Page, Pages, SearchPaths, SigningMode, SigningRequest, Signs, address_pages, safe_tx_pages,
    transaction_pages,
};
use breakglass::safe::{Domain, SafeTx, SignatureKind};

use crate::emulator::Emulator;
use crate::emulator::app::{App, Behaviour, Open, Reject};
use crate::emulator::rlp::transaction_fields;
use crate::vectors::{Row, row, rows};

fn behaviour(row: &Row) -> Behaviour {
    let open = match row.app() {
        "Ethereum 1.9.18" => Open::Ethereum([1, 9, 18]),
        app if app.starts_with("Ethereum") => Open::Ethereum([1, 22, 0]),
        _ => Open::Other("Bitcoin Test"),
    };
    let rejects = |point: &str| row.name().contains(point);
    Behaviour {
        open,
        blind_signing: row.setting("blind_signing"),
        raw_messages: row.setting("raw_messages"),
        locked_for: usize::from(row.name().starts_with("locked")),
        reject: match () {
            () if rejects("rejected at warning") => Some(Reject::Warning),
            () if rejects("rejected") => Some(Reject::End),
            () => None,
        },
        ..Behaviour::default()
    }
}

/// The commands that a client had sent before the rows that begin with an unfinished flow: up to the second struct's name.
fn left_unfinished() -> Vec<Vec<u8>> {
    let whole = row("eip712 full ETH transfer approved, blind on").exchanges();
    whole.into_iter().map(|(command, _)| command).take(18).collect()
}

#[test]
fn the_emulator_answers_as_the_real_app() {
    let mut tried = 0;
    for row in rows() {
        if row.app().starts_with("Boilerplate") {
            continue; // a third app, whose words differ from Bitcoin's
        }
        let mut app = App::new(behaviour(&row));
        let name = row.name();
        if name.contains("left unfinished") || name.contains("unfinished flow") || name.contains("retried") {
            for command in left_unfinished() {
                app.handle(&command);
            }
            if name.contains("retried") {
                app.handle(&row.exchanges()[0].0);
            }
        }
        for (command, recorded) in row.exchanges() {
            let answer = app.handle(&command);
            // Some errors carry garbage before the status word.
            let recorded =
                if recorded.ends_with(&[0x90, 0]) { &recorded } else { &recorded[recorded.len() - 2..] };
            assert_eq!(answer.to_string(), hex::encode(recorded), "{name}: {}", hex::encode(&command));
        }
        tried += 1;
    }
    assert_eq!(tried, 111);
}

fn request<'a>(row: &Row, domain: &'a Domain, signs: Signs<'a>, way: SigningMode) -> SigningRequest<'a> {
    SigningRequest { domain, signs, owner: row.signer(), kind: SignatureKind::Ecdsa, way }
}

fn way(row: &Row) -> SigningMode {
    if row.name().contains(" v0") { SigningMode::Hashes } else { SigningMode::Fields }
}

fn connect(emulator: &Emulator, row: &Row) -> Ledger {
    let mut ledger = crate::open(emulator);
    ledger.find(&SearchPaths::only(row.path()), &[row.signer()]).unwrap();
    emulator.forget_commands();
    ledger
}

/// The commands after the one that asks for the app's name.
fn sent(emulator: &Emulator) -> Vec<Vec<u8>> {
    let commands = emulator.commands();
    assert_eq!(commands[0], [0xb0, 1, 0, 0, 0]);
    commands[1..].to_vec()
}

#[test]
fn every_recorded_signature_is_made_again_with_the_same_commands() {
    let mut tried = 0;
    for row in rows().iter().filter(|row| row.expected("r").is_some()) {
        let emulator = Emulator::start(behaviour(row));
        let mut ledger = connect(&emulator, row);
        let (r, s) = (row.expected("r").unwrap(), row.expected("s").unwrap());
        match row.primary_type() {
            Some("SafeTx") => {
                let (domain, tx) = (row.domain(), row.safe_tx());
                let hashes = domain.hashes(&tx);
                assert_eq!(hashes.domain.word()[..], row.expected("domain_hash").unwrap());
                assert_eq!(hashes.message.word()[..], row.expected("message_hash").unwrap());
                assert_eq!(hashes.safe_tx.word()[..], row.expected("digest").unwrap());
                let made = ledger.sign_safe_tx(&request(row, &domain, Signs::Tx(&tx), way(row))).unwrap();
                assert_eq!(made.bytes()[..64], [r, s].concat(), "{}", row.name());
            }
            Some(_) => {
                let (domain, message) = (row.domain(), row.safe_message());
                let made =
                    ledger.sign_safe_tx(&request(row, &domain, Signs::Message(&message), way(row))).unwrap();
                assert_eq!(made.bytes()[..64], [r, s].concat(), "{}", row.name());
            }
            None if row.name().contains("eip1559") => {
                let raw = ledger.sign_transaction(&eip1559(row), row.signer()).unwrap();
                assert!(raw.windows(32).any(|w| w == r) && raw.windows(32).any(|w| w == s), "{}", row.name());
            }
            // Legacy transactions and texts: the program signs none, the emulator has answered them above.
            None => continue,
        }
        let recorded: Vec<_> = row.exchanges().into_iter().map(|(command, _)| command).collect();
        // Integers of other widths sign alike; the program sends them minimal.
        if !(row.name().contains("padded") || row.name().contains("sent as empty")) {
            assert_eq!(sent(&emulator), recorded, "{}", row.name());
        }
        assert!(sent(&emulator).len() <= 29, "{}", row.name());
        tried += 1;
    }
    assert_eq!(tried, 25);
}

/// The transaction in a row's commands.
fn eip1559(row: &Row) -> TxEip1559 {
    let mut payload: Vec<u8> =
        row.exchanges().iter().flat_map(|(command, _)| command[5..].to_vec()).collect();
    payload.drain(..row.path().encode().len());
    let fields = transaction_fields(&payload).unwrap();
    let number = |i: usize| U256::from_be_slice(fields[i]);
    TxEip1559 {
        chain_id: number(0).to(),
        nonce: number(1).to(),
        max_priority_fee_per_gas: number(2).to(),
        max_fee_per_gas: number(3).to(),
        gas_limit: number(4).to(),
        to: TxKind::Call(Address::from_slice(fields[5])),
        value: number(6),
        input: fields[7].to_vec().into(),
        access_list: AccessList::default(),
    }
}

/// The safeTxHash that the recorded personal messages sign is that of this transaction.
fn signed_as_message() -> (Domain, SafeTx) {
    let row = row("eip712 v0 ETH transfer approved");
    (row.domain(), row.safe_tx())
}

fn personal_request<'a>(domain: &'a Domain, tx: &'a SafeTx) -> SigningRequest<'a> {
    let owner = row("eip712 v0 ETH transfer approved").signer();
    SigningRequest {
        domain,
        signs: Signs::Tx(tx),
        owner,
        kind: SignatureKind::EthSign,
        way: SigningMode::Fields,
    }
}

fn personal_pages(row: &Row) -> Pages {
    let (domain, tx) = signed_as_message();
    safe_tx_pages(&row.status(), row.settings(), &personal_request(&domain, &tx))
}

#[test]
fn an_eth_sign_signature_is_the_personal_message_with_v_plus_four() {
    for name in ["personal_sign 32-byte hash approved", "nanox personal_sign 32-byte hash approved"] {
        let row = row(name);
        let recorded = row.exchanges();
        let (command, answer) = &recorded[0];
        let (domain, tx) = signed_as_message();
        assert!(command.ends_with(domain.hashes(&tx).safe_tx.word().as_slice()));
        let emulator = Emulator::start(behaviour(&row));
        let mut ledger = connect(&emulator, &row);
        let request = personal_request(&domain, &tx);
        let made = ledger.sign_safe_tx(&request).unwrap();
        assert_eq!(sent(&emulator), std::slice::from_ref(command));
        assert_eq!((made.bytes()[..64].to_vec(), made.bytes()[64]), (answer[1..65].to_vec(), answer[0] + 4));
    }
}

fn lines(pages: &[Page]) -> Vec<Vec<String>> {
    pages.iter().map(|page| page.texts().into_iter().map(String::from).collect()).collect()
}

/// The predicted pages come first; what follows is what the device says to the person's choice.
#[test]
fn every_recorded_screen_was_predicted() {
    let mut tried = 0;
    for row in rows() {
        let screens = row.screens();
        if screens.is_empty()
            || screens[0][0].starts_with("Blind signing must")
            || screens[0][0] == "Error (1/2)"
        {
            continue; // the settings forbid it, and the device says so
        }
        let (status, name) = (row.status(), row.name());
        let settings = row.settings();
        let predicted = match row.primary_type() {
            Some("SafeTx") => safe_tx_pages(
                &status,
                settings,
                &request(&row, &row.domain(), Signs::Tx(&row.safe_tx()), way(&row)),
            ),
            Some(_) => {
                let (domain, message) = (row.domain(), row.safe_message());
                safe_tx_pages(&status, settings, &request(&row, &domain, Signs::Message(&message), way(&row)))
            }
            None if name.contains("personal_sign 32-byte") => personal_pages(&row),
            None if name.contains("get_address") && !name.contains("137") => {
                address_pages(&status, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap())
            }
            None if name.contains("eip1559") && !name.contains("erc20") => {
                transaction_pages(&status, settings, row.signer(), &eip1559(&row))
            }
            // Legacy transactions, transfers of tokens, texts, other chains' addresses: the program asks for none.
            None => continue,
        };
        let predicted_lines = lines(&predicted.all);
        if name.contains("rejected at warning") {
            assert_eq!(screens[0], predicted_lines[0], "{name}");
        } else {
            assert_eq!(screens[..predicted_lines.len()], predicted_lines, "{name}");
            assert!(screens.len() <= predicted_lines.len() + 2, "{name}");
        }
        assert!(predicted.recorded, "{name}");
        tried += 1;
    }
    assert_eq!(tried, 47);
}
