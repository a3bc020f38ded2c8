//! Council files, good and bad.

mod combined;
mod deputies;
mod people;
pub(crate) mod written;

use super::*;

const GOOD: &str = r#"
schema = 1
name = "Example"
[chains.mainnet]
id = 1
rpc = ["${MAINNET_RPC}", "https://b"]
[safes.guardian]
chain = "mainnet"
address = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"
version = "1.4.1"
owners = ["alice", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]
threshold = 2
[signers.alice]
address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
path = "m/44'/60'/0'/0/0"
[targets.vault]
mainnet = "0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552"
[levers.vault]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { target = "vault", delay = 5 }
[contacts.security]
reach = "+1 555 0100"
"#;

#[test]
fn reads_the_example() {
    let council = Council::parse("breakglass.toml", GOOD).unwrap();
    let guardian = &council.safes["guardian"];
    assert_eq!(council.safe_at(1, guardian.address), Some(guardian));
    assert_eq!(council.safe_at(2, guardian.address), None);
    assert_eq!(council.chains["mainnet"].quorum, 2);
    assert_eq!(guardian.owners.as_ref().unwrap().list().len(), 2);
    assert_eq!(council.levers["vault"].set["delay"], "5");
    let names = council.names_on("mainnet");
    assert_eq!(names.name(guardian.address), Some("guardian"));
    assert_eq!(names.address("vault").map(|a| names.name(a)), Some(Some("vault")));
    assert_eq!(council.names_on("other").address("vault"), None);
}

#[test]
fn a_list_is_given_as_a_list() {
    let set = |list: &str| Council::parse("c", &GOOD.replace("delay = 5", &format!("pools = {list}")));
    for (list, text) in [
        ("[\"vault\", \"0x01\"]", "[vault, 0x01]"),
        ("[1, 2, true]", "[1, 2, true]"),
        ("[[1, 2], [3]]", "[[1, 2], [3]]"),
        ("[\"(1, vault)\"]", "[(1, vault)]"),
        ("[]", "[]"),
    ] {
        assert_eq!(set(list).unwrap().levers["vault"].set["pools"], text);
    }
    for list in ["[\"a, b\"]", "[\"a]\", \"[b\"]", "[\"\"]", "[\"'a\"]", "[\"(a\"]", "[1.5]"] {
        let fault = set(list).expect_err(list).to_string();
        assert!(fault.contains("in quotes"), "{fault}");
    }
}

