//! Signing with a Ledger: which way, command by command, and what a refusal means.

use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::primitives::{Address, Signature};

use super::apdu::{self, Apdu, Reply};
use super::ledger::Ledger;
use super::link::accepted_data;
use super::path::DerivationPath;
use super::typed::TypedData;
use super::{DeviceError, LongText, SigningMode, SigningRequest, sealed};
use crate::safe::{EcdsaSignature, Pause, PauseSignature, SignatureKind};

const MESSAGE: &str = "a message";

impl Ledger {
    /// Returns `true` if this is signed only with "Blind signing" on: the app takes no fields of it.
    pub fn needs_blind_signing(&self, request: &SigningRequest<'_>) -> bool {
        self.status.takes_fields && request.kind == SignatureKind::Ecdsa && request.way == SigningMode::Hashes
    }

    /// Returns an owner's signature; given out only if the request's owner made it.
    pub fn sign_safe_tx(&mut self, request: &SigningRequest<'_>) -> Result<EcdsaSignature, DeviceError> {
        request.check_kind()?;
        self.ready()?;
        let path = self.path_of(request.owner)?;
        let hashes = request.hashes();
        let bytes = match (request.kind, request.way) {
            (SignatureKind::EthSign, _) => {
                self.sign_in_turn(&Apdu::personal_message(&path, &hashes.safe_tx.word().0))?
            }
            (_, SigningMode::Fields) => self.sign_fields(&path, &request.typed_data())?,
            (_, SigningMode::Hashes) => self.sign_in_turn(&[Apdu::sign_hashes(&path, &hashes)])?,
        };
        request.verified(bytes)
    }

    /// Returns the deputy's signature of a pause: the device shows the two hashes alone.
    /// Fails if the device or its person refuses, or another key answers.
    pub fn sign_pause(&mut self, pause: &Pause, deputy: Address) -> Result<PauseSignature, DeviceError> {
        self.ready()?;
        let path = self.path_of(deputy)?;
        let bytes = self.sign_in_turn(&[Apdu::sign_hashes(&path, &pause.hashes())])?;
        Ok(PauseSignature::of_deputy(pause, deputy, &bytes)?)
    }

    /// Returns the raw transaction, signed by `from` and ready to be sent.
    /// Fails if the device or its person refuses. With data it needs "Blind signing".
    pub fn sign_transaction(&mut self, tx: &TxEip1559, from: Address) -> Result<Vec<u8>, DeviceError> {
        const WHAT: &str = "a transaction";
        self.ready()?;
        let path = self.path_of(from)?;
        let mut payload = Vec::with_capacity(tx.payload_len_for_signature());
        tx.encode_for_signing(&mut payload);
        self.ask_for_approval();
        let mut data = Vec::new();
        for command in Apdu::transaction(&path, &payload) {
            let reply = self.review(&command)?;
            data = self.signed(WHAT, reply, DeviceError::BlindSigningOff)?;
        }
        let signature =
            apdu::read_transaction_signature(&data).ok_or(DeviceError::Senseless { what: WHAT })?;
        sealed(tx, signature, from)
    }

    pub fn sign_text(&mut self, text: &LongText, owner: Address) -> Result<Signature, DeviceError> {
        self.ready()?;
        let path = self.path_of(owner)?;
        let bytes = self.sign_in_turn(&Apdu::personal_message(&path, text.as_bytes()))?;
        Signature::from_raw(&bytes).map_err(|_| DeviceError::Senseless { what: MESSAGE })
    }

    /// One command or the parts of one, one review, one signature.
    fn sign_in_turn(&mut self, commands: &[Apdu]) -> Result<[u8; 65], DeviceError> {
        self.ask_for_approval();
        let mut data = Vec::new();
        for command in commands {
            let reply = self.review(command)?;
            data = self.signed(MESSAGE, reply, DeviceError::BlindSigningOff)?;
        }
        apdu::read_message_signature(&data).ok_or(DeviceError::Senseless { what: MESSAGE })
    }

    /// The full flow. Whatever ends it before its end, except the person, is cleared, so that the next one starts clean.
    fn sign_fields(&mut self, path: &DerivationPath, data: &TypedData) -> Result<[u8; 65], DeviceError> {
        if !self.status.takes_fields {
            return Err(DeviceError::AppTooOld(self.status.version));
        }
        let commands = data.commands(path)?;
        let mut outcome = self.run(&commands);
        // After a lock in mid-flow the app looks alive and ends in 6A80: everything is sent again.
        if matches!(outcome, Err(DeviceError::Locked)) {
            self.until_ready()?;
            self.link.clear()?;
            outcome = self.run(&commands);
        }
        if let Err(
            DeviceError::Refused { .. } | DeviceError::RawMessagesOff | DeviceError::Senseless { .. },
        ) = &outcome
        {
            self.link.clear()?;
        }
        outcome
    }

    fn run(&mut self, commands: &[Apdu]) -> Result<[u8; 65], DeviceError> {
        self.ask_for_approval();
        let mut data = Vec::new();
        for (i, command) in commands.iter().enumerate() {
            let mut reply = self.step(command)?;
            if i == 0 && reply.status == apdu::UNFINISHED {
                reply = self.step(command)?; // the error has cleared what somebody left unfinished
            }
            data = self.signed(MESSAGE, reply, DeviceError::RawMessagesOff)?;
        }
        apdu::read_message_signature(&data).ok_or(DeviceError::Senseless { what: MESSAGE })
    }

    /// Bad data, to an app that blind-signs nothing, means a setting: what was sent is well formed. It is asked for
    /// again, since somebody may have changed it.
    fn signed(
        &mut self,
        what: &'static str,
        reply: Reply,
        setting: DeviceError,
    ) -> Result<Vec<u8>, DeviceError> {
        if reply.status == apdu::BAD_DATA {
            self.status.blind_signing = self.link.configuration()?.blind_signing;
            if !self.status.blind_signing {
                return Err(setting);
            }
        }
        accepted_data(what, reply)
    }
}
