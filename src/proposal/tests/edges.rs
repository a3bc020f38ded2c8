//! Limits and conditions, each by the case that lies just beyond it.

use super::*;
use crate::council::Pull;
use crate::council::tests::written::CouncilText;
use crate::safe::Answering;

fn bound(lever: Option<&str>, playbook: &str, args: &[(&str, &str)]) -> BoundLever {
    BoundLever::of(lever, playbook, "text", args)
}

fn never(_: &BoundLever, _: &str, _: (&str, &str)) -> bool {
    false
}

/// A playbook without a lever has a binding of its own and no lever name.
#[test]
fn a_playbook_without_a_lever_is_bound_alone() {
    let named = Pull { names: vec!["vault".into()], ..Pull::default() };
    let unnamed = || bound(None, "pause/x", &[]);
    assert!(Binding::new(Pull::default(), vec![unnamed()]).is_ok());
    let several = vec![unnamed(), bound(Some("vault"), "pause/x", &[])];
    for (pull, levers) in [(named.clone(), vec![unnamed()]), (Pull::default(), several)] {
        assert_eq!(
            Binding::new(pull, levers).unwrap_err().to_string(),
            "it has several playbooks, and not each has a lever's name"
        );
    }
    let lever = bound(Some("vault"), "pause/x", &[]);
    let both = Binding::new(named.clone(), vec![lever.clone(), bound(Some("fee"), "pause/x", &[])]).unwrap();
    let one = Binding::new(named, vec![lever.clone()]).unwrap();
    assert_eq!((one.levers(), both.levers().len()), (&[lever][..], 2));
    assert!(both.is_of_levers() && !Binding::one(unnamed(), false).is_of_levers());
}

#[test]
fn a_binding_is_of_another_with_the_same_levers_and_arguments_alone() {
    let of = |lever: Option<&str>, playbook: &str, args: &[(&str, &str)]| {
        Binding::one(bound(lever, playbook, args), false)
    };
    let own = of(Some("fee"), "param/fee", &[("fee", "40 bps"), ("was", "1")]);
    let wanted = of(Some("fee"), "param/fee", &[("fee", "40 bps")]);
    assert!(own.is_of(&wanted, never) && !wanted.is_of(&own, never));
    assert!(own.is_of(&of(Some("fee"), "param/other", &[]), never), "the lever says which playbook");
    assert!(!own.is_of(&of(Some("cap"), "param/fee", &[("fee", "40 bps")]), never));
    let other = of(Some("fee"), "param/fee", &[("fee", "0.4 %")]);
    assert!(!own.is_of(&other, never) && own.is_of(&other, |_, _, _| true));
    // Without a lever, the playbook is all there is.
    let (pause, unpause) = (of(None, "pause/x", &[]), of(None, "pause/x-undo", &[]));
    assert!(pause.is_of(&of(None, "pause/x", &[]), never) && !pause.is_of(&unpause, never));
}

#[test]
fn one_lever_is_not_named_in_front_of_its_own_differences() {
    let of = |value| Binding::one(bound(Some("fee"), "param/fee", &[("fee", value)]), false);
    let [row] = &of("1").differences(&of("2"), never)[..] else { panic!() };
    assert_eq!((row.file.as_str(), row.own.as_str()), ("fee = 1", "fee = 2"));
}

#[test]
fn a_signature_line_names_the_levers() {
    let text = CouncilText::new().safe("guardian", Address::repeat_byte(5), &[], 0);
    let text = text.lever("vault", "pause/oz-pausable", "vault");
    let council = text.council();
    assert_eq!(Claims::of(&proposal(42), &council, &text.0).levers, ["vault"]);
    let like = proposal(42);
    let binding = Binding::one(bound(None, "pause/x", &[("target", "0x01")]), false);
    let alone = Proposal::new(like.tx, like.snapshot, like.block.unwrap(), binding, like.readings);
    let claims = Claims::of(&alone, &council, &text.0);
    assert_eq!(claims.levers, ["pause/x"]);
    assert_eq!(claims.args, [("target".to_string(), "0x01".to_string())]);
}

#[test]
fn a_drill_is_named_by_its_nonce_and_digits_and_nothing_real_is() {
    let drill = proposal(42).for_drill().unwrap();
    let head = |proposal: &Proposal| proposal.hash().to_string()[2..8].to_string();
    let name = |nonce: u64, head: &str| format!("drill:vault-n{nonce}-{head}").parse::<DrillName>().unwrap();
    assert!(name(42, &head(&drill)).names(&drill));
    assert!(!name(42, &head(&proposal(42))).names(&proposal(42)), "it is real");
    assert!(!name(43, &head(&drill)).names(&drill));
    let other = if head(&drill).starts_with('0') { "111111" } else { "000000" };
    assert!(!name(42, other).names(&drill) && !name(42, other).matches_hash(drill.hash()));
}

