//! A copy of a run to share: nothing that is replaced is left in any form, and the verdicts follow from it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use covenant::certify::{Envelope, Statement};
use covenant::clock::{Clock, Seed};
use covenant::transcript::{
    Note, NoteKind, Operation, Outcome, RunStart, ScenarioStart, Transcript, What, read,
};
use serde_json::{Value, json};

use crate::certify::expect;
use crate::program::{LOOPBACK, Platform, audit_words, code, covenant_in, output_of, short_run};
use crate::snapshots::run_start;

/// Returns the parts of each alignment of a value in base64 that hold nothing else.
fn in_base64(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let text = format!("{}{value}", "\0".repeat(before));
        for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            // What the bytes before and after take part in is left out.
            let start = (before * 4).div_ceil(3);
            let end = text.len() * 4 / 3;
            forms.push(encoded[start..end.min(encoded.trim_end_matches('=').len())].to_owned());
        }
    }
    forms
}

/// Asserts that no file of a folder has a value, in any form.
fn assert_without(folder: &Path, values: &[String]) {
    for file in fs::read_dir(folder).expect("a folder").flatten() {
        let text = String::from_utf8_lossy(&fs::read(file.path()).expect("a file")).into_owned();
        let lower = text.to_lowercase();
        for value in values {
            let json = serde_json::to_string(value).expect("JSON").trim_matches('"').to_lowercase();
            let url: String =
                percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
            for form in [value.to_lowercase(), json, url.to_lowercase()] {
                assert!(!lower.contains(&form), "{} has {form}", file.path().display());
            }
            for form in in_base64(value) {
                assert!(!text.contains(&form), "{} has {value} in base64: {form}", file.path().display());
            }
        }
    }
}

/// Returns the replaced values by placeholder.
fn map(path: &Path) -> BTreeMap<String, String> {
    serde_json::from_slice(&fs::read(path).expect("a map")).expect("JSON")
}

const PRIVATE: [&str; 12] = [
    "fed.hospital-of-x.net",
    "hospital-of-x.net",
    "10.99.7.3",
    "fd00::beef:17",
    "jo.doe@hospital-of-x.net",
    "Jo Doe, 3rd floor",
    "02b2075f-ab38-734e-bd8b-a790d60fdad4",
    "The Other Clinic",
    "dr-other-subject",
    "CA of Hospital X",
    "python3 /home/jdoe/my-adapter.py",
    "jdoe",
];

/// Writes a run whose transcript has the private values in many places and forms.
fn private_run(folder: &Path) {
    let run = folder.join("run");
    fs::create_dir(&run).expect("created");
    let clock = Clock::system();
    let [host, _, address, address_6, email, contact, other, clinic, subject, authority, adapter, _] =
        PRIVATE;
    let own_target = format!("https://{host}:8443/");
    let start = RunStart {
        target: format!("{own_target} (the platform behind the adapter {adapter})"),
        target_arguments: vec!["--adapter".into(), adapter.into(), "--target".into(), own_target],
        ..run_start(&["own/private"])
    };
    let transcript = Transcript::create(&run.join("transcript.jsonl"), start, &clock).expect("created");
    let source = format!("title = \"Calls {host}\"\nstep = []\n");
    let recorder = transcript.begin("own/private", ScenarioStart { source, seed: Seed(1) }, clock.clone());
    let operation = |method: &str, parameters: Value, result: Value| {
        What::Operation(Operation { method: method.into(), parameters, result: Some(result), failure: None })
    };
    let own = "01a2075f-ab38-734e-bd8b-a790d60fdad4";
    recorder.record(None, None, operation("peer.propose", json!({}), json!({"peer_id": own})));
    let inner = json!({"who": email, "at": format!("https://{host}/x")}).to_string();
    let result = json!({
        "peers": [
            {"peer_id": own, "name": "alice"},
            {"peer_id": other, "name": clinic, "remote_subject": subject, "remote_instance_url": format!("https://{address}:1/")},
        ],
        "issuer": format!("CN={authority}"),
        "operator_contact": contact,
        "json_in_json": inner,
        "blob": STANDARD.encode(&inner),
        "blob_2": format!("x.{}.y", URL_SAFE_NO_PAD.encode(format!("??{inner}"))),
        "in_url": format!("https://other-{host}/cb?mail={}&h={host}", email.replace('@', "%40")),
        "six": format!("[{address_6}]:80"),
        "pem": format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(format!("0\u{1}{host}{authority}"))),
        host: "as a member",
        "upper": host.to_uppercase(),
        "no_hyphens": other.replace('-', ""),
    });
    recorder.record(None, None, operation("peer.list", json!({}), result));
    let note = Note {
        kind: NoteKind::Waited,
        message: format!("{email} at {address}; {}", hex::encode(host)),
        facts: Value::Null,
    };
    recorder.record(None, None, What::Note(note));
    let _ = recorder.end(Outcome::Completed);
    transcript.end(Outcome::Completed, &clock);
    fs::write(
        run.join("adapter.log"),
        format!("connected to {host} ({address}) for {email}, see /home/jdoe/x\n"),
    )
    .expect("written");
    fs::write(run.join("left-behind.txt"), format!("created at https://{host}/: peer {other}\n"))
        .expect("written");
    fs::write(run.join("peering.json"), "{\"key\": 1}").expect("written");
    fs::write(run.join("own-notes.txt"), host).expect("written");
}

