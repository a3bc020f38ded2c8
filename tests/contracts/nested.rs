//! Safes that own Safes: the signatures that each singleton with each handler accepts, by the contracts themselves.

use alloy::primitives::{Address, Bytes, U256};
use breakglass::safe::SafeVersion::{self, V1_3_0, V1_4_1, V1_5_0};
use breakglass::safe::deployments::Contract;
use breakglass::safe::{
    Answering, Approval, ContractSignature, Domain, EcdsaSignature, Hashes, Nonce, Operation, Question,
    SafeId, SafeMessage, SafeTx, encode_approvals, slot, usual_handler,
};

use crate::stage::{Anvil, SafeSetup, deploy_contracts, deploy_safe, key, published};

const CHAIN: u64 = 31_337;
const VERSIONS: [SafeVersion; 3] = [V1_3_0, V1_4_1, V1_5_0];
/// The account that asks; no contract has to be there.
const PARENT: Address = Address::repeat_byte(0x5a);

fn id(address: Address, version: SafeVersion) -> SafeId {
    SafeId { chain_id: CHAIN, address, version }
}

fn signed(n: usize, hashes: &Hashes) -> Approval {
    let bytes = key(n).sign(*hashes.safe_tx.word());
    Approval::Signed(EcdsaSignature::from_safe_bytes(&bytes, &hashes.safe_tx, V1_4_1).unwrap())
}

fn packed(owner: Address, parts: &[Approval]) -> Approval {
    Approval::Contract(ContractSignature { owner, data: encode_approvals(parts) })
}

/// The question of a parent of this version about a transaction.
fn question(version: SafeVersion) -> Question {
    let tx = SafeTx::new(PARENT, U256::ZERO, Bytes::from_static(&[1]), Operation::Call, Nonce::from(7));
    Question::about(version, &id(PARENT, version).hashes(&tx))
}

/// Returns `true` if the contract says yes when the parent asks; else what it said.
fn says_yes(anvil: &Anvil, safe: Address, question: &Question, parts: &[Approval]) -> Result<bool, String> {
    let call = question.calldata(&encode_approvals(parts));
    match anvil.try_call(PARENT, safe, &call) {
        Ok(answer) => Ok(question.is_yes(&answer)),
        Err(error) => Err(error.to_string()),
    }
}

struct Grandchild {
    id: SafeId,
}

impl Grandchild {
    /// The part of a Safe with its usual handler, whose one owner signs this message.
    fn part(&self, message: &SafeMessage) -> Approval {
        packed(self.id.address, &[signed(1, &message.hashes)])
    }
}

/// A Safe with one of the handlers, or with none.
struct Child {
    by: Answering,
    handler: Option<Address>,
    address: Address,
}

/// Owners of a child: a key, and Safes of every version. One of them is enough.
fn children(anvil: &Anvil) -> (Vec<Grandchild>, Vec<Child>) {
    let mut grandchildren = Vec::new();
    for version in VERSIONS {
        let setup = SafeSetup { owners: vec![key(1).address], ..SafeSetup::new(version, 1, 1) };
        grandchildren.push(Grandchild { id: id(deploy_safe(anvil, &setup), version) });
    }
    let mut owners = vec![key(0).address];
    owners.extend(grandchildren.iter().map(|grandchild| grandchild.id.address));
    let mut children = Vec::new();
    for singleton in VERSIONS {
        for handler in [Some(V1_3_0), Some(V1_4_1), Some(V1_5_0), None] {
            let setup = SafeSetup { owners: owners.clone(), ..SafeSetup::new(singleton, 1, 1) };
            let child = deploy_safe(anvil, &setup);
            let at = handler.map(|version| usual_handler(version).unwrap());
            anvil.set_storage(child, slot::FALLBACK_HANDLER, at.unwrap_or_default().into_word());
            let by = Answering { singleton, handler: handler.unwrap_or(singleton) };
            children.push(Child { by, handler: at, address: child });
        }
    }
    (grandchildren, children)
}

