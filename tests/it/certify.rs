//! Certification: keys, profiles, attestations, and what each of them refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;

use covenant::certify::{Envelope, SigningKey, Statement, Terms};
use serde_json::Value;

use crate::program::{DEFECT, Kept, SHORT, code, covenant_in, output_of};

/// Runs the program, asserts its exit code, and returns all that it printed.
pub(crate) fn expect(folder: &Path, exit: i32, arguments: &[&str]) -> String {
    let output = covenant_in(folder, arguments);
    assert_eq!(code(&output), exit, "{arguments:?}: {}", output_of(&output));
    output_of(&output)
}

/// Returns a folder with a key and a run of one scenario, `out`, that is certified. The defect breaks the run, or not;
/// each of the two is played once.
pub(crate) fn certified(is_broken: bool) -> tempfile::TempDir {
    static CERTIFIED: [OnceLock<Kept>; 2] = [const { OnceLock::new() }; 2];
    let made = |path: &Path| {
        expect(path, 0, &["key", "new"]);
        let run = ["run", "--quiet", "--seed", "7", "--cases", "0", "--only", SHORT, "--out", "out"];
        let (defect, exit): (&[&str], i32) = if is_broken { (&["--defect", DEFECT], 1) } else { (&[], 3) };
        expect(path, i32::from(is_broken), &[&run, defect].concat());
        expect(path, exit, &["certify", "out", "--profile", "observed", "--key", "covenant-key.pem"]);
    };
    CERTIFIED[usize::from(is_broken)].get_or_init(|| Kept::made(made)).folder()
}

/// Returns the result of a verification as a program reads it, with the exit code.
pub(crate) fn verified(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = covenant_in(folder, &[&["verify", "--format", "json"], arguments].concat());
    let value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (code(&output), value)
}

pub(crate) fn statement_of(path: &Path) -> Statement {
    let envelope = Envelope::parse(&fs::read(path).expect("a file")).expect("an envelope");
    Statement::parse(&envelope.payload).expect("a statement")
}

/// Signs an attestation of the same run under other terms.
pub(crate) fn sign_again(folder: &Path, key: &SigningKey, change: impl FnOnce(&mut Statement), name: &str) {
    let mut statement = statement_of(&folder.join("out/attestation.json"));
    change(&mut statement);
    let text = Envelope::sign(statement.bytes(), key).text();
    fs::write(folder.join(name), text).expect("written");
}

#[test]
fn what_an_attestation_signs_is_neither_overwritten_nor_left_out() {
    let folder = certified(false);
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
    let folder = certified(false);
    let text = expect(folder.path(), 3, &["verify", "out", "--key", "covenant-key.pub.pem"]);
    assert!(text.contains("the attestation holds\nWARNED, profile observed: "), "{text}");
    assert!(text.contains("not exercised: ") && text.contains("0 cases of each property"), "{text}");
    let predicate = statement_of(&folder.path().join("out/attestation.json")).predicate;
    assert!(predicate.not_exercised.len() > 80, "{:?}", predicate.not_exercised);
    assert!(predicate.passed_tests.is_empty(), "{:?}", predicate.passed_tests);
}

#[test]
fn a_breach_is_failed() {
    let folder = certified(true);
    let text = expect(folder.path(), 1, &["verify", "out", "--key", "covenant-key.pub.pem"]);
    assert!(text.contains("FAILED, profile observed: ") && text.contains("\nbroken: 3."), "{text}");
}

#[test]
fn a_signer_cannot_state_what_the_transcript_does_not_show() {
    let folder = certified(false);
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
    let folder = certified(false);
    let path = folder.path();
    let key = ["--profile", "full", "--key", "covenant-key.pem"];
    let certify = |exit: i32, run: &[&str]| expect(path, exit, &[&["certify"], run, &key].concat());
    // A report that does not follow from its transcript.
    fs::remove_file(path.join("out/attestation.json")).expect("removed");
    let report = fs::read_to_string(path.join("out/report.json")).expect("a report");
    fs::write(path.join("out/report.json"), report.replace("\"kept\"", "\"broken\"")).expect("written");
    assert!(certify(2, &["out"]).contains("not the report that follows"));
    assert!(certify(2, &["missing"]).contains("missing: no folder"));
    assert!(certify(2, &["out", "--seed", "7"]).contains("--seed: out is a finished run"));
    let text = certify(2, &["out", "--defect", DEFECT, "--cases", "3"]);
    assert!(text.contains("--cases and --defect: out is a finished run"), "{text}");
    assert!(!text.contains("--adapter"), "{text}");
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
    assert!(
        text.contains("own/transcript.jsonl: this is a transcript, and --key belongs to an attestation"),
        "{text}"
    );
    let both = ["verify", "own", "--run", "own", "--key", "covenant-key.pub.pem"];
    let text = expect(path, 2, &both);
    assert!(
        text.contains("own: this folder holds no attestation.json, and --run and --key belong"),
        "{text}"
    );
}

#[test]
fn a_statement_of_the_same_terms_is_the_same_bytes() {
    let folder = certified(false);
    let path = folder.path().join("out/attestation.json");
    let statement = statement_of(&path);
    let Terms { issued, .. } = statement.terms();
    assert_eq!(issued, statement.predicate.validity.issued);
    let again = Statement::parse(&statement.bytes()).expect("a statement");
    assert_eq!(again, statement);
}
