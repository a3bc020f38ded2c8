//! Owners that are contracts: Safes, whose own owners sign, and wallets that only the chain can ask.

use super::*;
use crate::safe::{
    Answering, Approval, ContractSignature, SafeMessage, encode_approvals, usual_handler, usual_singleton,
};

/// The owners as a council file that has every Safe would give them.
pub(super) fn owners_of(tree: &SafeTree) -> SafeOwners {
    let below = tree.children.iter().map(|child| OwnerSafe {
        id: child.id,
        by: Answering::of(&child.state),
        owners: owners_of(child),
    });
    let id = &tree.id;
    let owners = SafeOwners::new((id.chain_id, id.address), Some(&tree.owners), None).unwrap();
    owners.with_safes(below.collect())
}

pub(super) fn proposal_of(tx: SafeTx, state: &SafeState) -> Proposal {
    let known = proposal(42);
    let state = SafeState { nonce: tx.nonce, ..state.clone() };
    Proposal::new(tx, state, known.block().unwrap(), known.binding().clone(), Readings::default())
}

/// The chain's answers where a wallet says yes to what it is asked, and these owners have approved.
pub(super) fn answered(
    proposal: &Proposal,
    tree: &SafeTree,
    wallets: &[WalletSignature],
    approved: &[Address],
) -> Readings {
    let mut said = said(proposal, approved);
    let none = Readings::new();
    let given = Approvals { wallets, ..Approvals::new(&[], &[], &none) };
    for query in contract_queries(proposal, tree, &given) {
        let yes = approving_answer(&query).unwrap();
        said.insert(query, yes);
    }
    said
}

pub(super) fn safe_of(version: SafeVersion, n: u8, owners: &[Address], threshold: u64) -> SafeState {
    SafeState {
        id: SafeId { chain_id: 1, address: Address::repeat_byte(n), version },
        owners: Owners::new(owners.to_vec(), threshold).unwrap(),
        singleton: usual_singleton(version).unwrap(),
        fallback_handler: usual_handler(version).unwrap(),
        ..state(42)
    }
}

/// A parent of a key and two Safes: that of keys 2 and 3 (both sign), and that of key 4.
pub(super) struct Family {
    pub(super) tree: SafeTree,
    pub(super) proposal: Proposal,
}

pub(super) const BOTH: Address = Address::repeat_byte(0xb0);
pub(super) const ONE: Address = Address::repeat_byte(0x01);

impl Family {
    pub(super) fn new(version: SafeVersion, threshold: u64) -> Self {
        let parent = safe_of(version, 5, &[address(1), BOTH, ONE], threshold);
        let both = safe_of(version, 0xb0, &[address(2), address(3)], 2);
        let one = safe_of(version, 0x01, &[address(4)], 1);
        let proposal = proposal_of(proposal(42).tx().clone(), &parent);
        Self { tree: SafeTree::new(parent, &[both, one]), proposal }
    }

    /// The signature of a key for one of the Safes; for the parent's own where none is named.
    pub(super) fn sign(&self, seed: u8, through: &[Address]) -> OwnerSignature {
        let owners = owners_of(&self.tree);
        let ways = owners.ways(&self.proposal);
        let way = ways.iter().find(|way| way.through == through).unwrap();
        let bytes = over(seed, way.signs.word().as_slice());
        OwnerSignature::verify(&Stated::bare(bytes), &self.proposal, &owners).unwrap()
    }

    fn count(&self, signatures: &[OwnerSignature], said: &Readings) -> Shortfall {
        count(&self.proposal, &Approvals::new(signatures, &[], said), &self.tree)
    }

    fn assemble(&self, given: &Approvals) -> Result<Ready, NotReady> {
        super::super::assemble(&self.proposal, given, &Fresh::from_quorum(self.tree.clone()))
    }
}

fn kinds(tally: &Shortfall) -> Vec<(Address, SignatureKind)> {
    let mut kinds: Vec<_> = tally.approved.iter().map(|a| (a.owner(), a.kind())).collect();
    kinds.sort_unstable();
    kinds
}

