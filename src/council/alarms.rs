//! `[alarms]`: claims that must stay true, each with the lever that is prepared when it is not.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Spanned;

use super::text_source::SourceText;
use super::{Alarm, Combined, Council, CouncilChain, Lever, Safe, duration};
use crate::excerpt::Fault;
use crate::near::hint;

const MOST_BLOCKS: i64 = 1_000;
/// The longest time between two evaluations.
const LONGEST: Duration = Duration::from_hours(24);
/// The fields that are not part of the claim.
const OWN: [&str; 5] = ["title", "lever", "chain", "every", "for"];
/// The fields of a claim, of which each may name something of the council.
const ADDRESSES: [&str; 5] = ["on", "from", "token", "balance", "code"];

pub(super) type Wire = BTreeMap<Spanned<String>, Spanned<toml::Table>>;

/// Everything of a council that an alarm names.
pub(super) struct AlarmNames<'a> {
    pub chains: &'a BTreeMap<String, CouncilChain>,
    pub safes: &'a BTreeMap<String, Safe>,
    pub levers: &'a BTreeMap<String, Lever>,
    pub combined: &'a BTreeMap<String, Combined>,
}

pub(super) fn read(
    source: &SourceText,
    name: String,
    wire: &Spanned<toml::Table>,
    known: &AlarmNames,
) -> Result<Alarm, Fault> {
    let table = wire.get_ref();
    let fault = |message: String| source.fault(wire.span(), format!("alarm {name}: {message}"));
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(fault(format!("{key} is a text in quotes"))),
    };
    let title = text("title")?.filter(|title| !title.trim().is_empty());
    let title =
        title.ok_or_else(|| fault("title is missing: say in a few words what is wrong then".into()))?;
    let lever = text("lever")?.ok_or_else(|| fault("lever is missing: which one is prepared?".into()))?;
    let all: Vec<&str> = known.levers.keys().chain(known.combined.keys()).map(String::as_str).collect();
    if !all.contains(&lever) {
        return Err(fault(format!("no lever is called {lever:?}; {}", hint(lever, all))));
    }
    let chain = match text("chain")? {
        Some(chain) if known.chains.contains_key(chain) => chain.to_string(),
        Some(chain) => {
            let names: Vec<&str> = known.chains.keys().map(String::as_str).collect();
            return Err(fault(format!("no chain is called {chain:?}; {}", hint(chain, names))));
        }
        None => only_chain(lever, known).ok_or_else(|| {
            fault(format!(
                "chain is missing: {lever} is on more than one chain, and the claim is read on one"
            ))
        })?,
    };
    let every = text("every")?.map(duration::parse).transpose().map_err(&fault)?;
    if every.is_some_and(|every| every > LONGEST) {
        return Err(fault("every is at most 24 hours".into()));
    }
    let blocks = match table.get("for") {
        None => 1,
        Some(toml::Value::Integer(blocks)) if (1..=MOST_BLOCKS).contains(blocks) => blocks.unsigned_abs(),
        Some(_) => return Err(fault(format!("for is a number of blocks, from 1 to {MOST_BLOCKS}"))),
    };
    let claim: toml::Table = (table.iter())
        .filter(|(key, _)| !OWN.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Ok(Alarm {
        title: title.into(),
        lever: lever.into(),
        chain,
        every: every.unwrap_or_default(),
        blocks,
        claim: (!claim.is_empty()).then_some(claim),
        name,
    })
}

/// The chain of all Safes that a lever is pulled on; `None` if there are several.
fn only_chain(lever: &str, known: &AlarmNames) -> Option<String> {
    let simple = super::combined::simple_levers(known.combined, [lever]);
    let mut chains = simple
        .iter()
        .filter_map(|name| known.levers.get(*name))
        .filter_map(|lever| Some(known.safes.get(&lever.safe)?.chain.clone()))
        .collect::<std::collections::BTreeSet<_>>();
    if chains.len() == 1 { chains.pop_first() } else { None }
}

impl Alarm {
    /// Returns the claim with addresses in the place of the council's names; `None` if it has none.
    pub fn claim(&self, council: &Council) -> Option<toml::Table> {
        let names = council.names_on(&self.chain);
        let address = |text: &str| names.address(text).map(|address| address.to_string());
        let mut claim = self.claim.clone()?;
        resolve(&mut claim, &address);
        if let Some(toml::Value::Array(reads)) = claim.get_mut("read") {
            for read in reads {
                if let toml::Value::Table(read) = read {
                    resolve(read, &address);
                }
            }
        }
        Some(claim)
    }
}

fn resolve(table: &mut toml::Table, address: &impl Fn(&str) -> Option<String>) {
    for key in ADDRESSES {
        if let Some(toml::Value::String(text)) = table.get_mut(key)
            && let Some(known) = address(text)
        {
            *text = known;
        }
    }
}
