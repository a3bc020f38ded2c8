//! Imports signatures: those that are for a proposal of the reader's own are kept, the others explained. No statement
//! of a source is trusted: every hash is recomputed, every signer recovered.

use std::collections::{BTreeMap, HashSet};

use alloy::primitives::Address;

use crate::ceremony::derived::Derived;
use crate::ceremony::desk::Desk;
use crate::ceremony::find::Found;
use crate::ceremony::named::NamedTransaction;
use crate::ceremony::order::Given;
use crate::ceremony::signatures::by_chain::Verified;
use crate::ceremony::words::words_for;
use crate::error::{Error, Exit};
use crate::evm::Readings;
use crate::progress::Tone;
use crate::proposal::{
    Approvals, Finds, GatherResult, OwnerSignature, Proposal, ProposalAndOwners, RefusedSignature,
    SafeOwners, Shortfall, Tally, Truncated, approving_answer, contract_queries, count, gather,
};
use crate::safe::{Approval, Owners, SafeState, SafeTree, SafeTxHash};

/// The result of an import: new, known and refused signatures, and the tallies.
#[derive(Default)]
pub struct ImportResult {
    pub gathered: GatherResult,
    /// The approvals that the chain verified.
    pub verified: Verified,
    /// The proposals that signatures may be for.
    pub proposals: Vec<Proposal>,
    /// Signatures that could not be kept.
    pub unkept: Truncated<Error>,
    /// The named files whose proposals are not kept, and why.
    pub refused_files: RefusedFiles,
    /// One for each proposal that was named or has an imported signature.
    pub tallies: Vec<Tally>,
}

impl ImportResult {
    /// Returns a note if the proposal with this hash approves another one: `, to approve vault as foundation`;
    /// otherwise an empty text.
    pub fn approval(&self, hash: SafeTxHash) -> String {
        let of = self.proposals.iter().find(|proposal| proposal.hash() == hash);
        let pull = of.filter(|proposal| proposal.approves().is_some()).map(|p| p.binding().pull());
        pull.map_or_else(String::new, |pull| {
            let names = pull.names.join(" + ");
            pull.approve_as
                .iter()
                .fold(format!(", to approve {names}"), |note, safe| format!("{note} as {safe}"))
        })
    }
}

/// Paths with the reasons.
type RefusedFiles = Vec<(String, String)>;

/// A proposal that signatures may be for.
pub(in crate::ceremony) struct ImportTarget {
    pub(in crate::ceremony) proposal: Proposal,
    /// The owners whose signatures are imported.
    pub(in crate::ceremony) owners: SafeOwners,
    /// The owners and the threshold, by the council file or else by the chain.
    now: Owners,
}

impl ImportTarget {
    fn as_gather_input(&self) -> ProposalAndOwners<'_> {
        ProposalAndOwners { proposal: &self.proposal, owners: self.owners.clone() }
    }
}

/// The owners whose signatures count, by the name of each named Safe.
type Owned<'a> = BTreeMap<&'a str, (SafeOwners, Owners)>;

impl<'a> Desk<'a> {
    /// Keeps the found signatures that are an owner's of a proposal: of those kept here, of the named files, or of the
    /// levers as they are now.
    pub fn import(&'a self, what: &[String], given: &Given, found: &[Finds]) -> Result<ImportResult, Error> {
        let named = self.named(what, given)?;
        let mut owned = Owned::new();
        for one in &named {
            let safe = one.safe(self)?;
            if !owned.contains_key(safe.name.as_str()) {
                owned.insert(&safe.name, self.look_up_owners(safe)?);
            }
        }
        let (refused_files, mut targets) = self.targets(found, &named, &owned)?;
        let mut gathered = gather(found, &gather_inputs(&targets));
        let derived = self.derive_absent(&named, given, found, (&targets, &gathered))?;
        let mut leading =
            self.name_first(&mut targets, derived.iter().map(|derived| &derived.proposal), &owned);
        if leading > 0 {
            gathered = gather(found, &gather_inputs(&targets));
        }
        let asked = targets.iter().map(|target| (&target.proposal, &target.owners));
        let verified = self.verify_by_chain(found, asked, &mut gathered);
        let signed = |hash| gathered.new.iter().any(|s| s.hash() == hash) || verified.is_for(hash);
        for derived in derived.iter().filter(|derived| signed(derived.proposal.hash())) {
            derived.keep(self)?;
        }
        for one in &named {
            if let NamedTransaction::File { path, proposal } = one
                && !refused_files.iter().any(|(refused, _)| refused == path)
                && signed(proposal.hash())
            {
                self.keep_proposal(proposal)?;
                self.say_foreign(proposal, given)?;
            }
        }
        leading += named.iter().filter(|one| one.proposal().is_some()).count() - refused_files.len();
        for target in &targets {
            if gathered.new.iter().any(|s| s.hash() == target.proposal.hash()) {
                gathered = gathered.merge_known(&self.signatures(&target.proposal, &target.owners)?);
            }
        }
        let unkept = self.keep_new(&targets, &mut gathered, &verified);
        let explained = |refusal: &RefusedSignature| self.explained(refusal, leading, &targets);
        gathered.refused = std::mem::take(&mut gathered.refused).map(explained);
        let tallies = self.tallies((what, given), leading, &targets, (&gathered, &verified))?;
        let proposals = targets.into_iter().map(|target| target.proposal).collect();
        Ok(ImportResult { gathered, verified, proposals, unkept, refused_files, tallies })
    }

