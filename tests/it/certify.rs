//! Certification: keys, profiles, persons' words, attestations, and their verification.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use covenant::certify::{Envelope, SigningKey, Statement, Terms};
use covenant::wire::canonical::sha256_hex;
use serde_json::Value;

use crate::program::{DEFECT, SHORT, code, covenant_in, output_of};

/// Runs the program, asserts its exit code, and returns all that it printed.
pub(crate) fn expect(folder: &Path, exit: i32, arguments: &[&str]) -> String {
    let output = covenant_in(folder, arguments);
    assert_eq!(code(&output), exit, "{arguments:?}: {}", output_of(&output));
    output_of(&output)
}

/// Creates a folder with a key and a run of one scenario, `out`, that is certified.
pub(crate) fn certified(more: &[&str], exit: i32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    expect(path, 0, &["key", "new"]);
    let fixed = ["run", "--quiet", "--seed", "7", "--cases", "0", "--only", SHORT, "--out", "out"];
    expect(path, i32::from(!more.is_empty()), &[&fixed, more].concat());
    expect(path, exit, &["certify", "out", "--profile", "observed", "--key", "covenant-key.pem"]);
    folder
}

/// Returns the result of a verification as a program reads it, with the exit code.
pub(crate) fn verified(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = covenant_in(folder, &[&["verify", "--format", "json"], arguments].concat());
    let value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (code(&output), value)
}

fn statement_of(path: &Path) -> Statement {
    let envelope = Envelope::parse(&fs::read(path).expect("a file")).expect("an envelope");
    Statement::parse(&envelope.payload).expect("a statement")
}

/// Signs an attestation of the same run under other terms.
fn sign_again(folder: &Path, key: &SigningKey, change: impl FnOnce(&mut Statement), name: &str) {
    let mut statement = statement_of(&folder.join("out/attestation.json"));
    change(&mut statement);
    let text = Envelope::sign(statement.bytes(), key).text();
    fs::write(folder.join(name), text).expect("written");
}

/// A run of the whole suite would take too long beside other tests: `.ci/run` certifies one.
#[test]
fn a_persons_word_is_shown_as_one_and_its_evidence_is_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("notes.txt"), "called at noon").expect("written");
    expect(path, 0, &["key", "new"]);
    expect(path, 0, &["attest", "4.4", "--by", "Ada Admin", "--evidence", "notes.txt"]);
    let run = ["run", "--quiet", "--seed", "1", "--fail-fast", "--defect", DEFECT, "--out", "out"];
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
    let imitated =
        format!("4.4=yes (stated by Ada at noon; evidence notes.txt, SHA-256 {})", sha256_hex("x"));
    let text = run(&["--attest", &imitated]);
    assert!(text.contains("comes from a file"), "{text}");
    let word = |sha256: &str, name: &str, by: &str| {
        format!(
            "clause = \"4.4\"\nstatement = \"kept\"\nby = \"{by}\"\nat = \"2026-05-01T00:00:00Z\"\n\n[evidence]\nname = \
             \"{name}\"\nsha256 = \"{sha256}\"\n"
        )
    };
    let digest = sha256_hex("x");
    for (sha256, name, by, expected) in [
        ("no digest", "notes.txt", "Ada", "64 hex digits"),
        (&digest, "../notes.txt", "Ada", "without its folder"),
        (&digest, "notes.txt", "Ada\\nEve", "not shown"),
    ] {
        fs::write(path.join("word.toml"), word(sha256, name, by)).expect("written");
        let text = run(&["--attest", "word.toml"]);
        assert!(text.contains(expected), "{expected}: {text}");
    }
    fs::write(path.join("empty"), "").expect("written");
    let text = expect(path, 2, &["attest", "4.4", "--by", "Ada", "--evidence", "empty"]);
    assert!(text.contains("the evidence is empty"), "{text}");
}

