//! Signatures as lines and as texts of other tools, found in the text of a chat.

use proptest::prelude::*;

use super::*;

#[test]
fn a_line_survives_a_chat() {
    let proposal = proposal(42);
    let signature = signed(1, &proposal);
    for line in both_lines(&signature) {
        survives_a_chat(&line, &signature, &proposal);
    }
    let file = only(&find_signatures(&signature.to_json()));
    assert_eq!(file.claims, None, "a file of an owner's own signature says no more");
    assert!(signature.to_json().contains("\"breakglass_signature\": 1"), "earlier programs read it");
    assert_eq!(OwnerSignature::verify(&file, &proposal, &owners()), Ok(signature));
}

fn survives_a_chat(line: &str, signature: &OwnerSignature, proposal: &Proposal) {
    let (a, b) = line.split_at(60);
    let (b, c) = b.split_at(57);
    let folded = |at: usize, fold: &str| {
        let chars: Vec<char> = line.chars().collect();
        chars.chunks(at).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join(fold)
    };
    let chats = [
        line.to_string(),
        format!("[12:03] alice: here you go {line} good luck"),
        format!("> {a}\n> {b}\n> {c}"),
        format!("`{line}`"),
        format!("{a}\r\n   {b}\u{200b}{c}\r\n"),
        line.to_uppercase(),
        line.replacen('b', "B", 1),
        format!("{line}\n{line}"),
        format!("“{line}” — good luck"),
        format!("*{line}* _{line}_ ~~{line}~~ ||{line}||"),
        format!("```\n{line}\n```"),
        folded(76, "=\r\n"),
        folded(72, "\n> > "),
        folded(30, "\n"),
        folded(1, " "),
        format!("{line}qqqq the end"),
    ];
    for chat in chats {
        let stated = only(&find_signatures(&chat));
        assert_eq!(OwnerSignature::verify(&stated, proposal, &owners()).as_ref(), Ok(signature), "{chat}");
    }
}

/// A chat inserts only a few characters into a line. With more between two characters, they belong to different texts.
#[test]
fn noise_inside_of_a_signature_is_bounded() {
    let proposal = proposal(42);
    let found = |text: &str, at: usize, noise: usize| {
        let finds = find_signatures(&format!("{}{}{}", &text[..at], " ".repeat(noise), &text[at..]));
        finds.stated.len() + finds.bare.len()
    };
    let line = signed(1, &proposal).line(&claims());
    let data = line.len() - "bgsig2".len();
    let bare = alloy::primitives::hex::encode(raw(1, &proposal, SignatureKind::Ecdsa));
    for (text, at, most) in [(&line, 3, 12), (&line, 60, data + 400), (&bare, 60, bare.len() + 400)] {
        assert_eq!([found(text, at, most), found(text, at, most + 1)], [1, 0], "{at} of {text}");
    }
}

/// The length of a signature is exact: more digits mean something else.
#[test]
fn a_signature_followed_by_a_letter_is_not_a_signature() {
    let proposal = proposal(42);
    let [first, second] = [1, 2].map(|seed| raw(seed, &proposal, SignatureKind::Ecdsa));
    let [bare, good] = [first, second].map(alloy::primitives::hex::encode);
    let folded = format!("{}\n{}", &bare[..64], &bare[64..]);
    let found = |text: &str| find_signatures(text).bare.iter().map(|one| one.bytes).collect::<Vec<_>>();
    for text in [&bare, &folded] {
        assert_eq!(found(&format!("{text} {good}")), [first, second]);
        for behind in ["z", "a", "0"] {
            assert_eq!(found(&format!("{text}{behind} {good}")), [second], "{text}{behind}");
        }
    }
}

#[test]
fn a_cut_or_mistyped_line_is_an_error_and_not_another_signature() {
    let proposal = proposal(42);
    for line in both_lines(&signed(1, &proposal)) {
        let mut mistyped = line.clone().into_bytes();
        mistyped[70] = if mistyped[70] == b'q' { b'p' } else { b'q' };
        let texts = [&line[..100], &line[..8], &String::from_utf8(mistyped).unwrap()].map(String::from);
        for text in texts {
            let found = find_signatures(&text);
            assert!(
                found.damaged.count() == 1 && found.stated.is_empty() && found.bare.is_empty(),
                "{found:?}"
            );
        }
        // A damaged line does not swallow the good one behind it.
        let both = format!("{}\n{line}", &line[..100]);
        assert_eq!(find_signatures(&both).stated.len(), 1);
    }
}