    /// Returns the proposals that signatures may be for: first the named ones, then the kept ones with a hash that was
    /// found, and for bare signatures all open ones. Returns the named files that the reader's own files do not give,
    /// and why.
    fn targets(
        &self,
        found: &[Finds],
        named: &[NamedTransaction],
        owned: &Owned,
    ) -> Result<(RefusedFiles, Vec<ImportTarget>), Error> {
        let by_key = found.iter().flat_map(|finds| &finds.stated).filter_map(|stated| stated.hash);
        let by_contract = found.iter().flat_map(|finds| &finds.contracts).filter_map(|stated| stated.hash);
        let stated: HashSet<SafeTxHash> = by_key.chain(by_contract).collect();
        // Drills count only if they are named: a drill's signature must not count for a real proposal.
        let is_drill = named.iter().any(NamedTransaction::is_drill);
        let mut kept = if is_drill { Vec::new() } else { self.kept(|p| stated.contains(&p.hash()))? };
        if !is_drill && found.iter().any(Finds::has_bare) {
            kept.extend(self.kept_open()?.into_iter().filter(|p| !stated.contains(&p.hash())));
        }
        let mut targets: Vec<ImportTarget> =
            kept.into_iter().filter_map(|proposal| self.target(proposal, owned)).collect();
        let (mut refused, mut first) = (Vec::new(), Vec::new());
        for one in named {
            let Some(proposal) = one.proposal() else { continue };
            match one {
                NamedTransaction::File { path, .. } if let Err(why) = self.derives(proposal) => {
                    refused.push((path.clone(), why));
                }
                _ => first.push(proposal),
            }
        }
        self.name_first(&mut targets, first.into_iter(), owned);
        Ok((refused, targets))
    }

    fn target(&self, proposal: Proposal, owned: &Owned) -> Option<ImportTarget> {
        let safe = self.safe_of(&proposal).ok()?;
        if let Some((owners, now)) = owned.get(safe.name.as_str()) {
            return Some(ImportTarget { proposal, owners: owners.clone(), now: now.clone() });
        }
        Some(ImportTarget { owners: self.owners(safe, None)?, now: safe.owners.clone()?, proposal })
    }

