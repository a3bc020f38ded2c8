//! Files that are cut, too large, no text, in the way, or links to somewhere else.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::steps::{
    broadcast, contents, files, import, is_paused, owned, path, propose, read_json, refused,
    refused_without_a_trace, run, sign, signed_by_two, try_import, try_sign, two_of_three, with_key,
};

#[test]
fn a_cut_oversized_or_foreign_proposal_is_named_and_not_signed() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let text = fs::read_to_string(propose(alice)).unwrap();
    let file = bob.path("carried.json");
    let words = with_key(bob, &["sign", path(&file), "--yes"]);
    let oversized = format!("{}{}", text.trim_end(), " ".repeat(9 << 20));
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let surplus = text.replacen('{', "{ \"note\": 1,", 1);
    let doubled = text.replacen("\"chain_id\"", "\"chain_id\": \"1\", \"chain_id\"", 1);
    let newer = text.replacen("\"breakglass_proposal\": 2", "\"breakglass_proposal\": 5, \"new\": 1", 1);
    for (contents, named) in [
        ("", "it is not a proposal file"),
        (&text[..1], "it is not a proposal file"),
        (&text[..text.len() / 2], "it is not a proposal file"),
        (&text[..text.len() - 3], "it is not a proposal file"),
        (&format!("{text}{text}"), "it is not a proposal file"),
        (&oversized, "is larger than"),
        (&deep, "it is not a proposal file"),
        (&surplus, "unknown field `note`"),
        (&doubled, "the field `chain_id` is there twice"),
        (&newer, "it is of version 5, and this program reads 1 to 4"),
    ] {
        fs::write(&file, contents).unwrap();
        refused_without_a_trace(bob, &words, 1, &["carried.json", named]);
    }
    fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
    refused_without_a_trace(bob, &words, 1, &["carried.json", "is not text"]);
    fs::remove_file(&file).unwrap();
    refused_without_a_trace(bob, &words, 1, &["carried.json", "cannot read"]);
    fs::create_dir(&file).unwrap();
    refused_without_a_trace(bob, &words, 1, &["carried.json", "it is a folder"]);
}

#[test]
fn cut_and_oversized_signatures_chats_keystores_and_council_files() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    propose(alice);
    let line = sign(bob, &["vault"]);
    refused(try_import(alice, &["vault"], &line[..120]), 4, &["cannot be read", "it was cut"]);
    refused(try_import(alice, &["vault"], "good morning"), 1, &["no signature was found"]);
    refused(try_import(alice, &["vault"], &"a".repeat(9 << 20)), 1, &["chat.txt", "is larger than"]);
    let theirs = files(bob.folder()).into_iter().find(|f| path(f).ends_with(".sig.json")).unwrap();
    let text = fs::read_to_string(theirs).unwrap();
    refused(try_import(alice, &["vault"], &text[..text.len() / 2]), 1, &["no signature"]);
    // Among megabytes of talk the one line is found.
    import(alice, &["vault"], &format!("{}\n{line}\n{}", "talk ".repeat(200_000), "0x12 ".repeat(200_000)));

    let keystore = fs::read_to_string(bob.keystore()).unwrap();
    let words = with_key(bob, &["sign", "vault", "--yes"]);
    for bad in [&keystore[..keystore.len() / 2], "{}", "", &"x".repeat(9 << 20)] {
        fs::write(bob.keystore(), bad).unwrap();
        refused_without_a_trace(bob, &words, 1, &["keystore.json"]);
    }
    // A keystore that is not there is named before the review, not after the person's yes.
    fs::remove_file(bob.keystore()).unwrap();
    run(bob, &words).ended(1).says("keystore.json").never_says("What it does");
    fs::write(bob.keystore(), &keystore).unwrap();

    let council = ceremony.council();
    let broken = council.replace("schema = 1", "schema = 1\nshcema = 1");
    for (bad, named) in [
        (&council[..council.len() - 5], "breakglass.toml:"),
        (broken.as_str(), "unknown field `shcema`"),
        (broken.as_str(), "→ fix line "),
        (&format!("{council}{}", "#".repeat(9 << 20)), "is larger than"),
    ] {
        fs::write(bob.path("breakglass.toml"), bad).unwrap();
        refused_without_a_trace(bob, &words, 1, &[named, "breakglass.toml"]);
    }
    fs::remove_file(bob.path("breakglass.toml")).unwrap();
    refused_without_a_trace(bob, &words, 2, &["there is no breakglass.toml", "--council FILE", "init"]);
}

