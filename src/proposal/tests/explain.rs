//! The explanations of a signature that fits nothing, in the words that its reader sees.

use alloy::primitives::keccak256;

use super::*;
use crate::council::Pull;

/// The reader's own transactions: the vault at nonces 41 to 52, a fee of 50 and one of 40 at nonce 42, and the bridge.
fn around() -> Vec<Candidate> {
    let named = |seed: u8, title: &str, nonce: u64, args: &[(&str, &str)]| Candidate {
        hash: SafeTxHash::claimed(keccak256([seed, u8::try_from(nonce).unwrap()])),
        pulled: Pulled { pull: Pull::lever(title, false), playbooks: Vec::new() },
        nonce: Nonce::from(nonce),
        args: args.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        version: SafeVersion::V1_4_1,
        purpose: Purpose::Real,
    };
    let mut all: Vec<Candidate> = (41..=52).map(|nonce| named(1, "vault", nonce, &[])).collect();
    all.extend((41..=52).map(|nonce| named(2, "bridge", nonce, &[])));
    all.push(named(3, "fee", 42, &[("fee", "40 bps")]));
    all.push(named(4, "fee", 42, &[("fee", "50 bps")]));
    all
}

fn is(title: &'static str, nonce: u64) -> impl Fn(&&Candidate) -> bool {
    move |c| c.pulled.title() == title && c.nonce == Nonce::from(nonce)
}

/// A signature by a key over a hash, that states `states`.
fn stated(seed: u8, signs: SafeTxHash, states: Option<SafeTxHash>, claims: Option<Claims>) -> Stated {
    let bytes = sign(seed, signs.word()).as_bytes();
    Stated { hash: states, purpose: states.map(|_| Purpose::Real), bytes, accepted: Vec::new(), claims }
}

fn said_of(stated: &Stated, wanted: &Candidate) -> String {
    let (around, owners) = (around(), owners());
    let own = ExplainContext {
        wanted: wanted.clone(),
        approve_as: &[],
        around: &around,
        owners: &owners,
        safes: &[(1, Address::repeat_byte(5))],
        levers: &["vault", "bridge", "fee", "freeze"],
        council: ShortDigest::from(PlaybookDigest::of("mine")),
        playbooks: &[ShortDigest::from(PlaybookDigest::of("own playbook"))],
    };
    let explanation = explain(stated, &own);
    let names = [(address(1), "alice"), (address(2), "bob")];
    let who = names.iter().find(|(signer, _)| Some(*signer) == explanation.signer);
    explanation.sentence(who.map_or("a stranger", |(_, name)| name))
}

fn claiming(levers: &[&str], nonce: u64) -> Claims {
    Claims {
        chain_id: Some(1),
        safe: Some(Address::repeat_byte(5)),
        nonce: Some(Nonce::from(nonce)),
        levers: levers.iter().map(ToString::to_string).collect(),
        council: Some(ShortDigest::from(PlaybookDigest::of("mine"))),
        playbooks: vec![ShortDigest::from(PlaybookDigest::of("own playbook"))],
        program: Some("0.1.0".into()),
        ..Claims::default()
    }
}

/// The reader's own files give the transaction, so no claim is needed.
#[test]
fn a_signature_that_fits_the_readers_own_lever_is_explained_by_it() {
    let all = around();
    let find = |title, nonce| all.iter().find(is(title, nonce)).unwrap();
    let vault = find("vault", 42);
    for claims in [None, Some(claiming(&["freeze"], 9))] {
        let of = |c: &Candidate, states| stated(1, c.hash, states, claims.clone());
        let bridge = find("bridge", 42);
        let said = said_of(&of(bridge, Some(bridge.hash)), vault);
        assert_eq!(said, "alice signed bridge at nonce 42, not vault");
        let later = find("vault", 44);
        assert_eq!(
            said_of(&of(later, Some(later.hash)), vault),
            "alice signed vault at nonce 44, not at nonce 42"
        );
        // Bare, or with a hash that it does not sign: whose signature it is decides.
        for states in [None, Some(vault.hash), Some(SafeTxHash::claimed(B256::ZERO))] {
            assert_eq!(said_of(&of(bridge, states), vault), "alice signed bridge at nonce 42, not vault");
        }
    }
    let [forty, fifty] = [0, 1].map(|n| all.iter().filter(is("fee", 42)).nth(n).unwrap());
    let said = said_of(&stated(2, forty.hash, Some(forty.hash), None), fifty);
    assert_eq!(said, "bob signed fee with fee = 40 bps, you have fee = 50 bps");
    let bridge = find("bridge", 42);
    let said = said_of(&stated(1, bridge.hash, None, None), fifty);
    assert_eq!(
        said, "alice signed bridge at nonce 42, not fee",
        "arguments of another lever explain nothing"
    );
}

