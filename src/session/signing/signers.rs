//! The owner who signs a proposal, and the Safe they sign for: the proposal's own, or one that owns it.

use alloy::primitives::Address;

use crate::ceremony::judged::Judged;
use crate::device::{NamedKey, SigningRequest};
use crate::error::{Error, Exit};
use crate::proposal::{Claims, OwnerSignature, SafeOwners, Stated, Way};
use crate::safe::SignatureKind;
use crate::session::Session;
use crate::session::machine::keys::{self, KeyHolder};
use crate::shell::quoted;
use crate::ui::Text;
use crate::view::review_lines::message_signed;

/// The owners who can sign, those of the nearest Safe first.
pub struct Signers<'j> {
    session: &'j Session<'j>,
    judged: &'j Judged<'j>,
    /// Each Safe with its owners as they are now.
    ways: Vec<(Way<'j>, Vec<Address>)>,
    person: Option<Address>,
}

/// Returns the commands for the owner Safes that `is_meant` selects and that cannot approve by signatures.
fn on_chain(
    session: &Session,
    judged: &Judged,
    is_meant: impl Fn(Address, &SafeOwners) -> bool,
) -> Vec<String> {
    let ways = judged.derived.owners.ways(judged.proposal());
    let words = session.words_of(judged.proposal(), &["FILE".into()]);
    let mut found = Vec::new();
    for way in &ways {
        for child in way.owners.children() {
            let through = [&way.through[..], &[child.id.address]].concat();
            if ways.iter().any(|way| way.through == through) || !is_meant(child.id.address, &child.owners) {
                continue;
            }
            let names: Vec<String> = through.iter().map(|safe| session.name_of(*safe)).collect();
            let flags = names.iter().map(|name| format!(" --approve-as {}", quoted(name)));
            let name = names.last().map(String::as_str).unwrap_or_default();
            found.push(format!(
                "{name} cannot approve by signatures, only by a transaction of its own: breakglass sign {words}{}",
                flags.collect::<String>()
            ));
        }
    }
    found
}

impl<'j> Signers<'j> {
    /// Returns the owners who can sign. `signer` and `safe` are `--as` and `--for`. Fails if no signer, or no Safe that
    /// can approve by signatures, has that name.
    pub fn of(
        session: &'j Session<'j>,
        (signer, safe): (Option<&str>, Option<&str>),
        judged: &'j Judged<'j>,
    ) -> Result<Self, Error> {
        let all = judged.derived.owners.ways(judged.proposal());
        let ways = all.into_iter().map(|way| {
            let owners = judged.owners_on(&way);
            (way, owners)
        });
        let mut signers = Self { session, judged, ways: ways.collect(), person: None };
        if let Some(safe) = safe {
            let known = signers.ways.iter().map(|(way, _)| signers.name(way.domain.safe().address));
            let known = known.collect::<Vec<_>>().join(", ");
            signers.ways.retain(|(way, _)| judged.name(way.domain.safe().address) == safe);
            if signers.ways.is_empty() {
                let message = format!("no Safe called {safe:?} can approve this by signatures");
                let error = Error::new(Exit::Usage, message).hint(format!("those that can: {known}"));
                let on_chain = on_chain(session, judged, |child, _| judged.name(child) == safe);
                return Err(on_chain.into_iter().fold(error, Error::hint));
            }
        }
        let person = keys::person(session.ui, &session.council, signer)?;
        signers.person = person.filter(|person| signer.is_some() || signers.owners().contains(person));
        Ok(signers)
    }

    fn name(&self, address: Address) -> String {
        match self.judged.name(address) {
            "-" => address.to_string(),
            name => name.into(),
        }
    }

    /// Returns the owners of every Safe, each once.
    fn owners(&self) -> Vec<Address> {
        let mut owners: Vec<Address> = Vec::new();
        for owner in self.ways.iter().flat_map(|(_, owners)| owners) {
            if !owners.contains(owner) {
                owners.push(*owner);
            }
        }
        owners
    }

    fn list(&self) -> String {
        let of = |(way, owners): &(Way, Vec<Address>)| {
            let named = owners.iter().map(|owner| format!("{} {owner}", self.judged.name(*owner)));
            let named = named.collect::<Vec<_>>().join(", ");
            if way.through.is_empty() {
                format!("its owners: {named}")
            } else {
                format!("those of {}: {named}", self.name(way.domain.safe().address))
            }
        };
        self.ways.iter().map(of).collect::<Vec<_>>().join("; ")
    }

    /// Fails if the key is not that of an owner, or of the person who signs.
    pub fn check(&self, key: Address) -> Result<(), Error> {
        let message = match self.person {
            Some(person) if person != key => format!("this key is {key}, and you sign as {person}"),
            _ if !self.owners().contains(&key) => {
                format!("this key is {key}, which is not an owner of {}", self.judged.derived.safe.name)
            }
            _ => return Ok(()),
        };
        let on_chain = on_chain(self.session, self.judged, |_, owners| owners.contains(key));
        Err(on_chain.into_iter().fold(Error::new(Exit::Failed, message).hint(self.list()), Error::hint))
    }

