use alloy::consensus::TxEnvelope;
use alloy::network::eip2718::Decodable2718;
use alloy::primitives::{Bytes, TxKind, U256, address, keccak256};
use alloy::rpc::types::AccessList;
use proptest::prelude::*;

use super::*;
use crate::device::{SigningMode, Signs};
use crate::safe::{Domain, Nonce, Operation, SafeId, SafeTx, SafeVersion, SignatureKind};

/// Source: the Web3 Secret Storage definition, "PBKDF2-SHA-256" and "Scrypt"; password "testpassword".
const PBKDF2: &str = r#"{
    "crypto" : {
        "cipher" : "aes-128-ctr",
        "cipherparams" : { "iv" : "6087dab2f9fdbbfaddc31a909735c1e6" },
        "ciphertext" : "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf" : "pbkdf2",
        "kdfparams" : {
            "c" : 262144,
            "dklen" : 32,
            "prf" : "hmac-sha256",
            "salt" : "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"
        },
        "mac" : "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"
    },
    "id" : "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version" : 3
}"#;
const SCRYPT: &str = r#"{
    "crypto" : {
        "cipher" : "aes-128-ctr",
        "cipherparams" : { "iv" : "83dbcc02d8ccb40e466191a123791e0e" },
        "ciphertext" : "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf" : "scrypt",
        "kdfparams" : {
            "dklen" : 32,
            "n" : 262144,
            "r" : 1,
            "p" : 8,
            "salt" : "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"
        },
        "mac" : "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"
    },
    "id" : "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version" : 3
}"#;
const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const OWNER: Address = address!("008aeeda4d805471df9b2a5b0f38a0c3bcba786b");

fn unlock(json: &str, password: &str) -> Result<Keystore, DeviceError> {
    Keystore::unlock(json, &Zeroizing::new(password.into()))
}

/// The definition's key under its password, stretched so little that a test may open it often.
fn light() -> String {
    let salt = [7; 32];
    let mut stretched = [0; 32];
    pbkdf2_hmac::<Sha256>(b"testpassword", &salt, 2, &mut stretched);
    let mut ciphertext = hex::decode(KEY).unwrap();
    Ctr128BE::<Aes128>::new_from_slices(&stretched[..16], &[9; 16]).unwrap().apply_keystream(&mut ciphertext);
    let mac = keccak256([&stretched[16..], &ciphertext].concat());
    PBKDF2
        .replace("262144", "2")
        .replace("ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd", &hex::encode(salt))
        .replace("6087dab2f9fdbbfaddc31a909735c1e6", &hex::encode([9; 16]))
        .replace(
            "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            &hex::encode(&ciphertext),
        )
        .replace("517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2", &hex::encode(mac))
}

fn refusal(json: &str) -> String {
    match unlock(json, "testpassword").unwrap_err() {
        DeviceError::BadKeystore(what) => what,
        other => panic!("{other}"),
    }
}

#[test]
fn the_definitions_examples_open() {
    for json in [PBKDF2, SCRYPT, &light().replace("crypto", "Crypto")] {
        let keystore = unlock(json, "testpassword").unwrap();
        assert_eq!(hex::encode(keystore.key.to_bytes()), KEY);
        assert_eq!(keystore.address(), OWNER);
        assert_eq!(format!("{keystore:?}"), format!("Keystore {{ address: {OWNER:?}, .. }}"));
    }
}

#[test]
fn a_wrong_password_is_not_a_broken_file() {
    let light = light();
    for password in ["", "testpasswore", "testpassword ", "TESTPASSWORD"] {
        assert!(matches!(unlock(&light, password), Err(DeviceError::WrongPassword)), "{password:?}");
    }
    let altered = light.replace("\"mac\" : \"", "\"mac\" : \"0x");
    assert!(unlock(&altered, "testpassword").is_ok(), "0x is not an alteration");
    for (from, to) in [('0', '1'), ('a', 'b')] {
        let at = light.find("ciphertext").unwrap() + 15;
        let altered = format!("{}{}", &light[..at], light[at..].replacen(from, &to.to_string(), 1));
        assert!(matches!(unlock(&altered, "testpassword"), Err(DeviceError::WrongPassword)));
    }
}

#[test]
fn a_broken_file_is_refused_before_any_work() {
    for (from, to, word) in [
        ("{", "[", "not JSON"),
        ("\"version\" : 3", "\"version\" : 1", "version 1"),
        ("\"version\" : 3", "\"v\" : 3", "no version"),
        ("\"crypto\"", "\"keys\"", "no \"crypto\""),
        ("aes-128-ctr", "aes-128-cbc", "\"aes-128-cbc\" is not supported"),
        ("\"pbkdf2\"", "\"argon2id\"", "\"argon2id\" is not supported"),
        ("hmac-sha256", "hmac-sha512", "\"hmac-sha512\" is not supported"),
        ("\"dklen\" : 32", "\"dklen\" : 16", "dklen is 16"),
        ("\"c\" : 262144", "\"c\" : 0", "between 1 and"),
        ("\"c\" : 262144", "\"c\" : 4294967296", "between 1 and"),
        ("\"c\" : 262144", "\"c\" : -1", "no whole number \"c\""),
        ("6087dab2", "", "\"iv\" has 12 bytes"),
        ("5318b4d5", "", "\"ciphertext\" has 28 bytes"),
        ("517ead92", "517ead9z", "\"mac\" is not hexadecimal"),
        ("\"salt\"", "\"pepper\"", "no text \"salt\""),
    ] {
        let what = refusal(&PBKDF2.replace(from, to));
        assert!(what.contains(word), "{what}");
    }
    let hungry = refusal(&SCRYPT.replace("262144", "1099511627776"));
    assert!(hungry.contains("1 GiB"), "{hungry}");
}

