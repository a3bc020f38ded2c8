//! The levers of a council file, all of them: what is wrong with each by the reader's own files, and what each calls.
//! One bad lever hides no other. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;

use crate::council::{Alarm, By, Council, Lever, Safe, expand};
use crate::evm::{Query, Readings};
use crate::excerpt::Fault;
use crate::playbook::{
    Catalogue, Derivation, Inputs, LibraryEntry, Param, PlanError, Playbook, Undo, Watched, argument_faults,
    derive,
};
use crate::safe::PauseForm;

/// A lever, simple or combined, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeverReport {
    pub lever: String,
    /// None for a combined lever: those of the levers that it pulls stand with them.
    pub faults: Vec<String>,
    /// Parameters that it leaves open.
    pub open: Vec<String>,
    /// Parts of the council file that its act ignores, as sentences.
    pub ignored: Vec<String>,
    /// The simple levers that it pulls; empty for a simple lever.
    pub pulls: Vec<String>,
    /// By chain, the contracts that it calls or reads, as far as they are known without the chain.
    pub calls: BTreeSet<(String, Address)>,
}

/// Looks at every alarm: its claim must be readable, and what it prepares must leave nothing open.
pub fn check_alarms(council: &Council, levers: &[LeverReport]) -> Vec<LeverReport> {
    let check = |alarm: &Alarm| {
        let claim = alarm.claim(council).map(|claim| Watched::parse(&alarm.name, &claim));
        let mut faults: Vec<String> = claim.and_then(Result::err).iter().map(Fault::headline).collect();
        let pulled = levers.iter().find(|lever| lever.lever == alarm.lever);
        let pulled = pulled.map_or(&[][..], |lever| &lever.pulls).iter().chain([&alarm.lever]);
        let pulled: BTreeSet<&String> = pulled.collect();
        let open = levers.iter().filter(|lever| pulled.contains(&lever.lever)).flat_map(|lever| &lever.open);
        let open: Vec<&str> = open.map(String::as_str).collect();
        if !open.is_empty() {
            faults.push(format!(
                "lever {} leaves {} open: it cannot be prepared",
                alarm.lever,
                open.join(", ")
            ));
        }
        LeverReport { lever: format!("alarm {}", alarm.name), faults, ..LeverReport::default() }
    };
    council.alarms.values().map(check).collect()
}

/// Looks at every lever, in the order of the council file.
pub fn check_levers(council: &Council, catalogue: &Catalogue) -> Vec<LeverReport> {
    let simple = council.levers.values().map(|lever| (lever.place, simple(council, catalogue, lever)));
    let combined = council.combined.values().map(|lever| (lever.place, combined(council, &lever.name)));
    let mut reports: Vec<(usize, LeverReport)> = simple.chain(combined).collect();
    reports.sort_by_key(|(place, _)| *place);
    reports.into_iter().map(|(_, report)| report).collect()
}

/// Adds to each lever the values that its act reads from the chain instead. `not_used` has for each lever what the council
/// file says of them.
pub fn add_ignored(reports: &mut [LeverReport], not_used: &BTreeMap<String, BTreeMap<String, String>>) {
    for report in reports {
        let values = not_used.get(&report.lever).into_iter().flatten();
        report.ignored.extend(values.map(|(param, value)| {
            format!(
                "{param} = {value:?} is ignored: the act reads it from the chain. Leave it out of the council file"
            )
        }));
    }
}

/// Returns one line for all levers that are bad by the reader's own files: the first fault, and how many there are.
pub fn bad_levers(council: &Council, catalogue: &Catalogue) -> Option<String> {
    let reports = check_levers(council, catalogue);
    let mut bad = reports.iter().filter_map(|report| Some((&report.lever, report.faults.first()?)));
    let (lever, fault) = bad.next()?;
    let fault = fault.lines().next().unwrap_or_default();
    let others = match bad.count() {
        0 => String::new(),
        1 => "; another lever is bad too".into(),
        more => format!("; {more} other levers are bad too"),
    };
    Some(format!("lever {lever}: {fault}{others} (breakglass council check)"))
}

