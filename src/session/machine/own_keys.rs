//! The keys that flags or the reader's own settings name, looked at for `doctor`. A key that a password would open is read
//! and not unlocked; a device is asked what it tells without showing anything.

use std::collections::BTreeSet;

use alloy::primitives::Address;

use crate::ceremony::folder::own_settings::settings;
use crate::cli::args;
use crate::device::{DeviceError, DeviceUse, KeyName};
use crate::error::Error;
use crate::readiness::key_gaps::{ExaminedKey, KeyAnswer, KeyState, shared};
use crate::session::Session;
use crate::session::machine::keys;

/// Seconds that a device may take to be ready: nobody waits for one that is not plugged in.
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
        let mut patient = flags.clone();
        patient.device.timeout = patient.device.timeout.min(LOOK);
        let signing = flags.named(settings.key);
        let paying = settings.payer.map(|named| named.on(None, flags.device.model));
        let device = |named: &Option<KeyName>| named.as_ref().and_then(KeyName::device);
        let pays_too = device(&signing).is_some() && device(&signing) == device(&paying);
        let mut keys = OwnKeys::default();
        if let Some(named) = signing {
            keys.signing = Some(self.look_at_key(named, &patient, pays_too));
        }
        if pays_too {
            keys.payer = keys.signing.as_ref().and_then(ExaminedKey::address);
        } else if let Some(named) = paying {
            let paying = self.look_at_key(named, &patient, true);
            keys.payer = paying.address();
            keys.paying = Some(paying);
        }
        Ok(keys)
    }

    fn look_at_key(&self, key: KeyName, patient: &args::KeyArgs, pays: bool) -> ExaminedKey {
        let named = key.to_string();
        let state = self.key_state(key, patient, pays);
        ExaminedKey { named, state: state.unwrap_or_else(|why| KeyState::Unusable(why.message)) }
    }

    fn key_state(&self, key: KeyName, patient: &args::KeyArgs, pays: bool) -> Result<KeyState, Error> {
        let named = key.read(keys::keystore_file)?;
        if named.file().is_some() {
            return Ok(KeyState::Locked(named.stated()));
        }
        let paths = keys::paths(&self.council)?;
        let signers = self.council.signers.values().map(|signer| signer.address);
        let owners = self.council.safes.values().filter_map(|safe| safe.owners.as_ref());
        let owners = owners.flat_map(|owners| owners.list().iter().copied());
        let among: Vec<Address> = signers.chain(owners).collect::<BTreeSet<_>>().into_iter().collect();
        let mut key = keys::open(self.ui, patient, &named)?;
        let (mut held, first) = match key.ask(|key| (key.find(&paths, &among), key.payer(&paths))) {
            (Err(DeviceError::NoOwner { .. }), Ok(first)) => (Vec::new(), first),
            (Ok(held), Ok(first)) => (held, first),
            (Err(why), _) | (_, Err(why)) => return Err(why.into()),
        };
        held.retain(|address| among.contains(address));
        let used = DeviceUse { pays, shared: shared(&self.council, &held) };
        let report = key.screen().map(|screen| screen.report(&used));
        Ok(KeyState::Answered(Box::new(KeyAnswer { report, held, first })))
    }
}
