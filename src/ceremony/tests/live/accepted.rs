//! The texts of the reader's own files, held against what they accepted before.

use super::*;
use crate::ceremony::folder::texts::{News, Texts};

fn texts<'d>(desk: &'d Desk<'d>, what: &[&str]) -> Texts<'d> {
    let rests = desk.rests_of(&words(what), &Given::default()).unwrap();
    Texts::of(desk, &rests).unwrap()
}

/// What is new, in a word for each text.
fn news(desk: &Desk, what: &[&str]) -> Vec<&'static str> {
    let all = texts(desk, what);
    all.news()
        .map(|(_, news)| match news {
            News::FirstUse => "first use",
            News::Added => "added",
            News::Changed(change) if change.difference.is_some() => "changed",
            News::Changed(_) => "changed, from a text that is not kept",
        })
        .collect()
}

fn changed<'a>(home: &Home) -> Desk<'a> {
    let mut desk = home.desk();
    desk.text.push_str("# one line more\n");
    desk
}

#[test]
fn a_council_file_is_accepted_once_and_asked_about_when_it_changes() {
    let home = Home::new();
    assert_eq!(news(&home.desk(), &["freeze"]), ["first use"], "the playbooks are built in");
    assert_eq!(texts(&home.desk(), &["freeze"]).flags(&[]), "", "a first use is asked about, not refused");
    texts(&home.desk(), &["freeze"]).accept();
    assert!(news(&home.desk(), &["freeze"]).is_empty());
    assert!(news(&home.desk(), &["fee"]).is_empty(), "every lever of the Safe was accepted with it");
    assert_eq!(texts(&home.desk(), &["freeze"]).flags(&[]), "");
    let other = changed(&home);
    assert_eq!(news(&other, &["vault"]), ["changed"]);
    let flag = texts(&other, &["vault"]).flags(&[]);
    let id = flag.strip_prefix("--accept ").unwrap().to_string();
    assert!(id.starts_with("changed:"), "{flag}");
    assert_eq!(texts(&other, &["vault"]).flags(&[id]), "", "it was accepted on the command line");
    let all = texts(&other, &["vault"]);
    let (_, change) = all.news().next().unwrap();
    assert!(change.is_whole());
    let News::Changed(change) = change else { panic!() };
    std::fs::remove_file(change.kept.unwrap()).unwrap();
    assert_eq!(news(&other, &["vault"]), ["changed, from a text that is not kept"]);
    texts(&other, &["vault"]).accept();
    assert!(news(&other, &["vault"]).is_empty());
    assert_eq!(news(&home.desk(), &["vault"]), ["changed"], "the old one is another by now");
}

/// A playbook of the council's own that came after its council file was accepted.
#[test]
fn an_own_playbook_that_is_added_or_changed_is_reported() {
    let home = Home::new().with("[levers.freeze]", BOTH);
    let desk = || with_both(&home, SKIPPING);
    assert_eq!(news(&desk(), &["both"]), ["first use", "first use"]);
    texts(&home.desk(), &["vault"]).accept();
    assert_eq!(news(&desk(), &["both"]), ["added"]);
    assert!(texts(&desk(), &["both"]).flags(&[]).starts_with("--accept changed:"));
    texts(&desk(), &["both"]).accept();
    assert!(news(&desk(), &["both"]).is_empty());
    assert_eq!(news(&with_both(&home, SETTING_A_BIT), &["both"]), ["changed"]);
    // A file in the place of a built-in playbook, and the built-in one after it.
    let library = Catalogue::new(Vec::new());
    let pause = library.get("pause/oz-pausable").unwrap().playbook.text().to_string();
    let in_place = || {
        let mut desk = home.desk();
        desk.catalogue.add("playbooks/own.toml", &format!("{pause}# ours\n"));
        desk
    };
    let own = in_place();
    let all = texts(&own, &["vault"]);
    let (text, _) = all.news().next().unwrap();
    assert_eq!(text.note, ", in the place of the built-in playbook");
    assert!(!text.now.built_in);
    all.accept();
    assert_eq!(news(&home.desk(), &["vault"]), ["changed"]);
}

/// With a council file, the playbooks of all its levers are accepted.
#[test]
fn a_playbook_of_a_lever_that_was_not_used_is_accepted_with_the_council_file() {
    let home = Home::new().with("[levers.freeze]", BOTH);
    texts(&with_both(&home, SKIPPING), &["vault"]).accept();
    assert!(news(&with_both(&home, SKIPPING), &["both"]).is_empty());
    assert_eq!(news(&with_both(&home, SETTING_A_BIT), &["both"]), ["changed"]);
}

#[test]
fn where_acceptances_cannot_be_written_each_run_is_a_first_use() {
    let home = Home::new();
    let mut desk = home.desk();
    desk.settings = None;
    assert_eq!(news(&desk, &["vault"]), ["first use"]);
    let loud = "! what you accepted before cannot be read: neither HOME nor XDG_CONFIG_HOME is set. Everything counts as a first use";
    assert!(home.heard().contains(&loud.to_string()));
    texts(&desk, &["vault"]).accept();
    assert_eq!(news(&desk, &["vault"]), ["first use"]);
    home.heard();
    // A file lies where the folder would be.
    std::fs::write(home.path().join("config"), "").unwrap();
    let desk = home.desk();
    assert_eq!(news(&desk, &["vault"]), ["first use"]);
    texts(&desk, &["vault"]).accept();
    let heard = home.heard();
    assert!(
        heard.iter().any(|line| line.starts_with("note: what you accepted could not be kept")),
        "{heard:?}"
    );
}

#[test]
fn a_damaged_file_of_acceptances_is_an_error() {
    let home = Home::new();
    texts(&home.desk(), &["vault"]).accept();
    let folder = home.path().join("config/breakglass/accepted");
    std::fs::write(folder.join("000002.toml"), "no toml").unwrap();
    let desk = home.desk();
    let rests = desk.rests_of(&words(&["vault"]), &Given::default()).unwrap();
    let error = Texts::of(&desk, &rests).err().unwrap();
    assert!(error.hints.iter().any(|hint| hint.starts_with("or move that file away")), "{:?}", error.hints);
}

/// Once all is accepted, nothing more is written.
#[test]
fn nothing_is_written_if_all_is_accepted_already() {
    let home = Home::new();
    let files = || std::fs::read_dir(home.path().join("config/breakglass/accepted")).unwrap().count();
    texts(&home.desk(), &["vault"]).accept();
    let before = files();
    texts(&home.desk(), &["vault"]).accept();
    assert_eq!(files(), before);
    texts(&changed(&home), &["vault"]).accept();
    assert_eq!(files(), before + 1);
}
