//! `--known` and `covenant known update`.

use std::fs;
use std::path::Path;
use std::process::Output;

use covenant::runner::library;

use crate::program::{DEFECT, SHORT, SHORT_RUN, code, covenant_in, output_of, short_run};

const FILE: &str = "known-breaches.toml";

fn run(folder: &Path, more: &[&str]) -> Output {
    covenant_in(folder, &[&SHORT_RUN[..], more].concat())
}

/// Returns a folder with the run of a breach, and a file that knows it.
fn with_known_breach() -> tempfile::TempDir {
    let folder = short_run(true).folder();
    let update = covenant_in(folder.path(), &["known", "update", "out"]);
    assert_eq!(code(&update), 0, "{}", output_of(&update));
    assert!(output_of(&update).contains("1 added, 0 removed, 0 kept"), "{}", output_of(&update));
    folder
}

fn edit(folder: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(folder.join(FILE)).expect("a file");
    assert!(text.contains(from), "{text}");
    fs::write(folder.join(FILE), text.replace(from, to)).expect("written");
}

#[test]
fn a_known_breach_does_not_fail_the_run_and_the_report_says_so() {
    let folder = with_known_breach();
    edit(folder.path(), "not examined yet", "we fix it in May");
    let known = run(folder.path(), &["--defect", DEFECT, "--known", FILE]);
    assert_eq!(code(&known), 0, "{}", output_of(&known));
    assert!(output_of(&known).contains("known: 1 of 1 broken checks"), "{}", output_of(&known));
    assert!(output_of(&known).contains("we fix it in May, until 20"), "{}", output_of(&known));
    assert_eq!(code(&covenant_in(folder.path(), &["verify", "out"])), 1);
    assert_eq!(code(&covenant_in(folder.path(), &["verify", "out", "--known", FILE])), 0);
    let junit = fs::read_to_string(folder.path().join("out/junit.xml")).expect("a file");
    assert!(junit.contains("failures=\"0\"") && junit.contains("known breach: we fix it in May"), "{junit}");
}

#[test]
fn an_entry_that_is_over_or_has_expired_fails_the_run_and_is_named() {
    let folder = with_known_breach();
    let over = run(folder.path(), &["--known", FILE]);
    assert_eq!(code(&over), 1, "{}", output_of(&over));
    let words = output_of(&over).split_whitespace().collect::<Vec<_>>().join(" ");
    let named = format!("{FILE}:4: the known breach of 3.1 by {SHORT}#1 no longer happens");
    assert!(words.contains(&named), "{words}");
    let update = covenant_in(folder.path(), &["known", "update", "out"]);
    assert!(output_of(&update).contains("0 added, 1 removed, 0 kept"), "{}", output_of(&update));
    assert_eq!(code(&run(folder.path(), &["--known", FILE])), 0);

    let folder = with_known_breach();
    let text = fs::read_to_string(folder.path().join(FILE)).expect("a file");
    let date = text.lines().find(|line| line.starts_with("expires")).expect("a date");
    edit(folder.path(), date, "expires = 2026-01-01");
    let expired = run(folder.path(), &["--defect", DEFECT, "--known", FILE]);
    assert_eq!(code(&expired), 1, "{}", output_of(&expired));
    let words = output_of(&expired).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("has expired on 2026-01-01"), "{words}");
}

#[test]
fn an_entry_hides_no_other_breach_no_crash_and_no_void_run() {
    let folder = with_known_breach();
    let other = ["--only", "07-migration-hygiene/conflicts-are-resolved"];
    let defects = ["--defect", DEFECT, "--defect", "omits-first-conflict-from-log", "--known", FILE];
    let output = run(folder.path(), &[&other[..], &defects].concat());
    assert_eq!(code(&output), 1, "{}", output_of(&output));
    assert!(output_of(&output).contains("known: 1 of 2 broken checks"), "{}", output_of(&output));
    let crashed = run(folder.path(), &["--adapter", "false", "--known", FILE]);
    assert_eq!(code(&crashed), 5, "{}", output_of(&crashed));
}

#[test]
fn a_wrong_entry_is_refused_before_the_run_with_its_place() {
    for (from, to, parts) in [
        ("reason", "raeson", ["known-breaches.toml:7:1", "did you mean `reason`?"]),
        ("served#1", "servd#1", ["known-breaches.toml:5:9", "declared-kinds-are-served#1`?"]),
        ("\"3.1\"", "\"3.11\"", ["known-breaches.toml:6:10", "did you mean `3.1`?"]),
    ] {
        let folder = with_known_breach();
        edit(folder.path(), from, to);
        fs::remove_dir_all(folder.path().join("out")).expect("removed");
        let output = run(folder.path(), &["--known", FILE]);
        assert_eq!(code(&output), 2, "{}", output_of(&output));
        for part in parts {
            assert!(output_of(&output).contains(part), "{part}: {}", output_of(&output));
        }
        assert!(!folder.path().join("out").exists());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let missing = run(folder.path(), &["--known", "no-such-file.toml"]);
    assert_eq!(code(&missing), 2, "{}", output_of(&missing));
}

#[test]
fn a_file_serves_the_suite_and_own_scenarios_and_what_was_not_played_is_found_with_scenarios() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("own");
    fs::create_dir(&own).expect("created");
    let source = library(None).expect("scenarios").scenario(SHORT).expect("a scenario").source.clone();
    for name in ["one", "other"] {
        fs::write(own.join(name).with_extension("toml"), &source).expect("written");
    }
    let entry =
        |check: &str| format!("[[breach]]\ncheck = \"{check}#1\"\nclause = \"3.1\"\nreason = \"ours\"\n");
    let known = [entry("one"), entry("other"), entry(SHORT)].concat();
    fs::write(folder.path().join(FILE), known).expect("written");
    let arguments =
        ["run", "--quiet", "--seed", "7", "--scenarios", "own", "--defect", DEFECT, "--known", FILE];
    let run = |more: &[&str]| covenant_in(folder.path(), &[&arguments, more].concat());
    let both = run(&["--out", "both"]);
    assert_eq!(code(&both), 0, "{}", output_of(&both));
    let verified = covenant_in(folder.path(), &["verify", "both", "--known", FILE]);
    assert_eq!(code(&verified), 0, "the transcript has both: {}", output_of(&verified));
    let one = run(&["--only", "one", "--out", "one"]);
    assert_eq!(code(&one), 0, "{}", output_of(&one));
    let verify = ["verify", "one", "--known", FILE];
    let refused = covenant_in(folder.path(), &verify);
    assert_eq!(code(&refused), 2, "{}", output_of(&refused));
    assert!(
        output_of(&refused).contains("hint: the run was made with --scenarios own: give it here, too"),
        "{}",
        output_of(&refused)
    );
    let verified = covenant_in(folder.path(), &[&verify[..], &["--scenarios", "own"]].concat());
    assert_eq!(code(&verified), 0, "{}", output_of(&verified));
    let parts = ["1", "2"].map(|part| {
        let partition = format!("hash:{part}/2");
        let played = run(&["--only", "one", "--partition", &partition, "--out", part]);
        assert!([0, 7].contains(&code(&played)), "{}", output_of(&played));
        part
    });
    let merge = [&["report", "merge"], &parts[..], &["--known", FILE]].concat();
    assert_eq!(code(&covenant_in(folder.path(), &merge)), 2);
    let merged = covenant_in(folder.path(), &[&merge[..], &["--scenarios", "own"]].concat());
    assert_eq!(code(&merged), 0, "{}", output_of(&merged));
}
