//! The matrix of tampering: what is changed of an attestation and its run, and which point of the verification fails.
//!
//! `reports/specimen/tampering.md` is the table of this test. `COVENANT_BLESS=1` renews it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use covenant::certify::{Envelope, SigningKey};
use serde_json::Value;

use crate::certify::{certified, expect, verified};
use crate::program::SHORT;

const PAGE: &str = "reports/specimen/tampering.md";
const HEAD: &str = "# Tampering

What a test changes of a certified run, and what `covenant verify attestation.json --run DIR --key PUB` says. `tests/it/tampering.rs` makes the table, and
fails if a change passes unnoticed. A byte is changed in each place of an envelope by a test beside `src/certify/envelope.rs`, and of a key by one
beside `src/certify/key.rs`. [`docs/certification.md`](../../docs/certification.md) explains the points.

| part | change | fails | exit code |
|---|---|---|---|
";

/// The four files that a verifier gets.
#[derive(Clone)]
struct Files {
    attestation: Vec<u8>,
    transcript: Vec<u8>,
    report: Vec<u8>,
    key: Vec<u8>,
}

/// A part, what is changed of it, and the change.
type Change = (&'static str, &'static str, Box<dyn Fn(&mut Files)>);

impl Files {
    fn read(folder: &Path, run: &str) -> Self {
        let read = |name: &str| fs::read(folder.join(name)).expect("a file");
        Self {
            attestation: read("out/attestation.json"),
            transcript: read(&format!("{run}/transcript.jsonl")),
            report: read(&format!("{run}/report.json")),
            key: read("covenant-key.pub.pem"),
        }
    }

    fn write(&self, folder: &Path) {
        for (name, bytes) in [
            ("attestation.json", &self.attestation),
            ("transcript.jsonl", &self.transcript),
            ("report.json", &self.report),
            ("key.pub.pem", &self.key),
        ] {
            fs::write(folder.join(name), bytes).expect("written");
        }
    }

    /// Changes the payload and leaves the rest of the envelope as it is.
    fn with_payload(&mut self, change: impl FnOnce(String) -> String) {
        let mut envelope: Value = serde_json::from_slice(&self.attestation).expect("JSON");
        let payload = STANDARD.decode(envelope["payload"].as_str().expect("a text")).expect("base64");
        let before = String::from_utf8(payload).expect("a text");
        let after = change(before.clone());
        assert_ne!(after, before);
        envelope["payload"] = STANDARD.encode(after).into();
        self.attestation = format!("{envelope}\n").into_bytes();
    }
}

/// Replaces the first occurrence of a text, which has to be there.
fn replace(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(bytes.clone()).expect("a text");
    assert!(text.contains(from), "{from}");
    *bytes = text.replacen(from, to, 1).into_bytes();
}

/// Returns the lines of a transcript, each with its end.
fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn cut_byte(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() - 1);
}

fn at_lines(bytes: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut all = lines(bytes);
    change(&mut all);
    *bytes = all.concat();
}

/// The changes that anyone can make who has the files. `other` is another run.
fn changes(other: &Files) -> Vec<Change> {
    [of_envelope(), of_what_is_signed(), of_transcript(other), of_report(), of_key()]
        .into_iter()
        .flatten()
        .collect()
}

fn of_envelope() -> Vec<Change> {
    vec![
        ("envelope", "a space after a comma", Box::new(|f| replace(&mut f.attestation, ",\"", ", \""))),
        ("envelope", "a line more at its end", Box::new(|f| f.attestation.push(b'\n'))),
        ("envelope", "its last byte is cut", Box::new(|f| cut_byte(&mut f.attestation))),
        ("envelope", "the second half is cut", Box::new(|f| f.attestation.truncate(f.attestation.len() / 2))),
        (
            "envelope",
            "a member is added",
            Box::new(|f| replace(&mut f.attestation, "{\"payload\"", "{\"x\":1,\"payload\"")),
        ),
        ("envelope", "its members change places", Box::new(reorder)),
        (
            "envelope",
            "another payload type",
            Box::new(|f| replace(&mut f.attestation, "vnd.in-toto", "vnd.in-toti")),
        ),
        ("envelope", "another key id", Box::new(|f| replace_key_id(f, &"ab".repeat(32)))),
        ("envelope", "no signature", Box::new(without_signature)),
        ("envelope", "a second signature", Box::new(with_second_signature)),
    ]
}

