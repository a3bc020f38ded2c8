//! Prepares a review on a device: the mode, the pages, what to read, and what the device does not show.

use alloy::primitives::Address;

use crate::ceremony::judged::Judged;
use crate::device::{DeviceRequest, RequestedMode, SigningMode, SigningRequest, Signs, Weight};
use crate::error::Error;
use crate::playbook::PlaybookKind;
use crate::proposal;
use crate::safe::deployments::{Contract, Deployment, known_at};
use crate::safe::{Operation, SafeId, SignatureKind, published_batch_contract};
use crate::session::Session;
use crate::session::machine::keys::KeyHolder;
use crate::ui::Text;
use crate::view::{review_lines::device_pages, review_lines::message_signed};

/// The signer's choices on the command line.
pub struct Asking {
    pub way: RequestedMode,
    /// `--unseen`: sign although the device does not show all of the data.
    pub unseen: bool,
    /// The number of transactions that are signed in this run.
    pub together: usize,
}

/// Returns the object of an owner's signature for this Safe: the transaction, or a message of a Safe that owns it.
pub fn signs<'s>(judged: &'s Judged, way: &'s proposal::Way) -> Signs<'s> {
    way.message
        .as_ref()
        .map_or_else(|| Signs::Tx(judged.proposal().tx()), |known| Signs::Message(&known.message))
}

/// Returns the request to the key. For a device it chooses the mode, shows the pages, and asks for a yes if the device
/// would not show all of the data.
pub fn prepare<'s>(
    session: &Session,
    judged: &'s Judged,
    signer: &KeyHolder,
    (owner, for_safe): (Address, &'s proposal::Way),
    asked: &Asking,
) -> Result<SigningRequest<'s>, Error> {
    let (domain, signs) = (&for_safe.domain, signs(judged, for_safe));
    let kind =
        if asked.way == RequestedMode::EthSign { SignatureKind::EthSign } else { SignatureKind::Ecdsa };
    let mut request = SigningRequest { domain, signs, owner, kind, way: SigningMode::Fields };
    let Some(screen) = signer.screen() else { return Ok(request) };
    let chosen = screen.choose_way(asked.way, Weight::of(&request, is_heavy(judged), asked.together));
    (request.way, request.kind) = (chosen.way, chosen.kind);
    let preview = screen.preview(&DeviceRequest::SafeTx(&request));
    session.ui.show(&device_pages::lines(&preview, owner, chosen.why));
    match signs {
        Signs::Tx(tx) if tx.operation == Operation::DelegateCall => {
            say_delegatecall(session, &request, tx.to, judged.derived.safe.batch);
        }
        Signs::Tx(_) => {}
        Signs::Message(_) => {
            let safe = session.name_of(domain.safe().address);
            session.ui.show(&message_signed::on_device(&preview, &safe));
        }
    }
    if let Some(hidden) = &preview.hidden {
        session.ui.say(&Text::new("    ").warn("! ").bold(hidden));
    }
    session.ui.blank();
    let question = format!("Go on although the {} may not show what is signed? Type yes", preview.device);
    if preview.hidden.is_some() && !asked.unseen && !session.ui.confirmed(&question, "--unseen")? {
        return Err(Error::rejection("not signed: you did not type yes")
            .hint("do what the line with ! says, or compare the safeTxHash with --eth-sign"));
    }
    Ok(request)
}

/// Returns `true` if it does more than pause something, or if the reader's own files do not give it.
fn is_heavy(judged: &Judged) -> bool {
    let pauses = judged.derived.own.as_ref().is_some_and(|own| {
        own.order.pulling().playbooks().all(|playbook| playbook.kind == PlaybookKind::Pause)
    });
    judged.proposal().binding().undo() || !pauses
}

/// Shows the `to` with which "operation 1", a delegatecall, is right.
fn say_delegatecall(session: &Session, request: &SigningRequest, to: Address, pinned: Option<Address>) {
    let ui = session.ui;
    let safe = request.domain.safe();
    if let Some(known) = expected_target(safe, to, pinned) {
        let text =
            format!("operation 1 is right only if `to` is, whole, {:?} {}:", known.contract, known.version);
        ui.say(&Text::new("    ").warn("! ").add(&text));
        ui.say(&Text::new("      ").bold(&to.to_string()));
        ui.say(&Text::new("      any other character: reject"));
    } else {
        let version = safe.version;
        let text = format!("operation 1 is wrong here, reject: `to` is not MultiSendCallOnly {version} but");
        ui.say(&Text::new("    ").bad("! ").bold(&text));
        ui.say(&Text::new("      ").bold(&to.to_string()));
    }
}

/// Returns the published contract at `to` that a Safe may delegatecall: the batch contract of its version, as pinned or
/// else as published for its chain; a migration; or the library for messages.
fn expected_target(safe: &SafeId, to: Address, pinned: Option<Address>) -> Option<&'static Deployment> {
    let listed = || published_batch_contract(safe.chain_id, safe.version).map(|known| known.address);
    let known = known_at(to)?;
    let is_right = match known.contract {
        Contract::MultiSendCallOnly => {
            known.version == safe.version && pinned.or_else(listed).is_none_or(|one| one == to)
        }
        Contract::SafeMigration | Contract::SignMessageLib => true,
        _ => false,
    };
    is_right.then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safe::SafeVersion;

    /// A batch contract of another version, or one that also delegatecalls, is to be rejected. A migration and the
    /// library for messages are right, as in the checks.
    #[test]
    fn operation_1_is_right_only_for_published_contracts_made_for_it() {
        let is_right = |chain_id, version, to: &str| {
            let safe = SafeId { chain_id, address: Address::repeat_byte(5), version };
            expected_target(&safe, to.parse().unwrap(), None).is_some()
        };
        let call_only = "0x9641d764fc13c8B624c04430C7356C1C7C8102e2"; // of 1.4.1
        let with_delegatecalls = "0x38869bf66a61cF6bDB996A6aE40D5853Fd43B526";
        let migration = "0x526643F69b81B008F46d95CD5ced5eC0edFFDaC6";
        let messages = "0xd53cd0aB83D845Ac265BE939c57F53AD838012c9";
        let singleton = "0x41675C099F32341bf84BFc5382aF534df5C7461a";
        for chain in [1, 31_337, 77_777_777] {
            assert!(is_right(chain, SafeVersion::V1_4_1, call_only), "{chain}");
            assert!(!is_right(chain, SafeVersion::V1_3_0, call_only), "{chain}");
            assert!(!is_right(chain, SafeVersion::V1_4_1, with_delegatecalls), "{chain}");
            assert!(is_right(chain, SafeVersion::V1_3_0, migration), "{chain}");
            assert!(is_right(chain, SafeVersion::V1_4_1, messages), "{chain}");
            assert!(!is_right(chain, SafeVersion::V1_4_1, singleton), "{chain}");
        }
    }
}