fn simple(council: &Council, catalogue: &Catalogue, lever: &Lever) -> LeverReport {
    let mut report = LeverReport { lever: lever.name.clone(), ..LeverReport::default() };
    let Some((safe, chain)) =
        council.safes.get(&lever.safe).and_then(|safe| Some((safe, council.chain_of(safe)?)))
    else {
        report.faults.push(format!("no Safe is called {:?}", lever.safe));
        return report;
    };
    let LibraryEntry { playbook, .. } = match catalogue.get(&lever.playbook) {
        Ok(entry) => entry,
        Err(error) => {
            report.faults.push(error.to_string());
            return report;
        }
    };
    let names = council.names_on(&safe.chain);
    // The account that makes the calls.
    let acts = if let By::Key(account) = &lever.by { account.address } else { safe.address };
    let inputs = Inputs { args: &lever.set, names: &names, safe: acts, chain_id: chain.id };
    let mut faults = argument_faults(playbook, &inputs);
    faults.extend(argument_faults(playbook, &Inputs { args: &lever.examples, ..inputs }));
    report.faults.extend(faults.iter().map(|fault| explained(council, safe, fault)));
    report.faults.extend(no_counter(catalogue, playbook));
    report.open = open(playbook, lever);
    if report.faults.is_empty() && report.open.is_empty() {
        match derive(playbook, &inputs, &Readings::default()) {
            Ok(derivation) => {
                report.faults.extend(not_a_deputys(&lever.by, &derivation));
                let called = called(&derivation);
                report.calls = called.into_iter().map(|address| (safe.chain.clone(), address)).collect();
            }
            Err(error) => report.faults.push(error.to_string()),
        }
    }
    report
}

/// Why one key alone cannot make these calls, as far as they are known without the chain.
fn not_a_deputys(by: &By, derivation: &Derivation) -> Option<String> {
    let Derivation::Ready(plan) = derivation else { return None };
    let (_, calls) = (by.deputy()?, &plan.calls);
    let [planned] = &calls[..] else {
        return Some(format!("a deputy makes one call, and its playbook makes {}", calls.len()));
    };
    let is_a_pause = PauseForm::of_call(&planned.call.data).is_some();
    (matches!(by, By::Module { .. }) && !is_a_pause)
        .then(|| format!("no DeputyPauseModule calls {}: take away module", planned.signature))
}

/// The parameters that must be given when it is pulled.
fn open(playbook: &Playbook, lever: &Lever) -> Vec<String> {
    let is_open = |p: &&Param| p.default.is_none() && !p.for_undo && !lever.set.contains_key(&p.name);
    playbook.params.iter().filter(is_open).map(|param| param.name.clone()).collect()
}

/// A name that is a target's or a Safe's, but of another chain, is the likeliest fault of a lever that was copied.
fn explained(council: &Council, safe: &Safe, fault: &PlanError) -> String {
    let PlanError::Argument { name, text, .. } = fault else { return fault.to_string() };
    let is_elsewhere = |chain: &String| *chain != safe.chain;
    if let Some(places) = council.targets.get(text.trim())
        && places.keys().all(is_elsewhere)
    {
        let chains = places.keys().cloned().collect::<Vec<_>>().join(", ");
        let chain = &safe.chain;
        return format!(
            "{name}={text}: target {text} is on {chains}, and Safe {} is on {chain}: \
             add {chain} = \"0x…\" to [targets.{text}]",
            safe.name
        );
    }
    match council.safes.get(text.trim()).filter(|other| is_elsewhere(&other.chain)) {
        Some(other) => {
            format!(
                "{name}={text}: Safe {text} is on {}, and Safe {} is on {}",
                other.chain, safe.name, safe.chain
            )
        }
        None => fault.to_string(),
    }
}