#[test]
fn nothing_that_is_replaced_is_left_in_any_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    private_run(path);
    let text = expect(path, 0, &["report", "redact", "run", "--out", "copy", "--map", "map.json"]);
    assert!(text.contains("left out: own-notes.txt, peering.json"), "{text}");
    let map = map(&path.join("map.json"));
    let private: Vec<String> = PRIVATE.iter().map(ToString::to_string).collect();
    for value in &private {
        let is_replaced = map.values().any(|replaced| {
            value.to_lowercase().contains(replaced) || replaced.contains(&value.to_lowercase())
        });
        assert!(is_replaced, "{value} is not among {map:?}");
    }
    let values: Vec<String> = private.into_iter().chain(map.into_values()).collect();
    assert_without(&path.join("copy"), &values);
    let log = fs::read_to_string(path.join("copy/adapter.log")).expect("a log");
    assert!(log.starts_with("connected to host-") && log.contains(".redacted.invalid"), "{log}");
    let transcript = fs::read_to_string(path.join("copy/transcript.jsonl")).expect("a transcript");
    assert!(transcript.contains("01a2075f-ab38-734e-bd8b-a790d60fdad4"), "the run's own peer is replaced");
    assert!(transcript.contains("alice"));

    // The same placeholder in each file, and the same copy each time.
    expect(path, 0, &["report", "redact", "run", "--out", "again"]);
    assert_eq!(fs::read(path.join("again/transcript.jsonl")).expect("a file"), transcript.as_bytes());
    let verified = covenant_in(path, &["verify", "copy"]);
    let printed = output_of(&verified);
    let digest = |run: &str| read(&path.join(run).join("transcript.jsonl")).expect("a transcript").sha256;
    assert!(
        printed.contains("redacted copy")
            && printed.contains(&digest("run"))
            && printed.contains(&digest("copy")),
        "{printed}"
    );
}

#[test]
fn the_verdicts_follow_from_the_copy_of_an_audit() {
    let platform = Platform::start(LOOPBACK, &["--defect", "discloses-no-jurisdiction"]);
    let path = platform.folder.path();
    let audited = covenant_in(path, &audit_words(&platform.url, &["--rate", "6000", "--out", "run"]));
    let exit = code(&audited);
    let text = expect(path, 0, &["report", "redact", "run", "--out", "copy", "--map", "map.json"]);
    assert!(text.contains("verdicts: each follows from the copy"), "{text}");
    let values: Vec<String> = map(&path.join("map.json")).into_values().collect();
    assert!(values.iter().any(|value| value == "127.0.0.1"), "{values:?}");
    assert_without(&path.join("copy"), &values);
    assert_eq!(code(&covenant_in(path, &["verify", "copy"])), exit);
    let verdicts = |run: &str| -> Vec<(Value, Value)> {
        let report: Value =
            serde_json::from_slice(&fs::read(path.join(run).join("report.json")).expect("a report"))
                .expect("JSON");
        let checks = report["checks"].as_array().expect("checks").clone();
        checks
            .into_iter()
            .map(|check| (check["check"]["id"].clone(), check["result"]["verdict"].clone()))
            .collect()
    };
    assert_eq!(verdicts("run"), verdicts("copy"));
    assert!(!verdicts("run").is_empty());
}

