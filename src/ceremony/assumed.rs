//! A lever without the network and without a proposal file: the transaction for the Safe as the council file pins it,
//! at the nonce of the command line. The Safe was not read, so that the transaction can be signed and not sent.

use crate::ceremony::derived::{Derived, OwnDerivation, StoredApprovals};
use crate::ceremony::desk::Desk;
use crate::ceremony::order::{Given, Order, Turn};
use crate::ceremony::signatures::known_owners::pinned_state;
use crate::check::Match;
use crate::error::{Error, Exit};
use crate::evm::{Assumed, Readings};
use crate::playbook::CombinedPlan;
use crate::proposal::{BatchSource, Proposal, build_tx};
use crate::safe::{Call, Domain, Nonce};

/// The advice for signing a lever offline that needs the chain.
const CARRY: &str = "on a machine with a network, propose it and run breakglass export; carry the file here and sign it \
                     with --offline";

impl<'a> Desk<'a> {
    /// Derives an order for the Safe as the council file pins it.
    /// Fails with exit code 2 if the lever reads the chain, no nonce is given, or a pin is missing.
    pub(super) fn assume(&'a self, order: Order<'a>, given: &Given) -> Result<Derived<'a>, Error> {
        if order.approved().is_some() {
            let message = "offline, an approval on chain needs a proposal file: two Safes have a nonce";
            return Err(Error::new(Exit::Usage, message).hint(CARRY));
        }
        let plans = plans_of_files(&order)?;
        let nonce = order.nonce(given).ok_or_else(|| self.no_nonce(&order))?;
        let proposal = assumed_proposal(&order, &plans, nonce)?;
        self.require_drillable_offline(&proposal, order.safe)?;
        let owners = self.pinned_owners(order.safe)?;
        let (signatures, wallets) = self.kept_signatures(&proposal, &owners)?;
        let keeper = self.keeper(&proposal, order.safe, &owners)?;
        let kept = StoredApprovals { owners, signatures, wallets, keeper };
        let place = (order.safe, order.chain);
        let own = OwnDerivation::new(order, plans);
        let matching = (Match::SameOffline, Some(own));
        Ok(Derived { sender: None, ..Derived::new(self, place, proposal, matching, kept, given)? })
    }

    /// Returns the error for a lever without a kept proposal.
    fn none_kept(&self, order: &Order) -> Error {
        let (what, place) = (order.pull.title().unwrap_or_default(), self.path.display());
        Error::new(Exit::Usage, format!("no proposal of lever {what} is kept beside {place}"))
    }

    /// Returns the error for a lever that is to be signed offline without a nonce.
    fn no_nonce(&self, order: &Order) -> Error {
        self.none_kept(order)
            .hint("to sign it offline, say the nonce that the others sign: --nonce N")
            .hint("or pass a proposal file")
    }

    /// Returns the error for a lever that is to be shown offline without a kept proposal.
    pub(super) fn nothing_to_show(&self, order: &Order) -> Error {
        let words = order.pull.words().unwrap_or_else(|| order.words());
        self.none_kept(order)
            .hint(format!("to ask the chain: breakglass status {words}"))
            .hint("or name a proposal file: breakglass status FILE --offline")
    }
}

/// Returns the plans of an order that does not need the chain.
fn plans_of_files(order: &Order) -> Result<CombinedPlan, Error> {
    match order.turn(&Readings::default())? {
        Turn::Ready(plans) => Ok(plans),
        Turn::Needs(queries) => {
            let (what, read) = (order.pull.title().unwrap_or_default(), order.named(&queries));
            let message =
                format!("lever {what} reads {read} from the chain: offline it needs a proposal file");
            Err(Error::new(Exit::Usage, message).hint(CARRY))
        }
    }
}

/// Returns the transaction for the Safe as the council file pins it. The error names the missing pins.
fn assumed_proposal(order: &Order, plans: &CombinedPlan, nonce: Nonce) -> Result<Proposal, Error> {
    let safe = order.safe;
    let calls: Vec<Call> = plans.calls().map(|(_, planned)| planned.call.clone()).collect();
    let has_batch_contract =
        |version| calls.len() < 2 || order.batch(version).address(BatchSource::Offline).is_ok();
    let pins = [
        ("version", safe.version.is_some()),
        ("owners and threshold", safe.owners.is_some()),
        ("batch (several calls go through that contract)", safe.version.is_none_or(has_batch_contract)),
    ];
    let missing: Vec<&str> = pins.into_iter().filter(|(_, is_there)| !is_there).map(|(pin, _)| pin).collect();
    let needs = |missing: &str| {
        let text = format!("offline, [safes.{}] in breakglass.toml has to say its {missing}", safe.name);
        Error::new(Exit::Usage, text)
            .hint("breakglass init reads a Safe from its chain and writes all of it: copy it from there")
            .hint("or pass a proposal file")
    };
    let version = safe.version.filter(|_| missing.is_empty()).ok_or_else(|| needs(&missing.join(", ")))?;
    if let Some(state) = pinned_state(safe, order.chain.id) {
        Domain::of(state.id, order.purpose)?;
    }
    let tx = build_tx(version, &calls, nonce, order.batch(version), BatchSource::Offline)?;
    let state = pinned_state(safe, order.chain.id).map(Assumed::new).ok_or_else(|| needs("version"))?;
    order.for_its_purpose(Proposal::assuming(tx, state, order.binding()?))
}