#[test]
fn a_safe_approves_once_enough_of_its_own_owners_have_signed() {
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        let family = Family::new(version, 2);
        let said = Readings::new();
        let (two, three) = (family.sign(2, &[BOTH]), family.sign(3, &[BOTH]));
        let half = family.count(std::slice::from_ref(&two), &said);
        assert_eq!((half.approved.len(), half.missing.len()), (0, 3));
        let child = half.children.iter().find(|child| child.safe == BOTH).unwrap().tally.clone().unwrap();
        assert_eq!(
            (child.approved.len(), child.threshold.get(), &child.missing[..]),
            (1, 2, &[address(3)][..])
        );
        let whole = family.count(&[three.clone(), two.clone()], &said);
        assert_eq!(kinds(&whole), [(BOTH, SignatureKind::Contract)]);
        // The order makes no difference, nor that one is a line and one a file.
        let read_back = |signature: &OwnerSignature| {
            let owners = owners_of(&family.tree);
            let from =
                |text: &str| OwnerSignature::verify(&only(&find_signatures(text)), &family.proposal, &owners);
            assert_eq!(from(&signature.to_json()).as_ref(), Ok(signature));
            assert_eq!(from(&signature.line(&claims())).as_ref(), Ok(signature));
            assert_eq!(only(&find_signatures(&signature.line(&claims()))).claims.unwrap().through, [BOTH]);
        };
        read_back(&two);
        let mine = family.sign(1, &[]);
        let orders = [vec![&mine, &two, &three], vec![&three, &mine, &two], vec![&two, &three, &mine]];
        let ready = |order: Vec<&OwnerSignature>| {
            let list: Vec<OwnerSignature> = order.into_iter().cloned().collect();
            family.assemble(&Approvals::new(&list, &[], &said)).unwrap()
        };
        let [a, b, c] = orders.map(ready);
        assert!(a == b && b == c, "{version}");
        assert_eq!(a.signatures().len(), 2 * 65 + 32 + 2 * 65);
    }
}

#[test]
fn exactly_the_threshold_goes_in_plain_parts_before_contracts() {
    let family = Family::new(SafeVersion::V1_4_1, 2);
    let said = said(&family.proposal, &[BOTH]);
    let all = [family.sign(1, &[]), family.sign(2, &[BOTH]), family.sign(3, &[BOTH]), family.sign(4, &[ONE])];
    let ready = family.assemble(&Approvals::new(&all, &[], &said)).unwrap();
    // The key and the hash that is approved; neither Safe's signature.
    assert_eq!(ready.signatures().len(), 2 * 65);
    // A child counts once, by signature and by hash.
    let tally = family.count(&all, &said);
    assert_eq!(
        kinds(&tally),
        [
            (ONE, SignatureKind::Contract),
            (BOTH, SignatureKind::ApprovedHash),
            (address(1), SignatureKind::Ecdsa)
        ]
        .into_iter()
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
    );
    let alone = family.assemble(&Approvals::new(&all[1..3], &[], &said));
    assert!(matches!(alone, Err(NotReady::Shortfall(s)) if s.approved.len() == 1));
}

/// If an owner's contract refuses or made the transaction fail, the next owner's approval takes its place.
#[test]
fn an_approval_that_fails_when_it_counts_is_replaced_and_the_offsets_are_built_anew() {
    let family = Family::new(SafeVersion::V1_4_1, 2);
    let none = Readings::new();
    let all = [family.sign(1, &[]), family.sign(2, &[BOTH]), family.sign(3, &[BOTH]), family.sign(4, &[ONE])];
    let given = Approvals::new(&all, &[], &none);
    let of = |ready: &Ready| {
        let read = crate::safe::decode_approvals(ready.signatures()).unwrap();
        let owners = read.into_iter().filter_map(|part| match part {
            crate::safe::Packed::Contract(contract) => Some(contract.owner),
            _ => None,
        });
        owners.collect::<Vec<_>>()
    };
    assert_eq!(of(&family.assemble(&given).unwrap()), [ONE]);
    let failed = [ONE];
    assert_eq!(of(&family.assemble(&Approvals { failed: &failed, ..given }).unwrap()), [BOTH]);
    let queries = contract_queries(&family.proposal, &family.tree, &given);
    assert_eq!(queries.len(), 2);
    let is_of = |query: &&Query| matches!(query, Query::Call { to, .. } if *to == ONE);
    let query = queries.iter().find(is_of).unwrap().clone();
    for no in [Answer::Reverted(Bytes::new()), Answer::Value(Bytes::new()), Answer::Value(vec![0; 32].into())]
    {
        let said = [(query.clone(), no)].into_iter().collect();
        let given = Approvals { said: &said, ..given };
        assert_eq!(of(&family.assemble(&given).unwrap()), [BOTH]);
        let tally = count(&family.proposal, &given, &family.tree);
        assert!(tally.children.iter().any(|child| child.safe == ONE && child.says_no));
        assert!(tally.missing.contains(&ONE));
    }
}