#[test]
fn a_copy_is_certified_with_both_digests() {
    let folder = short_run(false).folder();
    let path = folder.path();
    expect(path, 0, &["key", "new"]);
    expect(path, 0, &["report", "redact", "out", "--out", "copy"]);
    let original = read(&path.join("out/transcript.jsonl")).expect("a transcript").sha256;
    let copy = read(&path.join("copy/transcript.jsonl")).expect("a transcript").sha256;
    expect(path, 3, &["certify", "copy", "--profile", "observed", "--key", "covenant-key.pem"]);
    let envelope =
        Envelope::parse(&fs::read(path.join("copy/attestation.json")).expect("a file")).expect("an envelope");
    let statement = Statement::parse(&envelope.payload).expect("a statement");
    let redaction =
        statement.predicate.configuration.iter().find(|one| one.name == "redaction").expect("a descriptor");
    assert_eq!(redaction.digest["sha256"], original);
    assert_eq!(redaction.annotations["copy"], copy.as_str());
    expect(path, 3, &["verify", "copy/attestation.json", "--key", "covenant-key.pub.pem"]);

    // The attestation of the original does not go along.
    expect(path, 3, &["certify", "out", "--profile", "observed", "--key", "covenant-key.pem"]);
    let text = expect(path, 0, &["report", "redact", "out", "--out", "second"]);
    assert!(
        text.contains("left out: attestation.json") && !path.join("second/attestation.json").exists(),
        "{text}"
    );
}

#[test]
fn a_copy_goes_into_a_new_folder_alone() {
    let folder = short_run(false).folder();
    let path = folder.path();
    expect(path, 0, &["report", "redact", "out", "--out", "copy"]);
    fs::write(path.join("map.json"), "mine").expect("written");
    let absolute = path.join("third/map.json").display().to_string();
    for (words, part) in [
        (&["report", "redact", "out", "--out", "out"][..], "needs a new folder"),
        (&["report", "redact", "out", "--out", "copy"], "needs a new folder"),
        (&["report", "redact", "out", "--out", "map.json"], "needs a new folder"),
        (&["report", "redact", "copy", "--out", "third"], "a redacted copy already"),
        (&["report", "redact", "missing", "--out", "third"], "missing"),
        (&["report", "redact", "out", "--out", "third", "--map", "map.json"], "nothing is overwritten"),
        (&["report", "redact", "out", "--out", "third", "--map", "third/map.json"], "--map"),
        (&["report", "redact", "out", "--out", "third", "--map", "./third/map.json"], "--map"),
        (&["report", "redact", "out", "--out", "./third/", "--map", "third/map.json"], "--map"),
        (&["report", "redact", "out", "--out", "third", "--map", "out/../third/map.json"], "--map"),
        (&["report", "redact", "out", "--out", "third", "--map", "third/deeper/map.json"], "--map"),
        (&["report", "redact", "out", "--out", "third", "--map", &absolute], "--map"),
    ] {
        let text = expect(path, 2, words);
        assert!(text.contains(part), "{words:?}: {text}");
        assert!(!path.join("third").exists(), "{words:?}");
    }
    assert_eq!(fs::read_to_string(path.join("map.json")).expect("a text"), "mine");
    let text = fs::read_to_string(path.join("out/transcript.jsonl")).expect("a text");
    fs::write(path.join("out/transcript.jsonl"), text.replacen("\"status\":200", "\"status\":201", 1))
        .expect("written");
    let text = expect(path, 2, &["report", "redact", "out", "--out", "third"]);
    assert!(text.contains("was changed, or is missing"), "{text}");
}