fn of_what_is_signed() -> Vec<Change> {
    vec![
        ("payload", "the result", Box::new(|f| f.with_payload(|text| text.replace("WARNED", "PASSED")))),
        (
            "payload",
            "a test is removed from what was not exercised",
            Box::new(|f| {
                f.with_payload(|text| {
                    text.replacen("{\"test\":\"1.1 conduct\"", "{\"test\":\"9.9 conduct\"", 1)
                });
            }),
        ),
        (
            "payload",
            "the time at which it expires",
            Box::new(|f| f.with_payload(|text| text.replace("\"expires\":\"20", "\"expires\":\"21"))),
        ),
        (
            "payload",
            "the digest of the target's certificate",
            Box::new(|f| f.with_payload(|text| text.replacen("\"sha256\":\"", "\"sha256\":\"00", 1))),
        ),
        ("payload", "a space is added", Box::new(|f| f.with_payload(|text| text.replacen(':', ": ", 1)))),
        (
            "payload",
            "its last byte is cut",
            Box::new(|f| f.with_payload(|text| text[..text.len() - 1].to_owned())),
        ),
        ("signature", "one bit", Box::new(change_signature)),
        ("signature", "it is made with another key", Box::new(sign_with_other_key)),
        (
            "signature",
            "it is made with another key, under the id of the right one",
            Box::new(sign_with_other_key_of_right_name),
        ),
    ]
}

fn of_transcript(other: &Files) -> Vec<Change> {
    let (of_other, of_both) = (other.clone(), other.clone());
    vec![
        (
            "transcript",
            "a byte of the first line",
            Box::new(|f| replace(&mut f.transcript, "\"seed\":7", "\"seed\":8")),
        ),
        (
            "transcript",
            "a byte of an answer",
            Box::new(|f| replace(&mut f.transcript, "\"status\":200", "\"status\":201")),
        ),
        (
            "transcript",
            "a byte of the seal",
            Box::new(|f| {
                at_lines(&mut f.transcript, |all| {
                    let last = all.last_mut().expect("a line");
                    replace(last, "\"completed\"", "\"interrupted\"");
                });
            }),
        ),
        (
            "transcript",
            "the last line is cut",
            Box::new(|f| at_lines(&mut f.transcript, |all| drop(all.pop()))),
        ),
        ("transcript", "the last byte is cut", Box::new(|f| cut_byte(&mut f.transcript))),
        (
            "transcript",
            "a line in the middle is missing",
            Box::new(|f| at_lines(&mut f.transcript, |all| drop(all.remove(9)))),
        ),
        (
            "transcript",
            "two lines change places",
            Box::new(|f| at_lines(&mut f.transcript, |all| all.swap(9, 10))),
        ),
        (
            "transcript",
            "a line is doubled",
            Box::new(|f| at_lines(&mut f.transcript, |all| all.insert(9, all[9].clone()))),
        ),
        ("transcript", "a byte after its end", Box::new(|f| f.transcript.push(b' '))),
        (
            "transcript",
            "that of another run, whole and sealed",
            Box::new(move |f| f.transcript.clone_from(&of_other.transcript)),
        ),
        (
            "transcript, report",
            "those of another run, whole and sealed",
            Box::new(move |f| {
                f.transcript.clone_from(&of_both.transcript);
                f.report.clone_from(&of_both.report);
            }),
        ),
    ]
}

fn of_report() -> Vec<Change> {
    vec![
        ("report", "a verdict", Box::new(|f| replace(&mut f.report, "\"not_evaluated\"", "\"kept\""))),
        ("report", "a space at its end", Box::new(|f| f.report.push(b' '))),
        ("report", "its last byte is cut", Box::new(|f| cut_byte(&mut f.report))),
        ("report", "it is empty", Box::new(|f| f.report.clear())),
    ]
}

fn of_key() -> Vec<Change> {
    vec![
        (
            "key file",
            "another key",
            Box::new(|f| f.key = SigningKey::generate().expect("a key").public().pem().into_bytes()),
        ),
        ("key file", "a byte of its head", Box::new(|f| replace(&mut f.key, "PUBLIC", "PUBLIK"))),
        ("key file", "a byte of the key", Box::new(|f| replace(&mut f.key, "MCow", "MCox"))),
        ("key file", "its last line is cut", Box::new(|f| at_lines(&mut f.key, |all| drop(all.pop())))),
        ("key file", "a line more at its end", Box::new(|f| f.key.push(b'\n'))),
        ("key file", "its lines change places", Box::new(|f| at_lines(&mut f.key, |all| all.swap(0, 1)))),
    ]
}

