//! Any answer of a device, or of a program that poses as one: it is read without a panic, and only if it is well formed.

use breakglass::device::{
    AppInfo, Configuration, Reply, StatusWord, read_address, read_message_signature,
    read_transaction_signature,
};

pub fn check(bytes: &[u8]) {
    let Some(Reply { data, status }) = Reply::read(bytes) else {
        assert!(bytes.len() < 2);
        return;
    };
    let StatusWord(word) = status;
    assert_eq!([&data[..], &word.to_be_bytes()].concat(), bytes);
    if let Some(info) = AppInfo::read(&data) {
        let text = |text: &str| {
            assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)), "{text:?} would reach the screen");
            [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
        };
        // A Nano X has a second name for its dashboard, with a byte that is not text.
        let other = b"\x05OLOS\0";
        let name = if info.name == "BOLOS" && data[1..].starts_with(other) {
            other.to_vec()
        } else {
            text(&info.name)
        };
        assert!(data.starts_with(&[vec![1], name, text(&info.version)].concat()));
        if let Some(version) = info.parsed_version() {
            let again = AppInfo { version: version.to_string(), ..info };
            assert_eq!(again.parsed_version(), Some(version));
        }
    }
    if let Some(address) = read_address(&data) {
        assert_eq!(data[0], 65);
        assert_eq!(alloy::primitives::Address::from_raw_public_key(&data[2..66]), address);
    }
    assert!(Configuration::read(&data).is_none() || data.len() == 4);
    if let Some(signature) = read_message_signature(&data) {
        assert_eq!([&signature[64..], &signature[..64]].concat(), data);
    }
    if let Some(signature) = read_transaction_signature(&data) {
        assert_eq!(signature.as_bytes()[..64], data[1..]);
        assert_eq!(u8::from(signature.v()), data[0]);
    }
}
