//! People, response times and the program's version, from the council file's wire form to what they mean.

use std::collections::BTreeMap;
use std::str::FromStr;

use semver::VersionReq;
use toml::Spanned;

use super::council_toml::{WireContact, WireCouncil, WirePerson, WireResponse};
use super::people::Person;
use super::text_source::{SourceText, known};
use super::{Response, duration};
use crate::excerpt::Fault;

/// The most characters of a role or of how somebody is reached: each is printed on one line.
const LONGEST_LINE: usize = 200;

/// Reads `[people]` and `[contacts]` into one table.
pub(super) fn read_people(
    source: &SourceText,
    wire: &WireCouncil,
) -> Result<BTreeMap<String, Person>, Fault> {
    let mut people = BTreeMap::new();
    for (name, contact) in &wire.contacts {
        let name = source.name(name)?;
        people.insert(name.clone(), read_contact(name, contact));
    }
    for (key, person) in &wire.people {
        let name = source.name(key)?;
        let clash = [
            ("contact", wire.contacts.contains_key(key.get_ref().as_str())),
            ("Safe", wire.safes.contains_key(key.get_ref().as_str())),
            ("target", wire.targets.contains_key(key.get_ref().as_str())),
        ];
        if let Some((other, _)) = clash.into_iter().find(|(_, is_there)| *is_there) {
            let message = format!(
                "{name:?} already names a {other}; a person has the signer's name or one of their own"
            );
            return Err(source.fault(key.span(), message));
        }
        people.insert(name.clone(), read_person(source, name, person)?);
    }
    for (name, person) in &wire.people {
        let Some(backup) = &person.backup else { continue };
        known(source, "person", backup, &people)?;
        if backup.get_ref() == name.get_ref() {
            return Err(source.fault(backup.span(), format!("{:?} is their own backup", name.get_ref())));
        }
    }
    Ok(people)
}

/// Contacts were never checked: a file that was read before is still read, on one line.
fn read_contact(name: String, wire: &WireContact) -> Person {
    let line = |text: &str| -> String {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_LINE).collect()
    };
    let (role, reach) = (line(&wire.role), line(&wire.reach));
    Person { name, role, reach, zone: None, backup: None, away: Vec::new() }
}

fn read_person(source: &SourceText, name: String, wire: &WirePerson) -> Result<Person, Fault> {
    let role = wire.role.as_ref().map(|role| read_line(source, role)).transpose()?;
    Ok(Person {
        name,
        role: role.unwrap_or_default(),
        reach: read_line(source, &wire.reach)?,
        zone: wire.zone.as_ref().map(|zone| parse(source, zone)).transpose()?,
        backup: wire.backup.as_ref().map(|backup| backup.get_ref().clone()),
        away: wire.away.iter().map(|days| parse(source, days)).collect::<Result<_, _>>()?,
    })
}

fn read_line(source: &SourceText, text: &Spanned<String>) -> Result<String, Fault> {
    let fault = |message: String| Err(source.fault(text.span(), message));
    let value = text.get_ref();
    let length = value.chars().count();
    if value.trim().is_empty() {
        return fault("it is empty".into());
    }
    if length > LONGEST_LINE {
        return fault(format!("it has {length} characters, and at most {LONGEST_LINE} are printed"));
    }
    if value.chars().any(char::is_control) {
        return fault("write it on one line".into());
    }
    Ok(value.clone())
}

fn parse<T: FromStr<Err = String>>(source: &SourceText, text: &Spanned<String>) -> Result<T, Fault> {
    text.get_ref().parse().map_err(|message: String| source.fault(text.span(), message))
}

pub(super) fn read_response(source: &SourceText, wire: &WireResponse) -> Result<Response, Fault> {
    let time = |text: &Option<Spanned<String>>| {
        let time = text.as_ref().map(|text| {
            duration::parse(text.get_ref()).map_err(|message| source.fault(text.span(), message))
        });
        time.transpose()
    };
    let response = Response { first_signature: time(&wire.first_signature)?, proof: time(&wire.proof)? };
    match (response.first_signature, response.proof, &wire.proof) {
        (Some(first), Some(proof), Some(text)) if proof < first => {
            Err(source.fault(text.span(), "the proof cannot be due before the first signature"))
        }
        _ => Ok(response),
    }
}

/// Reads which versions of the program the council asks for.
pub(super) fn read_program(source: &SourceText, text: &Spanned<String>) -> Result<VersionReq, Fault> {
    VersionReq::parse(text.get_ref()).map_err(|error| {
        let message = format!("{:?} does not say versions: write \">= 0.2\" ({error})", text.get_ref());
        source.fault(text.span(), message)
    })
}
