//! Reads every `crate::` and `super::` path below `src`: a room knows only the rooms on lower floors, and no two files of a room
//! need each other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a source file that cannot be read fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use quote::ToTokens;
use syn::UseTree;
use syn::punctuated::Punctuated;
use syn::visit::Visit;

/// The rooms from the ground up. Rooms on one floor do not know each other.
const FLOORS: &[&[&str]] = &[
    &["clock", "error", "excerpt", "near", "progress", "safe", "shell", "store"],
    &["evm", "device", "ui"],
    &["council"],
    &["playbook"],
    &["proposal"],
    &["fork", "incident"],
    &["chain"],
    &["check"],
    &["ceremony"],
    &["readiness"],
    &["cli", "remedy", "view"],
    &["session"],
    &["command"],
];

/// A module: its path below the crate, `chain::fork::db`.
type Module = Vec<String>;

/// The paths in one source file, outside its tests.
#[derive(Default)]
struct Source {
    /// Every path in it, as written.
    paths: Vec<Vec<String>>,
    /// The paths that it passes on by `pub use`, as written.
    passed_on: Vec<Vec<String>>,
    /// The structs, enums and traits that it defines.
    types: Vec<String>,
}

fn sources() -> BTreeMap<Module, Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let module = module_of(&root, &path);
                if !module.iter().any(|part| part == "tests") {
                    found.insert(module, Source::read(&fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    found
}

fn module_of(root: &Path, path: &Path) -> Module {
    let inner: PathBuf = path.strip_prefix(root).unwrap().with_extension("");
    let mut parts: Module = inner.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

impl Source {
    fn read(text: &str) -> Self {
        let mut source = Self::default();
        source.visit_file(&syn::parse_file(text).unwrap());
        source
    }

    fn spell(tree: &UseTree, prefix: &[String], found: &mut Vec<Vec<String>>) {
        let and = |name: &syn::Ident| prefix.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => Self::spell(&path.tree, &and(&path.ident), found),
            UseTree::Name(name) => found.push(and(&name.ident)),
            UseTree::Rename(rename) => found.push(and(&rename.ident)),
            UseTree::Glob(_) => found.push(prefix.to_vec()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| Self::spell(tree, prefix, found)),
        }
    }

    fn define(&mut self, name: &syn::Ident, attributes: &[syn::Attribute]) {
        if !Self::is_for_tests(attributes) {
            self.types.push(name.to_string());
        }
    }

    fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
        attributes
            .iter()
            .any(|a| a.path().is_ident("cfg") && a.to_token_stream().to_string().contains("test"))
    }
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if Self::is_for_tests(&item.attrs) {
            return;
        }
        let into = if matches!(item.vis, syn::Visibility::Inherited) {
            &mut self.paths
        } else {
            &mut self.passed_on
        };
        Self::spell(&item.tree, &[], into);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !Self::is_for_tests(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.define(&item.ident, &item.attrs);
        syn::visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.define(&item.ident, &item.attrs);
        syn::visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.define(&item.ident, &item.attrs);
        syn::visit::visit_item_trait(self, item);
    }

    /// The arguments of a macro are no syntax tree: most are expressions, and those that are not name no module.
    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        let parser = Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        if let Ok(arguments) = invocation.parse_body_with(parser) {
            arguments.iter().for_each(|argument| syn::visit::visit_expr(self, argument));
        }
    }
}

/// A path as written in a module, from the crate's root.
fn absolute(module: &Module, path: &[String]) -> Module {
    let mut base = module.clone();
    match path.first().map(String::as_str) {
        Some("crate") => return path[1..].to_vec(),
        Some("self") => base.extend_from_slice(&path[1..]),
        Some("super") => {
            let up = path.iter().take_while(|part| *part == "super").count();
            base.truncate(base.len().saturating_sub(up));
            base.extend_from_slice(&path[up..]);
        }
        _ => base.extend_from_slice(path),
    }
    base
}

/// Returns the names that a module passes on: name → the path it stands for, below the crate.
fn passed_on(module: &Module, source: &Source) -> BTreeMap<String, Module> {
    let paths = source.passed_on.iter().map(|path| absolute(module, path));
    paths.filter_map(|path| Some((path.last()?.clone(), path))).collect()
}

