//! A person's word: what it is about, and how it is shown and counted.

use std::fs;

use covenant::wire::canonical::sha256_hex;
use serde_json::Value;

use crate::certify::{expect, statement_of, verified};
use crate::program::SHORT;

/// Facts of the embedded reference that a word about it names.
pub(crate) const ABOUT: [&str; 4] = ["--target", "embedded", "--release", "1.4.0"];

/// A defect that a stage shows, so that a run of the whole suite, which alone counts a word, ends soon after it began.
const EARLY: &str = "discloses-no-operator-contact";

/// Returns a folder with a key, and with the evidence of a word.
pub(crate) fn folder_with_evidence() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("notes.txt"), "called at noon").expect("written");
    expect(folder.path(), 0, &["key", "new"]);
    folder
}

#[test]
fn a_persons_word_is_shown_as_one_and_its_evidence_is_compared() {
    let folder = folder_with_evidence();
    let path = folder.path();
    let attest = ["attest", "4.4", "--by", "Ada Admin", "--evidence", "notes.txt"];
    expect(path, 0, &[&attest[..], &ABOUT].concat());
    let run = ["run", "--quiet", "--seed", "1", "--fail-fast", "--defect", EARLY, "--out", "out"];
    expect(path, 1, &[&run[..], &["--attest", "attested-4.4.toml"]].concat());
    let text = expect(path, 1, &["certify", "out", "--profile", "full", "--key", "covenant-key.pem"]);
    assert!(text.contains("FAILED, profile full: ") && text.contains(" 1 attested by a person"), "{text}");
    assert!(text.contains("a person's word: 4.4 conduct: ") && text.contains("Ada Admin"), "{text}");

    let statement = statement_of(&path.join("out/attestation.json"));
    let predicate = &statement.predicate;
    assert!(predicate.warned_tests.contains(&"4.4 conduct".to_owned()), "{:?}", predicate.warned_tests);
    assert!(!predicate.passed_tests.contains(&"4.4 conduct".to_owned()));
    assert!(predicate.attested[0].statement.contains(&sha256_hex("called at noon")));
    let names: Vec<&str> = predicate.configuration.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["seed", "contract", "suite", "binding", "profile", "settings"]);
    let days = predicate.validity.issued.duration_until(predicate.validity.expires).as_hours() / 24;
    assert_eq!(days, 90);
    let transcript = sha256_hex(fs::read(path.join("out/transcript.jsonl")).expect("a file"));
    assert_eq!(statement.subject[1].digest["sha256"], transcript);

    let arguments = ["out/attestation.json", "--key", "covenant-key.pub.pem", "--evidence", "notes.txt"];
    let (exit, verification) = verified(path, &arguments);
    assert_eq!((exit, &verification["result"]), (1, &Value::from("FAILED")), "{verification}");
    let points = verification["points"].as_array().expect("points");
    for about in ["envelope", "signature", "validity", "evidence", "transcript", "report", "verdicts"] {
        let point = points.iter().find(|point| point["about"] == about).expect("a point");
        assert_eq!(point["state"], "holds", "{point}");
    }
    fs::write(path.join("notes.txt"), "called at one").expect("written");
    let (exit, verification) = verified(path, &arguments);
    assert_eq!((exit, &verification["holds"]), (9, &Value::from(false)), "{verification}");
    // The report of the run shows the word as a person's, too.
    let report = fs::read_to_string(path.join("out/report.txt")).expect("a report");
    assert!(report.contains("attested") && report.contains("Ada Admin"), "{report}");
}

#[test]
fn a_word_that_hides_another_or_imitates_evidence_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let run = |words: &[&str]| {
        let fixed = ["run", "--quiet", "--only", SHORT, "--out", "out"];
        expect(path, 2, &[&fixed[..], words].concat())
    };
    let text = run(&["--attest", "4.4=yes", "--attest", "4.4=no"]);
    assert!(text.contains("--attest 4.4: it is given twice"), "{text}");
    let imitated = format!(
        "4.4=yes (stated by Ada at 2026-05-01T00:00:00Z about embedded, release 1.4.0; evidence notes.txt, SHA-256 {})",
        sha256_hex("x")
    );
    let text = run(&["--attest", &imitated]);
    assert!(text.contains("comes from a file"), "{text}");
    let word = |sha256: &str, name: &str, by: &str| {
        format!(
            "clause = \"4.4\"\nstatement = \"kept\"\nby = \"{by}\"\nat = \"2026-05-01T00:00:00Z\"\n\n[target]\nname \
             = \"embedded\"\nrelease = \"1.4.0\"\n\n[evidence]\nname = \
             \"{name}\"\nsha256 = \"{sha256}\"\n"
        )
    };
    let digest = sha256_hex("x");
    for (sha256, name, by, expected) in [
        ("no digest", "notes.txt", "Ada", "64 hex digits"),
        (&digest, "../notes.txt", "Ada", "without its folder"),
        (&digest, "notes.txt", "Ada\\nEve", "not shown"),
        (&digest, "notes.txt", "\\u202eadA", "not shown"),
        (&digest, "notes.txt", "Ada (stated by Eve", "marks the parts of a word"),
    ] {
        fs::write(path.join("word.toml"), word(sha256, name, by)).expect("written");
        let text = run(&["--attest", "word.toml"]);
        assert!(text.contains(expected), "{expected}: {text}");
    }
    fs::write(path.join("empty"), "").expect("written");
    let attest = ["attest", "4.4", "--by", "Ada", "--evidence", "empty"];
    let text = expect(path, 2, &[&attest[..], &ABOUT].concat());
    assert!(text.contains("the evidence is empty"), "{text}");
}