#[test]
fn a_safe_that_is_not_an_owner_any_more_does_not_count() {
    let mut family = Family::new(SafeVersion::V1_4_1, 2);
    let all = [family.sign(1, &[]), family.sign(4, &[ONE])];
    let none = Readings::new();
    assert!(family.assemble(&Approvals::new(&all, &[], &none)).is_ok());
    family.tree.state.owners = Owners::new(vec![address(1), BOTH], 2).unwrap();
    let Err(NotReady::Shortfall(shortfall)) = family.assemble(&Approvals::new(&all, &[], &none)) else {
        panic!("a former owner counted")
    };
    assert_eq!((shortfall.approved.len(), shortfall.former), (1, vec![ONE]));
    // A former owner of the child does not count either.
    let mut family = Family::new(SafeVersion::V1_4_1, 2);
    family.tree.children[1].state.owners = Owners::new(vec![address(9)], 1).unwrap();
    assert_eq!(family.tree.children[1].id.address, ONE);
    assert!(family.assemble(&Approvals::new(&all, &[], &none)).is_err());
}

/// The message depends on the child's contracts.
#[test]
fn a_signature_for_a_child_with_other_contracts_does_not_count() {
    let mut family = Family::new(SafeVersion::V1_5_0, 2);
    let all = [family.sign(1, &[]), family.sign(4, &[ONE])];
    let none = Readings::new();
    assert!(family.assemble(&Approvals::new(&all, &[], &none)).is_ok());
    for handler in [Address::ZERO, Address::repeat_byte(7)] {
        family.tree.children[1].state.fallback_handler = handler;
        let tally = family.count(&all, &none);
        let child = tally.children.iter().find(|child| child.safe == ONE).unwrap();
        assert_eq!((tally.approved.len(), &child.tally), (1, &None), "it has to call approveHash");
    }
    let said = said(&family.proposal, &[ONE]);
    assert!(family.assemble(&Approvals::new(&all, &[], &said)).is_ok());
}

#[test]
fn a_signature_over_the_hash_or_for_another_parent_is_a_strangers() {
    let family = Family::new(SafeVersion::V1_4_1, 2);
    let owners = owners_of(&family.tree);
    let child = family.tree.child(ONE).unwrap();
    let other = proposal_of(family.proposal.tx().clone(), &safe_of(SafeVersion::V1_4_1, 6, &[ONE], 1));
    let verified = |message: Bytes| {
        let hash = child.id.message_hashes(&message).safe_tx;
        let bytes = over(4, hash.word().as_slice());
        OwnerSignature::verify(&Stated::bare(bytes), &family.proposal, &owners)
    };
    assert!(verified(family.proposal.hashes().pre_image()).is_ok());
    let hash = Bytes::copy_from_slice(family.proposal.hash().word().as_slice());
    for wrong in [hash, other.hashes().pre_image(), Bytes::new()] {
        assert!(matches!(verified(wrong), Err(VerifyError::NotAnOwner(_))));
    }
}

#[test]
fn the_sender_counts_only_where_they_are_wanted_to_and_for_nobody_else() {
    let family = Family::new(SafeVersion::V1_4_1, 2);
    let none = Readings::new();
    let one = [family.sign(4, &[ONE])];
    let given = Approvals::new(&one, &[], &none);
    assert!(family.assemble(&given).is_err());
    let by = |sender| family.assemble(&Approvals { sender: Some(sender), ..given });
    let ready = by(address(1)).unwrap();
    assert_eq!(ready.only_from(), Some(address(1)));
    assert!(by(address(9)).is_err() && by(address(2)).is_err(), "an owner of a child is none of the parent");
    // With a signature of theirs it can be sent by anybody.
    let both = [family.sign(4, &[ONE]), family.sign(1, &[])];
    let given = Approvals { sender: Some(address(1)), ..Approvals::new(&both, &[], &none) };
    assert_eq!(family.assemble(&given).unwrap().only_from(), None);
    // Inside of a child the sender is the parent.
    let parent = safe_of(SafeVersion::V1_4_1, 5, &[BOTH], 1);
    let proposal = proposal_of(family.proposal.tx().clone(), &parent);
    let tree = SafeTree::new(parent, &[safe_of(SafeVersion::V1_4_1, 0xb0, &[address(2)], 1)]);
    let given = Approvals { sender: Some(address(2)), ..Approvals::new(&[], &[], &none) };
    assert_eq!(count(&proposal, &given, &tree).approved, []);
}

