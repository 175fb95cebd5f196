// One function of bytes for each parser of foreign input. A function panics if its parser panics, or if the parser
// does not read back what it wrote. The tests (`tests/it/parsers.rs`) and the fuzz targets share this file.

use std::collections::BTreeMap;

use covenant::certify::{
    Asked, Envelope, PersonsWord, PublicKey, RecordedWord, SigningKey, Statement, Trust as Keys, Verification,
};
use covenant::cli::Config;
use covenant::clock::Clock;
use covenant::operator::{Description, Program, rpc};
use covenant::pki::{Certificate, Identity, Trust};
use covenant::report::{FORMATS, terminal};
use covenant::runner::assess;
use covenant::scenario::load;
use covenant::transcript::read_from;
use covenant::wire::accept::{AcceptRequest, AcceptResponse};
use covenant::wire::audit::AuditExcerpt;
use covenant::wire::canonical::sha256_hex;
use covenant::wire::catalog::{ServiceCatalog, SubscriptionRequest, SubscriptionResponse};
use covenant::wire::envelope::Answer;
use covenant::wire::generation::{FORWARDED, ProxiedCaller};
use covenant::wire::grant::GrantToken;
use covenant::wire::harmless::{does_something, harmless_json};
use covenant::wire::header;
use covenant::wire::heartbeat::{HeartbeatRequest, HeartbeatResponse, TrustBundle};
use covenant::wire::migration::{MigrationRequest, MigrationView};
use covenant::wire::path::Route;
use covenant::wire::resource::ResourceView;
use covenant::wire::sync::SyncBatch;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A function that must not panic on any bytes.
pub type Parser = fn(&[u8]);

/// The parsers by name. The name is also the folder of the seeds.
pub const PARSERS: &[(&str, Parser)] = &[
    ("scenario", scenario),
    ("transcript", transcript),
    ("config", config),
    ("adapter", adapter),
    ("wire", wire),
    ("headers", headers),
    ("certificate", certificate),
    ("attestation", attestation),
];

/// A scenario file. An error names the file.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(error) = load("id", "file.toml", text) {
        let message = error.to_string();
        assert!(message.contains("file.toml"), "an error without the file: {message}");
    }
}

/// A transcript. Each one that can be read can be evaluated. The bytes are tried as they are, and again with a valid
/// chain of digests, which the author of a forged transcript would compute.
pub fn transcript(bytes: &[u8]) {
    evaluate(bytes);
    evaluate(&chained(bytes));
}

fn evaluate(bytes: &[u8]) {
    match read_from(bytes, "transcript.jsonl") {
        Ok(reading) => {
            let report = assess(&reading);
            for format in FORMATS {
                let plain = strip(&(format.render)(&report));
                let acts = plain.chars().any(|c| does_something(c) && c != '\n');
                assert!(!acts, "a control character in a report as {}", format.name);
            }
        }
        Err(error) => assert!(error.to_string().starts_with("transcript.jsonl")),
    }
}

/// Returns the lines that are JSON objects, with new numbers and digests.
fn chained(bytes: &[u8]) -> Vec<u8> {
    let mut chained = String::new();
    let mut previous = String::new();
    let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(Value::Object(mut entry)) = serde_json::from_slice(line) else { continue };
        let scenario = entry.get("scenario").and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = numbers.entry(scenario).and_modify(|number| *number += 1).or_insert(1);
        entry.insert("n".to_owned(), Value::from(*number));
        entry.insert("previous".to_owned(), Value::from(previous));
        let line = Value::Object(entry).to_string();
        previous = sha256_hex(&line);
        chained.push_str(&line);
        chained.push('\n');
    }
    chained.into_bytes()
}

/// Removes the colour codes that the report adds.
fn strip(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..start]);
        let Some(end) = rest[start..].find('m') else { break };
        rest = &rest[start + end + 1..];
    }
    plain + rest
}

/// A `covenant.toml`, and the command line of an adapter.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Config::parse(text).map_err(|error| error.to_string());
    if let Ok(program) = Program::parse(text) {
        assert_eq!(Program::parse(&program.to_string()), Ok(program));
    }
}

/// A response of an adapter, and the result of `describe`.
pub fn adapter(bytes: &[u8]) {
    match rpc::Response::read(bytes) {
        Ok(response) => {
            if let Ok(result) = &response.outcome {
                let _ = Description::read(result);
            }
        }
        Err(error) => assert!(error.len() < 2000, "an error of {} bytes", error.len()),
    }
}

