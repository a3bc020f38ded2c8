//! The steps without this program, printed beforehand: the calls to type into Safe{Wallet}, lines for `cast` that
//! compute the same hashes, and whom to call.

use alloy::primitives::hex;
use serde::Serialize;

use crate::ceremony::overviews::cards::LeverCard;
use crate::council::{Council, Person};
use crate::incident::Utc;
use crate::playbook::PlannedCall;
use crate::readiness::by_cast::{DOMAIN_TYPE, SAFE_TX_TYPE};
use crate::safe::{Operation, SafeVersion};
use crate::view::on_paper::card_text::CardText;
use crate::view::on_paper::paper::Paper;

/// The longest line of the script.
const WIDTH: usize = 76;

/// One transaction with the steps to make it without this program.
#[derive(Clone, Debug, Serialize)]
pub struct ByHand {
    card: CardText,
    people: Vec<Reachable>,
    /// Lines for a shell, which print the three hashes.
    cast: String,
}

#[derive(Clone, Debug, Serialize)]
struct Reachable {
    name: String,
    role: String,
    reach: String,
    zone: Option<String>,
    backup: Option<String>,
}

impl ByHand {
    pub fn new(lever: &LeverCard<'_>, council: &Council, now: Utc) -> Self {
        let reachable = |person: &Person| Reachable {
            name: person.name.clone(),
            role: person.role.clone(),
            reach: person.reach.clone(),
            zone: person.zone.as_ref().map(ToString::to_string),
            backup: person.backup.clone(),
        };
        Self {
            card: CardText::new(lever, now),
            people: council.people.values().map(reachable).collect(),
            cast: script(lever),
        }
    }

    /// Returns the page as lines of at most 80 columns.
    pub fn lines(&self) -> Vec<String> {
        let card = &self.card;
        let mut out = Paper::default();
        out.line(&format!("BY HAND · {} · printed {} UTC", card.title(), card.printed()));
        out.text(0, "For the night when breakglass itself is suspect, or gone. Print it before, and keep it on paper.");
        out.blank();
        self.people_to_call(&mut out);
        self.in_the_wallet(&mut out);
        out.text(0, "3  Compute the hashes, on a machine that is not suspect");
        out.text(
            3,
            "with `cast` of Foundry, which asks no network; the lines are typed into a shell as they are:",
        );
        out.blank();
        for line in self.cast.lines() {
            out.verbatim(line);
        }
        out.blank();
        out.text(0, "4  Compare, digit by digit: what cast prints, what the device shows, and these");
        for (name, hash) in card.hashes() {
            out.line(&format!("   {name:<8} {hash}"));
        }
        out.text(3, "One digit differs: reject on the device, and call the others. Nobody signs.");
        out.blank();
        out.text(0, "5  The others do steps 3 and 4 on their own machines, and sign in Safe{Wallet}.");
        out.text(
            3,
            "The sender pays the gas. Then look at the contract on a block explorer of another operator.",
        );
        out.into_lines()
    }

    fn people_to_call(&self, out: &mut Paper) {
        out.text(0, "1  Call somebody first: two people, two machines");
        for person in &self.people {
            let role = if person.role.is_empty() { String::new() } else { format!(" ({})", person.role) };
            let zone = person.zone.as_ref().map(|zone| format!(", {zone}")).unwrap_or_default();
            let backup = person.backup.as_ref().map(|name| format!("; else {name}")).unwrap_or_default();
            out.text(3, &format!("{}{role}: {}{zone}{backup}", person.name, person.reach));
        }
        if self.people.is_empty() {
            out.text(3, "Your breakglass.toml names nobody in [people]. Write them here by hand: ______________________________");
        }
        out.blank();
    }

    /// Adds the step in Safe{Wallet}, in the words of its Transaction Builder.
    fn in_the_wallet(&self, out: &mut Paper) {
        let card = &self.card;
        let calls: Vec<_> = card.typed().collect();
        out.text(0, "2  In Safe{Wallet}");
        out.text(
            3,
            "Type app.safe.global into the browser yourself. Open this Safe, and compare its address:",
        );
        out.text(3, &card.place());
        out.text(3, "New transaction, Transaction Builder. Turn \"Custom data\" on. Then type, and \"Add new transaction\":");
        for (at, [signature, name, to, value, data]) in calls.iter().enumerate() {
            out.text(3, &format!("call {} of {}: {signature} of {name}", at + 1, calls.len()));
            out.pair("To Address", to);
            out.pair("ETH value", value);
            out.pair("Data (Hex encoded)", data);
        }
        out.text(3, &format!("\"Create Batch\", \"Simulate\", then \"Send Batch\". The nonce must be {}: set it in the transaction's form.", card.first_nonce()));
        if card.is_batch() {
            out.text(
                3,
                "Several calls become one delegatecall, operation 1, to MultiSendCallOnly. This, whole:",
            );
            out.text(3, card.to());
        }
        out.blank();
    }
}

