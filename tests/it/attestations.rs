//! The verification of an attestation by someone else: its end, its successor, and whose keys count.

use std::fs;

use covenant::certify::{SigningKey, Statement};
use covenant::wire::canonical::sha256_hex;
use serde_json::Value;

use crate::certify::{certified, expect, sign_again, statement_of, verified};
use crate::persons_word::{ABOUT, folder_with_evidence};
use crate::program::{SHORT, code, covenant_in, output_of};

#[test]
fn an_attestation_ends_with_its_time_its_release_its_certificate_and_its_successor() {
    let folder = certified(false);
    let path = folder.path();
    let key = SigningKey::read(&path.join("covenant-key.pem")).expect("a key");
    let hour = jiff::SignedDuration::from_hours(1);
    let expired = |statement: &mut Statement| {
        let validity = &mut statement.predicate.validity;
        validity.issued -= hour * 3;
        validity.expires = validity.issued + hour;
    };
    sign_again(path, &key, expired, "out/expired.json");
    let of_tomorrow = |statement: &mut Statement| statement.predicate.validity.issued += hour * 24;
    sign_again(path, &key, of_tomorrow, "out/tomorrow.json");
    let of_other_profile = |statement: &mut Statement| {
        statement.predicate.validity.while_profile = "ab".repeat(32);
    };
    sign_again(path, &key, of_other_profile, "out/profile.json");
    for (file, expected) in [
        ("out/expired.json", "expired at"),
        ("out/tomorrow.json", "in the future"),
        ("out/profile.json", "asks for something else"),
    ] {
        let text = expect(path, 9, &["verify", file, "--key", "covenant-key.pub.pem"]);
        assert!(text.contains("FAILS        validity") && text.contains(expected), "{text}");
    }

    let fixed = ["verify", "out", "--key", "covenant-key.pub.pem"];
    expect(path, 3, &[&fixed[..], &["--current-release", "1.4.0"]].concat());
    let text = expect(path, 9, &[&fixed[..], &["--current-release", "1.4.1"]].concat());
    assert!(text.contains("FAILS        release      valid for 1.4.0"), "{text}");
    let clock = covenant::clock::Clock::system();
    let other = covenant::pki::Authority::new("other", &clock).expect("an authority");
    fs::write(path.join("now.pem"), other.leaf("fed:1", &[], 9).expect("a leaf").certificate().pem())
        .expect("written");
    let text = expect(path, 9, &[&fixed[..], &["--current-certificate", "now.pem"]].concat());
    assert!(text.contains("FAILS        certificate"), "{text}");

    fs::copy(path.join("out/attestation.json"), path.join("old.json")).expect("copied");
    let again =
        ["certify", "out", "--profile", "observed", "--key", "covenant-key.pem", "--supersedes", "old.json"];
    let text = expect(path, 2, &again);
    assert!(text.contains("out/attestation.json: exists") && text.contains("--force"), "{text}");
    let printed = covenant_in(path, &[&again[..], &["--force", "--format", "json"]].concat());
    assert_eq!(code(&printed), 3, "{}", output_of(&printed));
    let printed: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    let old = fs::read(path.join("old.json")).expect("a file");
    let supersedes = &printed["statement"]["predicate"]["covenant_supersedes"];
    assert_eq!(
        (&supersedes["sha256"], &supersedes["key_id"]),
        (&sha256_hex(old).into(), &key.public().id().into())
    );
    let new = fs::read(path.join("out/attestation.json")).expect("a file");
    assert_eq!(
        (&printed["sha256"], &printed["key_id"]),
        (&sha256_hex(new).into(), &key.public().id().into())
    );
    let newer = ["verify", "old.json", "--run", "out", "--newer", "out/attestation.json"];
    let text = expect(path, 9, &[&newer[..], &["--key", "covenant-key.pub.pem"]].concat());
    assert!(
        text.contains("FAILS        successor    out/attestation.json: it supersedes this one"),
        "{text}"
    );
    assert!(
        text.contains("NOT VERIFIED: successor fails") && text.contains("the same signer made it"),
        "{text}"
    );
    // One that no key that counts signed supersedes nothing.
    let of_other = SigningKey::generate().expect("a key");
    sign_again(path, &of_other, |_| {}, "forged.json");
    let forged = ["verify", "old.json", "--run", "out", "--newer", "forged.json"];
    expect(path, 3, &[&forged[..], &["--key", "covenant-key.pub.pem"]].concat());
}

/// Whoever asks about the release of now gets no answer that reads as yes.
#[test]
fn a_release_that_the_attestation_does_not_name_is_not_taken_for_the_same() {
    let folder = certified(false);
    let path = folder.path();
    let key = SigningKey::read(&path.join("covenant-key.pem")).expect("a key");
    let of_no_release = |statement: &mut Statement| statement.predicate.validity.while_release = None;
    sign_again(path, &key, of_no_release, "out/unnamed.json");
    let unnamed = ["verify", "out/unnamed.json", "--key", "covenant-key.pub.pem"];
    let text = expect(path, 9, &[&unnamed[..], &["--current-release", "1.4.0"]].concat());
    assert!(
        text.contains("FAILS        release      the target has 1.4.0, and the attestation names no"),
        "{text}"
    );
    let text = expect(path, 9, &unnamed);
    assert!(text.contains("not checked  release"), "{text}");
}