/// A damaged file among the kept ones is named and left out; it stops nobody.
#[test]
fn a_damaged_file_among_the_kept_ones_stops_nobody() {
    let ceremony = two_of_three();
    let bob = &ceremony.desks[1];
    let alice = signed_by_two(&ceremony);
    let folder = alice.folder().join("incidents");
    fs::create_dir(folder.join("0xdead")).unwrap();
    fs::write(folder.join("0xdead/proposal.json"), "{").unwrap();
    let bobs = files(&folder).into_iter().find(|f| path(f).contains(&bob.key.address.to_string())).unwrap();
    let whole = fs::read(&bobs).unwrap();
    fs::write(&bobs, &whole[..whole.len() / 2]).unwrap();
    let run = alice.run(&["status", "vault"]).ended(3).says("1 of 2 signed").says("left out");
    run.says(path(&bobs)).says("0xdead");
    // The good one again: what is in its place is not taken for it, and stays as it is.
    let run = try_import(alice, &["vault"], &sign(bob, &["vault"]));
    run.ended(0).says("imported");
    assert_eq!(fs::read(&bobs).unwrap(), whole[..whole.len() / 2]);
    broadcast(alice, &["vault"]).ended(0);
}

#[test]
fn links_and_files_in_the_way_are_named_and_nothing_is_written_through_them() {
    let ceremony = two_of_three();
    let [alice, bob, carol] = &ceremony.desks[..] else { unreachable!() };
    let kept = propose(alice);
    let name = kept.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let hash = read_json(&kept)["hashes"]["safe_tx_hash"].as_str().unwrap().to_string();
    let words = with_key(bob, &["sign", "vault", "--yes"]);
    let incidents = bob.path("incidents");
    let elsewhere = tempfile::tempdir().unwrap();
    let untouched = || assert!(files(elsewhere.path()).is_empty(), "{:?}", files(elsewhere.path()));

    // The folder of all proposals is a file, a link to a folder, a link to nothing.
    fs::write(&incidents, "in the way").unwrap();
    refused_without_a_trace(bob, &words, 1, &["incidents"]);
    fs::remove_file(&incidents).unwrap();
    for target in [elsewhere.path(), &elsewhere.path().join("nothing")] {
        symlink(target, &incidents).unwrap();
        refused(crate::steps::run(bob, &words), 1, &["incidents", "symbolic link"]);
        untouched();
        fs::remove_file(&incidents).unwrap();
    }
    // The folder of this proposal: the next name is taken.
    let folder = incidents.join(name);
    let next = incidents.join(format!("{name}-2"));
    for lay in
        [&|| symlink(elsewhere.path(), &folder).unwrap(), &|| fs::write(&folder, "in the way").unwrap()]
            as [&dyn Fn(); 2]
    {
        fs::create_dir(&incidents).unwrap();
        lay();
        sign(bob, &["vault"]);
        untouched();
        assert_eq!(files(&next).len(), 2, "{:?}", files(&incidents));
        bob.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
        fs::remove_dir_all(&incidents).unwrap();
    }
    // A link and a file in the place of the proposal.
    let place = folder.join("proposal.json");
    for lay in [&|| symlink(elsewhere.path().join("target"), &place).unwrap(), &|| {
        fs::write(&place, "in the way").unwrap();
    }] as [&dyn Fn(); 2]
    {
        fs::create_dir_all(&folder).unwrap();
        lay();
        sign(bob, &["vault"]);
        untouched();
        assert_eq!(read_json(&next.join("proposal.json"))["hashes"]["safe_tx_hash"], hash);
        assert!(place.symlink_metadata().unwrap().is_symlink() || fs::read(&place).unwrap() == b"in the way");
        fs::remove_dir_all(&incidents).unwrap();
    }
    // Names of the signature: the next number, or a digest, names it then.
    fs::create_dir_all(&folder).unwrap();
    fs::copy(&kept, &place).unwrap();
    let signature = bob.key.address.to_string();
    for n in 1..=20 {
        let name = if n == 1 { signature.clone() } else { format!("{signature}-{n}") };
        fs::create_dir(folder.join(format!("{name}.sig.json"))).unwrap();
    }
    crate::steps::run(bob, &words).ended(0);
    let by_digest = files(&folder);
    assert_eq!(by_digest.len(), 2, "{by_digest:?}");
    bob.run(&["status", "vault"]).ended(3).says("1 of 2 signed");
    // That name too: the signature is made, and given out although it cannot be kept.
    let signature = by_digest.into_iter().find(|f| path(f).ends_with(".sig.json")).unwrap();
    fs::remove_file(&signature).unwrap();
    fs::create_dir(&signature).unwrap();
    let run = refused_without_a_trace(bob, &words, 1, &[path(&signature), "the line above is good"]);
    assert!(run.stdout.starts_with("bgsig2"), "{run:?}");
    let object = crate::steps::run(bob, &[&words[..], &["--json".to_string()]].concat()).ended(1).json();
    assert!(object["signatures"][0]["line"].as_str().unwrap().starts_with("bgsig2"), "{object}");
    fs::remove_dir_all(&folder).unwrap();
    // A signature finds another name than a link's.
    fs::create_dir(&folder).unwrap();
    let place = folder.join(format!("{}.sig.json", bob.key.address));
    symlink(elsewhere.path().join("target"), &place).unwrap();
    sign(bob, &["vault"]);
    untouched();
    assert!(place.symlink_metadata().unwrap().is_symlink());
    bob.run(&["status", "vault"]).ended(3).says("1 of 2 signed");

    // The lock of a broadcast.
    sign(alice, &["vault"]);
    import(alice, &["vault"], &sign(carol, &["vault"]));
    let lock = alice.path(&format!("incidents/.{hash}.lock"));
    symlink(elsewhere.path().join("target"), &lock).unwrap();
    broadcast(alice, &["vault"]).ended(0).says("done and proven");
    untouched();
    assert!(is_paused(&ceremony) && lock.symlink_metadata().unwrap().is_symlink());
}

