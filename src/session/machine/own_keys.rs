//! The keys that flags or the reader's own settings name, looked at for `doctor`. A keystore is read and not unlocked; a
//! Ledger is asked what it tells without showing anything.

use std::collections::BTreeSet;

use alloy::primitives::Address;

use crate::ceremony::folder::own_settings::{settings, stated};
use crate::cli::args;
use crate::device::{DeviceError, Ledger};
use crate::error::Error;
use crate::readiness::key_gaps::{ExaminedKey, KeyState};
use crate::readiness::own_ledger::ExaminedLedger;
use crate::session::Session;
use crate::session::machine::keys::{self, KeyPurpose, NamedKey, Wait, find};

/// Seconds that a Ledger may take to be ready: nobody waits for one that is not plugged in.
const LOOK: u64 = 5;

#[derive(Debug, Default)]
pub struct OwnKeys {
    pub signing: Option<ExaminedKey>,
    pub paying: Option<ExaminedKey>,
    pub payer: Option<Address>,
}

impl Session<'_> {
    /// Looks at the keys. What cannot be used is told with its key.
    pub fn own_keys(&self, flags: &args::KeyArgs) -> Result<OwnKeys, Error> {
        let settings = settings(self.ui)?;
        let by_flag = flags.ledger.named().map(|_| "ledger".to_string());
        let by_flag = by_flag.or_else(|| flags.keystore.as_ref().map(|path| path.display().to_string()));
        let mut patient = flags.clone();
        patient.ledger.timeout = patient.ledger.timeout.min(LOOK);
        let mut of_settings = patient.clone();
        (of_settings.ledger.ledger, of_settings.keystore) = (None, None);
        let signing =
            by_flag.or(settings.key).map(|word| (word, find(self.ui, &patient, KeyPurpose::Signing)));
        let paying = settings.payer.map(|word| (word, find(self.ui, &of_settings, KeyPurpose::Paying)));
        let pays_too = signing.as_ref().zip(paying.as_ref()).is_some_and(|((_, one), (_, other))| {
            let of = |found: &Result<NamedKey, Error>| found.as_ref().is_ok_and(NamedKey::has_screen);
            of(one) && of(other)
        });
        let mut keys = OwnKeys::default();
        if let Some((named, found)) = signing {
            keys.signing = Some(self.look_at_key(named, found, &patient, (true, pays_too))?);
        }
        if pays_too {
            keys.payer = keys.signing.as_ref().and_then(first);
        } else if let Some((named, found)) = paying {
            let paying = self.look_at_key(named, found, &patient, (false, true))?;
            keys.payer = first(&paying);
            keys.paying = Some(paying);
        }
        Ok(keys)
    }

    fn look_at_key(
        &self,
        named: String,
        found: Result<NamedKey, Error>,
        key: &args::KeyArgs,
        (signs, pays): (bool, bool),
    ) -> Result<ExaminedKey, Error> {
        let state = match found {
            Ok(NamedKey::Keystore { stated, .. }) => KeyState::Keystore(stated),
            Ok(NamedKey::Ledger(target)) => {
                let wait = Wait::default();
                match keys::ledger(self.ui, &key.ledger, &target, &wait) {
                    Ok(mut ledger) => self
                        .ask_ledger(&mut ledger, &wait, (signs, pays))?
                        .map_or_else(|why| KeyState::Unusable(why.to_string()), KeyState::Ledger),
                    Err(error) => KeyState::Unusable(error.message),
                }
            }
            Err(error) => KeyState::Unusable(error.message),
        };
        Ok(ExaminedKey { named, state })
    }

    fn ask_ledger(
        &self,
        ledger: &mut Ledger,
        wait: &Wait,
        (signs, pays): (bool, bool),
    ) -> Result<Result<Box<ExaminedLedger>, DeviceError>, Error> {
        let paths = keys::paths(&self.council)?;
        let signers = self.council.signers.values().map(|signer| signer.address);
        let owners = self.council.safes.values().filter_map(|safe| safe.owners.as_ref());
        let owners = owners.flat_map(|owners| owners.list().iter().copied());
        let among: Vec<Address> = signers.chain(owners).collect::<BTreeSet<_>>().into_iter().collect();
        let status = *ledger.status();
        let (held, first) = match wait.with_spinner(|| (ledger.find(&paths, &among), ledger.first(&paths))) {
            (Err(DeviceError::NoOwner { .. }), Ok(first)) => (Vec::new(), first),
            (Ok(held), Ok(first)) => (held.into_iter().map(|account| account.address).collect(), first),
            (Err(why), _) | (_, Err(why)) => return Ok(Err(why)),
        };
        Ok(Ok(Box::new(ExaminedLedger { status, stated: stated(self.ui)?, held, first, signs, pays })))
    }
}

fn first(key: &ExaminedKey) -> Option<Address> {
    match &key.state {
        KeyState::Keystore(stated) => *stated,
        KeyState::Ledger(seen) => Some(seen.first),
        KeyState::Unusable(_) => None,
    }
}
