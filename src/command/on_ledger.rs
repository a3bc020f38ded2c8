//! What is said before a Ledger is asked to sign: the way, the pages, what to read, and what it does not show.

use alloy::primitives::Address;

use crate::ceremony::judged::Judged;
use crate::ceremony::settings::stated;
use crate::command::Session;
use crate::command::key::Signer;
use crate::device::{Asked, DataShown, Prediction, SigningRequest, Way, Weight, choose_way, safe_tx_screens};
use crate::error::{Error, Exit};
use crate::playbook::Kind;
use crate::safe::deployments::batch_contracts;
use crate::safe::{Operation, SignatureKind, published_batch_contract};
use crate::ui::Text;
use crate::view::device as pages;

/// Chooses the way and shows the pages. Asks for a yes of its own where the Ledger would not show all of the data.
pub fn prepare<'s>(
    session: &Session,
    judged: &'s Judged,
    signer: &Signer,
    owner: Address,
    asked: Asked,
    accepts_unseen: bool,
) -> Result<SigningRequest<'s>, Error> {
    let (safe, tx) = (judged.proposal().safe(), judged.proposal().tx());
    let mut request = SigningRequest { safe, tx, owner, kind: SignatureKind::Ecdsa, way: Way::Fields };
    let Some(ledger) = signer.ledger() else { return Ok(request) };
    let mut status = *ledger.status();
    let chosen = choose_way(&status, asked, Weight::of(&request, is_heavy(judged)));
    (request.way, request.kind) = (chosen.way, chosen.kind);
    // Where it is needed and off it is waited for: what is shown then is predicted now.
    status.blind_signing |= ledger.needs_blind_signing(&request);
    pages::say_to_turn_on(session.ui, ledger.status(), &status);
    let stated = stated(session.ui)?;
    let predicted = stated.predict(&status, |settings| safe_tx_screens(&status, settings, &request));
    pages::show(session.ui, &status, owner, chosen.why, &predicted);
    if tx.operation == Operation::DelegateCall {
        say_batch(session, &request);
    }
    let unseen = unseen(&predicted);
    if let Some(text) = &unseen {
        session.ui.say(&Text::new("    ").warn("! ").bold(text));
    }
    session.ui.blank();
    let question = "Go on although the Ledger may not show what is signed? Type yes";
    if unseen.is_some() && !accepts_unseen && !session.ui.typed(question, "yes", "--unseen")? {
        let error = Error::new(Exit::Refused, "not signed: you did not type yes");
        return Err(Error { is_rejection: true, ..error }
            .hint("turn Transaction hash on, or compare the safeTxHash with --eth-sign"));
    }
    Ok(request)
}

/// Whether it does more than stop something; what the reader's own files do not say counts as more.
fn is_heavy(judged: &Judged) -> bool {
    let pauses = judged.derived.own.as_ref().is_some_and(|own| own.order.entry.playbook.kind == Kind::Pause);
    judged.proposal().binding().undo() || !pauses
}

/// "operation 1" runs another contract's code as the Safe: right only for the published batch contract.
fn say_batch(session: &Session, request: &SigningRequest) {
    let ui = session.ui;
    let version = request.safe.version;
    let published = published_batch_contract(request.safe.chain_id, version);
    let elsewhere = || batch_contracts(version).find(|known| known.address == request.tx.to);
    if let Some(known) = published.or_else(elsewhere).filter(|known| known.address == request.tx.to) {
        let text = format!("operation 1 is right only if `to` is, whole, {}", known.address);
        ui.say(&Text::new("    ").warn("! ").add(&text));
        let text = format!("(MultiSendCallOnly of Safe {version}); any other character: reject");
        ui.say(&Text::new("      ").add(&text));
    } else {
        let text = format!(
            "operation 1, and {} is not the MultiSendCallOnly of Safe {version}: reject",
            request.tx.to
        );
        ui.say(&Text::new("    ").bad("! ").bold(&text));
    }
}

/// What to say where the device may show neither all of the data nor a hash of it.
fn unseen(predicted: &[Prediction]) -> Option<String> {
    let shown = |one: &Prediction| match one.screens.data {
        DataShown::Beginning(bytes) if !one.screens.hashes => Some(bytes),
        _ => None,
    };
    let bytes = predicted.iter().find_map(shown)?;
    let when =
        if predicted.iter().all(|one| shown(one).is_some()) { "" } else { "with Transaction hash off, " };
    Some(format!(
        "{when}the Ledger shows only the first {bytes} bytes of the data: not what all of it does. Turn Transaction \
         hash on in the Ethereum app's settings and compare both hashes, or compare the safeTxHash with --eth-sign"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Screens, Settings};

    fn prediction(data: DataShown, hashes: bool) -> Prediction {
        let screens = Screens { pages: Vec::new(), recorded: true, data, hashes, refused: false };
        Prediction { settings: Settings::default(), screens }
    }

    #[test]
    fn data_that_no_page_commits_to_is_said() {
        let cut = || prediction(DataShown::Beginning(187), false);
        let hashed = || prediction(DataShown::Beginning(187), true);
        assert_eq!(unseen(&[prediction(DataShown::All, false)]), None);
        assert_eq!(unseen(&[hashed()]), None);
        assert_eq!(unseen(&[prediction(DataShown::Nothing, true)]), None);
        assert!(unseen(&[cut()]).unwrap().starts_with("the Ledger shows only the first 187 bytes"));
        assert!(unseen(&[hashed(), cut()]).unwrap().starts_with("with Transaction hash off, "));
    }
}