#[test]
fn without_a_key_nothing_is_verified() {
    let folder = certified(false);
    let text = expect(folder.path(), 9, &["verify", "out/attestation.json"]);
    assert!(text.contains("NOT VERIFIED") && text.contains("nothing against whoever wrote"), "{text}");
    assert!(text.contains("NOT VERIFIED: no key was given"), "{text}");
    // The folder alone is evaluated as a run, and does not read as verified.
    let run = covenant_in(folder.path(), &["verify", "out"]);
    assert_eq!(code(&run), 9, "{}", output_of(&run));
    assert!(String::from_utf8_lossy(&run.stdout).contains("PARTIAL"), "{}", output_of(&run));
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(errors.contains("not checked against any known signer"), "{errors}");
    assert!(errors.contains("covenant verify out/attestation.json --key"), "{errors}");
    let text = expect(folder.path(), 0, &["verify", "out/transcript.jsonl"]);
    assert!(!text.contains("NOT VERIFIED"), "{text}");
    // The run may be elsewhere, or not at hand.
    fs::copy(folder.path().join("out/attestation.json"), folder.path().join("alone.json")).expect("copied");
    let alone = ["verify", "alone.json", "--key", "covenant-key.pub.pem"];
    let text = expect(folder.path(), 3, &alone);
    assert!(text.contains("not checked  transcript   the run is not here"), "{text}");
    let text = expect(folder.path(), 3, &[&alone[..], &["--run", "out"]].concat());
    assert!(text.contains("holds        verdicts"), "{text}");
    let text = expect(folder.path(), 9, &[&alone[..], &["--run", "."]].concat());
    assert!(text.contains("FAILS        transcript"), "{text}");
}

#[test]
fn a_trust_file_says_whose_keys_count() {
    let folder = certified(false);
    let path = folder.path();
    let pem = fs::read_to_string(path.join("covenant-key.pub.pem")).expect("a key");
    let entry = |pem: &str| format!("[[key]]\nname = \"Desk\"\npublic_key = '''\n{pem}'''\n");
    fs::write(path.join("trust.toml"), entry(&pem)).expect("written");
    let text = expect(path, 3, &["verify", "out", "--trust", "trust.toml"]);
    assert!(text.contains("made by \"Desk\""), "{text}");
    let other = SigningKey::generate().expect("a key").public().pem();
    fs::write(path.join("trust.toml"), entry(&other)).expect("written");
    let text = expect(path, 9, &["verify", "out", "--trust", "trust.toml"]);
    assert!(text.contains("FAILS        signature"), "{text}");
    fs::write(path.join("trust.toml"), "[[key]]\n").expect("written");
    expect(path, 2, &["verify", "out", "--trust", "trust.toml"]);
}

#[test]
fn a_successor_of_another_signer_is_never_taken_unsaid() {
    let folder = certified(false);
    let path = folder.path();
    fs::copy(path.join("out/attestation.json"), path.join("old.json")).expect("copied");
    expect(path, 0, &["key", "new", "--out", "other.pem"]);
    let again = ["certify", "out", "--profile", "observed", "--force", "--supersedes", "old.json", "--key"];
    let text = expect(path, 3, &[&again[..], &["other.pem"]].concat());
    assert!(text.contains("warning: old.json names another signer"), "{text}");
    let entry = |name: &str, file: &str| {
        let pem = fs::read_to_string(path.join(file)).expect("a key");
        format!("[[key]]\nname = \"{name}\"\npublic_key = '''\n{pem}'''\n")
    };
    let both = entry("Desk", "covenant-key.pub.pem") + &entry("Other", "other.pub.pem");
    fs::write(path.join("both.toml"), both).expect("written");
    let newer = ["verify", "old.json", "--newer", "out/attestation.json"];
    let text = expect(path, 9, &[&newer[..], &["--trust", "both.toml"]].concat());
    assert!(text.contains("FAILS        successor") && text.contains("ANOTHER SIGNER made it"), "{text}");
    assert!(text.contains("\"Other\"") && text.contains("Ask both signers"), "{text}");
    // The new one says it, too.
    let text = expect(path, 3, &["verify", "out", "--trust", "both.toml"]);
    assert!(
        text.contains("not checked  supersedes   it supersedes an attestation of another signer"),
        "{text}"
    );
    // Whoever lets the first key alone count reads why, and keeps the first attestation.
    let text = expect(path, 3, &[&newer[..], &["--key", "covenant-key.pub.pem"]].concat());
    assert!(text.contains("it supersedes nothing: of its signature"), "{text}");
    // An attestation that names the own key and was not signed with it is none to supersede.
    let old = fs::read_to_string(path.join("old.json")).expect("a file");
    let id = SigningKey::read(&path.join("covenant-key.pem")).expect("a key").public().id();
    let other = SigningKey::read(&path.join("other.pem")).expect("a key").public().id();
    fs::write(path.join("forged.json"), old.replace(&id, &other)).expect("written");
    let forged =
        ["certify", "out", "--profile", "observed", "--force", "--supersedes", "forged.json", "--key"];
    let text = expect(path, 2, &[&forged[..], &["other.pem"]].concat());
    assert!(text.contains("your key did not sign it"), "{text}");
}

