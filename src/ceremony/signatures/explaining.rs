//! Explanations of a refused signature: by the reader's own transactions near the wanted one, or by its line's claims.

use alloy::primitives::Address;

use crate::ceremony::desk::Desk;
use crate::ceremony::order::{Given, Order};
use crate::ceremony::signatures::importing::ImportTarget;
use crate::council::{self, TextDigest};
use crate::proposal::{
    BatchSource, Candidate, Claims, ExplainContext, Explanation, OwnerSignature, Proposal, RefusedSignature,
    ShortDigest, SignedFor, VerifyError, explain, near_miss,
};
use crate::safe::{Nonce, Operation, SafeId, SafeVersion};

/// The number of nonces before and after the wanted one that are tried.
const BEFORE: u64 = 3;
const AFTER: u64 = 10;
/// The most levers that are derived to explain a signature.
const MOST_LEVERS: usize = 200;

impl Desk<'_> {
    /// Returns a refusal that says what its signature is for: by the first target with a fact, or else by a claim.
    pub(in crate::ceremony) fn explained(
        &self,
        refusal: &RefusedSignature,
        leading: usize,
        targets: &[ImportTarget],
    ) -> RefusedSignature {
        let of_another_purpose = |target: &ImportTarget| {
            refusal.stated.purpose.is_some_and(|purpose| purpose != target.proposal.purpose())
        };
        if targets.first().is_some_and(of_another_purpose) {
            return refusal.clone();
        }
        let first = &targets[..leading.max(1).min(targets.len())];
        let explained = first.iter().map(|target| (target, self.explain_beside(refusal, target, targets)));
        let rank = |(_, explanation): &(&ImportTarget, Explanation)| match explanation.signed_for {
            SignedFor::OtherNonce { .. }
            | SignedFor::OtherLevers { .. }
            | SignedFor::Purpose { .. }
            | SignedFor::Arguments { is_claim: false, .. } => 0,
            SignedFor::Unknown { .. } => 2,
            _ => 1,
        };
        let Some((target, explanation)) = explained.min_by_key(rank) else { return refusal.clone() };
        let who = match explanation.signer {
            Some(signer) if target.owners.contains(signer) => self.name_of(signer),
            // It is an owner of another Safe, as its line states.
            Some(signer) if matches!(explanation.signed_for, SignedFor::Approval { .. }) => {
                self.name_of(signer)
            }
            Some(signer) => format!("{signer}, which is not an owner of this Safe,"),
            None => "nobody's key".into(),
        };
        let claims_ours = |hash| targets.iter().any(|target| target.proposal.hash() == hash);
        match explanation.signed_for {
            SignedFor::Unknown { hash } if explanation.signer.is_none() || hash.is_none_or(claims_ours) => {
                self.not_counted(refusal, first)
            }
            _ => RefusedSignature { why: explanation.sentence(&who), ..refusal.clone() },
        }
    }

    /// Returns a refusal with the known mistake of an owner's signature; otherwise with the signer, as far as this
    /// machine knows.
    fn not_counted(&self, refusal: &RefusedSignature, targets: &[ImportTarget]) -> RefusedSignature {
        let chain = |safe: &council::Safe| Some(self.council.chain_of(safe)?.id);
        let safe_id = |safe: &council::Safe| {
            let version = safe.version.unwrap_or(SafeVersion::V1_3_0);
            Some(SafeId { chain_id: chain(safe)?, address: safe.address, version })
        };
        let safes: Vec<SafeId> = self.council.safes.values().filter_map(safe_id).collect();
        let stated = &refusal.stated;
        let missed = targets.iter().find_map(|t| near_miss(&stated.bytes, &t.proposal, &t.owners, &safes));
        let why = match (missed, targets.first()) {
            (Some((owner, miss)), _) => {
                format!("{} {}", self.name_of(owner), miss.sentence(|safe| self.name_of(safe)))
            }
            (None, Some(target)) => match OwnerSignature::verify(stated, &target.proposal, &target.owners) {
                Err(VerifyError::NotAnOwner(signer)) => self.stranger(signer),
                _ => return refusal.clone(),
            },
            (None, None) => return refusal.clone(),
        };
        RefusedSignature { why, ..refusal.clone() }
    }

    fn stranger(&self, signer: Address) -> String {
        let name = self.name_of(signer);
        if name != signer.to_string() {
            return format!("{name} {signer} made it, which is not an owner of this Safe");
        }
        format!(
            "it is for another transaction, or by {signer}, which is not an owner of this Safe and not in your council file"
        )
    }

    fn explain_beside(
        &self,
        refusal: &RefusedSignature,
        target: &ImportTarget,
        targets: &[ImportTarget],
    ) -> Explanation {
        let wanted = &target.proposal;
        let open = |p: &Proposal| -> Vec<(String, String)> {
            p.binding().open(&self.council).into_iter().map(|open| (open.key, open.value)).collect()
        };
        let mut around: Vec<Candidate> = targets
            .iter()
            .map(|t| Candidate::of(&t.proposal, t.proposal.nonce(), open(&t.proposal)))
            .collect();
        for proposal in self.around(wanted, refusal.stated.claims.as_ref()) {
            around
                .extend(window(wanted.nonce()).map(|nonce| Candidate::of(&proposal, nonce, open(&proposal))));
        }
        // It may be a drill of the wanted transaction.
        if let Some(drill) = Some(wanted).filter(|p| !p.is_drill()).and_then(|p| p.clone().for_drill().ok()) {
            around.extend(window(wanted.nonce()).map(|nonce| Candidate::of(&drill, nonce, open(&drill))));
        }
        let safes: Vec<(u64, Address)> = (self.council.safes.values())
            .filter_map(|safe| Some((self.council.chain_of(safe)?.id, safe.address)))
            .collect();
        let levers: Vec<&str> = self.lever_names().map(String::as_str).collect();
        let playbooks: Vec<ShortDigest> =
            wanted.binding().playbooks().into_iter().map(|(_, digest)| digest.into()).collect();
        let own = ExplainContext {
            wanted: Candidate::of(wanted, wanted.nonce(), open(wanted)),
            approve_as: &wanted.binding().pull().approve_as,
            around: &around,
            owners: &target.owners,
            safes: &safes,
            levers: &levers,
            council: TextDigest::of(&self.text).into(),
            playbooks: &playbooks,
        };
        explain(&refusal.stated, &own)
    }

    /// Returns the names of the levers, simple and combined.
    fn lever_names(&self) -> impl Iterator<Item = &String> {
        self.council.levers.keys().chain(self.council.combined.keys())
    }

    /// Returns the reader's own transactions that a signature may be for: every lever of the Safe, and those that its
    /// line claims, if they can be derived offline. Their nonces are still to be set.
    fn around(&self, wanted: &Proposal, claims: Option<&Claims>) -> Vec<Proposal> {
        let mut all = vec![wanted.clone()];
        if let Some(Claims { levers, without, args, undo, .. }) = claims {
            let given =
                Given { set: args.clone(), without: without.clone(), undo: *undo, ..Given::default() };
            all.extend(self.derived_beside(wanted, levers, &given));
        }
        for lever in self.lever_names().take(MOST_LEVERS) {
            for undo in [false, true] {
                let given = Given { undo, ..Given::default() };
                all.extend(self.derived_beside(wanted, std::slice::from_ref(lever), &given));
            }
        }
        all
    }

    /// Returns the transactions of levers on the same Safe, each from the values of a kept proposal of it, or else from
    /// those of `wanted`.
    fn derived_beside(&self, wanted: &Proposal, levers: &[String], given: &Given) -> Vec<Proposal> {
        let id = wanted.safe();
        let mut orders = Order::parts(self, levers, given).unwrap_or_default();
        orders.retain(|order| (order.chain.id, order.safe.address) == (id.chain_id, id.address));
        let derive = |order: Order| {
            let kept = self.likely_next(&order, given);
            let values = kept.as_ref().unwrap_or(wanted);
            let batch = match values.tx().operation {
                Operation::DelegateCall => BatchSource::Assumed(values.tx().to),
                Operation::Call => BatchSource::Offline,
            };
            Some(order.derive_from_file(values, batch).ok()?.proposal)
        };
        orders.into_iter().filter_map(derive).collect()
    }
}

/// Returns the nonces near one.
fn window(nonce: Nonce) -> impl Iterator<Item = Nonce> {
    let at = u64::try_from(nonce.0).unwrap_or(u64::MAX);
    (at.saturating_sub(BEFORE)..=at.saturating_add(AFTER)).map(Nonce::from)
}