/// Writes a run of one scenario with a note, and returns the text of its redaction with the given exit code.
fn redacted_note(path: &Path, scenario: &str, message: &str, facts: Value, exit: i32) -> String {
    let run = path.join("run");
    fs::create_dir(&run).expect("created");
    let clock = Clock::system();
    let start = run_start(&[scenario]);
    let transcript = Transcript::create(&run.join("transcript.jsonl"), start, &clock).expect("created");
    let source = r#"title = "t"
[[peer]]
name = "alice"
[[step]]
heartbeat = { peer = "alice", as = "beat" }
[[check]]
clause = "1.2"
aspect = "conduct"
check = "succeeded"
basis = "observed"
requirement = "r"
with = { call = "beat" }
"#;
    let scenario_start = ScenarioStart { source: source.to_owned(), seed: Seed(1) };
    let recorder = transcript.begin(scenario, scenario_start, clock.clone());
    recorder.record(None, None, What::Note(Note { kind: NoteKind::Waited, message: message.into(), facts }));
    let _ = recorder.end(Outcome::Completed);
    transcript.end(Outcome::Completed, &clock);
    expect(path, exit, &["report", "redact", "run", "--out", "copy", "--map", "map.json"])
}

#[test]
fn a_value_in_the_id_of_a_check_stays_there_and_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let facts = json!({"contact": "clinicofx", "text": "clinicofx is here"});
    let text = redacted_note(path, "own/clinicofx", "of ClinicOfX", facts, 0);
    assert!(text.contains("not replaced in ids of checks: clinicofx"), "{text}");
    let report = fs::read_to_string(path.join("copy/report.json")).expect("a report");
    assert!(report.contains("own/clinicofx"), "{report}");
    let transcript = fs::read_to_string(path.join("copy/transcript.jsonl")).expect("a transcript");
    assert!(!transcript.contains("ClinicOfX") && !transcript.contains("clinicofx is here"), "{transcript}");
    expect(path, 0, &["show", "copy", "own/clinicofx#1"]);
}

#[test]
fn words_of_the_reports_and_of_placeholders_are_values_like_any() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let facts = json!({"contacts": ["verdicts", "redacted", "bob", "203.0.113.1", "CLINIQUE-É"], "at": "10.1.2.3",
        "text": "clinique-é"});
    let text = redacted_note(path, "own/words", "x", facts, 0);
    assert!(text.contains("not replaced, since they are too short: bob"), "{text}");
    assert!(text.contains("since the suite itself has them") && text.contains("redacted"), "{text}");
    let transcript = fs::read_to_string(path.join("copy/transcript.jsonl")).expect("a transcript");
    for value in ["10.1.2.3", "203.0.113.1\"", "clinique-é", "CLINIQUE-É"] {
        assert!(!transcript.contains(value), "{value}: {transcript}");
    }
}

#[test]
fn a_copy_that_fails_leaves_what_others_put_into_its_folder() {
    let folder = short_run(false).folder();
    let path = folder.path();
    fs::create_dir(path.join("copy")).expect("created");
    fs::write(path.join("out/transcript.jsonl"), "{}\n").expect("written");
    expect(path, 2, &["report", "redact", "out", "--out", "copy"]);
    assert!(path.join("copy").is_dir(), "a folder that was there is gone");
    fs::write(path.join("copy/notes.txt"), "x").expect("written");
    expect(path, 2, &["report", "redact", "out", "--out", "copy"]);
    assert!(path.join("copy/notes.txt").exists());
}

#[test]
fn the_points_of_a_diagnosis_stay() {
    let platform = Platform::start(LOOPBACK, &[]);
    let path = platform.folder.path();
    let audited = covenant_in(path, &["audit", &platform.url, "--ca", "ca.pem", "--out", "run"]);
    assert_eq!(code(&audited), 0, "{}", output_of(&audited));
    expect(path, 0, &["report", "redact", "run", "--out", "copy"]);
    let points = |run: &str| -> Vec<Value> {
        let report = fs::read(path.join(run).join("report.json")).expect("a report");
        let report: Value = serde_json::from_slice(&report).expect("JSON");
        report["diagnostics"].as_array().expect("points").iter().map(|one| one["subject"].clone()).collect()
    };
    assert_eq!(points("run"), points("copy"));
    assert!(points("copy").contains(&json!("accept")));
    let transcript = fs::read_to_string(path.join("run/transcript.jsonl")).expect("a transcript");
    assert!(transcript.contains("\"point\":\"accept\""), "a point is taken for the subject of a certificate");
}
