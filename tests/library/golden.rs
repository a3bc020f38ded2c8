//! The calldata in every playbook's example, compared with what Foundry's cast makes of signature and arguments.

use std::process::Command;

use alloy::primitives::hex;
use breakglass::playbook::Catalogue;

use crate::stage::fixtures;

fn cast(signature: &str, args: &[String]) -> String {
    let packaged = fixtures().join("node_modules/@foundry-rs/cast-linux-amd64/bin/cast");
    let program = if packaged.exists() { packaged } else { "cast".into() };
    // An empty text is the only argument that cast does not take as this program writes it.
    let plain = args.iter().map(|arg| arg.strip_prefix('"').and_then(|a| a.strip_suffix('"')).unwrap_or(arg));
    let output = Command::new(program).arg("calldata").arg(signature).args(plain).output();
    let output = output.unwrap_or_else(|e| panic!("cast does not start ({e}): run `make setup`"));
    assert!(output.status.success(), "{signature} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

#[test]
fn another_encoder_gives_the_same_calldata() {
    let catalogue = Catalogue::new(Vec::new());
    for entry in catalogue.all() {
        let id = &entry.playbook.id;
        let example = entry.playbook.example.as_ref().unwrap_or_else(|| panic!("{id} has no example"));
        for call in &example.calls {
            let tail = call.appended.map_or_else(String::new, hex::encode);
            assert_eq!(cast(&call.signature, &call.args) + &tail, call.data.to_string(), "{id}");
        }
    }
}
