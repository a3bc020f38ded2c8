//! A drill on one machine: the keystores of several owners sign in turn, until the threshold is met.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::primitives::Address;

use crate::ceremony::judged::Judged;
use crate::device::{KeystoreFile, NamedKey, SigningMode, SigningRequest};
use crate::error::{Error, Exit};
use crate::proposal::{Approvals, OwnerSignature, Shortfall, count};
use crate::safe::SignatureKind;
use crate::session::Session;
use crate::session::machine::keys::{KeyHolder, keystore_file, open_within};
use crate::session::signing::on_device::signs;
use crate::session::signing::signers::Signers;
use crate::store;
use crate::ui::Text;

pub struct Keystores<'a> {
    pub named: &'a [PathBuf],
    /// A file with the password for each of them in turn, or one for all. Without one each password is asked for.
    pub password_files: &'a [PathBuf],
}

/// A keystore that may be an owner's.
struct AvailableKeystore {
    file: KeystoreFile,
    password_file: Option<PathBuf>,
}

impl Keystores<'_> {
    /// Returns the named keystores, or else those in Foundry's folder that state an owner's address.
    fn owners_keystores(&self, owners: &[Address]) -> Result<Vec<AvailableKeystore>, Error> {
        let password_file = |at: usize| match self.password_files {
            [one] => Some(one.clone()),
            several => several.get(at).cloned(),
        };
        let mut found = Vec::new();
        for (at, path) in self.named.iter().enumerate() {
            found.push(AvailableKeystore { file: keystore_file(path)?, password_file: password_file(at) });
        }
        if !found.is_empty() {
            return Ok(found);
        }
        for name in store::keystores() {
            if let Ok(file) = keystore_file(Path::new(&name))
                && file.stated.is_some_and(|stated| owners.contains(&stated))
            {
                found.push(AvailableKeystore { file, password_file: password_file(0) });
            }
        }
        Ok(found)
    }
}

/// Signs a drill with each available key in turn, until the threshold is met. Fails if a key cannot be opened or is not
/// an owner's, and if there are too few.
pub fn sign(session: &Session, judged: &Judged, keys: &Keystores) -> Result<(), Error> {
    let owners = all_owners(judged);
    let mut signatures = judged.derived.signatures.clone();
    for one in keys.owners_keystores(&owners)? {
        if tally(judged, &signatures).is_met() {
            break;
        }
        let AvailableKeystore { file, password_file } = one;
        let path = file.path.clone();
        let named = NamedKey::Keystore(file);
        let mut signer = open_within(session.ui, &named, password_file.as_deref(), Duration::ZERO)?;
        let owner = signer.choose_owner(session.ui, &session.council, &owners)?;
        if !owners.contains(&owner) {
            let message = format!("{} is the key of {owner}, which is not an owner", path.display());
            return Err(Error::new(Exit::Usage, message)
                .hint("no further signature was made; leave this keystore out"));
        }
        one_key(session, judged, &mut signer, owner, &mut signatures)?;
    }
    let tally = tally(judged, &signatures);
    if tally.is_met() {
        return Ok(());
    }
    let missing: Vec<String> = tally.missing.iter().map(|owner| session.name_of(*owner)).collect();
    let message = format!(
        "{} of {} owners have signed, and there are no more keystores",
        tally.approved.len(),
        tally.threshold
    );
    Err(Error::new(Exit::Shortfall, message)
        .hint(format!(
            "name one with --keystore FILE, which may be given again; missing: {}",
            missing.join(", ")
        ))
        .hint("keystores are looked for here and in Foundry's folder, ~/.foundry/keystores"))
}

/// Signs for each Safe of which the key is an owner's.
fn one_key(
    session: &Session,
    judged: &Judged,
    signer: &mut KeyHolder,
    owner: Address,
    signatures: &mut Vec<OwnerSignature>,
) -> Result<(), Error> {
    let drill = judged.proposal();
    let signers = Signers::of(session, (None, None), judged)?;
    let ways = judged.derived.owners.ways(drill).into_iter();
    for way in ways.filter(|way| judged.owners_on(way).contains(&owner)) {
        let known = |one: &OwnerSignature| one.owner() == owner && one.through() == way.through;
        if signatures.iter().any(known) {
            continue;
        }
        let (domain, kind) = (&way.domain, SignatureKind::Ecdsa);
        let request =
            SigningRequest { domain, signs: signs(judged, &way), owner, kind, way: SigningMode::Fields };
        let signature = signers.sign(signer, (&request, &way), Vec::new())?;
        session.keep_signature(drill, &signature)?;
        session.note_signed(owner, drill);
        session.ui.say(&Text::default().good("DRILL signed ").add(&format!("by {}", session.name_of(owner))));
        signatures.push(signature);
    }
    Ok(())
}

fn tally(judged: &Judged, signatures: &[OwnerSignature]) -> Shortfall {
    let given = Approvals { signatures, ..judged.approvals() };
    count(judged.proposal(), &given, &judged.tree())
}

/// Returns the owners of every Safe of the tree, each once.
fn all_owners(judged: &Judged) -> Vec<Address> {
    let ways = judged.derived.owners.ways(judged.proposal());
    let mut owners: Vec<Address> = ways.iter().flat_map(|way| judged.owners_on(way)).collect();
    owners.sort();
    owners.dedup();
    owners
}
