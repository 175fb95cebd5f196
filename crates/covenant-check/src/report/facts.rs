//! Facts about the target and the run that each format of a report states first: release, address, certificate, time.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use covenant_model::operator::OperatorMethod;
use covenant_model::operator::platform::Start;
use covenant_model::transcript::{Direction, Exchange, Trace, What};

/// The address of the embedded reference: it listens on a port of its own in each scenario.
const EMBEDDED: &str = "embedded";

/// Facts about the target that the entries of a run show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetFacts {
    /// The release that the target reports; `None` if it reports none.
    pub release: Option<String>,
    /// The address at which the peers called it; `embedded` for the embedded reference, `None` if none called it.
    pub address: Option<String>,
    /// The SHA-256 of the DER of the certificate that it showed to the peers, in hex; `None` if it showed none.
    pub certificate_sha256: Option<String>,
    /// The number of different certificates that it showed in all. The embedded reference has another in each scenario.
    pub certificates: u64,
    /// The certificates that it showed beside that one, by their digests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_certificates: Vec<ShownCertificate>,
}

/// A certificate that the target showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownCertificate {
    /// The SHA-256 of its DER, in hex.
    pub sha256: String,
    /// An entry in which it was shown: `07-migration-hygiene/crash#12`.
    pub entry: String,
    /// The address at which the target was called then; `None` for the embedded reference, and if no operator named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl TargetFacts {
    /// Returns whether the target showed the certificate with this SHA-256.
    #[must_use]
    pub fn has_shown(&self, sha256: &str) -> bool {
        let others = self.other_certificates.iter().map(|one| one.sha256.as_str());
        self.certificate_sha256.as_deref().into_iter().chain(others).any(|own| own == sha256)
    }
}

/// Collects the facts of a target from the traces of a run.
#[derive(Debug, Default)]
pub struct TargetFinder {
    facts: TargetFacts,
    certificates: BTreeMap<String, ShownCertificate>,
    is_of_handshake: bool,
}

impl TargetFinder {
    /// Adds a trace. The trace of the handshake says what the target is; the first one does if there is none.
    pub fn add(&mut self, trace: &Trace, is_handshake: bool) {
        let mut facts = TargetFacts {
            release: trace.release().map(|release| release.to_string()),
            ..TargetFacts::default()
        };
        let mut current = None;
        for entry in trace.entries() {
            if let Some(address) = address(&entry.what) {
                facts.address.get_or_insert_with(|| address.clone());
                current = Some(address);
            }
            let Some(sha256) = entry.exchange().and_then(certificate) else { continue };
            facts.certificate_sha256.get_or_insert_with(|| sha256.to_owned());
            let shown = || ShownCertificate {
                sha256: sha256.to_owned(),
                entry: format!("{}#{}", trace.scenario(), entry.n),
                address: current.clone(),
            };
            self.certificates.entry(sha256.to_owned()).or_insert_with(shown);
        }
        let known = std::mem::take(&mut self.facts);
        let (first, second) =
            if is_handshake && !self.is_of_handshake { (facts, known) } else { (known, facts) };
        self.is_of_handshake |= is_handshake;
        self.facts = TargetFacts {
            release: first.release.or(second.release),
            address: first.address.or(second.address),
            certificate_sha256: first.certificate_sha256.or(second.certificate_sha256),
            ..TargetFacts::default()
        };
    }

    /// Returns the facts. `named` is the target as the run recorded it, for a run that asked no operator for an address.
    #[must_use]
    pub fn facts(self, named: &str, is_embedded: bool) -> TargetFacts {
        let named = Some(named).filter(|named| named.contains("://")).map(ToOwned::to_owned);
        let address = if is_embedded { Some(EMBEDDED.to_owned()) } else { self.facts.address.or(named) };
        let certificates = self.certificates.len() as u64;
        let own = self.facts.certificate_sha256.clone();
        let others = self.certificates.into_values().filter(|other| Some(&other.sha256) != own.as_ref());
        let of_run = |other: ShownCertificate| {
            let address = other.address.filter(|_| !is_embedded);
            ShownCertificate { address, ..other }
        };
        let other_certificates = others.map(of_run).collect();
        TargetFacts { address, certificates, other_certificates, ..self.facts }
    }
}

/// Returns the certificate that the target showed in a call to it.
fn certificate(exchange: &Exchange) -> Option<&str> {
    let facts = exchange.tls.as_ref().filter(|_| exchange.direction == Direction::ToTarget)?;
    facts.peer_fingerprint.as_deref()
}

/// Returns the address that the operator named when the target was started.
fn address(what: &What) -> Option<String> {
    let What::Operation(operation) = what else { return None };
    let result = operation.result.as_ref().filter(|_| operation.method == Start::METHOD.name())?;
    result["base_url"].as_str().map(ToOwned::to_owned)
}

