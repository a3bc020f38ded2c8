//! One lever on one chain: derived and judged by the library, its calls sent from the Safe's own address.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use alloy::primitives::{Address, B256, Bytes, Log, U256, keccak256};
use alloy::sol_types::SolCall;
use breakglass::evm::AddressBook;
use breakglass::evm::{Answer, Query, Readings};
use breakglass::playbook::{Catalogue, Check, Derivation, Fact, Inputs, Plan, Playbook, derive};
use breakglass::safe::SafeVersion;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{Anvil, Proxy, Run, SafeSetup, breakglass, deploy, origins, place_safe, run};

/// The account that holds every role in the scenes, and one that holds none.
pub const COUNCIL: Address = Address::repeat_byte(0xc0);
pub const STRANGER: Address = Address::repeat_byte(0x57);
/// An account by a number, for owners, members, feeds.
pub const fn somebody(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// The text of an argument.
#[allow(clippy::needless_pass_by_value, reason = "reads better where a value is made on the spot")]
pub fn text(value: impl ToString) -> String {
    value.to_string()
}

/// The result of pulling a lever.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Proven,
    /// Before anything is signed, and why.
    Refused(String),
    /// Sent, and a call failed or a check does not hold.
    Failed(String),
}

pub struct Scene {
    pub anvil: Anvil,
    /// A second way to the chain: what a single RPC says decides no transaction.
    second: Proxy,
    catalogue: Catalogue,
    /// The desk at which the program is run.
    desk: TempDir,
    /// The source of the contracts' code.
    origins: RefCell<BTreeSet<String>>,
}

type Args = BTreeMap<String, String>;

pub fn args<const N: usize>(pairs: [(&str, String); N]) -> Args {
    pairs.into_iter().map(|(name, text)| (name.to_string(), text)).collect()
}

impl Scene {
    pub fn new() -> Self {
        Self::on(Anvil::start())
    }

    pub fn on(anvil: Anvil) -> Self {
        let desk = tempfile::tempdir().unwrap();
        let second = Proxy::to(&anvil);
        let scene =
            Self { anvil, second, catalogue: Catalogue::new(Vec::new()), desk, origins: RefCell::default() };
        place_safe(&scene.anvil, COUNCIL, &SafeSetup::new(SafeVersion::V1_4_1, 3, 2));
        scene.enrich(COUNCIL);
        scene.enrich(STRANGER);
        scene
    }

    pub fn second_url(&self) -> String {
        self.second.url()
    }

    pub fn playbook(&self, id: &str) -> &Playbook {
        self.catalogue.get(id).unwrap_or_else(|e| panic!("{e}")).playbook
    }

    pub fn deploy(&self, contract: &str, constructor_args: &[u8]) -> Address {
        self.origins.borrow_mut().extend(origins(contract));
        deploy(&self.anvil, contract, constructor_args)
    }

    /// ETH for gas and fees.
    pub fn enrich(&self, who: Address) {
        self.anvil.set_balance(who, U256::from(10).pow(U256::from(20)));
    }

    /// A call that must succeed.
    pub fn act(&self, from: Address, to: Address, call: &impl SolCall) {
        self.anvil.send(from, to, &call.abi_encode().into(), U256::ZERO);
    }

    pub fn now(&self) -> u64 {
        let block = self.anvil.rpc("eth_getBlockByNumber", &json!(["latest", false]));
        serde_json::from_value::<U256>(block["timestamp"].clone()).unwrap().to()
    }

    pub fn pass(&self, seconds: u64) {
        self.anvil.rpc("evm_increaseTime", &json!([seconds]));
        self.anvil.mine(1);
    }

    /// Runs a part of a story, after which the chain is as it was.
    pub fn aside<T>(&self, part: impl FnOnce() -> T) -> T {
        let mark = self.anvil.rpc("evm_snapshot", &json!([]));
        let result = part();
        self.anvil.rpc("evm_revert", &json!([mark]));
        result
    }

