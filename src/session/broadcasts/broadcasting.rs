//! `broadcast`: sends and proves what is ready: one transaction, several, or one nonce after the other. Drills are
//! proven on forks.

use std::path::Path;

use alloy::primitives::Address;

use crate::ceremony::at_once::side_by_side;
use crate::ceremony::drills::drill_names::names_drill;
use crate::ceremony::find::Found;
use crate::ceremony::order::Given;
use crate::ceremony::sending::offer::require_affordable_tip;
use crate::cli::args;
use crate::council::Council;
use crate::device::{NamedKey, USUAL_DEVICE};
use crate::error::{Error, Exit};
use crate::safe::{HashDigits, Nonces, SafeTxHash};
use crate::session::broadcasts::send_all::{Board, print_calls, send_all};
use crate::session::broadcasts::send_one::{one, print_call, send_in_order};
use crate::session::broadcasts::sendable::{JudgedSend, SendTerms};
use crate::session::machine::keys::{self, KeyPurpose};
use crate::session::{Session, incoming, signing::drill_ending};

const APPROVE_BY_SENDING: &str = "--approve-by-sending";

/// The flags of `broadcast` beside those for the sending itself.
pub struct Asked<'a> {
    pub key: &'a args::KeyArgs,
    /// The nonces to send, in their order.
    pub nonces: Option<Nonces>,
    /// The payer is an owner, and counts without a signature.
    pub approve_by_sending: bool,
    /// The chat whose signatures are imported first.
    pub chat: Option<&'a Path>,
}

/// Sends what was named, and proves it.
pub fn run(session: &Session, mut terms: SendTerms, asked: &Asked) -> Result<Exit, Error> {
    if names_drill(&terms.what) {
        return drill(session, &terms, asked);
    }
    require_affordable_tip(terms.fees.priority_fee, terms.fees.max_fee)?;
    session.require_accepted(&session.rests_of(&terms.what, &terms.given)?, &terms.accept)?;
    // A keystore's stated address is used here: its key is opened only once there is something to send.
    let named =
        if terms.only_call { None } else { Some(keys::find(session.ui, asked.key, KeyPurpose::Paying)?) };
    if asked.approve_by_sending {
        terms.given.sender = Some(sending_owner(&session.council, named.as_ref())?);
    }
    let terms = &terms;
    import(session, terms, asked, "nothing was sent")?;
    let payer = named.as_ref().and_then(NamedKey::stated);
    let mut open = named.as_ref().map(|named| {
        || {
            let mut signer = keys::open(session.ui, asked.key, named)?;
            let from = signer.payer(&session.council)?;
            Ok((signer, from))
        }
    });
    if let (Some(nonces), Some(open)) = (asked.nonces, &mut open) {
        return send_in_order(session, terms, nonces, payer, open);
    }
    let found = session.parts(&terms.what, &terms.given)?;
    let titles = found.iter().map(Found::title).collect();
    let mut judged_sends =
        side_by_side(session.ui, found, |found| JudgedSend::first(session, terms, found, payer));
    // An error about one of them comes before this check.
    if judged_sends.iter().all(Result::is_ok) {
        let hashes: Vec<SafeTxHash> =
            judged_sends.iter().flatten().map(|judged_send| judged_send.judged.proposal().hash()).collect();
        require_named(&terms.given.hashes, &hashes)?;
    }
    let is_one = judged_sends.len() == 1;
    if is_one && let Some(only) = judged_sends.pop() {
        return one(only?, payer, open, &mut None);
    }
    let board = Board::new(session.ui, titles);
    match &mut open {
        Some(open) => send_all(&board, judged_sends, payer, open),
        None => Ok(print_calls(&board, judged_sends, print_call)),
    }
}

/// Proves drills on forks: there is no payer, and nothing is sent.
fn drill(session: &Session, terms: &SendTerms, asked: &Asked) -> Result<Exit, Error> {
    let flags = [
        ("--nonces", asked.nonces.is_some()),
        ("--calldata", terms.only_call),
        (APPROVE_BY_SENDING, asked.approve_by_sending),
    ];
    if let Some((flag, _)) = flags.iter().find(|(_, is_given)| *is_given) {
        return Err(Error::new(Exit::Usage, format!("{flag} is for what is sent, and a drill is not"))
            .hint(format!("leave out {flag}")));
    }
    // Digits of a hash choose among real proposals: a drill has its name.
    let given = Given { hashes: Vec::new(), ..terms.given.clone() };
    let terms = SendTerms { given, ..terms.clone() };
    session.require_accepted(&session.rests_of(&terms.what, &terms.given)?, &terms.accept)?;
    import(session, &terms, asked, "nothing was proven")?;
    drill_ending::broadcast(session, &terms.what, &terms.given, &terms.accept, terms.proofs)
}