/// The address in a file is a claim: a swapped one would have the wrong person sign.
#[test]
fn a_stated_address_must_be_the_keys() {
    let stating = |a: &str| light().replace("\"version\"", &format!("\"address\": \"{a}\", \"version\""));
    assert!(unlock(&stating(&hex::encode(OWNER)), "testpassword").is_ok());
    assert!(unlock(&stating(""), "testpassword").is_ok());
    let what = refusal(&stating("00000000000000000000000000000000000000ff"));
    assert!(what.contains(&OWNER.to_string()) && what.contains("00ff"), "{what}");
}

/// If the path names a file that holds a bare key, the error does not show the key.
#[test]
fn a_bare_key_is_not_repeated() {
    for json in [KEY.to_string(), format!("\"{KEY}\""), format!("{{\"version\": \"{KEY}\"}}")] {
        assert!(!refusal(&json).contains(&KEY[..8]), "{json}");
    }
}

fn safe(version: SafeVersion) -> Domain {
    let address = address!("1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4");
    Domain::real(SafeId { chain_id: 1, address, version })
}

fn request<'a>(domain: &'a Domain, tx: &'a SafeTx, kind: SignatureKind) -> SigningRequest<'a> {
    SigningRequest { domain, signs: Signs::Tx(tx), owner: OWNER, kind, way: SigningMode::Fields }
}

fn pause() -> SafeTx {
    SafeTx::new(
        OWNER,
        U256::ZERO,
        Bytes::from_static(&[0x84, 0x56, 0xcb, 0x59]),
        Operation::Call,
        Nonce::from(7),
    )
}

#[test]
fn signs_as_the_owner_and_as_nobody_else() {
    let keystore = unlock(&light(), "testpassword").unwrap();
    let tx = pause();
    for version in SafeVersion::ALL {
        let safe = safe(version);
        let ecdsa = keystore.sign_safe_tx(&request(&safe, &tx, SignatureKind::Ecdsa)).unwrap();
        assert_eq!((ecdsa.signer(), ecdsa.kind()), (OWNER, SignatureKind::Ecdsa));
        let eth_sign = keystore.sign_safe_tx(&request(&safe, &tx, SignatureKind::EthSign));
        match version {
            SafeVersion::V1_0_0 => assert!(eth_sign.is_err()),
            _ => assert_eq!(eth_sign.unwrap().kind(), SignatureKind::EthSign),
        }
        assert!(keystore.sign_safe_tx(&request(&safe, &tx, SignatureKind::ApprovedHash)).is_err());
    }
    let safe = safe(SafeVersion::V1_4_1);
    let stranger = SigningRequest { owner: safe.safe().address, ..request(&safe, &tx, SignatureKind::Ecdsa) };
    let told = keystore.sign_safe_tx(&stranger).unwrap_err().to_string();
    assert!(told.contains(&OWNER.to_string()) && told.contains(&safe.safe().address.to_string()), "{told}");
}

#[test]
fn a_signed_transaction_reads_back() {
    let keystore = unlock(&light(), "testpassword").unwrap();
    let tx = TxEip1559 {
        chain_id: 1,
        nonce: 9,
        gas_limit: 100_000,
        max_fee_per_gas: 30_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(OWNER),
        value: U256::ZERO,
        access_list: AccessList::default(),
        input: pause().exec_calldata(Bytes::new()),
    };
    let raw = keystore.sign_transaction(&tx, OWNER).unwrap();
    let TxEnvelope::Eip1559(read) = TxEnvelope::decode_2718_exact(&raw).unwrap() else { panic!() };
    assert_eq!(read.tx(), &tx);
    assert_eq!(read.signature().recover_address_from_prehash(&tx.signature_hash()).unwrap(), OWNER);
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = unlock(&text, "x");
    }

    /// A file with any bytes at one place opens or gives an error. The costs are low so that the test is fast.
    #[test]
    fn no_altered_file_panics(at in 0usize..700, bytes in proptest::collection::vec(any::<u8>(), 0..6)) {
        let mut file = light().into_bytes();
        let at = at.min(file.len());
        let end = (at + bytes.len()).min(file.len());
        file.splice(at..end, bytes);
        let _ = unlock(&String::from_utf8_lossy(&file), "testpassword");
    }
}