#[test]
fn a_recorded_call_with_contract_signatures_is_ready_only_while_they_count() {
    let family = Family::new(SafeVersion::V1_4_1, 2);
    let none = Readings::new();
    let all = [family.sign(2, &[BOTH]), family.sign(3, &[BOTH]), family.sign(4, &[ONE])];
    let ready = family.assemble(&Approvals::new(&all, &[], &none)).unwrap();
    let again = |tree: &SafeTree, sender| {
        let given = Approvals { sender, ..Approvals::new(&[], &[], &none) };
        reassemble(&family.proposal, ready.calldata(), &given, &Fresh::from_quorum(tree.clone()))
    };
    assert_eq!(again(&family.tree, None).as_ref(), Some(&ready));
    let mut changed = family.tree.clone();
    changed.children[0].state.owners = Owners::new(vec![address(2), address(3), address(9)], 3).unwrap();
    assert_eq!(again(&changed, None), None, "the child's threshold");
    let mut changed = family.tree.clone();
    changed.children[1].state.owners = Owners::new(vec![address(9)], 1).unwrap();
    assert_eq!(again(&changed, None), None, "the child's owner");
    let by_sender = Approvals { sender: Some(address(1)), ..Approvals::new(&all[2..], &[], &none) };
    let sent = family.assemble(&by_sender).unwrap();
    let again = |sender| {
        let given = Approvals { sender, ..Approvals::new(&[], &[], &none) };
        reassemble(&family.proposal, sent.calldata(), &given, &Fresh::from_quorum(family.tree.clone()))
    };
    assert_eq!(
        (again(Some(address(1))).as_ref(), again(Some(address(2))), again(None)),
        (Some(&sent), None, None)
    );
}

/// Only the contract can verify such a signature.
#[test]
fn a_wallets_signature_counts_once_it_has_said_yes() {
    let family = Family::new(SafeVersion::V1_4_1, 2);
    let owners = SafeOwners::new((1, Address::repeat_byte(5)), Some(&family.tree.owners), None).unwrap();
    let signature = ContractSignature { owner: ONE, data: vec![1, 2, 3].into() };
    let packed = encode_approvals(&[Approval::Contract(signature.clone())]);
    let gathered = gather(
        &[find_signatures(&packed.to_string())],
        &[ProposalAndOwners { proposal: &family.proposal, owners: owners.clone() }],
    );
    let [wallet] = &gathered.contracts[..] else { panic!("{gathered:?}") };
    let stated = StatedContract::from_json(&wallet.to_json()).unwrap();
    assert_eq!(WalletSignature::stated(&stated, &family.proposal, &owners).as_ref(), Ok(wallet));
    let found = find_signatures(&wallet.line(&claims()).unwrap());
    assert_eq!(WalletSignature::stated(&found.contracts[0], &family.proposal, &owners).as_ref(), Ok(wallet));
    let tree = SafeTree::from(family.tree.state.clone());
    let wallets = std::slice::from_ref(wallet);
    let counted = |said: &Readings| {
        let given = Approvals { wallets, ..Approvals::new(&[], &[], said) };
        kinds(&count(&family.proposal, &given, &tree))
    };
    assert_eq!(counted(&Readings::new()), []);
    let yes = answered(&family.proposal, &tree, wallets, &[]);
    assert_eq!(counted(&yes), [(ONE, SignatureKind::Contract)]);
    // A stranger's is not even asked about.
    let stranger = ContractSignature { owner: Address::repeat_byte(0xee), ..signature };
    let packed = encode_approvals(&[Approval::Contract(stranger)]).to_string();
    let gathered =
        gather(&[find_signatures(&packed)], &[ProposalAndOwners { proposal: &family.proposal, owners }]);
    assert!(gathered.contracts.is_empty() && gathered.refused.first()[0].why.contains("is not an owner"));
}

