//! People, response times, the program's version, and examples of open arguments.

use super::*;

#[test]
fn reads_people_response_times_version_and_examples() {
    let text = GOOD.replace("name = \"Example\"", "name = \"Example\"\nprogram = \">= 0.2, < 1\"")
        + "[levers.vault.try]\nfee = 30\n[response]\nfirst_signature = \"10 minutes\"\nproof = \"1 hour\"\n\
           [people.alice]\nrole = \"signer\"\nreach = \"phone\"\nzone = \"europe/berlin\"\nbackup = \"security\"\n";
    let council = Council::parse("breakglass.toml", &text).unwrap();
    assert_eq!(council.levers["vault"].examples["fee"], "30");
    assert_eq!(council.response.first_signature, Some(Duration::from_mins(10)));
    assert_eq!(council.response.proof, Some(Duration::from_hours(1)));
    assert_eq!(council.people["security"].reach, "+1 555 0100");
    assert_eq!(council.people["alice"].zone.as_ref().unwrap().to_string(), "Europe/Berlin");
    for (version, accepted) in
        [("0.1.9", false), ("0.2.0", true), ("0.3.1", true), ("1.0.0", false), ("?", false)]
    {
        assert_eq!(council.accepts_program(version), accepted, "{version}");
    }
    assert!(Council::parse("c", GOOD).unwrap().accepts_program("0.0.1"));
}

#[test]
fn faults_of_people_point_at_the_word() {
    for (from, to, expected) in [
        ("schema = 1", "schema = 1\nprogram = \"new\"", "does not say versions: write \">= 0.2\""),
        ("delay = 5 }", "delay = 5 }\ntry = { delay = 6 }", "delay is not open: set gives it a value"),
        ("delay = 5 }", "delay = 5 }\ntry = { fee = 0.5 }", "fee: write the float as text in quotes"),
        ("[contacts.security]", "[response]\nproof = \"1 h\"\n[contacts.security]", "\"1 h\" is not a time"),
        (
            "[contacts.security]",
            "[response]\nfirst_signature = \"2 hours\"\nproof = \"1 hours\"\n[contacts.security]",
            "the proof cannot be due before the first signature",
        ),
        (
            "[contacts.security]",
            "[people.alice]\nzone = \"UTC\"\n[contacts.security]",
            "the field `reach` is missing",
        ),
        ("[contacts.security]\nreach", "[people.vault]\nreach", "\"vault\" already names a target; a person"),
        (
            "[contacts.security]",
            "[people.security]\nreach = \"x\"\n[contacts.security]",
            "already names a contact",
        ),
        ("reach = \"+1 555 0100\"", "reach = \"\"\n[people.bob]\nreach = \"\"", "it is empty"),
        ("[contacts.security]\nreach", "[people.bob]\nrole = \"a\\nb\"\nreach", "write it on one line"),
        (
            "[contacts.security]\nreach",
            "[people.bob]\nzone = \"Europe/Berln\"\nreach",
            "\"Europe/Berln\" is not a time zone; did you mean \"Europe/Berlin\"?",
        ),
        (
            "[contacts.security]\nreach",
            "[people.bob]\nbackup = \"eve\"\nreach",
            "no person is called \"eve\"; known: bob",
        ),
        (
            "[contacts.security]\nreach",
            "[people.bob]\nbackup = \"bob\"\nreach",
            "\"bob\" is their own backup",
        ),
        (
            "[contacts.security]\nreach",
            "[people.bob]\naway = [\"soon\"]\nreach",
            "\"soon\" are not days: write",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let fault = Council::parse("breakglass.toml", &GOOD.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(fault.contains(expected), "{expected:?} not in\n{fault}");
        assert!(fault.starts_with("breakglass.toml:") && fault.contains('^'), "{fault}");
    }
}
