//! A deputy's signature as a file: whoever has it can use it, once, until the deputy is replaced.

use alloy::primitives::{Address, B256, hex};
use serde::{Deserialize, Serialize};

use crate::safe::{Pause, PauseForm, PauseSignature, PauseSignatureError};

const VERSION: u8 = 1;
/// The longest file: a real one has half a kilobyte.
pub const MOST_BEARER: usize = 4 << 10;

/// A pause with the deputy's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    pub pause: Pause,
    pub signature: PauseSignature,
}

/// The reason that a file is not the deputy's signature for this pause.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadBearer {
    #[error("it is not a deputy's signature: {0}")]
    Unreadable(String),
    #[error("it was made for chain {is}, and this lever is on chain {own}")]
    OtherChain { is: u64, own: u64 },
    #[error("it was made for module {is}, and the council file names {own}")]
    OtherModule { is: Address, own: Address },
    #[error("it pauses {is}, and this lever pauses {own}")]
    OtherPause { is: String, own: String },
    #[error(transparent)]
    Signature(#[from] PauseSignatureError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBearer {
    breakglass_deputy: u8,
    chain_id: u64,
    module: Address,
    nonce: B256,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identifier: Option<Address>,
    signature: String,
}

impl Bearer {
    /// Returns the text of its file.
    pub fn to_json(&self) -> String {
        let Pause { chain_id, module, nonce, form } = self.pause;
        let identifier = match form {
            PauseForm::First => None,
            PauseForm::Second { identifier } => Some(identifier),
        };
        let signature = hex::encode_prefixed(self.signature.bytes());
        let wire = WireBearer { breakglass_deputy: VERSION, chain_id, module, nonce, identifier, signature };
        serde_json::to_string_pretty(&wire).map(|text| text + "\n").unwrap_or_default()
    }

    /// Reads a file that is used for a pause which the reader's own files give; only its nonce is the file's to choose.
    /// Fails if it is about another chain, module or pause, or the deputy did not sign it.
    pub fn parse(text: &str, own: &Pause, deputy: Address) -> Result<Self, BadBearer> {
        let wire: WireBearer = serde_json::from_str(text)
            .map_err(|e| BadBearer::Unreadable(format!("line {}, column {}", e.line(), e.column())))?;
        if wire.breakglass_deputy != VERSION {
            let why = format!("version {}; this program reads version {VERSION}", wire.breakglass_deputy);
            return Err(BadBearer::Unreadable(why));
        }
        if wire.chain_id != own.chain_id {
            return Err(BadBearer::OtherChain { is: wire.chain_id, own: own.chain_id });
        }
        if wire.module != own.module {
            return Err(BadBearer::OtherModule { is: wire.module, own: own.module });
        }
        let form = wire.identifier.map_or(PauseForm::First, |identifier| PauseForm::Second { identifier });
        if form != own.form {
            return Err(BadBearer::OtherPause { is: shown(form), own: shown(own.form) });
        }
        let bytes = hex::decode(&wire.signature)
            .map_err(|_| BadBearer::Unreadable("its signature is not hexadecimal".into()))?;
        let pause = Pause { nonce: wire.nonce, ..*own };
        Ok(Self { signature: PauseSignature::of_deputy(&pause, deputy, &bytes)?, pause })
    }
}

fn shown(form: PauseForm) -> String {
    match form {
        PauseForm::First => "all chains, in the first form".into(),
        PauseForm::Second { identifier: Address::ZERO } => "all chains".into(),
        PauseForm::Second { identifier } => identifier.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safe::tests::{address, sign};

    fn pause() -> Pause {
        let form = PauseForm::Second { identifier: Address::repeat_byte(3) };
        Pause { chain_id: 1, module: Address::repeat_byte(2), nonce: B256::repeat_byte(9), form }
    }

    fn signed(pause: Pause) -> (Bearer, Address) {
        let bytes = sign(7, pause.hashes().safe_tx.word()).as_bytes();
        let signature = PauseSignature::of_deputy(&pause, address(7), &bytes).unwrap();
        (Bearer { pause, signature }, address(7))
    }

    #[test]
    fn a_file_is_read_again_whatever_nonce_it_has() {
        for form in [pause().form, PauseForm::First] {
            let (bearer, deputy) = signed(Pause { form, ..pause() });
            let own = Pause { nonce: B256::ZERO, form, ..pause() };
            assert_eq!(Bearer::parse(&bearer.to_json(), &own, deputy).unwrap(), bearer);
        }
    }

    #[test]
    fn a_signature_of_another_transaction_is_named_first() {
        let (bearer, deputy) = signed(pause());
        let text = bearer.to_json();
        let read = |own: &Pause, deputy| Bearer::parse(&text, own, deputy).unwrap_err().to_string();
        let own = pause();
        assert_eq!(
            read(&Pause { chain_id: 10, ..own }, deputy),
            "it was made for chain 1, and this lever is on chain 10"
        );
        assert!(read(&Pause { module: Address::ZERO, ..own }, deputy).contains("the council file names"));
        let all = Pause { form: PauseForm::Second { identifier: Address::ZERO }, ..own };
        assert!(read(&all, deputy).ends_with("this lever pauses all chains"));
        let other = Address::repeat_byte(1);
        assert_eq!(read(&own, other), format!("it was made by {deputy}, and the deputy is {other}"));
        // The file, with the id of another chain.
        let moved = text.replace("\"chain_id\": 1,", "\"chain_id\": 10,");
        let error = Bearer::parse(&moved, &Pause { chain_id: 10, ..own }, deputy).unwrap_err();
        assert!(error.to_string().starts_with("it was made by 0x"), "{error}");
    }

    #[test]
    fn anything_else_is_not_a_signature() {
        let (bearer, deputy) = signed(pause());
        let text = bearer.to_json();
        let own = pause();
        for wrong in [
            "{}".to_string(),
            String::new(),
            text.replace("\"breakglass_deputy\": 1", "\"breakglass_deputy\": 2"),
            text.replace("\"signature\": \"0x", "\"signature\": \"0xzz"),
            text.replace('}', ", \"more\": 1}"),
        ] {
            assert!(matches!(Bearer::parse(&wrong, &own, deputy), Err(BadBearer::Unreadable(_))), "{wrong}");
        }
        let long = text.replace("\"signature\": \"0x", "\"signature\": \"0x00");
        assert!(matches!(Bearer::parse(&long, &own, deputy), Err(BadBearer::Signature(_))));
        assert!(!format!("{bearer:?}").contains(&hex::encode(&bearer.signature.bytes()[..8])));
    }
}