/// Returns lines for a POSIX shell that print the three hashes, computed by `cast` from the fields alone.
fn script(lever: &LeverCard<'_>) -> String {
    let (safe, tx) = (lever.card.safe(), lever.card.tx());
    let mut lines: Vec<String> = Vec::new();
    let calls: Vec<&PlannedCall> = lever.plans.calls().map(|(_, planned)| planned).collect();
    for planned in &calls {
        lines.push(format!("cast sig {}", quoted_in_pieces(&planned.signature)));
    }
    match tx.operation {
        Operation::Call => lines.push(format!("DATA={}", tx.data)),
        Operation::DelegateCall => lines.extend(batch(&calls)),
    }
    lines.push(format!("SAFE={}", safe.address));
    lines.push(format!("TO={}", tx.to));
    lines.push("ZERO=0x0000000000000000000000000000000000000000".into());
    lines.push(format!("NONCE={}", tx.nonce));
    lines.push(domain(safe.version, safe.chain_id));
    lines.push("TYPES=bytes32,address,uint256,bytes32,uint8,uint256,uint256".into());
    lines.push("TYPES=$TYPES,uint256,address,address,uint256".into());
    lines.push(format!(
        "M=$(cast abi-encode \"f($TYPES)\" \\\n  {SAFE_TX_TYPE} \\\n  $TO {} $(cast keccak $DATA) {} 0 0 0 $ZERO $ZERO $NONCE)",
        tx.value,
        tx.operation.as_u8()
    ));
    lines.push("DOMAIN=$(cast keccak $D)".into());
    lines.push("MESSAGE=$(cast keccak $M)".into());
    lines.push("echo domain $DOMAIN".into());
    lines.push("echo message $MESSAGE".into());
    lines.push("echo safeTx $(cast keccak 0x1901${DOMAIN#0x}${MESSAGE#0x})".into());
    lines.iter().flat_map(|line| line.split('\n').map(folded)).collect::<Vec<_>>().join("\n") + "\n"
}

fn domain(version: SafeVersion, chain_id: u64) -> String {
    debug_assert!(version.domain_has_chain_id(), "nothing is built for others");
    format!("D=$(cast abi-encode 'f(bytes32,uint256,address)' \\\n  {DOMAIN_TYPE} \\\n  {chain_id} $SAFE)")
}

/// Returns the lines that compute the data of several calls for MultiSendCallOnly.
fn batch(calls: &[&PlannedCall]) -> Vec<String> {
    let mut lines = vec!["B='f(uint8,address,uint256,uint256,bytes)'".to_string(), "ALL=0x".into()];
    for planned in calls {
        let call = &planned.call;
        lines.push(format!(
            "T=$(cast abi-encode --packed \"$B\" 0 \\\n  {} \\\n  {} {} 0x{})",
            call.to,
            call.value,
            call.data.len(),
            hex::encode(&call.data)
        ));
        lines.push("ALL=$ALL${T#0x}".into());
    }
    lines.push("DATA=$(cast calldata 'multiSend(bytes)' $ALL)".into());
    lines
}

/// Returns one word of a shell, on several lines if it is long. Each piece has its own quotes, because a backslash
/// inside quotes does not join lines.
fn quoted_in_pieces(text: &str) -> String {
    const PIECE: usize = 60;
    let chars: Vec<char> = text.chars().collect();
    let pieces = chars.chunks(PIECE).map(|piece| format!("'{}'", piece.iter().collect::<String>()));
    pieces.collect::<Vec<_>>().join("\\\n")
}

/// Breaks a long line by backslashes at which the shell joins the lines.
fn folded(line: &str) -> String {
    let (mut out, mut used) = (String::new(), 0);
    for c in line.chars() {
        if used == WIDTH && c != '\\' {
            out.push_str("\\\n");
            used = 0;
        }
        out.push(c);
        used += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_joins_the_pieces_of_a_long_line() {
        let line = format!("DATA=0x{}", "ab".repeat(100));
        let folded = folded(&line);
        assert!(folded.lines().all(|line| line.chars().count() <= WIDTH + 1), "{folded}");
        assert_eq!(folded.replace("\\\n", ""), line);
        assert_eq!(super::folded("short \\"), "short \\");
    }

    #[test]
    fn a_long_signature_is_one_word_for_the_shell() {
        let signature = format!("set$Caps(({})[])", ["address"; 30].join(","));
        let script = format!("printf %s {}", quoted_in_pieces(&signature));
        let script = script.split('\n').map(super::folded).collect::<Vec<_>>().join("\n");
        assert!(script.lines().all(|line| line.chars().count() <= WIDTH + 1), "{script}");
        let read = script.replace("'\\\n'", "").replace("printf %s ", "");
        assert_eq!(read, format!("'{signature}'"));
    }
}