    fn answer(&self, query: &Query) -> Answer {
        let word = |word: B256| Answer::Value(word.into());
        match query {
            Query::Call { from, to, data } => {
                match self.anvil.try_call(from.unwrap_or_default(), *to, data) {
                    Ok(data) => Answer::Value(data),
                    Err(error) => Answer::Reverted(reverted(&error)),
                }
            }
            Query::Storage { address, slot } => word(self.anvil.storage(*address, *slot)),
            Query::Balance { address } => word(self.anvil.balance(*address).into()),
            Query::CodeHash { address } => {
                let code = self.anvil.code(*address);
                word(if code.is_empty() { B256::ZERO } else { keccak256(&code) })
            }
            Query::Time => word(U256::from(self.now()).into()),
        }
    }

    fn answers(&self, queries: impl IntoIterator<Item = Query>) -> Readings {
        queries.into_iter().map(|query| (query.clone(), self.answer(&query))).collect()
    }

    /// Returns the plan, or why there is none. Reads never take more than two rounds.
    pub fn plan(&self, id: &str, safe: Address, args: &Args) -> Result<Plan, String> {
        let names = AddressBook::default();
        let inputs = Inputs { args, names: &names, safe, chain_id: self.anvil.chain_id };
        let mut readings = Readings::default();
        for _ in 0..3 {
            match derive(self.playbook(id), &inputs, &readings).map_err(|e| e.to_string())? {
                Derivation::Ready(plan) => return Ok(plan),
                Derivation::Needs(queries) => readings.extend(self.answers(queries)),
            }
        }
        panic!("{id} asks in more than two rounds");
    }

    fn judged(&self, checks: &[Check], logs: &[Log]) -> Result<(), String> {
        let readings = self.answers(checks.iter().flat_map(Check::queries));
        let verdicts = checks.iter().map(|check| check.judge(&readings, logs));
        let failed: Vec<String> = verdicts.filter(|v| !v.holds).map(|v| v.sentence).collect();
        // A person reads the name of an error, and never its four bytes.
        assert!(failed.iter().all(|why| !why.contains("reverted with 0x")), "{failed:?}");
        if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
    }

    /// Derives, checks, sends and proves.
    pub fn pull(&self, id: &str, safe: Address, args: &Args) -> Ended {
        let plan = match self.plan(id, safe, args) {
            Ok(plan) => plan,
            Err(why) => return Ended::Refused(why),
        };
        match self.judged(&plan.before, &[]) {
            Ok(()) => self.carried_out(&plan, safe),
            Err(why) => Ended::Refused(why),
        }
    }

    /// Sends a plan, and proves it.
    pub fn carried_out(&self, plan: &Plan, safe: Address) -> Ended {
        // If the contract answered as before, the proof would have to fail.
        for (check, kept) in plan.after.iter().zip(&plan.kept) {
            if !kept && self.judged(std::slice::from_ref(check), &[]).is_ok() {
                return Ended::Failed(format!("{} held before and is not kept", check.describe()));
            }
        }
        if plan.after.iter().all(|check| self.judged(std::slice::from_ref(check), &[]).is_ok()) {
            return Ended::Failed("everything that it proves held before".into());
        }
        let mut logs = Vec::new();
        for planned in &plan.calls {
            let call = &planned.call;
            let receipt = self.anvil.try_send(safe, Some(call.to), &call.data, call.value);
            if !receipt.succeeded {
                return Ended::Failed(format!("{} reverted", planned.signature));
            }
            logs.extend(receipt.logs);
        }
        match self.judged(&plan.after, &logs) {
            Ok(()) => Ended::Proven,
            Err(why) => Ended::Failed(why),
        }
    }