    /// Moves the named proposals to the front, in their order. Returns their number.
    fn name_first<'p>(
        &self,
        targets: &mut Vec<ImportTarget>,
        proposals: impl Iterator<Item = &'p Proposal>,
        owned: &Owned,
    ) -> usize {
        let first: Vec<ImportTarget> = proposals.filter_map(|p| self.target(p.clone(), owned)).collect();
        targets.retain(|target| first.iter().all(|named| named.proposal.hash() != target.proposal.hash()));
        let count = first.len();
        targets.splice(0..0, first);
        count
    }

    /// Derives the levers without a fitting signature, which may mean a transaction that was never proposed on this
    /// machine. Fails if none can be derived, and no signature fits.
    fn derive_absent(
        &'a self,
        named: &[NamedTransaction<'a>],
        given: &Given,
        found: &[Finds],
        (targets, gathered): (&[ImportTarget], &GatherResult),
    ) -> Result<Vec<Derived<'a>>, Error> {
        let is_empty = found.iter().all(Finds::is_empty);
        if !gathered.new.is_empty() && gathered.refused.is_empty() {
            return Ok(Vec::new());
        }
        let mut absent = Vec::new();
        for one in named {
            let NamedTransaction::Lever { order, kept } = one else { continue };
            let is_wanted = self.filter_for(order, given)?;
            let fits =
                |target: &&ImportTarget| gathered.new.iter().any(|s| s.hash() == target.proposal.hash());
            let has_one = targets.iter().filter(fits).any(|target| is_wanted(&target.proposal));
            let is_shown = is_empty && kept.is_some();
            if !has_one && !is_shown {
                absent.push(Found::Lever { order: order.clone(), guess: None, approvals: false });
            }
        }
        let derived = self.evaluate_or_leave_out(absent, given, !gathered.new.is_empty())?;
        Ok(derived.into_iter().map(|(_, rehearsed)| rehearsed.online.derived).collect())
    }

    /// Keeps the new signatures. One that cannot be kept is removed and reported, and does not stop the others.
    fn keep_new(
        &self,
        targets: &[ImportTarget],
        gathered: &mut GatherResult,
        verified: &Verified,
    ) -> Truncated<Error> {
        let mut unkept = Truncated::default();
        for wallet in &verified.wallets {
            let signed = targets.iter().find(|target| target.proposal.hash() == wallet.hash());
            if let Some(Err(error)) = signed.map(|target| self.keep_wallet(&target.proposal, wallet)) {
                unkept.push(|| error.about(&format!("the signature of {}", wallet.signature().owner)));
            }
        }
        gathered.new.retain(|signature| {
            let signed = targets.iter().find(|target| target.proposal.hash() == signature.hash());
            let Some(target) = signed else { return false };
            match self.keep_signature(&target.proposal, signature) {
                Ok(_) => true,
                Err(error) => {
                    unkept.push(|| error.about(&format!("the signature of {}", signature.owner())));
                    false
                }
            }
        });
        unkept
    }

    /// Reports arguments that come from the file alone, so that a person who signs or sends it later knows.
    fn say_foreign(&self, proposal: &Proposal, given: &Given) -> Result<(), Error> {
        let foreign = self.foreign(proposal, &given.arguments()?);
        if foreign.is_empty() {
            return Ok(());
        }
        let first = foreign.iter().take(Truncated::<()>::SHOWN);
        let list: Vec<String> = first.map(|(name, value)| format!("{name} = {value}")).collect();
        let more = match foreign.len() - list.len() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let binding = proposal.binding();
        let what = if binding.is_of_levers() { "lever" } else { "playbook" };
        let text =
            format!("{what} {} leaves open, and the file chose: {}{more}", binding.title(), list.join(", "));
        self.progress.tell(Tone::Warn, "! ", &text);
        Ok(())
    }

    /// Returns the name of a signer or Safe by the council file, or the address.
    pub fn name_of(&self, owner: Address) -> String {
        let signer = self.council.signer_at(owner);
        let safe = || self.council.safes.values().find(|known| known.address == owner);
        let name = signer.map(|known| &known.name).or_else(|| safe().map(|known| &known.name));
        name.cloned().unwrap_or_else(|| owner.to_string())
    }

    /// Returns who has approved according to the files kept here; the owners are the council file's or the chain's.
    fn approved_here(&self, target: &ImportTarget, verified: &Verified) -> Result<Shortfall, Error> {
        let proposal = &target.proposal;
        let (signatures, wallets) = self.confirmed_signatures(proposal, &target.owners, verified)?;
        let state = SafeState { owners: target.now.clone(), ..proposal.snapshot().clone() };
        let tree = SafeTree::new(state, &self.pinned_safes(self.safe_of(proposal)?));
        let none = Readings::new();
        let given = Approvals::new(&signatures, &wallets, &none);
        let said = contract_queries(proposal, &tree, &given).into_iter();
        let said = said.filter_map(|query| Some((query.clone(), approving_answer(&query)?))).collect();
        Ok(count(proposal, &Approvals { said: &said, ..given }, &tree))
    }

    fn tallies(
        &self,
        (what, given): (&[String], &Given),
        leading: usize,
        targets: &[ImportTarget],
        (gathered, verified): (&GatherResult, &Verified),
    ) -> Result<Vec<Tally>, Error> {
        let has = |target: &&ImportTarget| {
            let hash = target.proposal.hash();
            let of = |s: &OwnerSignature| s.hash() == hash;
            gathered.new.iter().any(of)
                || gathered.known.iter().any(of)
                || gathered.spare.keys().any(|(signed, _)| *signed == hash)
                || verified.is_for(hash)
        };
        let touched = targets.iter().filter(has).count();
        let is_told = |(at, target): &(usize, &ImportTarget)| {
            has(target) || *at < leading && (touched == 0 || leading > 1)
        };
        let tally = |target: &ImportTarget| {
            let shortfall = self.approved_here(target, verified)?;
            let hash = target.proposal.hash();
            let mut signed: Vec<Address> = shortfall.approved.iter().map(Approval::owner).collect();
            signed.extend(verified.approved.iter().filter(|(of, _)| *of == hash).map(|(_, owner)| *owner));
            let command = || target.proposal.binding().command(&self.council);
            let words = self.words_of_drill(&target.proposal).or_else(command);
            let words = words.unwrap_or_else(|| words_for(what, given));
            let safe = self.safe_of(&target.proposal)?;
            for lost in self.lost(&target.proposal, safe, &target.owners)? {
                self.progress.tell_once(Tone::Warn, "lost: ", &lost);
            }
            let name = |owner| with_tally(self.name_of(owner), owner, &shortfall);
            Ok(Tally::new(target.proposal.hash(), &signed, &target.now, name, words))
        };
        targets.iter().enumerate().filter(is_told).map(|(_, target)| tally(target)).collect()
    }
}