/// Every fault names the word and points at it.
#[test]
fn each_fault_points_at_the_faulty_word() {
    for (from, to, expected) in [
        ("schema = 1", "schema = 2", "schema 2 is newer"),
        ("safe = \"guardian\"", "safe = \"gardian\"", "no Safe is called \"gardian\"; known: guardian"),
        ("chain = \"mainnet\"", "chain = \"main\"", "no chain is called \"main\"; known: mainnet"),
        ("\"alice\", ", "\"alicia\", ", "no signer or Safe is called \"alicia\"; known: alice, guardian"),
        ("0x1Db92e2", "0x1db92e2", "the checksum of 0x1db92e2EeBC8"),
        ("FCF4\"", "FC\"", "is not an address"),
        ("threshold = 2", "threshold = 3", "threshold 3 is not between 1 and the number of owners, 2"),
        ("version = \"1.4.1\"", "version = \"1.4.2\"", "Safe version \"1.4.2\" is not one of"),
        ("threshold = 2", "threshold = 2\nguard = \"no\"", "40 hexadecimal digits, or \"none\""),
        (
            "threshold = 2",
            "threshold = 2\nbatch = \"0x1111111111111111111111111111111111111111\"",
            "is not a published MultiSendCallOnly of Safe 1.4.1: expected 0x9641d764fc13c8B624c04430C7356C1C7C8102e2",
        ),
        (
            "version = \"1.4.1\"",
            "batch = \"0x9641d764fc13c8B624c04430C7356C1C7C8102e2\"",
            "a batch contract needs the Safe's version beside it",
        ),
        ("schema = 1", "schema = 1\nresponse = \"x\"", "expected a table, found the text \"x\""),
        ("id = 1", "id = \"1\"", "expected a whole number, 0 or more, found the text \"1\""),
        ("reach =", "phone =", "unknown field `phone`"),
        ("id = 1", "id = 1\nquorum = 3", "quorum 3 cannot be reached: 2 RPC addresses"),
        ("E709552\"", "E709552\"\nother = \"0x\"", "no chain is called \"other\""),
        ("= \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\"", "= 5", "expected an address, or {"),
        (
            "\"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\"",
            "{ address = \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\", code = \"0x12\" }",
            "\"0x12\" is not a code hash",
        ),
        (
            "mainnet = \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\"",
            "mainnet = { address = \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\", code = \"0x1111111111111111111111111111111111111111111111111111111111111111\" }\n[targets.other]\nmainnet = { address = \"0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552\", code = [\"0x2222222222222222222222222222222222222222222222222222222222222222\"] }",
            "another target pins other code for 0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552",
        ),
        (
            "delay = 5 }",
            "delay = 5 }\nchanges = [\"oracle\"]",
            "no target on the Safe's chain is called \"oracle\"",
        ),
        ("id = 1", "id = 1\nbatch = 1001", "the requests of a batch must be between 1 and 1000"),
        ("id = 1", "id = 1\nblock_time = \"2 s\"", "\"2 s\" is not a block time: write \"2 seconds\""),
        ("id = 1", "id = 1\nparallel = 0", "the batches sent side by side must be between 1 and 100"),
        ("id = 1", "id = 1\nprivate_for = \"25 seconds\"", "private_for needs send"),
        ("id = 1", "id = 1\nservice = \"safe.example\"", "does not begin with http:// or https://"),
        (
            "id = 1",
            "id = 1\nsend = [\"https://relay\"]\nprivate_for = \"2 blocks\"",
            "\"2 blocks\" is not a time",
        ),
        ("delay = 5", "delay = 5.5", "delay: write the float as text in quotes"),
        ("[targets.vault]", "[targets.alice]", "\"alice\" already names a signer"),
        (
            "[signers.alice]",
            "[chains.same]\nid = 1\n[safes.other]\nchain = \"same\"\naddress = \"0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4\"\n[signers.alice]",
            "\"other\" is the same Safe as \"guardian\": 0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4 on chain 1; one Safe",
        ),
        ("[contacts.security]", "[contacts.\"a b\"]", "\"a b\" is not a name"),
        ("safe = \"guardian\"\n", "", "lever \"vault\" has no safe; a combined lever has pull"),
        (
            "safe = \"guardian\"\n",
            "safe = \"guardian\"\nalone = [\"vault\"]\n",
            "alone is for a combined lever",
        ),
        (
            "safe = \"guardian\"\n",
            "safe = \"guardian\"\ntitle = \"Vault\"\n",
            "title is for a combined lever",
        ),
        (
            "safe = \"guardian\"\n",
            "safe = \"guardian\"\npull = [\"vault\"]\n",
            "a combined lever has no playbook",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let fault = Council::parse("breakglass.toml", &GOOD.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(fault.contains(expected), "{expected:?} not in\n{fault}");
        assert!(fault.starts_with("breakglass.toml:") && fault.contains('^'), "{fault}");
    }
}

#[test]
fn a_key_in_an_address_never_shows_in_a_fault() {
    for (address, expected) in [
        ("\"https://a/SECRET", "|"),
        ("\"https:/a/SECRET\"", "does not begin with http:// or https://"),
        ("\"a/SECRET\", \"ftp://SECRET\"", "does not begin with http:// or https://"),
        ("\"https://a/${KEY}\", \"a/SECRET\"", "write \"${KEY}\" and set KEY to the whole address"),
    ] {
        let text = GOOD.replace("\"${MAINNET_RPC}\"", address);
        let fault = Council::parse("breakglass.toml", &text).unwrap_err().to_string();
        assert!(!fault.contains("SECRET"), "{fault}");
        assert!(fault.starts_with("breakglass.toml:6:") && fault.contains(expected), "{fault}");
    }
}

/// Many more entries of a kind than any council has are refused with the bound.
#[test]
fn each_kind_of_entry_has_a_bound() {
    let numbered =
        |count: usize, entry: &dyn Fn(usize) -> String| -> String { (0..count).map(entry).collect() };
    let address = |n: usize| format!("0x{:040x}", n + 1_000_000);
    let list = |count: usize| numbered(count, &|n| format!("\"{}\", ", address(n)));
    let hash = format!("\"0x{}\", ", "1".repeat(64));
    for (text, expected) in [
        (numbered(100, &|n| format!("[chains.c{n}]\nid = {n}\n")), "at most 100 chains, and this has 101"),
        (
            numbered(200, &|n| format!("[safes.s{n}]\nchain = \"mainnet\"\naddress = \"{}\"\n", address(n))),
            "at most 200 Safes, and this has 201",
        ),
        (
            numbered(1_000, &|n| format!("[signers.s{n}]\naddress = \"{}\"\n", address(n))),
            "at most 1000 signers, and this has 1001",
        ),
        (
            numbered(1_000, &|n| format!("[targets.t{n}]\nmainnet = \"{}\"\n", address(n))),
            "at most 1000 targets, and this has 1001",
        ),
        (
            numbered(500, &|n| format!("[levers.l{n}]\nplaybook = \"p\"\nsafe = \"guardian\"\n")),
            "at most 500 levers, and this has 501",
        ),
        (numbered(500, &|n| format!("[contacts.c{n}]\nreach = \"\"\n")), "at most 500 contacts"),
        (numbered(501, &|n| format!("[people.p{n}]\nreach = \"\"\n")), "at most 500 people"),
        (
            format!("[people.bob]\nreach = \"x\"\naway = [{}]\n", "\"2026-01-01..2026-01-02\", ".repeat(51)),
            "at most 50 times away of one person",
        ),
        (
            format!("[chains.many]\nid = 7\nrpc = [{}]\n", "\"https://a\", ".repeat(21)),
            "at most 20 RPC addresses of one chain, and this has 21",
        ),
        (
            format!("[chains.many]\nid = 7\nsend = [{}]\n", "\"https://a\", ".repeat(21)),
            "at most 20 relays of one chain",
        ),
        (
            format!(
                "[safes.many]\nchain = \"mainnet\"\naddress = \"{}\"\nmodules = [{}]\n",
                address(1),
                list(201)
            ),
            "at most 200 modules of one Safe",
        ),
        (
            format!(
                "[targets.many]\nmainnet = {{ address = \"{}\", code = [{}] }}\n",
                address(1),
                hash.repeat(21)
            ),
            "at most 20 code hashes of one target",
        ),
        (
            format!(
                "[levers.many]\nplaybook = \"p\"\nsafe = \"guardian\"\nset = {{ {} a = 1 }}\n",
                numbered(50, &|n| format!("a{n} = 1, "))
            ),
            "at most 50 arguments of one lever",
        ),
        (
            format!("[levers.many]\nplaybook = \"p\"\nsafe = \"guardian\"\nchanges = [{}]\n", list(101)),
            "at most 100 changes of one lever",
        ),
    ] {
        let fault = Council::parse("breakglass.toml", &format!("{GOOD}{text}")).unwrap_err().to_string();
        assert!(fault.contains(expected), "{expected:?} not in {fault}");
    }
}