    /// Pulls the lever through the program, cold: with every check.
    fn program(&self, id: &str, safe: Address, args: &Args) -> Run {
        // A council file that pins what the Safe has by now.
        let file = self.desk.path().join("breakglass.toml");
        let _ = fs::remove_file(&file);
        let mut init = breakglass();
        init.current_dir(self.desk.path()).args(["init", "--safe-name", "council"]);
        init.args(["--rpc", &self.anvil.url(), "--rpc", &self.second.url()]);
        run(init.args(["--safe", &safe.to_string()])).ended(0);
        let playbook = self.playbook(id);
        let mut command = breakglass();
        command.current_dir(self.desk.path()).arg("--json").arg(playbook.kind.to_string());
        command.args(["--playbook", id, "--safe", "council"]);
        for (name, value) in args {
            command.arg("--set").arg(format!("{name}={value}"));
        }
        run(&mut command)
    }

    /// Proposed by the program, within the rounds that it may take.
    #[track_caller]
    pub fn proposed(&self, id: &str, safe: Address, args: &Args) {
        let playbook = self.playbook(id);
        // The program's own count: batches that leave together may reach a busy chain one after the other.
        let rounds = self.program(id, safe, args).ended(0).json()["rounds"].as_u64().unwrap();
        // The values that are read first decide the calls.
        let reads_first = !playbook.reads.is_empty() || playbook.steps.iter().any(|s| !s.skip_if.is_empty());
        let most = if reads_first { 3 } else { 2 };
        assert!(rounds <= most, "{id} takes {rounds} rounds and not {most}");
    }

    #[track_caller]
    pub fn proven(&self, id: &str, safe: Address, args: &Args) {
        let against = tested_against(id);
        let has = against.starts_with("Safe ") || self.origins.borrow().contains(against);
        assert!(has, "{id} is not tested against {against}: {:?}", self.origins.borrow());
        let ended = self.pull(id, safe, args);
        assert_eq!(ended, Ended::Proven, "{id}");
    }

    /// Returns why it is refused before anything is signed.
    #[track_caller]
    pub fn refused(&self, id: &str, safe: Address, args: &Args) -> String {
        match self.pull(id, safe, args) {
            Ended::Refused(why) => why,
            other => panic!("{id} is not refused but {other:?}"),
        }
    }

    /// Pulls a lever in every state: refused to a stranger, proven, refused or left out when it is done already, taken back
    /// where that is possible. `undone_by` holds the role of the counter-playbook.
    #[track_caller]
    pub fn life(&self, id: &str, args: &Args, undone_by: Address) {
        self.refused(id, STRANGER, args);
        self.aside(|| {
            self.proven(id, COUNCIL, args);
            if let Some((undo, back)) = self.playbook(id).undo_args(args) {
                self.refused(undo.as_str(), STRANGER, &back);
            }
        });
        self.course(id, args, undone_by);
    }

    /// Pulls a lever that needs no role: a holder's own.
    #[track_caller]
    pub fn course(&self, id: &str, args: &Args, undone_by: Address) {
        self.proposed(id, COUNCIL, args);
        self.mutated(id, args);
        if undone_by == COUNCIL {
            self.restored(id, args);
        }
        self.proven(id, COUNCIL, args);
        self.again(id, COUNCIL, args);
        if let Some((undo, back)) = self.playbook(id).undo_args(args) {
            if undone_by == COUNCIL {
                self.proposed(undo.as_str(), COUNCIL, &back);
            }
            self.proven(undo.as_str(), undone_by, &back);
            self.again(undo.as_str(), undone_by, &back);
            // A lever that was taken back can be pulled again, by the undo's own counter-playbook.
            if let Some((redo, args)) = self.playbook(undo.as_str()).undo_args(&back) {
                self.aside(|| self.proven(redo.as_str(), COUNCIL, &args));
            }
        }
    }