fn no_counter(catalogue: &Catalogue, playbook: &Playbook) -> Option<String> {
    let Undo::Playbook { id, .. } = &playbook.undo else { return None };
    catalogue.get(id.as_str()).err().map(|error| format!("its undo: {error}"))
}

/// The contracts that a derivation calls or reads.
fn called(derivation: &Derivation) -> BTreeSet<Address> {
    let of_query = |query: &Query| match query {
        Query::Call { to, .. } => Some(*to),
        _ => None,
    };
    match derivation {
        Derivation::Needs(queries) => queries.iter().filter_map(of_query).collect(),
        Derivation::Ready(plan) => plan.calls.iter().map(|planned| planned.call.to).collect(),
    }
}

fn combined(council: &Council, name: &str) -> LeverReport {
    let (faults, pulls) = match expand(council, &[name.into()], &[], false) {
        Ok(expansion) => (Vec::new(), expansion.levers().map(String::from).collect()),
        Err(error) => (vec![error.to_string()], Vec::new()),
    };
    LeverReport { lever: name.into(), faults, pulls, ..LeverReport::default() }
}

/// By chain, every contract that the levers call and every target: what must have code. Every chain with a Safe whose owners
/// are pinned is there.
pub fn contracts(council: &Council, reports: &[LeverReport]) -> BTreeMap<String, BTreeSet<Address>> {
    let targets = council.targets.values().flatten();
    let targets = targets.map(|(chain, target)| (chain.clone(), target.address));
    let mut contracts: BTreeMap<String, BTreeSet<Address>> = BTreeMap::new();
    for (chain, address) in reports.iter().flat_map(|report| report.calls.clone()).chain(targets) {
        contracts.entry(chain).or_default().insert(address);
    }
    for safe in council.safes.values().filter(|safe| safe.owners.is_some()) {
        contracts.entry(safe.chain.clone()).or_default();
    }
    contracts
}

/// Adds to each lever the contracts of one chain that it calls and that are not there. Returns the targets among them that no
/// lever calls, as sentences.
pub fn add_missing(
    council: &Council,
    reports: &mut [LeverReport],
    chain: &str,
    missing: &BTreeSet<Address>,
) -> Vec<String> {
    let names = council.names_on(chain);
    let sentence = |address: &Address| {
        let name = names.name(*address).map(|name| format!("{name} ")).unwrap_or_default();
        format!("{name}{address} is not a contract on {chain}: no code is there")
    };
    let mut left = missing.clone();
    for report in reports {
        for address in missing {
            if report.calls.contains(&(chain.to_string(), *address)) {
                report.faults.push(sentence(address));
                left.remove(address);
            }
        }
    }
    left.iter().map(sentence).collect()
}

