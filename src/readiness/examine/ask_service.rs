//! Asks the Transaction Service of a chain about its Safes, and collects the council's own calls, by which its
//! transactions are recognised.

use zeroize::Zeroizing;

use crate::ceremony::desk::{Desk, resolve};
use crate::chain::{Chain, ServiceSays, Snapshot};
use crate::council::{self, Safe};
use crate::error::Error;
use crate::proposal::calls_of;
use crate::readiness::examine::lever_trials::{Trial, order_of};
use crate::readiness::service_gaps::OwnCalls;
use crate::store;

/// The variable that holds the key of Safe's own service.
const KEY: &str = "SAFE_API_KEY";

/// Returns the answers of the service; `None` if the council file names none. Fails if its address cannot be used.
pub fn ask(
    desk: &Desk,
    chain: &council::CouncilChain,
    link: &Chain,
    safes: &[Result<Snapshot, Error>],
) -> Option<Result<ServiceSays, String>> {
    let address = chain.service.as_ref()?;
    let asked: Vec<_> =
        safes.iter().flatten().map(|seen| (seen.state.id.address, seen.state.nonce)).collect();
    let key = store::variable(KEY).filter(|key| !key.is_empty()).map(Zeroizing::new);
    let url = resolve(desk.progress, address).map_err(|error| error.to_string());
    Some(url.and_then(|url| link.service_says(&url, key, &asked).map_err(|error| error.to_string())))
}

/// Returns the calls of each Safe's levers, of their undos as far as the files give them, and of the kept proposals
/// that the reader's own files give.
pub fn own_calls(desk: &Desk, safes: &[&Safe], trials: &[Trial]) -> OwnCalls {
    let kept = desk.kept_open().unwrap_or_default();
    let of = |safe: &&Safe| {
        let levers = desk.council.levers.values().filter(|lever| lever.safe == safe.name);
        let undos = levers.filter_map(|lever| {
            let plans = order_of(desk, lever, true).ok()?.offline_plans()?;
            Some(plans.calls().map(|(_, planned)| planned.call.clone()).collect::<Vec<_>>())
        });
        let its =
            |trial: &&Trial| desk.council.levers.get(&trial.seen.lever).is_some_and(|l| l.safe == safe.name);
        let pulled = trials.iter().filter(its).flat_map(|trial| trial.calls.clone());
        let proposed = kept.iter().filter(|kept| kept.safe().address == safe.address);
        let proposed = proposed.filter_map(|kept| calls_of(kept.tx()).ok()).flatten();
        (safe.address, pulled.chain(undos.flatten()).chain(proposed).collect())
    };
    OwnCalls(safes.iter().map(of).collect())
}