    /// With any one of several calls left out, as if its contract had answered as before, nothing is proven.
    #[track_caller]
    fn mutated(&self, id: &str, args: &Args) {
        let plan = self.plan(id, COUNCIL, args).unwrap();
        for left_out in 0..plan.calls.len() {
            let mut mutant = plan.clone();
            mutant.calls.remove(left_out);
            self.aside(|| match self.carried_out(&mutant, COUNCIL) {
                Ended::Failed(_) => {}
                other => panic!("{id} without {}: {other:?}", plan.calls[left_out].signature),
            });
        }
    }

    /// Its undo leaves every slot as it was, slot by slot, but where [`LEFT_OVER`] says why not.
    #[track_caller]
    fn restored(&self, id: &str, args: &Args) {
        if self.playbook(id).undo_args(args).is_none() {
            return;
        }
        let mut command = breakglass();
        command.current_dir(self.desk.path()).args(["--json", "playbook", "test", id, "--safe", "council"]);
        for (name, value) in args {
            command.arg("--set").arg(format!("{name}={value}"));
        }
        let tested = run(&mut command).ended(0).json();
        let left = tested["left_over"].as_array().unwrap();
        let said = LEFT_OVER.iter().any(|(known, _)| *known == id);
        assert!(left.is_empty() != said, "{id}, after its undo: {left:?}");
    }

    /// A lever that is pulled already says so, or does again what its playbook says is harmless.
    #[track_caller]
    pub fn again(&self, id: &str, safe: Address, args: &Args) {
        let repeatable = self.playbook(id).repeatable.is_some();
        self.aside(|| {
            self.pass(10);
            // What is proven by an event alone is refused and not called done: no state tells that it was this lever.
            let by_state =
                self.playbook(id).after.iter().any(|claim| !matches!(claim.fact, Fact::Event { .. }));
            if safe == COUNCIL && !by_state && !repeatable {
                self.program(id, safe, args).ended(4);
            } else if safe == COUNCIL {
                let said = self.program(id, safe, args).ended(0).json();
                let done = said["nothing_to_do"]["message"]
                    .as_str()
                    .is_some_and(|why| why.starts_with("already done: "));
                assert!(done != repeatable, "{id}, done already: {said}");
            }
            match self.pull(id, safe, args) {
                Ended::Refused(why) => assert!(!repeatable && !why.is_empty(), "{id}"),
                other => assert!(repeatable && other == Ended::Proven, "{id}, done already: {other:?}"),
            }
        });
    }
}

/// Against what a playbook is tested, by the longest beginning of its name in the table that playbooks/README.md shows.
fn tested_against(id: &str) -> &'static str {
    let name = id.rsplit('/').next().unwrap();
    let rows = include_str!("tested.txt").lines().filter_map(|line| line.split_once('\t'));
    let found = rows
        .filter(|(beginning, _)| name.starts_with(beginning))
        .max_by_key(|(beginning, _)| beginning.len());
    found.unwrap_or_else(|| panic!("{id} is not in tested.txt")).1
}

/// The acts whose undo leaves a slot otherwise than it was, and why that is meant. Every other brings back all.
const LEFT_OVER: [(&str, &str); 10] = [
    ("pause/wormhole-token-bridge", "the expiry tells of the last pause that was lifted"),
    ("pause/wormhole-token-bridge-freeze", "the expiry tells of the last pause that was lifted"),
    ("pause/wormhole-token-bridge-extend", "its undo lifts the whole pause"),
    ("pause/wormhole-token-bridge-lift", "its undo is a new pause"),
    ("rotate/oz-access-manager-revoke", "the member is one since the undo"),
    ("rotate/oz-access-control-enumerable-revoke", "the members come back in another order"),
    ("pause/aave-v3-reserve", "nobody is liquidated during the grace period"),
    ("pause/aave-v3-pool", "nobody is liquidated during the grace period"),
    ("pause/arbitrum-rollup", "the executor's guard against reentrancy is set by its first use"),
    ("pause/ccip-curse-many", "a subject that was cursed before is lifted too, as its cost says"),
];

fn reverted(error: &Value) -> Bytes {
    serde_json::from_value(error["data"].clone()).unwrap_or_default()
}
