//! Levers that one key pulls alone.

use super::*;

/// The example's lever, with these lines in it.
fn with(lines: &str) -> Result<Council, Fault> {
    let lever = "[levers.vault]\nplaybook";
    assert!(GOOD.contains(lever));
    Council::parse("breakglass.toml", &GOOD.replace(lever, &format!("[levers.vault]\n{lines}\nplaybook")))
}

#[test]
fn a_lever_is_its_safes_a_keys_or_a_modules() {
    assert_eq!(with("").unwrap().levers["vault"].by, By::Safe);
    let council = with("by = \"deputy\"\ndeputy = \"alice\"").unwrap();
    let (lever, alice) = (&council.levers["vault"], council.signers["alice"].address);
    assert_eq!(lever.by.deputy(), Some(("alice", alice)));
    let By::Key(account) = &lever.by else { panic!("{:?}", lever.by) };
    assert_eq!((account.address, account.chain.as_str()), (alice, "mainnet"));
    assert_eq!(lever.safe, "guardian", "which confirms it");

    let target = council.targets["vault"]["mainnet"].address;
    for module in ["vault".to_string(), target.to_string()] {
        let lines = format!("by = \"deputy\"\ndeputy = \"alice\"\nmodule = \"{module}\"");
        let council = with(&lines).unwrap();
        let By::Module { deputy, module } = &council.levers["vault"].by else { panic!("{module}") };
        assert_eq!((deputy.name.as_str(), *module), ("alice", target));
    }
}

#[test]
fn a_faulty_deputy_entry_is_named_with_its_line() {
    for (lines, said) in [
        ("deputy = \"alice\"", "this needs by = \"deputy\" beside it"),
        ("module = \"vault\"", "this needs by = \"deputy\" beside it"),
        ("by = \"safe\"", "\"safe\" cannot act: write by = \"deputy\""),
        ("by = \"deputy\"", "needs deputy = \"NAME\" beside it"),
        ("by = \"deputy\"\ndeputy = \"alicia\"", "no signer is called \"alicia\"; did you mean \"alice\"?"),
        (
            "by = \"deputy\"\ndeputy = \"alice\"\nmodule = \"valt\"",
            "no target on the Safe's chain is called \"valt\"",
        ),
        ("by = \"deputy\"\ndeputy = \"alice\"\nmodule = \"0x12\"", "is not an address"),
    ] {
        let fault = with(lines).expect_err(lines).to_string();
        assert!(fault.contains(said), "{lines}: {fault}");
    }
}

#[test]
fn no_combined_lever_pulls_a_deputys() {
    let lines = "by = \"deputy\"\ndeputy = \"alice\"";
    let text = GOOD
        .replace("[levers.vault]\n", &format!("[levers.all]\npull = [\"vault\"]\n[levers.vault]\n{lines}\n"));
    let fault = Council::parse("breakglass.toml", &text).expect_err("pulled").to_string();
    assert!(fault.contains("\"vault\" is a deputy's: no Safe can pull it together with others"), "{fault}");
    let text = GOOD
        .replace("[levers.vault]\n", "[levers.all]\nby = \"deputy\"\npull = [\"vault\"]\n[levers.vault]\n");
    let fault = Council::parse("breakglass.toml", &text).expect_err("combined").to_string();
    assert!(fault.contains("a combined lever has no by"), "{fault}");
}