#[test]
fn every_safe_below_has_its_own_message_and_a_circle_ends() {
    let version = SafeVersion::V1_4_1;
    let parent = safe_of(version, 5, &[BOTH, ONE], 1);
    let below =
        [safe_of(version, 0xb0, &[ONE, Address::repeat_byte(5)], 1), safe_of(version, 0x01, &[BOTH], 1)];
    let proposal = proposal_of(proposal(42).tx().clone(), &parent);
    let owners = owners_of(&SafeTree::new(parent, &below));
    let ways = owners.ways(&proposal);
    let through: Vec<&[Address]> = ways.iter().map(|way| &way.through[..]).collect();
    assert_eq!(through, [&[][..], &[BOTH], &[ONE], &[BOTH, ONE], &[ONE, BOTH]]);
    let messages: std::collections::BTreeSet<SafeTxHash> = ways.iter().map(|way| way.signs).collect();
    assert_eq!(messages.len(), ways.len());
    assert!(
        ways[0].message.is_none()
            && matches!(&ways[3].message, Some(SafeMessage { message, .. }) if message.len() == 66)
    );
}

/// The contribution of each owner: nothing, half of a child's signatures, all of them, or an approval on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gave {
    Nothing,
    Half,
    Signatures,
    Hash,
    Sends,
}

impl Gave {
    const fn counts(self) -> bool {
        matches!(self, Self::Signatures | Self::Hash | Self::Sends)
    }
}

/// A key and two Safes, every mix of what they gave, in every order, for each version and threshold: ready once enough count, and
/// packed as the Safe reads it.
#[test]
fn every_mix_of_kinds_in_every_order_is_ready_once_enough_count() {
    use Gave::{Half, Hash, Nothing, Sends, Signatures};
    let mut tried = 0;
    for version in [SafeVersion::V1_3_0, SafeVersion::V1_4_1, SafeVersion::V1_5_0] {
        for threshold in [2, 3] {
            let family = Family::new(version, threshold);
            let (mine, two) = (family.sign(1, &[]), family.sign(2, &[BOTH]));
            let (three, four) = (family.sign(3, &[BOTH]), family.sign(4, &[ONE]));
            for key in [Nothing, Signatures, Hash, Sends] {
                for both in [Nothing, Half, Signatures, Hash] {
                    for one in [Nothing, Signatures, Hash] {
                        let mut signed = Vec::new();
                        signed.extend((key == Signatures).then(|| mine.clone()));
                        signed.extend(matches!(both, Half | Signatures).then(|| two.clone()));
                        signed.extend((both == Signatures).then(|| three.clone()));
                        signed.extend((one == Signatures).then(|| four.clone()));
                        let approved = [(key, address(1)), (both, BOTH), (one, ONE)];
                        let approved: Vec<Address> = approved
                            .iter()
                            .filter(|(gave, _)| *gave == Hash)
                            .map(|(_, owner)| *owner)
                            .collect();
                        let said = said(&family.proposal, &approved);
                        let sender = (key == Sends).then(|| address(1));
                        let enough =
                            [key, both, one].iter().filter(|gave| gave.counts()).count() as u64 >= threshold;
                        let ready = |order: &[OwnerSignature]| {
                            family.assemble(&Approvals { sender, ..Approvals::new(order, &[], &said) }).ok()
                        };
                        let first = ready(&signed);
                        let place = format!("{version} {threshold}: {key:?} {both:?} {one:?}");
                        assert_eq!(first.is_some(), enough, "{place}");
                        for turn in 0..signed.len() {
                            let mut order = signed.clone();
                            order.rotate_left(turn);
                            assert_eq!(ready(&order), first, "{place}");
                            order.reverse();
                            assert_eq!(ready(&order), first, "{place}");
                        }
                        let parts =
                            first.map(|ready| crate::safe::decode_approvals(ready.signatures()).unwrap());
                        assert!(parts.is_none_or(|parts| parts.len() as u64 == threshold), "{place}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert_eq!(tried, 288);
}