#[test]
fn a_drills_name_is_as_long_as_it_may_be_and_no_longer() {
    let of = |levers: &str| format!("drill:{levers}-n4-7f3a").parse::<DrillName>();
    assert!(of(&vec!["a"; 50].join("+")).is_ok() && of(&vec!["a"; 51].join("+")).is_err());
    let longest = 2_000 - "-n4-7f3a".len();
    assert!(of(&"a".repeat(longest)).is_ok() && of(&"a".repeat(longest + 1)).is_err());
}

#[test]
fn two_proposals_of_equal_rank_do_not_displace_each_other() {
    let contender = |title: &str, signers| Contender {
        title: title.into(),
        levers: Vec::new(),
        nonce: Nonce::from(4),
        signers,
        severity: None,
        place: usize::MAX,
    };
    assert_eq!(nonce_keeper(&contender("a", 1), &[contender("b", 1)]), None);
    assert_eq!(nonce_keeper(&contender("a", 0), &[contender("b", 0)]), None, "nobody has signed it");
    assert!(nonce_keeper(&contender("a", 1), &[contender("b", 2)]).is_some());
}

#[test]
fn bare_signatures_and_approvals_state_no_transaction() {
    let hash = proposal(42).hash();
    let bytes = raw(1, &proposal(42), SignatureKind::Ecdsa);
    assert!(!Finds::default().has_bare() && Finds::default().is_empty());
    let bare = Finds { bare: vec![Stated::bare(bytes)], ..Finds::default() };
    let approved = Finds { approved: vec![address(1)], ..Finds::default() };
    assert!(bare.has_bare() && approved.has_bare());
    let signature = crate::safe::ContractSignature { owner: address(9), data: Bytes::new() };
    let contract = StatedContract::bare(signature);
    assert!(Finds { contracts: vec![contract.clone()], ..Finds::default() }.has_bare());
    let stated = StatedContract { hash: Some(hash), ..contract };
    assert!(!Finds { contracts: vec![stated], ..Finds::default() }.has_bare());
    let line = Stated { hash: Some(hash), ..Stated::bare(bytes) };
    assert!(!Finds { stated: vec![line], ..Finds::default() }.has_bare());
}

#[test]
fn the_batch_contract_is_chosen_by_its_code() {
    let contract = BatchContract::of(1, SafeVersion::V1_4_1, None);
    let address = contract.address(BatchSource::Offline).unwrap();
    assert_eq!(contract.likely(), Some(address));
    assert_eq!(contract.queries(), [Query::CodeHash { address }]);
    let open = contract.all();
    assert!(open.queries().len() >= contract.queries().len() && open.likely().is_some());
}

/// A contract wallet counts after it confirmed on chain, and not after it made the transaction fail.
#[test]
fn a_contracts_signature_counts_if_the_contract_confirms_it() {
    let wallet = Address::with_last_byte(9);
    let mut safe = state(42);
    safe.owners = Owners::new(vec![address(1), wallet], 2).unwrap();
    let like = proposal(42);
    let (block, binding) = (like.block().unwrap(), like.binding().clone());
    let proposal = Proposal::new(like.tx().clone(), safe.clone(), block, binding, Readings::default());
    let tree: SafeTree = safe.clone().into();
    let owners = SafeOwners::of(&safe);
    let signature = crate::safe::ContractSignature { owner: wallet, data: Bytes::from(vec![7; 70]) };
    let stated = StatedContract {
        hash: Some(proposal.hash()),
        purpose: Some(proposal.purpose()),
        ..StatedContract::bare(signature)
    };
    let wallets = [WalletSignature::stated(&stated, &proposal, &owners).unwrap()];
    let own =
        OwnerSignature::verify(&Stated::bare(raw(1, &proposal, SignatureKind::Ecdsa)), &proposal, &owners);
    let own = [own.unwrap()];
    let none = Readings::new();
    let asked = contract_queries(&proposal, &tree, &Approvals::new(&own, &wallets, &none));
    assert_eq!(asked.len(), 1);
    let answering = |answer: Answer| -> Readings { [(asked[0].clone(), answer)].into_iter().collect() };
    let yes = answering(approving_answer(&asked[0]).unwrap());
    let no = answering(Answer::Value(vec![0; 32].into()));
    let approved = |said: &Readings, failed: &[Address]| {
        let given = Approvals { failed, ..Approvals::new(&own, &wallets, said) };
        let tally = count(&proposal, &given, &tree);
        tally.approved.iter().map(crate::safe::Approval::owner).collect::<Vec<_>>()
    };
    let mut both = vec![address(1), wallet];
    both.sort();
    assert_eq!(approved(&yes, &[]), both, "in the order of their addresses");
    for said in [&no, &none] {
        assert_eq!(approved(said, &[]), [address(1)]);
    }
    assert_eq!(approved(&yes, &[wallet]), [address(1)], "the transaction failed by it");
    let fresh = newest(safe);
    let given = Approvals::new(&own, &wallets, &yes);
    let ready = super::super::assemble(&proposal, &given, &fresh).unwrap();
    let again = |said: &Readings| {
        reassemble(&proposal, ready.calldata(), &Approvals::new(&[], &[], said), &fresh).is_some()
    };
    assert!(again(&yes) && !again(&no) && !again(&none));
}