/// Imports the signatures of the chat that was named.
fn import(session: &Session, terms: &SendTerms, asked: &Asked, nothing: &str) -> Result<(), Error> {
    let Some(chat) = asked.chat else { return Ok(()) };
    let received = incoming::receive(session, &terms.what, &terms.given, &[chat.to_path_buf()], false)?;
    received.require_read(session).map(drop).map_err(|error| error.hint(nothing))
}

/// Checks that the digits of each named hash match a proposal that was found.
fn require_named(named: &[HashDigits], found: &[SafeTxHash]) -> Result<(), Error> {
    let Some(digits) = named.iter().find(|digits| !found.iter().any(|hash| digits.names(*hash))) else {
        return Ok(());
    };
    Err(Error::new(Exit::Usage, format!("no proposal of these has a hash that begins with {digits}"))
        .hint("breakglass status lists the proposals of a lever with their hashes"))
}

/// Returns the owner who counts as an approver by sending it. Fails for a device, which does not show the transaction
/// that it pays for: a host could have it approve another one.
fn sending_owner(council: &Council, named: Option<&NamedKey>) -> Result<Address, Error> {
    let usage = |message: String| {
        Error::new(Exit::Usage, message).hint(format!("sign it, and leave out {APPROVE_BY_SENDING}"))
    };
    let device = named.and_then(NamedKey::device).unwrap_or(USUAL_DEVICE);
    let named = named.filter(|named| named.device().is_none()).ok_or_else(|| {
        usage(format!(
            "{APPROVE_BY_SENDING} is for a keystore: a {device} does not show what it pays for, and could be made to \
             approve something else"
        ))
    })?;
    let from = named
        .stated()
        .ok_or_else(|| usage(format!("{APPROVE_BY_SENDING} needs a keystore that states its address")))?;
    let mut pinned = council.safes.values().map(|safe| safe.owners.as_ref());
    // A Safe without pinned owners may be owned by anybody.
    if pinned.all(|owners| owners.is_some_and(|owners| !owners.contains(from))) {
        return Err(usage(format!("the payer {from} is not an owner of any Safe of your council file")));
    }
    Ok(from)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;
    use crate::council::tests::written::CouncilText;
    use crate::device::{KeystoreFile, LedgerLocation};

    #[test]
    fn each_hash_that_was_named_must_be_found() {
        let hash = |byte| SafeTxHash::claimed(B256::repeat_byte(byte));
        let digits = |byte| hash(byte).to_string().parse::<HashDigits>().unwrap();
        assert!(require_named(&[], &[]).is_ok());
        assert!(require_named(&[digits(1), digits(2)], &[hash(2), hash(1)]).is_ok());
        let error = require_named(&[digits(1), digits(3)], &[hash(2), hash(1)]).unwrap_err();
        assert!(error.message.contains("begins with 0303"), "{}", error.message);
    }

    #[test]
    fn only_an_owner_with_a_keystore_approves_by_sending() {
        let owner = Address::repeat_byte(0x11);
        let council = |owners: &[&str]| {
            CouncilText::new().safe("guardian", Address::repeat_byte(0x22), owners, 1).council()
        };
        let pinned = council(&[&owner.to_string()]);
        let keystore =
            |stated| NamedKey::Keystore(KeystoreFile { path: "k".into(), text: String::new(), stated });
        assert_eq!(sending_owner(&pinned, Some(&keystore(Some(owner)))).unwrap(), owner);
        let message = |council, key: Option<&NamedKey>| sending_owner(council, key).unwrap_err().message;
        assert!(message(&pinned, Some(&keystore(Some(Address::ZERO)))).contains("is not an owner"));
        assert!(message(&pinned, Some(&keystore(None))).contains("states its address"));
        let ledger = NamedKey::Ledger(LedgerLocation::default());
        assert!(message(&pinned, Some(&ledger)).contains("a Ledger does not show"));
        let open = council(&[]);
        assert_eq!(sending_owner(&open, Some(&keystore(Some(owner)))).unwrap(), owner, "the chain decides");
    }
}