/// Returns `foundation (1 of 2)` for a Safe with some signatures, otherwise the name.
fn with_tally(name: String, owner: Address, shortfall: &Shortfall) -> String {
    match shortfall
        .child(owner)
        .and_then(|child| child.tally.as_ref())
        .filter(|tally| !tally.approved.is_empty())
    {
        Some(tally) if !tally.is_met() => format!("{name} ({} of {})", tally.approved.len(), tally.threshold),
        _ => name,
    }
}

fn gather_inputs(targets: &[ImportTarget]) -> Vec<ProposalAndOwners<'_>> {
    targets.iter().map(ImportTarget::as_gather_input).collect()
}

/// Returns the error of an import without an owner's signature.
pub fn no_signature_error(refused: Option<(&str, &str)>, is_forged: bool) -> Error {
    match refused {
        Some((origin, why)) if is_forged => {
            let fix = "do not sign it; ask in person where it comes from, or update your council file and playbooks";
            Error::new(Exit::Refused, format!("no signature was imported: {origin}: {why}")).hint(fix)
        }
        Some((origin, why)) => {
            Error::new(Exit::Refused, format!("no signature was imported: {origin}: {why}"))
        }
        None => Error::new(Exit::Failed, "no signature was found in what was given")
            .hint("paste the whole line of the owner, or name its file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::tests::{Home, at, proposed};

    #[test]
    fn an_owner_safe_is_listed_with_its_progress() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let safe = desk.safe_of(&vault).unwrap();
        let labs = desk.safe("labs").unwrap().address;
        let tree = SafeTree::new(vault.snapshot().clone(), &desk.pinned_safes(safe));
        let none = Readings::default();
        let mut tally = count(&vault, &Approvals::new(&[], &[], &none), &tree);
        let named = |tally: &Shortfall| with_tally("labs".into(), labs, tally);
        assert_eq!(named(&tally), "labs", "nobody has signed for it");
        let below = tally.children[0].tally.as_mut().unwrap();
        let owner = below.missing[0];
        below.threshold = Owners::new(vec![owner, labs], 2).unwrap().threshold();
        below.approved.push(Approval::OnChain(owner));
        assert_eq!(named(&tally), "labs (1 of 2)");
        let below = tally.children[0].tally.as_mut().unwrap();
        below.approved.push(Approval::OnChain(labs));
        assert_eq!(named(&tally), "labs", "it is met");
    }

    #[test]
    fn the_error_of_an_empty_import_has_the_reason() {
        let error = no_signature_error(Some(("a.txt", "by nobody")), false);
        assert_eq!((error.exit, error.hints.len()), (Exit::Refused, 0));
        let forged = no_signature_error(Some(("a.txt", "it is not yours")), true);
        assert_eq!((forged.exit, forged.hints.len()), (Exit::Refused, 1));
        assert_eq!(forged.message, "no signature was imported: a.txt: it is not yours");
        assert_eq!(no_signature_error(None, true).exit, Exit::Failed);
    }
}
