// Every parser of what comes from outside, as one function of bytes each. What it may not do is panic, or
// say something else of what it wrote itself. The tests (`tests/it/parsers.rs`) and the fuzz targets share this.

use std::collections::BTreeMap;

use covenant::cli::Config;
use covenant::operator::{Description, Program, rpc};
use covenant::pki::{Certificate, Identity, Trust};
use covenant::report::terminal;
use covenant::scenario::load;
use covenant::suite::assess;
use covenant::transcript::read_from;
use covenant::wire::accept::{AcceptRequest, AcceptResponse};
use covenant::wire::audit::AuditExcerpt;
use covenant::wire::canonical::sha256_hex;
use covenant::wire::catalog::{ServiceCatalog, SubscriptionRequest, SubscriptionResponse};
use covenant::wire::envelope::Answer;
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

/// Takes bytes, and panics on none.
pub type Parser = fn(&[u8]);

/// Each with its name, which is also the folder of its seeds.
pub const PARSERS: &[(&str, Parser)] = &[
    ("scenario", scenario),
    ("transcript", transcript),
    ("config", config),
    ("adapter", adapter),
    ("wire", wire),
    ("headers", headers),
    ("certificate", certificate),
];

/// A scenario file: an error names its place.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(error) = load("id", "file.toml", text) {
        let told = error.to_string();
        assert!(told.contains("file.toml"), "no place is named: {told}");
    }
}

/// A transcript: whatever can be read can be evaluated. Mutated lines are told as they are, and once more with a
/// whole chain, as whoever writes a transcript to be evaluated would.
pub fn transcript(bytes: &[u8]) {
    told(bytes);
    told(&chained(bytes));
}

fn told(bytes: &[u8]) {
    match read_from(bytes, "transcript.jsonl") {
        Ok(reading) => {
            let report = assess(&reading);
            let text = covenant::report::text(&report);
            let plain = strip(&text);
            assert!(!plain.chars().any(|c| does_something(c) && c != '\n'), "a report that does something");
        }
        Err(error) => assert!(error.to_string().starts_with("transcript.jsonl")),
    }
}

/// The lines that are JSON objects, numbered and chained again.
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

/// Without the colours that are ours.
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

/// A `covenant.toml`, and the words of a command line.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Config::parse(text).map_err(|error| error.to_string());
    if let Ok(program) = Program::parse(text) {
        assert_eq!(Program::parse(&program.to_string()), Ok(program));
    }
}

/// An adapter's response, and what it says of itself.
pub fn adapter(bytes: &[u8]) {
    match rpc::Response::read(bytes) {
        Ok(response) => {
            if let Ok(result) = &response.outcome {
                let _ = Description::read(result);
            }
        }
        Err(told) => assert!(told.len() < 2000, "an error of {} bytes", told.len()),
    }
}

/// The bodies of the federation plane, each as every type.
pub fn wire(bytes: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else { return };
    let data = Answer::read(&body).and_then(Answer::data).unwrap_or_else(|| body.clone());
    for value in [&body, &data] {
        same_again::<AcceptRequest>(value);
        same_again::<AcceptResponse>(value);
        same_again::<HeartbeatRequest>(value);
        same_again::<HeartbeatResponse>(value);
        same_again::<TrustBundle>(value);
        same_again::<ResourceView>(value);
        same_again::<MigrationRequest>(value);
        same_again::<MigrationView>(value);
        same_again::<AuditExcerpt>(value);
        same_again::<ServiceCatalog>(value);
        same_again::<SubscriptionRequest>(value);
        same_again::<SubscriptionResponse>(value);
        same_again::<SyncBatch>(value);
    }
    let text = body.to_string();
    let safe = harmless_json(&text);
    assert_eq!(serde_json::from_str::<Value>(&safe).ok(), serde_json::from_str::<Value>(&text).ok());
}

/// What was read and is written says the same when it is read again.
fn same_again<T: Serialize + DeserializeOwned>(value: &Value) {
    let Ok(read) = T::deserialize(value) else { return };
    let written = serde_json::to_value(&read).expect("it is written");
    let again = T::deserialize(&written).expect("it reads what it wrote");
    assert_eq!(serde_json::to_value(&again).expect("it is written"), written);
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
    let forwarded = header::forwarded("fed:x", text);
    assert_eq!(header::forwarded_certificate(&forwarded[1].1).as_deref(), Some(text));
    assert!(!terminal(text).chars().any(does_something));
}

/// Certificates and bundles of them, as PEM and as DER.
pub fn certificate(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        let again = Certificate::from_pem(&certificate.pem()).expect("it reads what it wrote");
        assert_eq!(again.der(), certificate.der());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Certificate::from_pem(text);
    let _ = Trust::new().add("anchor", text);
    let _ = Identity::from_pem(text, text);
}