fn reorder(files: &mut Files) {
    let text = String::from_utf8(files.attestation.clone()).expect("a text");
    let (payload, rest) = text.trim_end().trim_start_matches('{').split_once(',').expect("members");
    let rest = rest.strip_suffix('}').expect("an object");
    files.attestation = format!("{{{rest},{payload}}}\n").into_bytes();
}

fn replace_key_id(files: &mut Files, id: &str) {
    let before = Envelope::parse(&files.attestation).expect("an envelope").key_id;
    replace(&mut files.attestation, &before, id);
}

fn without_signature(files: &mut Files) {
    let text = String::from_utf8(files.attestation.clone()).expect("a text");
    let (before, _) = text.split_once("\"signatures\":[").expect("signatures");
    files.attestation = format!("{before}\"signatures\":[]}}\n").into_bytes();
}

fn with_second_signature(files: &mut Files) {
    let text = String::from_utf8(files.attestation.clone()).expect("a text");
    let (before, signature) = text.trim_end().split_once("\"signatures\":[").expect("signatures");
    let signature = signature.strip_suffix("]}").expect("an end");
    files.attestation = format!("{before}\"signatures\":[{signature},{signature}]}}\n").into_bytes();
}

fn change_signature(files: &mut Files) {
    let mut envelope: Value = serde_json::from_slice(&files.attestation).expect("JSON");
    let sig = &mut envelope["signatures"][0]["sig"];
    let mut bytes = STANDARD.decode(sig.as_str().expect("a text")).expect("base64");
    bytes[17] ^= 1;
    *sig = STANDARD.encode(bytes).into();
    files.attestation = format!("{envelope}\n").into_bytes();
}

fn sign_with_other_key(files: &mut Files) {
    let payload = Envelope::parse(&files.attestation).expect("an envelope").payload;
    let other = SigningKey::generate().expect("a key");
    files.attestation = Envelope::sign(payload, &other).text().into_bytes();
}

/// A signature of another key under the key id of the right one.
fn sign_with_other_key_of_right_name(files: &mut Files) {
    let id = Envelope::parse(&files.attestation).expect("an envelope").key_id;
    sign_with_other_key(files);
    replace_key_id(files, &id);
}

#[test]
fn each_change_of_an_attestation_its_run_or_its_key_is_noticed() {
    let folder = certified(false);
    let path = folder.path();
    let other = ["run", "--quiet", "--seed", "8", "--cases", "0", "--only", SHORT, "--out", "other"];
    expect(path, 0, &other);
    let (files, of_other) = (Files::read(path, "out"), Files::read(path, "other"));
    let work = path.join("work");
    fs::create_dir(&work).expect("created");
    let arguments = ["attestation.json", "--run", ".", "--key", "key.pub.pem"];
    files.write(&work);
    let (exit, unchanged) = verified(&work, &arguments);
    assert_eq!((exit, &unchanged["holds"]), (3, &Value::from(true)), "{unchanged}");

    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "| all | nothing is changed | nothing | {exit} |");
    for (part, what, change) in changes(&of_other) {
        let mut changed = files.clone();
        change(&mut changed);
        changed.write(&work);
        let (exit, verification) = verified(&work, &arguments);
        assert!([2, 9].contains(&exit), "{part}: {what}: {exit} {verification}");
        let points = verification["points"].as_array().cloned().unwrap_or_default();
        let fails = points.iter().filter(|point| point["state"] == "fails");
        let fails: Vec<&str> = fails.filter_map(|point| point["about"].as_str()).collect();
        let fails = if fails.is_empty() { "the file is refused".to_owned() } else { fails.join(", ") };
        assert!(exit == 2 || !points.is_empty(), "{part}: {what}: {verification}");
        let _ = writeln!(page, "| {part} | {what} | {fails} | {exit} |");
    }
    let specimen = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("COVENANT_BLESS").is_some() {
        fs::write(&specimen, &page).expect("written");
    }
    assert_eq!(fs::read_to_string(&specimen).unwrap_or_default(), page, "renew {PAGE} with COVENANT_BLESS=1");
}