/// Each Safe is asked about the wallets among its own owners, at whatever depth.
#[test]
fn a_wallet_below_a_safe_is_asked_by_that_safe() {
    let version = SafeVersion::V1_4_1;
    let (child, wallet) = (Address::repeat_byte(0xb0), Address::repeat_byte(0x77));
    let safe = |address: Address, owners: Vec<Address>| SafeState {
        id: SafeId { chain_id: 1, address, version },
        owners: Owners::new(owners, 1).unwrap(),
        singleton: crate::safe::usual_singleton(version).unwrap(),
        fallback_handler: crate::safe::usual_handler(version).unwrap(),
        ..state(42)
    };
    let (top, below) = (safe(Address::repeat_byte(5), vec![child]), safe(child, vec![wallet]));
    let like = proposal(42);
    let (block, binding) = (like.block().unwrap(), like.binding().clone());
    let proposal = Proposal::new(like.tx().clone(), top.clone(), block, binding, Readings::default());
    let tree = SafeTree::new(top.clone(), std::slice::from_ref(&below));
    let owners = SafeOwners::of(&top).with_safes(vec![OwnerSafe {
        id: below.id,
        by: Answering::of(&below),
        owners: SafeOwners::of(&below),
    }]);
    let signature = crate::safe::ContractSignature { owner: wallet, data: Bytes::from(vec![7; 70]) };
    let stated = StatedContract {
        hash: Some(proposal.hash()),
        purpose: Some(proposal.purpose()),
        ..StatedContract::bare(signature)
    };
    let stated = StatedContract { through: vec![child], ..stated };
    let wallets = [WalletSignature::stated(&stated, &proposal, &owners).unwrap()];
    let none = Readings::new();
    let asked = contract_queries(&proposal, &tree, &Approvals::new(&[], &wallets, &none));
    let is_of_wallet = |query: &Query| matches!(query, Query::Call { from: Some(from), to, .. } if (*from, *to) == (child, wallet));
    assert!(asked.iter().any(is_of_wallet), "{asked:?}");
    let tally = count(&proposal, &Approvals::new(&[], &wallets, &none), &tree);
    assert_eq!(tally.child(child).map(|child| child.safe), Some(child));
    assert_eq!(tally.child(wallet), None);
}

/// A contract's signature in its own file, a bare signature before a line, and lines of a set.
#[test]
fn each_form_of_a_signature_is_found_wherever_it_stands() {
    let proposal = proposal(42);
    let signature = crate::safe::ContractSignature { owner: address(3), data: Bytes::from(vec![7; 70]) };
    let stated = StatedContract {
        hash: Some(proposal.hash()),
        purpose: Some(proposal.purpose()),
        ..StatedContract::bare(signature)
    };
    let wallet = WalletSignature::stated(&stated, &proposal, &owners()).unwrap();
    assert_eq!(find_signatures(&wallet.to_json()).contracts.len(), 1);
    let bare = alloy::primitives::hex::encode(raw(1, &proposal, SignatureKind::Ecdsa));
    let line = signed(2, &proposal).line(&claims());
    let found = find_signatures(&format!("{bare}\n{line}"));
    assert_eq!((found.bare.len(), found.stated.len()), (1, 1));
    let ahead = signed(2, &proposal).line_ahead(&claims());
    let found = find_signatures(&ahead);
    assert_eq!((found.ahead.len(), found.stated.len()), (1, 0));
    assert_eq!(found.ahead[0].nonce, Nonce::from(42));
    // Digits inside of a word are no signature.
    assert!(find_signatures(&format!("x{bare}")).bare.is_empty());
    let cut = find_signatures(&line[..line.len() - 9]);
    assert!(
        line.to_lowercase().starts_with(&cut.damaged.first()[0].line.to_lowercase()),
        "{:?}",
        cut.damaged
    );
    assert!(cut.damaged.first()[0].line.len() > 60);
}