/// The levers with faults among those that a combined lever pulls.
pub fn bad_among(reports: &[LeverReport], pulls: &[String]) -> Vec<String> {
    let is_bad = |report: &&LeverReport| pulls.contains(&report.lever) && !report.faults.is_empty();
    reports.iter().filter(is_bad).map(|report| report.lever.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNCIL: &str = r#"
schema = 1
name = "Example"
[chains.mainnet]
id = 1
[chains.base]
id = 8453
[safes.guardian]
chain = "mainnet"
address = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"
[targets.vault]
mainnet = "0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552"
[targets.far]
base = "0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552"
[levers.freeze]
pull = ["vault", "elsewhere"]
[levers.vault]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { target = "vault" }
[levers.elsewhere]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { target = "far" }
[levers.unnamed]
playbook = "pause/oz-pausible"
safe = "guardian"
[levers.misspelled]
playbook = "pause/oz-pausable"
safe = "guardian"
set = { traget = "vault" }
[levers.open]
playbook = "pause/oz-pausable"
safe = "guardian"
"#;

    fn reports() -> (Council, Vec<LeverReport>) {
        let council = Council::parse("breakglass.toml", COUNCIL).unwrap();
        let reports = check_levers(&council, &Catalogue::new(Vec::new()));
        (council, reports)
    }

    fn faults_of(reports: &[LeverReport], lever: &str) -> String {
        reports.iter().find(|report| report.lever == lever).unwrap().faults.join("; ")
    }

    #[test]
    fn each_lever_has_its_own_faults_and_none_hides_another() {
        let (_, reports) = reports();
        let order: Vec<&str> = reports.iter().map(|report| report.lever.as_str()).collect();
        assert_eq!(order, ["freeze", "vault", "elsewhere", "unnamed", "misspelled", "open"]);
        for (lever, expected) in [
            ("vault", ""),
            ("open", ""),
            ("freeze", ""),
            ("elsewhere", "target far is on base, and Safe guardian is on mainnet"),
            ("unnamed", "pause/oz-pausible"),
            ("misspelled", "has no argument \"traget\"; did you mean \"target\"?"),
        ] {
            let faults = faults_of(&reports, lever);
            assert_eq!(faults.is_empty(), expected.is_empty(), "{lever}: {faults}");
            assert!(faults.contains(expected), "{lever}: {faults}");
        }
        assert_eq!(reports[5].open, ["target"]);
        let council = Council::parse("breakglass.toml", COUNCIL).unwrap();
        let line = bad_levers(&council, &Catalogue::new(Vec::new())).unwrap();
        assert!(line.starts_with("lever elsewhere: target=far: target far is on base"), "{line}");
        assert!(line.ends_with("; 2 other levers are bad too (breakglass council check)"), "{line}");
        let good = COUNCIL.split("[levers.elsewhere]").next().unwrap().replace(", \"elsewhere\"", "");
        let good = Council::parse("breakglass.toml", &good).unwrap();
        assert_eq!(bad_levers(&good, &Catalogue::new(Vec::new())), None);
        assert_eq!(bad_among(&reports, &reports[0].pulls), ["elsewhere"]);
    }

    #[test]
    fn a_contract_that_is_not_there_is_told_with_the_levers_that_call_it() {
        let (council, mut reports) = reports();
        let vault = council.targets["vault"]["mainnet"].address;
        assert_eq!(contracts(&council, &reports)["mainnet"], [vault].into());
        let other = Address::repeat_byte(7);
        let left = add_missing(&council, &mut reports, "mainnet", &[vault, other].into());
        assert!(
            faults_of(&reports, "vault")
                .contains("vault 0xd9Db270c1B5E3Bd161E8c8503c55cEABeE709552 is not a contract")
        );
        assert_eq!(left, [format!("{other} is not a contract on mainnet: no code is there")]);
        assert_eq!(add_missing(&council, &mut reports, "base", &[vault].into()).len(), 1, "another chain");
    }
    /// A deputy makes one call alone, and through a module it is a pause.
    #[test]
    fn a_deputy_makes_one_call() {
        let by = |lines: &str, playbook: &str, set: &str| {
            let text = format!(
                "{COUNCIL}[levers.alone]\nplaybook = \"{playbook}\"\nsafe = \"guardian\"\nset = {set}\nby = \"deputy\"\n\
                 deputy = \"alice\"\n{lines}[signers.alice]\naddress = \"0x70997970C51812dc3A010C7d01b50e0d17dc79C8\"\n"
            );
            let council = Council::parse("breakglass.toml", &text).unwrap();
            faults_of(&check_levers(&council, &Catalogue::new(Vec::new())), "alone")
        };
        assert_eq!(by("", "pause/oz-pausable", "{ target = \"vault\" }"), "");
        let module = by("module = \"vault\"\n", "pause/oz-pausable-undo", "{ target = \"vault\" }");
        assert_eq!(module, "no DeputyPauseModule calls unpause(): take away module");
    }

    #[test]
    fn a_value_that_an_act_reads_is_said_to_be_ignored() {
        let (_, mut reports) = reports();
        let values = BTreeMap::from([("was".to_string(), "30 bps".to_string())]);
        add_ignored(&mut reports, &BTreeMap::from([("vault".to_string(), values)]));
        let said: Vec<usize> = reports.iter().map(|report| report.ignored.len()).collect();
        assert_eq!(said, [0, 1, 0, 0, 0, 0]);
        assert!(reports[1].ignored[0].starts_with("was = \"30 bps\" is ignored"), "{:?}", reports[1].ignored);
    }

    #[test]
    fn a_playbook_whose_undo_is_missing_is_told() {
        let library = Catalogue::new(Vec::new());
        let text = library.get("pause/oz-pausable").unwrap().playbook.text();
        let text = text.replace("undo = \"pause/oz-pausable-undo\"", "undo = \"pause/nothing\"");
        let catalogue = Catalogue::new(vec![("playbooks/pause.toml".into(), text)]);
        let council = Council::parse("breakglass.toml", COUNCIL).unwrap();
        let reports = check_levers(&council, &catalogue);
        assert!(faults_of(&reports, "vault").starts_with("its undo: "), "{}", faults_of(&reports, "vault"));
    }

    #[test]
    fn one_other_bad_lever_is_said_to_be_one() {
        let two = COUNCIL.split("[levers.misspelled]").next().unwrap();
        let council = Council::parse("breakglass.toml", two).unwrap();
        let line = bad_levers(&council, &Catalogue::new(Vec::new())).unwrap();
        assert!(line.contains("; another lever is bad too ("), "{line}");
        let one = two.split("[levers.unnamed]").next().unwrap();
        let council = Council::parse("breakglass.toml", one).unwrap();
        let line = bad_levers(&council, &Catalogue::new(Vec::new())).unwrap();
        assert!(!line.contains("bad too"), "{line}");
    }
    #[test]
    fn an_alarm_prepares_a_lever_that_leaves_nothing_open() {
        let alarm = |name: &str, lever: &str| {
            format!(
                "[alarms.{name}]\ntitle = \"{name}\"\nview = \"paused()(bool)\"\non = \"vault\"\nexpect = \"false\"\nlever = \"{lever}\"\n"
            )
        };
        let text = format!("{COUNCIL}{}{}", alarm("quiet", "vault"), alarm("loud", "open"));
        let both = "[levers.both]\npull = [\"vault\", \"open\"]\n";
        let text = format!("{text}{both}{}", alarm("wide", "both"));
        let council = Council::parse("breakglass.toml", &text).unwrap();
        let levers = check_levers(&council, &Catalogue::new(Vec::new()));
        let alarms = check_alarms(&council, &levers);
        assert_eq!(faults_of(&alarms, "alarm quiet"), "");
        assert_eq!(faults_of(&alarms, "alarm wide"), "lever both leaves target open: it cannot be prepared");
        assert_eq!(faults_of(&alarms, "alarm loud"), "lever open leaves target open: it cannot be prepared");
    }
    #[test]
    fn what_the_act_reads_or_has_a_value_for_is_not_open() {
        let text = format!("{COUNCIL}[levers.fee]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\n");
        let council = Council::parse("breakglass.toml", &text).unwrap();
        let reports = check_levers(&council, &Catalogue::new(Vec::new()));
        let fee = reports.iter().find(|report| report.lever == "fee").unwrap();
        assert_eq!(fee.open, ["target", "fee"]);
    }

    #[test]
    fn an_example_that_does_not_fit_is_a_fault() {
        let set = |value: &str| {
            let text = format!(
                "{COUNCIL}[levers.fee]\nplaybook = \"param/fee-bps\"\nsafe = \"guardian\"\nset = {{ target = \"vault\" }}\n\
                 try = {{ fee = \"{value}\" }}\n"
            );
            let council = Council::parse("breakglass.toml", &text).unwrap();
            faults_of(&check_levers(&council, &Catalogue::new(Vec::new())), "fee")
        };
        assert!(set("40 bps").is_empty() && !set("much").is_empty());
    }
}
