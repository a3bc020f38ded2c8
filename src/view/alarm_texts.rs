//! Alarms that were raised, and messages of other monitors: for the chat and for a script.

use serde::Serialize;
use serde_with::skip_serializing_none;

use crate::council::Alarm;
use crate::error::Exit;
use crate::incident::{AlertState, Message};
use crate::shell::quoted;
use crate::ui::Text;
use crate::view::person_line::PersonLine;

/// One transaction of an alarm's lever.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize)]
pub struct PreparedTx {
    /// `vault · guardian on mainnet`
    pub title: String,
    pub nonce: Option<String>,
    pub safe_tx_hash: Option<String>,
    pub proposal: Option<String>,
    /// Why it was not prepared, with the exit code; also if it is done already.
    #[serde(serialize_with = "sentence")]
    pub why: Option<(String, Exit)>,
}

#[allow(clippy::ref_option, reason = "as serde calls it")]
fn sentence<S: serde::Serializer>(why: &Option<(String, Exit)>, serializer: S) -> Result<S::Ok, S::Error> {
    why.as_ref().map(|(sentence, _)| sentence).serialize(serializer)
}

/// An alarm that has fired, as `watch` or a monitor reported it.
#[derive(Debug, Serialize)]
pub struct AlarmRaised {
    pub alarm: String,
    pub title: String,
    pub severity: String,
    pub chain: String,
    /// The block at which its claim was read; `None` for a message.
    pub block: Option<u64>,
    pub by: String,
    pub id: Option<String>,
    pub text: String,
    /// `true` if it is the first of its name in the incident.
    pub is_first: bool,
    pub lever: String,
    pub sign: String,
    pub page: Vec<PersonLine>,
    pub prepared: Vec<PreparedTx>,
    /// The deputy who pulls the lever alone.
    #[serde(skip)]
    pub deputy: Option<String>,
}

impl AlarmRaised {
    /// Returns an alarm without a report; `deputy` is the one who pulls its lever alone.
    pub fn new(alarm: &Alarm, severity: String, deputy: Option<&str>) -> Self {
        let verb = if deputy.is_some() { "deputy" } else { "sign" };
        Self {
            alarm: alarm.name.clone(),
            title: alarm.title.clone(),
            severity,
            chain: alarm.chain.clone(),
            block: None,
            by: String::new(),
            id: None,
            text: String::new(),
            is_first: false,
            lever: alarm.lever.clone(),
            sign: format!("breakglass {verb} {}", quoted(&alarm.lever)),
            page: Vec::new(),
            prepared: Vec::new(),
            deputy: deputy.map(String::from),
        }
    }

    /// Returns the lines for the chat.
    pub fn paragraph(&self) -> String {
        let Self { alarm, title, chain, by, text, prepared, .. } = self;
        let at = self.block.map(|block| format!(", block {block}")).unwrap_or_default();
        let mut lines = vec![format!("ALARM {alarm}: {title} ({chain}{at})"), format!("{by}: {text}")];
        if let Some(deputy) = &self.deputy {
            lines.push(format!("{deputy} alone can act, on their own machine: {}", self.sign));
            return lines.join("\n");
        }
        lines.extend(prepared.iter().map(PreparedTx::line));
        let is_done = |one: &PreparedTx| matches!(one.why, Some((_, Exit::Done)));
        if prepared.iter().any(|one| one.safe_tx_hash.is_some()) {
            lines.push(format!("each signer, on their own machine: {}", self.sign));
        } else if !prepared.is_empty() && prepared.iter().all(is_done) {
            lines.push("nothing is left to do".into());
        } else {
            lines.push(format!("look now: breakglass check {}", quoted(&self.lever)));
        }
        lines.join("\n")
    }
}

impl PreparedTx {
    fn line(&self) -> String {
        let title = &self.title;
        if let (Some(nonce), Some(hash)) = (&self.nonce, &self.safe_tx_hash) {
            return format!("prepared: {title}, nonce {nonce}, safeTxHash {hash}");
        }
        let why = self.why.as_ref().map(|(sentence, _)| sentence.as_str());
        format!("not prepared: {title}: {}", why.unwrap_or_default())
    }
}