/// A body of the federation plane, decoded as each message type.
pub fn wire(bytes: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else { return };
    let data = Answer::read(&body).and_then(Answer::data).unwrap_or_else(|| body.clone());
    for value in [&body, &data] {
        check_round_trip::<AcceptRequest>(value);
        check_round_trip::<AcceptResponse>(value);
        check_round_trip::<HeartbeatRequest>(value);
        check_round_trip::<HeartbeatResponse>(value);
        check_round_trip::<TrustBundle>(value);
        check_round_trip::<ResourceView>(value);
        check_round_trip::<MigrationRequest>(value);
        check_round_trip::<MigrationView>(value);
        check_round_trip::<AuditExcerpt>(value);
        check_round_trip::<ServiceCatalog>(value);
        check_round_trip::<SubscriptionRequest>(value);
        check_round_trip::<SubscriptionResponse>(value);
        check_round_trip::<SyncBatch>(value);
    }
    let text = body.to_string();
    let safe = harmless_json(&text);
    assert_eq!(serde_json::from_str::<Value>(&safe).ok(), serde_json::from_str::<Value>(&text).ok());
}

/// Checks that a decoded value survives a round trip.
fn check_round_trip<T: Serialize + DeserializeOwned>(value: &Value) {
    let Ok(read) = T::deserialize(value) else { return };
    let written = serde_json::to_value(&read).expect("it encodes");
    let again = T::deserialize(&written).expect("it decodes its own output");
    assert_eq!(serde_json::to_value(&again).expect("it encodes"), written);
}

/// Paths, tokens and headers.
pub fn headers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for method in ["GET", "POST", "DELETE"] {
        if let Some(route) = Route::parse(method, text) {
            assert_eq!(Route::parse(route.method(), &route.path()), Some(route));
        }
    }
    let _ = GrantToken::parse(text);
    let _ = header::bearer_token(text);
    let _ = header::forwarded_certificate(text);
    let certificate = Some(("fed:x".to_owned(), text.to_owned()));
    let forwarded = (FORWARDED.headers)(&ProxiedCaller { peer_id: None, certificate });
    assert_eq!(header::forwarded_certificate(&forwarded[1].1).as_deref(), Some(text));
    assert!(!terminal(text).chars().any(does_something));
}

/// Certificates and bundles of certificates, as PEM and as DER.
pub fn certificate(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        let again = Certificate::from_pem(&certificate.pem()).expect("it decodes its own output");
        assert_eq!(again.der(), certificate.der());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Certificate::from_pem(text);
    let _ = Trust::new().add("anchor", text);
    let _ = Identity::from_pem(text, text);
}

/// An attestation, its payload, and the files of its verifier. The payload is tried as it is, and as what a key signed.
pub fn attestation(bytes: &[u8]) {
    verify(bytes);
    if let Ok(statement) = Statement::parse(bytes) {
        assert_eq!(Statement::parse(&statement.bytes()), Ok(statement));
    }
    let key = SigningKey::generate().expect("a key");
    verify(Envelope::sign(bytes.to_vec(), &key).text().as_bytes());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = PublicKey::from_pem(text) {
        assert_eq!(key.pem(), text);
    }
    if let Err(error) = Keys::parse(text, "trust.toml") {
        assert!(error.to_string().starts_with("trust.toml"), "{error}");
    }
    if let Ok(word) = PersonsWord::parse(text, "word.toml") {
        let recorded = word.text();
        let read = RecordedWord::read(&recorded).expect("a run records what it reads");
        assert_eq!(read.evidence, word.evidence.sha256);
        assert_eq!(PersonsWord::parse(&word.toml(), "again").ok(), Some(word));
    }
    let _ = RecordedWord::read(text);
}

/// Verifies an attestation without a key. What it says has no character that acts on a terminal.
fn verify(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::parse(bytes) {
        assert!(Envelope::is_like(bytes));
        assert_eq!(envelope.text().as_bytes(), bytes);
    }
    let asked = Asked {
        attestation: bytes,
        run: None,
        trust: None,
        release: Some("1.0.0"),
        certificate: None,
        newer: Some(("newer", bytes)),
        evidence: Some(("notes", "ab")),
        now: Clock::system().now(),
    };
    let verification = Verification::of(&asked);
    assert!(!verification.holds());
    assert!(!verification.text().chars().any(|c| does_something(c) && c != '\n'));
}