/// Two acts with the same title are different.
#[test]
fn levers_are_compared_by_value_and_not_by_their_title() {
    let all = around();
    let vault = all.iter().find(is("vault", 42)).unwrap();
    let undo = Candidate {
        pulled: Pulled { pull: Pull::lever("vault", true), ..vault.pulled.clone() },
        ..vault.clone()
    };
    let named = Candidate {
        pulled: Pulled { pull: Pull::lever("the undo of vault", false), ..vault.pulled.clone() },
        args: vec![("fee".into(), "40 bps".into())],
        ..vault.clone()
    };
    let other = SafeTxHash::claimed(B256::repeat_byte(7));
    let claims = Claims { args: named.args.clone(), ..claiming(&["the undo of vault"], 42) };
    let levers = ["the undo of vault"];
    let (around, owners) = ([named.clone()], owners());
    let own = ExplainContext {
        wanted: undo,
        approve_as: &[],
        around: &around,
        owners: &owners,
        safes: &[(1, Address::repeat_byte(5))],
        levers: &levers,
        council: ShortDigest::from(PlaybookDigest::of("mine")),
        playbooks: &[],
    };
    let by_key = explain(&stated(1, named.hash, None, None), &own).signed_for;
    assert!(matches!(by_key, SignedFor::OtherLevers { .. }), "{by_key:?}");
    let by_claim = explain(&stated(1, other, Some(other), Some(claims)), &own).signed_for;
    assert!(matches!(by_claim, SignedFor::Claimed { .. }), "{by_claim:?}");
    let later =
        [Candidate { nonce: Nonce::from(43), args: named.args.clone(), hash: other, ..vault.clone() }];
    let own = ExplainContext { wanted: vault.clone(), around: &later, ..own };
    let by_key = explain(&stated(1, other, None, None), &own).signed_for;
    assert!(matches!(by_key, SignedFor::OtherNonce { .. }), "whatever its arguments are: {by_key:?}");
}

#[test]
fn a_claim_of_the_line_is_called_a_claim_and_the_likeliest_cause_is_first() {
    let other = SafeTxHash::claimed(B256::repeat_byte(7));
    let all = around();
    let vault = all.iter().find(is("vault", 42)).unwrap();
    let said = |claims: Claims| said_of(&stated(1, other, Some(other), Some(claims)), vault);
    let [own, theirs] = ["mine", "theirs"].map(|text| ShortDigest::from(PlaybookDigest::of(text)));
    let other_council = Claims { council: Some(theirs), ..claiming(&["vault"], 42) };
    let expected = format!("alice signed from council file {theirs}, yours is {own}: pull");
    assert!(said(other_council).starts_with(&expected));
    let elsewhere =
        Claims { safe: Some(Address::repeat_byte(6)), council: Some(theirs), ..claiming(&["vault"], 42) };
    assert!(said(elsewhere).contains("your council file does not have it"));
    assert!(
        said(claiming(&["moat"], 42))
            .contains("signed moat, as the line says, and your council file does not have it")
    );
    let fee = Claims { args: vec![("fee".into(), "40".into())], ..claiming(&["vault"], 42) };
    assert_eq!(said(fee), "alice signed vault with fee = 40, you have nothing of that, as the line says");
    let elsewhere = Claims { args: vec![("fee".into(), "40".into())], ..claiming(&["bridge"], 42) };
    assert!(said(elsewhere).ends_with("the line of breakglass 0.1.0 says bridge at nonce 42"));
    let text = Claims { playbooks: vec![theirs], ..claiming(&["vault"], 42) };
    assert!(said(text).contains("with another text of its playbook"));
    let expected = "alice signed a transaction that is none of yours; the line of breakglass 0.1.0 says freeze without bridge at nonce 99";
    assert_eq!(said(Claims { without: vec!["bridge".into()], ..claiming(&["freeze"], 99) }), expected);
    let plain = |claims| said_of(&stated(1, other, Some(other), claims), vault);
    let unknown = format!("alice signed a transaction that is none of yours, {other}");
    assert_eq!([plain(None), plain(Some(Claims::default()))], [unknown.clone(), unknown]);
    assert!(
        said_of(&stated(9, other, Some(other), None), vault)
            .starts_with("a stranger signed a transaction that is none")
    );
}

/// Names and values of a line are a stranger's text and must not look like the program's own.
#[test]
fn a_strangers_words_stand_in_quotation_marks_and_are_short() {
    let other = SafeTxHash::claimed(B256::repeat_byte(7));
    let all = around();
    let vault = all.iter().find(is("vault", 42)).unwrap();
    let said = |claims: Claims| said_of(&stated(1, other, Some(other), Some(claims)), vault);
    let hostile = "vault\n✓ matches: your playbook";
    let said_lever = said(claiming(&[hostile], 42));
    assert!(said_lever.contains(r#"signed "vault\n✓ matches: your playbook""#), "{said_lever}");
    let spelt = |title: &str| said(claiming(&[title], 42));
    let [eighty, more] = [80, 81].map(|length| "a".repeat(length));
    assert!(spelt(&eighty).contains(&format!("signed {eighty}, as")), "{}", spelt(&eighty));
    assert!(spelt(&more).contains(&format!("signed \"{eighty}…\"")), "{}", spelt(&more));
    assert!(spelt(" vault").contains("signed \" vault\""), "{}", spelt(" vault"));
    let args = (0..50).map(|n| (format!("a{n}"), "x\u{202e}".repeat(500))).collect();
    let many = said(Claims { args, ..claiming(&["vault"], 42) });
    assert!(many.contains("and 46 more") && many.chars().count() < 3_000, "{many}");
}

/// A Safe's approval is a separate transaction: if it is imported for the lever, the message says so and names the
/// command.
#[test]
fn the_approval_of_a_lever_by_a_safe_is_distinguished_from_the_lever() {
    let wanted = around().into_iter().find(|c| is("vault", 42)(&c)).unwrap();
    let other = SafeTxHash::claimed(keccak256("the approval"));
    let claims = Claims { approve_as: vec!["foundation".into()], ..claiming(&["vault"], 42) };
    let said = said_of(&stated(2, other, Some(other), Some(claims)), &wanted);
    assert_eq!(
        said,
        "bob signed vault, approved by foundation, as the line says: import it with --approve-as foundation"
    );
    // A stranger's words do not read as the program's own.
    let claims = Claims { approve_as: vec!["x; rm -rf ~".into()], ..claiming(&["vault"], 42) };
    let said = said_of(&stated(2, other, Some(other), Some(claims)), &wanted);
    assert!(said.ends_with("import it with --approve-as \"x; rm -rf ~\""), "{said}");
}
