//! The flags of `sign`, and the checks of them that need no network.

use crate::ceremony::enforce::changed_digits;
use crate::ceremony::find::is_file;
use crate::ceremony::order::Given;
use crate::cli::args;
use crate::device::RequestedMode;
use crate::error::{Error, Exit};

/// The flags of `sign`.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct SignTerms<'a> {
    /// Levers or proposal files.
    pub what: &'a [String],
    pub given: &'a Given,
    pub key: &'a args::KeyArgs,
    pub accept: &'a [String],
    pub proofs: bool,
    pub offline: bool,
    /// `--yes`: nothing is asked after the review.
    pub yes: bool,
    pub signer: Option<&'a str>,
    pub for_safe: Option<&'a str>,
    /// The mode in which a Ledger is asked; a keystore obeys only that of a personal message.
    pub asked: RequestedMode,
    /// `--unseen`: sign although the Ledger does not show all of the data.
    pub unseen: bool,
}

impl SignTerms<'_> {
    /// Fails if values are given and a file is named beside a lever: the value for the lever could seem to confirm one
    /// that the file chose.
    pub fn require_own_values(&self) -> Result<(), Error> {
        let is_beside = self.what.len() > 1 && self.what.iter().any(|what| is_file(what));
        if self.given.set.is_empty() || !is_beside {
            return Ok(());
        }
        let message = "--set is for the levers that are named, and a file is named beside them";
        Err(Error::new(Exit::Usage, message).hint("sign the file by itself"))
    }

    /// Fails if a flag about one proposal is given for several. The error names the flag.
    pub fn require_one(&self, count: usize) -> Result<(), Error> {
        let flags = [
            ("--accept", self.accept.iter().any(|id| changed_digits(id).is_none())),
            ("--nonce", self.given.nonce.is_some()),
        ];
        let Some((flag, _)) = flags.iter().find(|(_, given)| *given && count > 1) else { return Ok(()) };
        Err(Error::new(Exit::Usage, format!("{flag} is for one proposal, and several are named"))
            .hint("sign that one by itself"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::safe::Nonce;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        key: args::KeyArgs,
    }

    fn with<T>(what: &[&str], given: &Given, accept: &[&str], read: impl Fn(&SignTerms) -> T) -> T {
        let key = Line::parse_from(["breakglass"]).key;
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (what, accept) = (owned(what), owned(accept));
        read(&SignTerms {
            what: &what,
            given,
            key: &key,
            accept: &accept,
            proofs: false,
            offline: false,
            yes: false,
            signer: None,
            for_safe: None,
            asked: RequestedMode::Nothing,
            unseen: false,
        })
    }

    #[test]
    fn a_value_for_a_lever_does_not_count_for_a_file_beside_it() {
        let set = Given { set: vec![("amount".into(), "5".into())], ..Given::default() };
        let is_good =
            |what: &[&str], given: &Given| with(what, given, &[], |t| t.require_own_values().is_ok());
        assert!(is_good(&["cap"], &set));
        assert!(is_good(&["cap", "fee"], &set));
        assert!(is_good(&["proposal.json"], &set), "alone, the file's own values are compared with it");
        assert!(!is_good(&["cap", "proposal.json"], &set));
        assert!(is_good(&["cap", "proposal.json"], &Given::default()));
    }

    #[test]
    fn a_flag_about_one_proposal_is_refused_for_several() {
        let bare = Given::default();
        let nonce = Given { nonce: Some(Nonce::from(4)), ..Given::default() };
        let error = |given: &Given, accept: &[&str], count| {
            with(&["a", "b"], given, accept, |t| t.require_one(count).err().map(|error| error.message))
        };
        assert_eq!(error(&bare, &[], 2), None);
        assert_eq!(error(&nonce, &["rpc-single"], 1), None);
        assert!(error(&nonce, &[], 2).unwrap().starts_with("--nonce is for one proposal"));
        assert!(error(&bare, &["rpc-single"], 2).unwrap().starts_with("--accept is for one proposal"));
        assert_eq!(error(&bare, &["changed:6015703a91cc20de"], 2), None, "a text is one for all");
    }
}