#[test]
fn a_line_says_what_it_is_for() {
    let signature = signed(1, &proposal(42));
    let [first, second] = both_lines(&signature);
    assert_eq!(only(&find_signatures(&first)).claims, None);
    let stated = only(&find_signatures(&second));
    assert_eq!(stated.claims, Some(claims()));
    let of_hash = |claims| Stated { claims, ..stated.clone() };
    let lying = of_hash(Some(Claims { levers: vec!["bridge".into()], ..Claims::default() }));
    assert_eq!(
        OwnerSignature::verify(&lying, &proposal(42), &owners()),
        Ok(signature),
        "a claim never counts"
    );
    let mut writer = line::Writer::default();
    writer.add(1, proposal(42).hash().word().as_slice());
    writer.add(2, &stated.bytes);
    for (kind, purpose) in
        [(line::LineKind::Drill, Purpose::Drill), (line::LineKind::Signature, Purpose::Real)]
    {
        assert_eq!(only(&find_signatures(&writer.line(kind))).purpose, Some(purpose));
    }
    writer.add(3, b"of a newer version, and it counts");
    let newer = find_signatures(&writer.line(line::LineKind::Signature));
    assert!(newer.stated.is_empty() && newer.damaged.first()[0].why.contains("newer"), "{newer:?}");
}

#[test]
fn other_tools_signatures_are_recognised_by_their_signer() {
    let proposal = proposal(42);
    let bytes = raw(2, &proposal, SignatureKind::Ecdsa);
    let hex = alloy::primitives::hex::encode(bytes);
    let mut zero = bytes;
    zero[64] -= 27;
    // The shape of eip712sign's output: github.com/base/eip712sign, main.go
    let eip712sign = format!(
        "Domain hash: {}\nMessage hash: {}\nSigning as: 0x00\n\nData: 0x1901{}{}\nSigner: {}\nSignature: {hex}\n",
        proposal.hashes().domain,
        proposal.hashes().message,
        "11".repeat(32),
        "22".repeat(32),
        address(2),
    );
    let personal = alloy::primitives::hex::encode_prefixed(raw(2, &proposal, SignatureKind::EthSign));
    for text in [
        format!("0x{hex}"),
        hex.to_uppercase(),
        alloy::primitives::hex::encode(zero),
        format!("0x{}\n{}", &hex[..64], &hex[64..]),
        eip712sign,
        personal,
    ] {
        let stated = only(&find_signatures(&text));
        let verified = OwnerSignature::verify(&stated, &proposal, &owners()).unwrap();
        assert_eq!(verified.owner(), address(2), "{text}");
    }
}

#[test]
fn addresses_and_hashes_in_a_chat_are_not_signatures() {
    let text = format!("{} {} 0x{} {}", address(1), proposal(1).hash(), "ab".repeat(66), "cd".repeat(64));
    let found = find_signatures(&text);
    assert!(found.bare.is_empty() && found.stated.is_empty() && found.damaged.is_empty(), "{found:?}");
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), at in any::<prop::sample::Index>()) {
        let _ = find_signatures(&text);
        let _ = Proposal::parse(&text);
        for line in both_lines(&signed(1, &proposal(1))) {
            let cut = at.index(line.len());
            let _ = find_signatures(&format!("{}{text}{}", &line[..cut], &line[cut..]));
        }
    }

    #[test]
    fn an_altered_line_never_becomes_another_signature(at in 6usize..250, with in 0usize..32, nth in 0usize..2) {
        let proposal = proposal(42);
        let good = signed(1, &proposal);
        let mut line = both_lines(&good)[nth].clone().into_bytes();
        prop_assume!(at < line.len());
        line[at] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"[with];
        for stated in find_signatures(&String::from_utf8(line).unwrap()).stated {
            prop_assert_eq!(stated.bytes, *good.ecdsa().bytes());
        }
    }
}