/// A fact that stands at the head of a report: a name and its value.
pub type Fact = (&'static str, String);

impl Report {
    /// Returns when the run began and how long it took.
    #[must_use]
    pub fn time_facts(&self) -> Vec<Fact> {
        let began = self.began.map_or_else(|| "unknown".to_owned(), |began| began.to_string());
        let unknown = || "unknown, as the transcript has no end".to_owned();
        vec![("began", began), ("took", self.took_milliseconds.map_or_else(unknown, duration))]
    }

    /// Returns the release of the target, its address and its certificate, as far as the run shows them.
    #[must_use]
    pub fn target_facts(&self) -> Vec<Fact> {
        let TargetFacts { release, address, certificate_sha256, certificates, .. } = &self.platform;
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not seen".to_owned());
        let mut facts = vec![
            ("release", shown(release)),
            ("address", shown(address)),
            ("certificate", shown(certificate_sha256)),
        ];
        if *certificates > 1 {
            let why =
                if self.reference.is_some() { ": each scenario starts a platform of its own" } else { "" };
            facts.push(("certificates", format!("{certificates} in all{why}")));
        }
        facts
    }

    /// Returns every fact of the head, in order, for a format that shows them as a list.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![("target", self.recorded_target())];
        facts.extend(self.target_facts());
        facts.extend(self.time_facts());
        let digest = self.contract.contract_digest.clone();
        facts.extend([
            ("contract", format!("version {}, text {}", self.contract.contract_version, self.contract)),
            ("contract digest", digest.unwrap_or_else(|| "unknown".to_owned())),
            ("suite", format!("covenant {}", self.covenant)),
            ("binding", self.binding.clone()),
            ("seed", self.seed.to_string()),
            ("transcript", self.transcript_sha256.clone()),
        ]);
        facts
    }
}

/// Returns a duration for a person: tenths of a second below a minute, then the two largest units.
fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (minutes, hours, days) {
        (0, _, _) => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        (_, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (_, _, 0) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Body, Message, Operation, Outcome, Recorder, TlsFacts};
    use serde_json::json;

    fn trace(address: &str, release: &str, certificate: &str) -> Trace {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("s", clock);
        let start = Operation {
            method: "platform.start".to_owned(),
            parameters: json!({}),
            result: Some(json!({"base_url": address})),
            failure: None,
        };
        recorder.record(None, None, What::Operation(start));
        for direction in [Direction::FromTarget, Direction::ToTarget] {
            let facts = TlsFacts { peer_fingerprint: Some(certificate.to_owned()), ..TlsFacts::default() };
            let own = format!("{certificate} of a client");
            let fingerprint = if direction == Direction::ToTarget { certificate.to_owned() } else { own };
            let tls = Some(TlsFacts { peer_fingerprint: Some(fingerprint), ..facts });
            let body = Body::Json(json!({"platform_version": release}));
            let mut exchange = Exchange::made("alice", direction);
            exchange.tls = tls;
            exchange.request = Message { body, ..exchange.request };
            recorder.record(None, None, What::Exchange(exchange));
        }
        recorder.end(Outcome::Completed)
    }

    #[test]
    fn the_handshake_says_what_the_target_is_and_every_certificate_counts() {
        let mut finder = TargetFinder::default();
        finder.add(&trace("https://one/", "1.0.0", "aa"), false);
        finder.add(&trace("https://two/", "2.0.0", "bb"), true);
        finder.add(&trace("https://three/", "3.0.0", "bb"), false);
        let facts = finder.facts("an adapter", false);
        let expected = TargetFacts {
            release: Some("2.0.0".to_owned()),
            address: Some("https://two/".to_owned()),
            certificate_sha256: Some("bb".to_owned()),
            certificates: 2,
            other_certificates: vec![ShownCertificate {
                sha256: "aa".to_owned(),
                entry: "s#4".to_owned(),
                address: Some("https://one/".to_owned()),
            }],
        };
        assert_eq!(facts, expected);
        assert!(facts.has_shown("aa") && facts.has_shown("bb") && !facts.has_shown("cc"));
    }

    #[test]
    fn an_address_that_no_operator_named_is_that_of_the_command_line() {
        let facts = TargetFinder::default().facts("https://platform.example/", false);
        assert_eq!(facts.address.as_deref(), Some("https://platform.example/"));
        assert_eq!(TargetFinder::default().facts("adapter x", false).address, None);
        assert_eq!(TargetFinder::default().facts("x", true).address.as_deref(), Some("embedded"));
    }

    #[test]
    fn a_duration_has_two_units() {
        let shown = [1_250, 61_000, 3_720_000, 90_000_000].map(duration);
        assert_eq!(shown, ["1.2 s", "1 min 1 s", "1 h 2 min", "1 d 1 h"]);
    }
}