/// The table of `SafeMessage::answering`, row by row: where it gives a message the contract says yes to the signatures
/// over it, of a key and of a Safe below; where it gives none, the contract says yes to none of those that there are.
#[test]
fn each_singleton_with_each_handler_answers_as_the_table_says() {
    let anvil = Anvil::with_chain_id(CHAIN);
    for version in VERSIONS {
        deploy_contracts(&anvil, version);
    }
    let (grandchildren, children) = children(&anvil);
    let (mut yes, mut no) = (0, 0);
    for parent in VERSIONS {
        let asked = question(parent);
        for Child { by, handler, address: child } in &children {
            let place = format!("parent {parent}, singleton {}, handler {handler:?}", by.singleton);
            let safe = id(*child, by.singleton);
            let pair = handler.and_then(|handler| Answering::new(by.singleton, handler));
            assert_eq!(pair.is_some(), handler.is_some());
            let Some(message) =
                pair.and_then(|pair| SafeMessage::answering(&Domain::real(safe), pair, &asked))
            else {
                // Every message that another pair would have made of it.
                for other in [V1_3_0, V1_4_1].map(|version| Answering::usual(version).unwrap()) {
                    let message = SafeMessage::answering(&Domain::real(safe), other, &asked).unwrap();
                    let said = says_yes(&anvil, *child, &asked, &[signed(0, &message.hashes)]);
                    assert!(said != Ok(true), "{place}: {said:?}");
                }
                no += 1;
                continue;
            };
            let said = says_yes(&anvil, *child, &asked, &[signed(0, &message.hashes)]);
            assert_eq!(said, Ok(true), "{place}");
            let stranger = says_yes(&anvil, *child, &asked, &[signed(2, &message.hashes)]);
            assert!(stranger != Ok(true), "{place}: a stranger: {stranger:?}");
            yes += 1;
            for below in &grandchildren {
                let place = format!("{place}, below {}", below.id.version);
                let usual = Answering::usual(below.id.version).unwrap();
                let inner = message
                    .asks
                    .as_ref()
                    .and_then(|asks| SafeMessage::answering(&Domain::real(below.id), usual, asks));
                if let Some(inner) = inner {
                    let said = says_yes(&anvil, *child, &asked, &[below.part(&inner)]);
                    assert_eq!(said, Ok(true), "{place}");
                    yes += 1;
                    continue;
                }
                for asks in [
                    Question::Bytes(message.message.clone()),
                    Question::Bytes(message.hashes.pre_image()),
                    Question::Hash(*message.hashes.safe_tx.word()),
                ] {
                    let Some(tried) = SafeMessage::answering(&Domain::real(below.id), usual, &asks) else {
                        continue;
                    };
                    let said = says_yes(&anvil, *child, &asked, &[below.part(&tried)]);
                    assert!(said != Ok(true), "{place}, {asks:?}");
                    let is_gs027 = (by.singleton, by.handler) == (V1_4_1, V1_3_0);
                    assert!(!is_gs027 || said.unwrap_err().contains("GS027"), "{place}");
                }
                no += 1;
            }
        }
    }
    assert_eq!((yes, no), (58, 35), "rows");
}

/// One of two singletons of a version emits events; both answer alike.
#[test]
fn the_singleton_that_emits_events_answers_alike() {
    let anvil = Anvil::with_chain_id(CHAIN);
    for version in VERSIONS {
        let child = deploy_safe(&anvil, &SafeSetup { l2: true, ..SafeSetup::new(version, 1, 1) });
        let usual = Answering::usual(version).unwrap();
        let asked = question(version);
        let message = SafeMessage::answering(&Domain::real(id(child, version)), usual, &asked).unwrap();
        assert_eq!(says_yes(&anvil, child, &asked, &[signed(0, &message.hashes)]), Ok(true), "{version}");
        assert_ne!(published(Contract::SingletonL2, version), published(Contract::Singleton, version));
    }
}