/// The file in which a path ends, through whatever passes the name on.
fn file_of(
    path: &[String],
    sources: &BTreeMap<Module, Source>,
    names: &BTreeMap<Module, BTreeMap<String, Module>>,
) -> Module {
    let mut path = path.to_vec();
    for _ in 0..8 {
        let deepest = (0..=path.len()).rev().map(|n| path[..n].to_vec()).find(|m| sources.contains_key(m));
        let module = deepest.unwrap_or_default();
        let next = path.get(module.len()).and_then(|name| names.get(&module)?.get(name));
        match next {
            Some(target) if *target != path => {
                let rest = path[module.len() + 1..].to_vec();
                path = target.iter().cloned().chain(rest).collect();
            }
            _ => return module,
        }
    }
    path
}

/// File → the files that it needs.
fn arrows() -> BTreeMap<Module, BTreeSet<Module>> {
    let sources = sources();
    let names = sources.iter().map(|(module, source)| (module.clone(), passed_on(module, source))).collect();
    let mut arrows: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, source) in &sources {
        let inner = source.paths.iter().filter(|path| matches!(path[0].as_str(), "crate" | "super" | "self"));
        for path in inner {
            let target = file_of(&absolute(module, path), &sources, &names);
            if target != *module {
                arrows.entry(module.clone()).or_default().insert(target);
            }
        }
    }
    arrows
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn a_room_knows_only_rooms_below_it() {
    let mut wrong = Vec::new();
    for (from, targets) in arrows() {
        let Some(room) = from.first() else { continue };
        let own = floor(room).unwrap_or_else(|| panic!("room {room} stands on no floor: add it to FLOORS"));
        for to in targets {
            let Some(other) = to.first() else { continue };
            let below = floor(other).is_some_and(|other| other < own);
            if other != room && !below {
                wrong.push(format!("{} needs {}", from.join("::"), to.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows up or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_of_a_room_need_each_other() {
    let arrows = arrows();
    // A room's face (`mod.rs`) knows its files and they know it: it is left out.
    let faces: BTreeSet<&Module> = arrows
        .keys()
        .filter(|module| arrows.keys().any(|m| m.len() > module.len() && m.starts_with(module)))
        .collect();
    let mut circles = Vec::new();
    for from in arrows.keys().filter(|m| !faces.contains(m)) {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&Module> = arrows[from].iter().collect();
        while let Some(module) = next.pop() {
            if module == from {
                circles.push(from.join("::"));
                break;
            }
            if !faces.contains(module) && seen.insert(module) {
                next.extend(arrows.get(module).into_iter().flatten());
            }
        }
    }
    assert!(circles.is_empty(), "files that need each other:\n{}", circles.join("\n"));
}

/// The most lines of a source file: more is split by subject.
const MOST_LINES: usize = 450;

#[test]
fn no_file_is_longer_than_a_reader_takes_at_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("tests")];
    let mut long = Vec::new();
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Contracts and packages of others, and what was built of the tests' own packages.
                let is_foreign = path.ends_with("tests/fixtures") || path.ends_with("target");
                if !is_foreign {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                count += 1;
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                if lines > MOST_LINES {
                    long.push(format!("{}: {lines}", path.strip_prefix(root).unwrap().display()));
                }
            }
        }
    }
    assert!(count > 500, "{count} files were found");
    assert!(long.is_empty(), "longer than {MOST_LINES} lines:\n{}", long.join("\n"));
}

/// Errors and people name a file by its stem, so each stem is unique, except a room's `mod.rs` and tests.
#[test]
fn no_two_files_have_one_name() {
    let mut by_stem: BTreeMap<String, Vec<Module>> = BTreeMap::new();
    for module in sources().into_keys().filter(is_plain_file) {
        by_stem.entry(module.last().cloned().unwrap_or_default()).or_default().push(module);
    }
    let twice: Vec<String> = (by_stem.values().filter(|modules| modules.len() > 1))
        .map(|modules| modules.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(" and "))
        .collect();
    assert!(twice.is_empty(), "one name for two files:\n{}", twice.join("\n"));
}

/// Returns `true` if a module is a file of its own name, and not a folder's `mod.rs`.
fn is_plain_file(module: &Module) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module.join("/"));
    path.with_extension("rs").is_file()
}

/// A `Fresh` value is an agreed one of the newest block: only the chain room makes it. All that is ready comes from it.
#[test]
fn only_the_chain_room_says_that_a_value_is_fresh() {
    let makes =
        |source: &Source| source.paths.iter().any(|path| path.ends_with(&["from_quorum".to_string()]));
    let sources = sources();
    let rooms: BTreeSet<&str> =
        sources.iter().filter(|(_, source)| makes(source)).map(|(module, _)| module[0].as_str()).collect();
    assert_eq!(rooms, ["chain"].into());
}