/// A message, and what it comes to.
#[derive(Debug, Serialize)]
pub struct AlarmHeard {
    alarm: String,
    by: String,
    id: String,
    #[serde(flatten)]
    effect: MessageEffect,
    #[serde(skip)]
    title: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum MessageEffect {
    Fires {
        is_first: bool,
        is_repeated: bool,
    },
    /// No lever is prepared.
    Noted {
        fires: bool,
        #[serde(skip)]
        because: &'static str,
    },
}

impl AlarmHeard {
    /// A message that an alarm fires: the first of its incident, or one that came before.
    pub fn firing(alarm: &Alarm, message: &Message, (is_first, is_repeated): (bool, bool)) -> Self {
        Self::new(alarm, message, MessageEffect::Fires { is_first, is_repeated })
    }

    /// A message that something is over, or that tries the way.
    pub fn noted(alarm: &Alarm, message: &Message) -> Self {
        let because =
            if message.says == AlertState::Test { "a test" } else { "over, or taken on by somebody" };
        Self::new(alarm, message, MessageEffect::Noted { fires: false, because })
    }

    fn new(alarm: &Alarm, message: &Message, effect: MessageEffect) -> Self {
        let (by, id) = (message.by.to_string(), message.id.clone());
        Self { alarm: alarm.name.clone(), by, id, effect, title: alarm.title.clone() }
    }

    pub fn line(&self) -> Text {
        let Self { alarm, by, title, .. } = self;
        match &self.effect {
            MessageEffect::Fires { is_repeated: true, .. } => {
                Text::default().good("known: ").add(&format!("{alarm} by {by}: this message came before"))
            }
            MessageEffect::Fires { .. } => {
                Text::default().bad("ALARM ").add(&format!("{alarm} by {by}: {title}"))
            }
            MessageEffect::Noted { because, .. } => {
                Text::new(&format!("alarm {alarm} by {by}: {because}. Nothing was prepared"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(prepared: Vec<PreparedTx>) -> AlarmRaised {
        AlarmRaised {
            alarm: "drained".into(),
            title: "vault is drained".into(),
            severity: "P1".into(),
            chain: "main".into(),
            block: Some(7),
            by: "watch".into(),
            id: None,
            text: "balance is 0".into(),
            is_first: true,
            lever: "vault".into(),
            sign: "breakglass sign vault".into(),
            page: Vec::new(),
            prepared,
            deputy: None,
        }
    }

    fn not_prepared(exit: Exit) -> PreparedTx {
        PreparedTx { title: "vault".into(), why: Some(("because".into(), exit)), ..PreparedTx::default() }
    }

    #[test]
    fn the_last_line_for_the_chat_is_the_next_step() {
        let last = |prepared| raised(prepared).paragraph().lines().last().unwrap().to_string();
        let good = PreparedTx {
            nonce: Some("4".into()),
            safe_tx_hash: Some("0x12".into()),
            ..PreparedTx::default()
        };
        assert_eq!(
            last(vec![good, not_prepared(Exit::Refused)]),
            "each signer, on their own machine: breakglass sign vault"
        );
        assert_eq!(last(vec![not_prepared(Exit::Done)]), "nothing is left to do");
        assert_eq!(
            last(vec![not_prepared(Exit::Done), not_prepared(Exit::Network)]),
            "look now: breakglass check vault"
        );
        assert_eq!(last(Vec::new()), "look now: breakglass check vault");
        let whole = raised(vec![not_prepared(Exit::Refused)]);
        assert!(whole.paragraph().starts_with(
            "ALARM drained: vault is drained (main, block 7)\nwatch: balance is 0\nnot prepared: vault: because\n"
        ));
        assert_eq!(serde_json::to_value(&whole).unwrap()["prepared"][0]["why"], "because");
    }
}