    /// Checks, before a review or a password, that the key is an owner's, and notes that enough have signed. Returns
    /// the owner's signature if they have already signed for every Safe that they can sign for.
    pub fn check_before_review(
        &self,
        key: &NamedKey,
        eth_sign: bool,
    ) -> Result<Option<OwnerSignature>, Error> {
        if let Some(stated) = key.stated() {
            self.check(stated)?;
        }
        let ui = self.session.ui;
        let mine = key.stated().or(self.person);
        if let Some(mine) = mine
            && let Some(signed) = self.signed_everywhere(mine)
            && !(eth_sign && signed.ecdsa().kind() != SignatureKind::EthSign)
        {
            let name = self.judged.name(mine);
            let text = format!("{name} has signed this before: here is the line again");
            ui.say(&Text::default().good("already signed: ").add(&text));
            return Ok(Some(signed.clone()));
        }
        let tally = self.judged.tally();
        let (count, threshold) = (tally.approved.len(), tally.threshold.get());
        if count >= threshold {
            let text = format!("{count} of {threshold} have signed: it can be broadcast without you");
            ui.say(&Text::default().warn("note: ").add(&text));
        }
        Ok(None)
    }

    fn signature(&self, owner: Address, way: &Way) -> Option<&OwnerSignature> {
        let signatures = self.judged.derived.signatures.iter();
        signatures
            .filter(|signature| signature.owner() == owner && signature.signs() == way.signs)
            .find(|signature| signature.through() == way.through)
    }

    /// Returns the ways of an owner, the nearest first.
    fn ways_of(&self, owner: Address) -> impl Iterator<Item = &Way<'j>> {
        self.ways.iter().filter(move |(_, owners)| owners.contains(&owner)).map(|(way, _)| way)
    }

    /// Returns the owner's signature; `None` if they have not signed for each Safe yet.
    fn signed_everywhere(&self, owner: Address) -> Option<&OwnerSignature> {
        let signed: Vec<_> = self.ways_of(owner).map(|way| self.signature(owner, way)).collect();
        if signed.iter().all(Option::is_some) { signed.into_iter().flatten().next() } else { None }
    }

    /// Returns the owner whose key this is; asks if it has several.
    pub fn choose(&self, signer: &mut KeyHolder) -> Result<Address, Error> {
        let among = self.person.map_or_else(|| self.owners(), |person| vec![person]);
        let owner = signer.choose_owner(self.session.ui, &self.session.council, &among)?;
        self.check(owner)?;
        Ok(owner)
    }

    pub const fn person(&self) -> Option<Address> {
        self.person
    }

    /// Returns the way to the Safe that an owner signs for: the nearest for which they have not signed, or else the
    /// nearest.
    pub fn way(&self, owner: Address) -> Result<&Way<'j>, Error> {
        let open = self.ways_of(owner).find(|way| self.signature(owner, way).is_none());
        let way = open.or_else(|| self.ways_of(owner).next());
        way.ok_or_else(|| Error::new(Exit::Failed, format!("{owner} is not an owner")).hint(self.list()))
    }

    /// Makes a signature and verifies it as any other machine will.
    pub fn sign(
        &self,
        signer: &mut KeyHolder,
        (request, way): (&SigningRequest, &Way),
        accepted: Vec<String>,
    ) -> Result<OwnerSignature, Error> {
        let ecdsa = signer.sign_safe_tx(self.session.ui, request)?;
        let proposal = self.judged.proposal();
        let stated = Stated {
            hash: Some(proposal.hash()),
            purpose: Some(proposal.purpose()),
            bytes: *ecdsa.bytes(),
            accepted,
            claims: Some(Claims { through: way.through.clone(), ..Claims::default() }),
        };
        let read = OwnerSignature::verify(&stated, proposal, &self.judged.derived.owners)?;
        if read.owner() == request.owner && read.through() == way.through {
            return Ok(read);
        }
        Err(Error::new(
            Exit::Failed,
            format!("the signature is that of {}, and not of your key", read.owner()),
        )
        .hint("it was not kept; do not use this key again before you know why"))
    }

    /// Shows in one line the Safe of a signature, if it is not the proposal's own.
    pub fn remind(&self, way: &Way) {
        if way.message.is_some() {
            let own = self.name(way.domain.safe().address);
            let text = format!("for {own}: you sign its message, shown above the review");
            self.session.ui.say(&Text::new("   ").dim("you     ").bold(&text));
        }
    }

    /// Shows the Safe of a signature, and the message that is signed, if it is not the proposal's own.
    pub fn show(&self, way: &Way) {
        let safe = way.domain.safe().address;
        if way.message.is_none() {
            return;
        }
        let ui = self.session.ui;
        ui.blank();
        ui.say(&Text::new("  ").bold(&format!("You sign for {}", self.name(safe))).add(&format!(" {safe}")));
        let proposal = self.judged.proposal();
        let ways = self.judged.derived.owners.ways(proposal);
        ui.show(&message_signed::lines(proposal, &ways, way, |safe| self.name(safe)));
        ui.blank();
    }
}