/// Names that several types have, and why.
const SHARED: [(&str, &str); 1] = [("Args", "each command has its own, beside its `run`")];

/// A search for a type finds one definition.
#[test]
fn no_two_types_have_the_same_name() {
    let sources = sources();
    let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (module, source) in &sources {
        for name in &source.types {
            by_name.entry(name).or_default().push(module.join("::"));
        }
    }
    let is_shared = |name: &str| SHARED.iter().any(|(shared, _)| *shared == name);
    let twice: Vec<String> = (by_name.iter())
        .filter(|(name, modules)| modules.len() > 1 && !is_shared(name))
        .map(|(name, modules)| format!("{name}: {}", modules.join(", ")))
        .collect();
    assert!(twice.is_empty(), "types of one name:\n{}", twice.join("\n"));
}

/// One line for each kind of wall. Each must be refused by the lints that `src/lib.rs` turns on, with the list of `.clippy.toml`.
const BREACHES: [&str; 12] = [
    "let _ = std::fs::read(\"x\");",
    "let _ = std::fs::File::open(\"x\");",
    "let _ = std::fs::OpenOptions::new();",
    "let _ = std::path::PathBuf::new().exists();",
    "let _ = std::env::var(\"X\");",
    "let _ = std::env::current_dir();",
    "let _ = std::time::SystemTime::now();",
    "let _ = std::time::Instant::now();",
    "let _ = std::io::stdout();",
    "let _ = std::process::Command::new(\"x\");",
    "println!(\"x\");",
    "eprint!(\"x\");",
];

#[test]
fn clippy_refuses_a_file_that_breaks_a_wall() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lib = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let lints: Vec<&str> =
        lib.lines().filter(|line| line.starts_with("#![cfg_attr(not(test), warn(")).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("breach.rs");
    let code = format!("{}\npub fn breach() {{\n{}\n}}\n", lints.join(""), BREACHES.join("\n"));
    fs::write(&file, code).unwrap();
    // As cargo calls it: the manifest allows the lints, and the crate's own line turns them on.
    let mut clippy = Command::new("clippy-driver");
    clippy.args(["--crate-type=lib", "--edition=2024", "--emit=metadata", "-Aclippy::disallowed_methods"]);
    clippy.args(["-Aclippy::disallowed_macros", "-Dwarnings", "--out-dir"]).arg(folder.path()).arg(&file);
    let run = clippy.env("CLIPPY_CONF_DIR", root).output().expect("clippy-driver comes with clippy");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(!run.status.success(), "{said}");
    for (line, breach) in (3..).zip(BREACHES) {
        assert!(said.contains(&format!("breach.rs:{line}:")), "not refused: {breach}\n{said}");
    }
}

/// An exception to a wall is declared at the head of its room and nowhere else.
#[test]
fn only_the_rooms_that_are_named_open_a_wall() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open = BTreeSet::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path != root.join("lib.rs")
                && fs::read_to_string(&path).unwrap().contains("clippy::disallowed_")
            {
                open.insert(path.strip_prefix(&root).unwrap().display().to_string());
            }
        }
    }
    assert_eq!(open, ["clock.rs", "store/mod.rs", "ui/mod.rs"].map(String::from).into());
}

/// The reader of paths finds every path: the walls would not hold for one that it misses.
#[test]
fn paths_are_read_whole() {
    let code = "use crate::a::{b, c::{D, E as F}}; pub use self::k::L;
        fn f(x: crate::g::T) { format!(\"{}\", super::super::i::J); mycrate::no(); }
        struct M; pub enum N { O } trait P {} #[cfg(test)] struct Q;
        #[cfg(test)] mod tests { use crate::not::seen; struct R; }";
    let source = Source::read(code);
    let found: BTreeSet<String> =
        source.paths.iter().map(|p| p.join("::")).filter(|p| p.contains("::")).collect();
    let expected = [
        "crate::a::b",
        "crate::a::c::D",
        "crate::a::c::E",
        "crate::g::T",
        "super::super::i::J",
        "mycrate::no",
    ];
    assert_eq!(found, expected.map(String::from).into());
    assert_eq!(source.passed_on, [["self", "k", "L"]]);
    assert_eq!(source.types, ["M", "N", "P"]);
    let module = vec!["a".to_string(), "b".into()];
    assert_eq!(absolute(&module, &["super".into(), "c".into()]), ["a", "c"]);
}