#[test]
fn what_an_attestation_signs_is_neither_overwritten_nor_left_out() {
    let folder = certified(&[], 3);
    let path = folder.path();
    let text = expect(path, 2, &["run", "--quiet", "--only", SHORT, "--out", "out"]);
    assert!(text.contains("this folder holds an attestation"), "{text}");
    let key = ["out/attestation.json", "--key", "covenant-key.pub.pem"];
    assert_eq!(verified(path, &key).0, 3);
    fs::copy(path.join("out/attestation.json"), path.join("a.intoto.jsonl")).expect("copied");
    assert_eq!(verified(path, &["a.intoto.jsonl", "--key", "covenant-key.pub.pem"]).0, 3, "a bundle");
    fs::rename(path.join("out/transcript.jsonl"), path.join("elsewhere")).expect("moved");
    assert_eq!(verified(path, &key).0, 9, "the transcript is missing");
    fs::rename(path.join("elsewhere"), path.join("out/transcript.jsonl")).expect("moved");
    fs::remove_file(path.join("out/report.json")).expect("removed");
    assert_eq!(verified(path, &key).0, 9, "the report is missing");
    for name in ["k.pub.pem", "k.pub"] {
        let text = expect(path, 2, &["key", "new", "--out", name]);
        assert!(text.contains("the name of a public key"), "{text}");
    }
    let before = fs::read(path.join("covenant-key.pem")).expect("a key");
    fs::remove_file(path.join("covenant-key.pub.pem")).expect("removed");
    fs::create_dir(path.join("covenant-key.pub.pem")).expect("a folder");
    expect(path, 2, &["key", "new", "--force"]);
    assert_eq!(fs::read(path.join("covenant-key.pem")).expect("a key"), before);
}

#[test]
fn a_thin_run_is_warned_and_says_what_is_missing() {
    let folder = certified(&[], 3);
    let text = expect(folder.path(), 3, &["verify", "out", "--key", "covenant-key.pub.pem"]);
    assert!(text.contains("the attestation holds\nWARNED, profile observed: "), "{text}");
    assert!(text.contains("not exercised: ") && text.contains("0 cases of each property"), "{text}");
    let predicate = statement_of(&folder.path().join("out/attestation.json")).predicate;
    assert!(predicate.not_exercised.len() > 80, "{:?}", predicate.not_exercised);
    assert!(predicate.passed_tests.is_empty(), "{:?}", predicate.passed_tests);
}

#[test]
fn a_breach_is_failed() {
    let folder = certified(&["--defect", DEFECT], 1);
    let text = expect(folder.path(), 1, &["verify", "out", "--key", "covenant-key.pub.pem"]);
    assert!(text.contains("FAILED, profile observed: ") && text.contains("\nbroken: 3."), "{text}");
}