#[test]
fn a_hint_names_a_public_key_that_is_there_and_is_the_right_one() {
    let folder = certified(false);
    let path = folder.path();
    let again = ["certify", "out", "--profile", "observed", "--force", "--key", "covenant-key.pem"];
    assert!(expect(path, 3, &again).contains("--key covenant-key.pub.pem checks it"));
    let other = SigningKey::generate().expect("a key").public().pem();
    fs::write(path.join("covenant-key.pub.pem"), other).expect("written");
    for _ in 0..2 {
        let text = expect(path, 3, &again);
        assert!(text.contains("covenant key show covenant-key.pem prints the public key"), "{text}");
        assert!(!text.contains("--key covenant-key.pub.pem"), "{text}");
        let _ = fs::remove_file(path.join("covenant-key.pub.pem"));
    }
}

#[test]
fn a_breach_is_stated_with_the_entries_that_show_it() {
    let folder = certified(true);
    let path = folder.path();
    let predicate = statement_of(&path.join("out/attestation.json")).predicate;
    let breach = predicate.breaches.first().expect("a breach");
    assert!(predicate.failed_tests.contains(&breach.test), "{breach:?}");
    assert_eq!(breach.test, format!("{} {}", breach.clause, breach.aspect));
    assert_eq!(breach.scenario, SHORT);
    let n = breach.entries.first().expect("an entry");
    let text = expect(path, 0, &["show", "out", &format!("{}#{n}", breach.scenario)]);
    assert!(text.contains(&format!("#{n}")), "{text}");
    let text = expect(path, 1, &["verify", "out", "--key", "covenant-key.pub.pem"]);
    assert!(text.contains(&format!("breach: {}: {}, #{n}", breach.test, breach.check)), "{text}");
    // A breach without its evidence does not follow from the transcript.
    let key = SigningKey::read(&path.join("covenant-key.pem")).expect("a key");
    sign_again(path, &key, |statement| statement.predicate.breaches[0].entries.clear(), "out/cleared.json");
    let text = expect(path, 9, &["verify", "out/cleared.json", "--key", "covenant-key.pub.pem"]);
    assert!(text.contains("FAILS        verdicts") && text.contains("what shows the breaches"), "{text}");
}

/// The whole suite against the embedded reference, in which everything is kept.
#[test]
fn a_conforming_target_passes_and_whoever_has_the_folder_verifies_it() {
    let folder = folder_with_evidence();
    let path = folder.path();
    let attest = ["attest", "4.4", "--by", "Ada Admin", "--evidence", "notes.txt"];
    expect(path, 0, &[&attest[..], &ABOUT].concat());
    let certify = ["certify", "--quiet", "--seed", "1", "--profile", "full", "--key", "covenant-key.pem"];
    let text = expect(path, 0, &[&certify[..], &["--attest", "attested-4.4.toml", "--out", "out"]].concat());
    assert!(
        text.contains("PASSED, profile full: ") && text.contains(" 0 broken, 0 unproven, 1 attested"),
        "{text}"
    );
    let verify = ["out/attestation.json", "--key", "covenant-key.pub.pem", "--evidence", "notes.txt"];
    let (exit, verification) = verified(path, &verify);
    assert_eq!((exit, &verification["result"]), (0, &Value::from("PASSED")), "{verification}");
    assert_eq!(verification["holds"], true);
    let points = verification["points"].as_array().expect("points");
    for about in ["envelope", "signature", "validity", "evidence", "transcript", "report", "verdicts"] {
        let point = points.iter().find(|point| point["about"] == about).expect("a point");
        assert_eq!(point["state"], "holds", "{point}");
    }
    let predicate = &verification["statement"]["predicate"];
    assert_eq!(predicate["covenant_breaches"], serde_json::json!([]));
    assert_eq!(predicate["covenant_notExercised"], serde_json::json!([]));
    // Every certificate that the reference showed is a subject, each under a name of its own.
    let subjects = verification["statement"]["subject"].as_array().expect("subjects");
    let all = subjects[0]["annotations"]["certificates"].as_u64().expect("a number");
    assert_eq!(subjects.len() as u64, all + 2);
    let names: std::collections::BTreeSet<&str> =
        subjects.iter().filter_map(|subject| subject["name"].as_str()).collect();
    assert_eq!(names.len(), subjects.len());
    // The folder without a key is not verified, though everything in it is kept.
    let text = expect(path, 9, &["verify", "out"]);
    assert!(text.contains("not checked against any known signer"), "{text}");
    // A changed byte of a run that passed is noticed.
    let report = fs::read_to_string(path.join("out/report.json")).expect("a report");
    fs::write(path.join("out/report.json"), report.replacen("kept", "kepT", 1)).expect("written");
    assert_eq!(verified(path, &verify).0, 9);
}
