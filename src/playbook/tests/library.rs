//! The generated file of the library, `playbooks/README.md`: run the tests with BREAKGLASS_WRITE=1 to write it again. And
//! `playbooks/schema.json`, which says no more and no less than the program takes.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::super::{Catalogue, Playbook, PlaybookKind, SCHEMA, Severity, Undo, Word};
use crate::excerpt::Fault;

const HEAD: &str = "\
# Playbooks

Each file here is one lever: what it calls, what must be true before and after, how it is taken back, what it does not
stop, what it costs and where its facts were read. They are built into the program; a file of the same id in the
`playbooks/` folder beside a council file takes the place of one.

    breakglass playbook list --family aave          find one
    breakglass playbook show pause/aave-v3-reserve   read it in plain words, with its parameters and an example lever
    breakglass playbook check playbooks              lint files of your own; exit code 1 where something is wrong
    breakglass playbook new pause/my-vault --call 'pause()' --view 'paused()(bool)'
    breakglass playbook test pause/my-vault --set target=vault
                                                     on a fork of your chain: pull it, take it back, see it denied to
                                                     somebody without the role; nothing is sent

`breakglass help playbooks` is the whole language on one page. Editors complete and check a file against `schema.json` when it begins with `#:schema schema.json`.

## Lists

A step, read or check is repeated with `for`, once for each item of a list; the list is a param of a type such as
`address[]` (in a lever a TOML array: `set = { pools = [\"a\", \"b\"] }`), a read, or an expression that gives one:

    [[step]]
    to = \"{pool}\"
    call = \"setFee(uint256)\"
    args = [\"{fee}\"]
    for = { pool = \"{pools}\", fee = \"{fees}\" }     # side by side: equally long

A read that is repeated is a list of the values. `for = { i = \"{indices(length)}\" }` reads an array that the contract
gives item by item. All calls are one transaction: all of them happen, or none.

Where it comes near the gas that one transaction may have, the review says how to cut it: `--set piece=1/2` makes each
list that a step runs over the first of two runs of its items. A piece depends on the list and on this argument alone, so it is
the same on every machine; `1/2` and `2/2` can each be cut again.

## Names for bits and fields

A number whose bits have names is chosen by them, and shown by them:

    [[param]]
    name = \"operations\"
    type = \"uint32\"
    flags = { deposit = 1, mint = 2, withdraw = 4 }        # in a lever: operations = [\"deposit\", \"withdraw\"]

An enum's values are named by `choices`, of which a lever chooses exactly one, or several for a list:

    [[param]]
    name = \"types\"
    type = \"uint8[]\"
    choices = { general = 1, l1_l2 = 2, finalization = 6 } # in a lever: types = [\"general\", \"finalization\"]

A check looks at the fields of a tuple by the names that the view's signature gives them, and at no others; so it does at
those of a struct, `((bool isEnabled,uint128 rate) bucket)`:

    [[after]]
    view = \"getReserveCaps(address)(uint256 borrowCap,uint256 supplyCap)\"
    expect = { supplyCap = \"{cap}\" }

## Hashes and calls inside of a call

`keccak('PAUSER_ROLE')` is a role's hash; a lever writes it so too, and the review then shows the word and the hash. `encode(…)` gives
the bytes of `abi.encode`, so that a key, an id or a slot is computed from what people know, and not copied:

    [[after]]
    view = \"getBool(bytes32)(bool)\"
    on = \"{data_store}\"
    args = [\"{keccak(encode(keccak(encode('CREATE_ORDER_FEATURE_DISABLED')), handler, order_type))}\"]
    expect = \"true\"

`calldata('pauseDeposits(bool)', true)` gives the bytes of a call that another call carries.

## What a proof is

An `[[after]]` that holds before the steps proves nothing. One that may hold already, such as an owner who must stay the same,
says why it is looked at: `kept = \"the owner must stay the same\"`; they never all hold before. `playbook check`
refuses an `[[after]]` that stands in `[[before]]` too, and `playbook test` one that held, on your chain. `playbook check` warns of
an `[[after]]` that nothing compares before the steps, of one that looks at a part of a list, and where `changes` names another
contract and every `[[after]]` asks the called one alone. A warning is not a fault: there may be a good reason.

`playbook test` runs a lever and its undo with every check that `pause` and `sign` run, and says slot by slot what the undo did not bring
back. What anybody may do says `anyone = true`.
Pulled again when it is done, a playbook says \"already done\", or why that is harmless: `repeatable = \"…\"`. `errors` names what the
contracts revert with, so that a refusal is read in words; `no_errors` says why none are named.

A param that says what was in force before the act, such as `was = \"{now}\"` over a read, is for the undo alone. The act neither asks
for it nor compares it, so that a council file that is behind stops no pause. Whoever proves the act reads it from the block before and
keeps it among their own settings; the undo brings that back, or what `--set` gives, and never what a council file says. A param that
is only passed on to the undo says `for_undo = true`.

## The library

Every lever below is pulled and proven on anvil, told when it is done already, refused without its role before anybody
signs, and taken back where that is possible (`tests/library`). The last column says against what: the real contracts of an
npm package, or a stand-in, a small contract in `tests/fixtures/contracts` with the signatures and traps of the real source. The
latter proves the playbook against what was read, not against what is deployed: run `playbook test` on your chain first.
This table is written from the one that the stories are held to, `tests/library/tested.txt`: a story that deploys nothing from
where its row says fails.

For the others no npm package was found that carries contracts to deploy. Looked at and not usable:
@compound-finance/comet-extension and @gnosis-guild/zodiac (no contracts in them), @morpho-org/metamorpho 1.1.0 (without
its source), @uniswap/permit2-sdk (an SDK), @eth-optimism/contracts-bedrock for U16 and later (it ends before). Nothing was found of Compound v2, Morpho Vault v2, Euler
v2, EigenLayer, Lido, Sky, Yearn v3, Wormhole and Curve.

Left out on purpose: `updateDelay` of a TimelockController (only the timelock itself can, so it is not an emergency act), the
DeputyPauseModule of the OP Stack (a signature of its own kind), `rotateMember` of Arbitrum's SecurityCouncilManager (it
takes effect through timelocks and no view proves it), Curve's PegKeeperRegulator (the encoding of its flags is not
verified), Uniswap v3 and v4 (there is no pause).

| Playbook | Family | Act | Proof | Undo | Tested against |
|---|---|---|---|---|---|
";

/// Against what a playbook is tested, from the table that the library's stories are held to.
fn tested(playbook: &Playbook) -> String {
    let name = playbook.id.as_str().rsplit('/').next().unwrap();
    let table = include_str!("../../../tests/library/tested.txt");
    let rows = table.lines().filter_map(|line| line.split_once('\t'));
    let found = rows
        .filter(|(beginning, _)| name.starts_with(beginning))
        .max_by_key(|(beginning, _)| beginning.len());
    match found {
        Some((_, file)) if Path::new(file).extension().is_some_and(|ending| ending == "sol") => {
            format!("a stand-in: `{file}`")
        }
        Some((_, package)) => format!("the real contracts: {package}"),
        None => "nothing: read only".into(),
    }
}

fn row(playbook: &Playbook) -> String {
    let family = playbook.family.as_deref().unwrap_or_default();
    let acts: Vec<String> = playbook.steps.iter().map(|s| format!("`{}`", s.function.signature())).collect();
    let proof = playbook.after.iter().map(|claim| format!("`{claim}`").replace('|', "\\|"));
    let undo = match &playbook.undo {
        Undo::Playbook { id, .. } => format!("[{id}]({id}.toml)"),
        Undo::None { .. } => "none".into(),
    };
    format!(
        "| [{id}]({id}.toml) | {family} | {} | {} | {undo} | {} |\n",
        acts.join("<br>"),
        proof.collect::<Vec<_>>().join("<br>"),
        tested(playbook),
        id = playbook.id,
    )
}

fn is_current(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks").join(name);
    if std::env::var_os("BREAKGLASS_WRITE").is_some() {
        fs::write(&path, text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{name} is not current: run the tests with BREAKGLASS_WRITE=1 and commit it");
}

#[test]
fn the_table_is_current() {
    let catalogue = Catalogue::new(vec![]);
    let mut text = HEAD.to_string();
    for entry in catalogue.all() {
        text.write_str(&row(entry.playbook)).unwrap();
    }
    is_current("README.md", &text);
}

/// The words after `before` in the first fault of a playbook with this block.
fn listed(block: &str, before: &str) -> BTreeSet<String> {
    let text = format!(
        "schema = 1\nid = \"pause/x\"\nkind = \"pause\"\ntitle = \"t\"\nseverity = \"P1\"\ndoes_not_stop = \"n\"\n\
         cost = \"c\"\nundo = {{ none = \"w\" }}\nsource = \"s\"\n{block}\n"
    );
    let fault: Fault = Playbook::parse("x", &text).unwrap_err();
    let message = fault.to_string();
    let list = message.split(before).nth(1).unwrap_or_else(|| panic!("{message}"));
    let line = list.lines().next().unwrap();
    line.split(", ").map(|field| field.trim_matches('`').to_string()).collect()
}

/// The fields that the program itself takes, as it names them when it meets another.
fn fields(block: &str) -> BTreeSet<String> {
    listed(&format!("{block}\nzz = 1"), "expected one of ")
}

#[test]
fn the_schema_has_every_field_and_no_other() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let properties = |pointer: &str| -> BTreeSet<String> {
        let object = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        object.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(properties("/properties"), fields(""));
    for (block, definition) in [
        ("[[param]]\nname = \"a\"\ntype = \"bool\"", "param"),
        ("[[read]]", "ask"),
        ("[[step]]\nto = \"a\"\ncall = \"f()\"", "step"),
        ("[example]\ncalldata = []", "example"),
    ] {
        assert_eq!(properties(&format!("/$defs/{definition}/properties")), fields(block), "{definition}");
    }
    let words = |pointer: &str| -> BTreeSet<String> {
        let words = schema.pointer(pointer).unwrap().as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_string()).collect()
    };
    assert_eq!(
        words("/properties/kind/enum"),
        PlaybookKind::ALL.iter().map(|(w, _)| w.to_string()).collect()
    );
    assert_eq!(
        words("/properties/severity/enum"),
        Severity::ALL.iter().map(|(w, _)| w.to_string()).collect()
    );
    let unit = "[[param]]\nname = \"a\"\ntype = \"uint256\"\nunit = \"zz\"";
    assert_eq!(words("/$defs/param/properties/unit/enum"), listed(unit, "known: "));
}

/// The playbooks of the library that have a good reason for what the author of another is warned of.
const WARNED: &[(&str, &str)] = &[
    ("param/oz-timelock-execute", "only its author knows what the waiting operation changes"),
    ("pause/ccip-curse", "several curses may stand in one transaction, each with a claim of its own"),
    ("pause/ccip-curse-undo", "as pause/ccip-curse"),
    ("pause/ccip-curse-many", "each item of its list is looked at"),
    ("pause/ccip-curse-many-undo", "each item of its list is looked at"),
    (
        "pause/oz-governor-cancel",
        "the id in the timelock is kept by the governor alone, which has no view of it",
    ),
    ("pause/sky-spell", "done() of the spell asks the contracts that it stops"),
    ("pause/sky-spell-batch", "done() of the spell asks the contracts that it stops"),
];

/// Every playbook of the library states its purpose, its risk and its way back.
#[test]
fn every_playbook_says_what_a_council_needs_to_know() {
    let catalogue = Catalogue::new(vec![]);
    let mut families = BTreeSet::new();
    for entry in catalogue.all() {
        let (id, playbook) = (&entry.playbook.id, entry.playbook);
        assert!(
            !playbook.before.is_empty() || playbook.steps.iter().all(|s| !s.skip_if.is_empty() || s.tried),
            "{id}"
        );
        assert!(playbook.role.is_some(), "{id} says no role");
        assert!(
            !playbook.errors.is_empty() || playbook.no_errors.is_some(),
            "{id} names no error of its contracts: a review would show four bytes (or say why: no_errors)"
        );
        assert!(playbook.example.is_some(), "{id} has no example");
        assert!(playbook.params.iter().all(|p| !p.title.is_empty()), "{id} has a param without a title");
        assert!(catalogue.lint(playbook).is_empty(), "{id}: {:?}", catalogue.lint(playbook));
        let is_listed = WARNED.iter().any(|(known, _)| *known == id.as_str());
        assert_eq!(!playbook.warnings().is_empty(), is_listed, "{id}: {:?}", playbook.warnings());
        families.extend(playbook.family.clone());
    }
    assert!(catalogue.all().len() >= 60 && families.len() >= 25, "{families:?}");
}