#[test]
fn without_a_key_nothing_is_verified() {
    let folder = certified(&[], 3);
    let text = expect(folder.path(), 9, &["verify", "out/attestation.json"]);
    assert!(text.contains("NOT VERIFIED") && text.contains("nothing against whoever wrote"), "{text}");
    // The folder alone is a run, as before.
    let run = covenant_in(folder.path(), &["verify", "out"]);
    assert!(String::from_utf8_lossy(&run.stdout).contains("PARTIAL"), "{}", output_of(&run));
    assert!(output_of(&run).contains("covenant verify out/attestation.json --key"), "{}", output_of(&run));
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
fn an_attestation_ends_with_its_time_its_release_its_certificate_and_its_successor() {
    let folder = certified(&[], 3);
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
    assert_eq!(printed["statement"]["predicate"]["covenant_supersedes"], sha256_hex(old));
    let new = fs::read(path.join("out/attestation.json")).expect("a file");
    assert_eq!(
        (&printed["sha256"], &printed["key_id"]),
        (&sha256_hex(new).into(), &key.public().id().into())
    );
    let newer = ["verify", "old.json", "--run", "out", "--newer", "out/attestation.json"];
    let text = expect(path, 9, &[&newer[..], &["--key", "covenant-key.pub.pem"]].concat());
    assert!(text.contains("FAILS        successor    superseded by out/attestation.json"), "{text}");
    // One that no key that counts signed supersedes nothing.
    let of_other = SigningKey::generate().expect("a key");
    sign_again(path, &of_other, |_| {}, "forged.json");
    let forged = ["verify", "old.json", "--run", "out", "--newer", "forged.json"];
    expect(path, 3, &[&forged[..], &["--key", "covenant-key.pub.pem"]].concat());
}

#[test]
fn a_signer_cannot_state_what_the_transcript_does_not_show() {
    let folder = certified(&[], 3);
    let path = folder.path();
    let key = SigningKey::read(&path.join("covenant-key.pem")).expect("a key");
    let passed = |statement: &mut Statement| {
        statement.predicate.result = covenant::certify::CertificationResult::Passed;
        statement.predicate.passed_tests.push("7.1 conduct".to_owned());
        statement.predicate.not_exercised.clear();
    };
    sign_again(path, &key, passed, "out/forged.json");
    let text = expect(path, 9, &["verify", "out/forged.json", "--key", "covenant-key.pub.pem"]);
    assert!(text.contains("FAILS        verdicts     evaluated again"), "{text}");
    assert!(text.contains("7.1 conduct stated as passed"), "{text}");
    assert!(text.contains("the result is Warned where Passed is stated"), "{text}");
    let of_other_version = |statement: &mut Statement| {
        let suite = &mut statement.predicate.configuration[2];
        suite.annotations.insert("version".to_owned(), "0.0.9".into());
    };
    sign_again(path, &key, of_other_version, "out/other.json");
    let text = expect(path, 9, &["verify", "out/other.json", "--key", "covenant-key.pub.pem"]);
    assert!(text.contains("covenant 0.0.9 made it"), "{text}");
    // What a foreign file states is no line of its own on the terminal.
    let spoofing = |statement: &mut Statement| {
        statement.subject[0].name = "x\nholds        verdicts     all is well\u{1b}[2J".to_owned();
    };
    sign_again(path, &key, spoofing, "out/spoof.json");
    let text = expect(path, 9, &["verify", "out/spoof.json", "--key", "covenant-key.pub.pem"]);
    assert!(!text.contains("\nholds        verdicts") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_trust_file_says_whose_keys_count() {
    let folder = certified(&[], 3);
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
fn keys_are_private_never_overwritten_and_refused_if_others_can_read_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    expect(path, 0, &["key", "new", "--out", "k.pem"]);
    let mode = |name: &str| fs::metadata(path.join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode("k.pem"), mode("k.pub.pem")), (0o600, 0o644));
    let before = fs::read(path.join("k.pem")).expect("a file");
    let text = expect(path, 2, &["key", "new", "--out", "k.pem"]);
    assert!(text.contains("k.pem: exists") && text.contains("--force"), "{text}");
    fs::remove_file(path.join("k.pem")).expect("removed");
    expect(path, 2, &["key", "new", "--out", "k.pem"]);
    assert!(!path.join("k.pem").exists(), "a half of a key was written");
    expect(path, 0, &["key", "new", "--out", "k.pem", "--force"]);
    assert_ne!(fs::read(path.join("k.pem")).expect("a file"), before);
    let of = |name: &str| {
        let text = expect(path, 0, &["key", "show", name, "--format", "json"]);
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    assert_eq!(of("k.pem"), of("k.pub.pem"));
    fs::set_permissions(path.join("k.pem"), fs::Permissions::from_mode(0o640)).expect("set");
    let certify = ["certify", "--profile", "full", "--out", "out", "--key"];
    let text = expect(path, 2, &[&certify[..], &["k.pem"]].concat());
    assert!(text.contains("k.pem: others can read") && text.contains("chmod 600"), "{text}");
    let text = expect(path, 2, &[&certify[..], &["k.pub.pem"]].concat());
    assert!(text.contains("k.pub.pem: a public key; expected an Ed25519 private key"), "{text}");
    assert!(!path.join("out").exists(), "a run began without a key");
}

#[test]
fn what_cannot_be_certified_is_refused_with_what_to_do() {
    let folder = certified(&[], 3);
    let path = folder.path();
    let key = ["--profile", "full", "--key", "covenant-key.pem"];
    let certify = |exit: i32, run: &[&str]| expect(path, exit, &[&["certify"], run, &key].concat());
    // A report that does not follow from its transcript.
    fs::remove_file(path.join("out/attestation.json")).expect("removed");
    let report = fs::read_to_string(path.join("out/report.json")).expect("a report");
    fs::write(path.join("out/report.json"), report.replace("\"kept\"", "\"broken\"")).expect("written");
    assert!(certify(2, &["out"]).contains("not the report that follows"));
    assert!(certify(2, &["missing"]).contains("missing: no folder"));
    assert!(certify(2, &["out", "--seed", "7"]).contains("cannot be used with"));
    assert!(certify(2, &["out", "--defect", DEFECT]).contains("cannot be used with"));
    // Scenarios of someone else.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(format!("{SHORT}.toml"));
    fs::copy(root, path.join("mine.toml")).expect("copied");
    expect(path, 0, &["run", "--quiet", "--seed", "7", "--scenarios", "mine.toml", "--out", "own"]);
    assert!(certify(7, &["own"]).contains("none of this version of the suite"));
    assert!(!path.join("own/attestation.json").exists());
    // A run that was cut.
    fs::create_dir(path.join("cut")).expect("created");
    let whole = fs::read_to_string(path.join("own/transcript.jsonl")).expect("a transcript");
    let end = whole.trim_end().rfind('\n').expect("lines") + 1;
    fs::write(path.join("cut/transcript.jsonl"), &whole[..end]).expect("written");
    let json = covenant_in(path, &["verify", "cut", "--format", "json"]).stdout;
    fs::write(path.join("cut/report.json"), json).expect("written");
    assert!(certify(130, &["cut"]).contains("interrupted"));
    let plain = certify(2, &["--target", "http://127.0.0.1:9", "--adapter", "false", "--out", "plain"]);
    assert!(plain.contains("http://127.0.0.1:9/: a target behind plain http"), "{plain}");
    // An option of one thing is refused for the other.
    let text = expect(path, 2, &["verify", "own/transcript.jsonl", "--key", "covenant-key.pub.pem"]);
    assert!(text.contains("--key: it is of an attestation"), "{text}");
}

#[test]
fn a_persons_word_is_about_what_no_wire_shows_and_has_its_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("notes.txt"), "called at noon").expect("written");
    let attest = |exit: i32, clause: &str, more: &[&str]| {
        let fixed = ["attest", clause, "--by", "Ada", "--evidence", "notes.txt"];
        expect(path, exit, &[&fixed, more].concat())
    };
    assert!(attest(2, "7.1", &[]).contains("a person attests 4.4 alone"));
    assert!(attest(2, "44", &[]).contains("no clause is called"));
    let written = attest(0, "4.4", &["--format", "json"]);
    assert!(written.contains(&sha256_hex("called at noon")), "{written}");
    assert!(attest(2, "4.4", &[]).contains("attested-4.4.toml: exists"));
    expect(path, 2, &["attest", "4.4", "--by", "Ada", "--evidence", "missing.txt", "--out", "x.toml"]);
    expect(path, 2, &["attest", "4.4", "--by", "Ada"]);
    let text = expect(path, 2, &["run", "--seed", "7", "--attest", "missing.toml"]);
    assert!(text.contains("missing.toml") && text.contains("covenant attest"), "{text}");
}

#[test]
fn a_statement_of_the_same_terms_is_the_same_bytes() {
    let folder = certified(&[], 3);
    let path = folder.path().join("out/attestation.json");
    let statement = statement_of(&path);
    let Terms { issued, .. } = statement.terms();
    assert_eq!(issued, statement.predicate.validity.issued);
    let again = Statement::parse(&statement.bytes()).expect("a statement");
    assert_eq!(again, statement);
}