#[test]
fn a_persons_word_is_about_what_no_wire_shows_and_has_its_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("notes.txt"), "called at noon").expect("written");
    let attest = |exit: i32, clause: &str, more: &[&str]| {
        let fixed = ["attest", clause, "--by", "Ada", "--evidence", "notes.txt"];
        expect(path, exit, &[&fixed, &ABOUT[..], more].concat())
    };
    assert!(attest(2, "7.1", &[]).contains("a person attests 4.4 alone"));
    assert!(attest(2, "44", &[]).contains("no clause is called"));
    let written = attest(0, "4.4", &["--format", "json"]);
    assert!(written.contains(&sha256_hex("called at noon")), "{written}");
    assert!(attest(2, "4.4", &[]).contains("attested-4.4.toml: exists"));
    let text = attest(2, "4.4", &["--out", "./notes.txt", "--force"]);
    assert!(text.contains("this is the file of --evidence"), "{text}");
    assert_eq!(fs::read_to_string(path.join("notes.txt")).expect("a text"), "called at noon");
    assert!(attest(2, "4.4", &["--statement", "\u{202e}kept", "--force"]).contains("not shown"));
    let missing = ["attest", "4.4", "--by", "Ada", "--evidence", "missing.txt", "--out", "x.toml"];
    expect(path, 2, &[&missing[..], &ABOUT].concat());
    expect(path, 2, &[&["attest", "4.4", "--by", "Ada"], &ABOUT[..]].concat());
    let text = expect(path, 2, &["attest", "4.4", "--by", "Ada", "--evidence", "notes.txt"]);
    assert!(text.contains("--target") && text.contains("--release"), "{text}");
    let of_secret =
        ["attest", "4.4", "--by", "Ada", "--evidence", "notes.txt", "--release", "1.4.0", "--target"];
    let text =
        expect(path, 2, &[&of_secret[..], &["https://ada:hidden-pw@a.example", "--out", "y.toml"]].concat());
    assert!(text.contains("--target: a URL with a user name") && !text.contains("hidden-pw"), "{text}");
    let text = expect(path, 2, &["run", "--seed", "7", "--attest", "missing.toml"]);
    assert!(text.contains("missing.toml") && text.contains("covenant attest"), "{text}");
}

#[test]
fn a_word_about_another_target_or_release_does_not_count() {
    let folder = folder_with_evidence();
    let path = folder.path();
    for (name, target, release, expected) in [
        ("release", "embedded", "1.3.9", "it is about release 1.3.9, and the target runs 1.4.0"),
        (
            "target",
            "https://other.example",
            "1.4.0",
            "it is about https://other.example, and this is embedded",
        ),
    ] {
        let word = format!("{name}.toml");
        let of = ["attest", "4.4", "--by", "Ada", "--evidence", "notes.txt", "--out", &word];
        expect(path, 0, &[&of[..], &["--target", target, "--release", release]].concat());
        let run = ["run", "--quiet", "--seed", "1", "--fail-fast", "--defect", EARLY, "--attest", &word];
        expect(path, 1, &[&run[..], &["--out", name]].concat());
        let text = expect(path, 1, &["certify", name, "--profile", "full", "--key", "covenant-key.pem"]);
        assert!(text.contains("a person's word that does not count: 4.4 conduct: "), "{text}");
        assert!(text.contains(expected) && text.contains(" 0 attested by a person"), "{text}");
        let statement = statement_of(&path.join(name).join("attestation.json"));
        let word = &statement.predicate.attested[0];
        assert_eq!((word.test.as_str(), word.does_not_count.as_deref()), ("4.4 conduct", Some(expected)));
    }
}