#[test]
fn export_and_init_overwrite_nothing_and_follow_no_link() {
    let ceremony = two_of_three();
    let alice = signed_by_two(&ceremony);
    let stick = alice.path("stick");
    let words = owned(&["export", "vault", "--to", path(&stick)]);
    crate::steps::run(alice, &words).ended(0);
    let given = contents(&stick);
    assert_eq!(given.len(), 3);
    // A second run does no harm; any other file in that place is named, and everything stays as it is.
    crate::steps::run(alice, &words).ended(0);
    assert_eq!(contents(&stick), given);
    let last = &given[2].0;
    fs::write(last, "in the way").unwrap();
    fs::remove_file(&given[0].0).unwrap();
    refused_without_a_trace(alice, &words, 1, &[path(last), "already exists"]);
    fs::remove_file(last).unwrap();
    symlink(alice.path("target"), last).unwrap();
    refused_without_a_trace(alice, &words, 1, &[path(last), "symbolic link"]);
    // Where nobody can write, root neither.
    refused_without_a_trace(alice, &owned(&["export", "vault", "--to", "/dev/null"]), 1, &["/dev/null"]);
    if std::path::Path::new("/proc/self").exists() {
        refused_without_a_trace(alice, &owned(&["export", "vault", "--to", "/proc"]), 1, &["/proc"]);
    }

    let (safe, rpc) = (ceremony.safe.to_string(), ceremony.anvil.url());
    let init = |file: &str| owned(&["init", "--council", file, "--safe", &safe, "--rpc", &rpc]);
    refused_without_a_trace(alice, &init("breakglass.toml"), 1, &["breakglass.toml", "already exists"]);
    symlink(alice.path("target"), alice.path("link.toml")).unwrap();
    refused_without_a_trace(alice, &init("link.toml"), 1, &["link.toml"]);
    refused_without_a_trace(alice, &init("no/such/folder.toml"), 1, &["no/such/folder.toml"]);
    crate::steps::run(alice, &init("new.toml")).ended(0);
    assert!(!alice.path("target").exists());
}

/// A file is imported only with a signature that fits it.
#[test]
fn a_proposal_that_nothing_fits_is_not_kept_by_an_import() {
    let ceremony = two_of_three();
    let [alice, bob, _] = &ceremony.desks[..] else { unreachable!() };
    let mut proposal = read_json(&propose(alice));
    proposal["accepted"] = json!(["x"]);
    let file = bob.path("carried.json");
    fs::write(&file, proposal.to_string()).unwrap();
    refused(try_import(bob, &[path(&file)], "nothing here"), 1, &["no signature was found"]);
    assert!(!bob.path("incidents").exists());
    let line = try_sign(alice, &["vault"]).ended(0).stdout;
    import(bob, &[path(&file)], &line);
    assert!(bob.path("incidents").exists());
}
