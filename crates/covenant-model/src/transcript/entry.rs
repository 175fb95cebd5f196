//! The lines of a transcript.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Seed;
use crate::wire::canonical::sha256_hex;

/// Most of a body that a transcript keeps, in bytes; of what is longer it keeps the beginning, the
/// length and the digest.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How much of a body that is cut is kept, in bytes.
const BODY_BYTES_KEPT: usize = 2 * 1024;

/// One line: something that happened in a scenario, or to the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The scenario it belongs to; empty for the run itself.
    pub scenario: String,
    /// Its number in the scenario, from 1.
    pub n: u64,
    /// When, by the scenario's clock.
    pub at: Timestamp,
    /// The number of the scenario's step that caused it, from 1; none for what the target began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// The name that the step gave to it (`as = "…"`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What happened. It is shared, not copied, by all who tell it.
    pub what: Arc<What>,
}

/// An entry as it is written: with the digest of the line before it, so that a line that was changed,
/// or is missing, is noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Line<'a> {
    /// SHA-256, hex, of the line before, without its end; empty on the first.
    pub(super) previous: Cow<'a, str>,
    /// The entry.
    #[serde(flatten)]
    pub(super) entry: Cow<'a, Entry>,
}

/// What an entry tells.
#[expect(clippy::large_enum_variant, reason = "nearly every entry is an exchange")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The run begins.
    Run(RunStart),
    /// A scenario begins.
    Scenario(ScenarioStart),
    /// A request and what became of it.
    Exchange(Exchange),
    /// The operator did something, or looked.
    Operation(Operation),
    /// The suite remarks on something that no exchange shows.
    Note(Note),
    /// The scenario, or the run, ends.
    End(Outcome),
}

/// The first line of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// [`super::FORMAT`].
    pub format: u32,
    /// The suite's version.
    pub covenant: String,
    /// The run's seed.
    pub seed: Seed,
    /// The contract's version.
    pub contract_version: u32,
    /// SHA-256 hex of the contract's text.
    pub contract_digest: String,
    /// The version of our binding.
    pub binding: String,
    /// What was evaluated, in words: `embedded reference`, a URL.
    pub target: String,
    /// Arguments that name the same target again in a replay command, shell-quoted: `--defect NAME`.
    pub target_arguments: Vec<String>,
    /// Settings that bear on verdicts (`binding.md`, "Numbers").
    pub settings: BTreeMap<String, Value>,
    /// The scenarios that are going to run, in order.
    pub scenarios: Vec<String>,
    /// Whether the run was asked for a part of the suite only.
    pub partial: bool,
}

/// The first line of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioStart {
    /// The scenario's file, whole: what will be evaluated stands in it.
    pub source: String,
    /// The scenario's seed, derived from the run's by its id.
    pub seed: Seed,
}

impl ScenarioStart {
    /// How each peer of the scenario deviates from the contract. A source that can't be read names none.
    #[must_use]
    pub fn behaviours(&self) -> BTreeMap<String, Vec<String>> {
        #[derive(Default, Deserialize)]
        struct Cast {
            #[serde(default)]
            peer: Vec<Peer>,
        }
        #[derive(Deserialize)]
        struct Peer {
            name: String,
            #[serde(default)]
            behaviours: Vec<String>,
        }
        let cast: Cast = toml::from_str(&self.source).unwrap_or_default();
        cast.peer.into_iter().map(|peer| (peer.name, peer.behaviours)).collect()
    }
}

/// How a scenario, or the run, came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every step was done.
    Completed,
    /// The target did not do what the scenario needs in order to go on.
    Target {
        /// What was expected and what came.
        reason: String,
    },
    /// The operator on the target can't do what the scenario needs.
    Unsupported {
        /// The method that is missing.
        method: String,
    },
    /// The adapter broke its protocol, died or hung.
    Adapter {
        /// What happened.
        reason: String,
    },
    /// The machine the suite runs on let it down: no port, no disk.
    Environment {
        /// What happened.
        reason: String,
    },
    /// A fault of the suite's own, or of the scenario's file.
    Suite {
        /// What happened.
        reason: String,
    },
    /// Someone pressed Ctrl-C.
    Interrupted,
}

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A simulated peer called the target.
    ToTarget,
    /// The target called a simulated peer.
    FromTarget,
}

/// A request and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The simulated peer's name in the scenario.
    pub peer: String,
    /// Who called whom.
    pub direction: Direction,
    /// What was sent.
    pub request: Message,
    /// What was answered; none where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Message>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The connection's TLS, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
    /// `HTTP/1.1`, `HTTP/2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The loopback address that the peer called from, where that was one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Ipv4Addr>,
    /// Deviations of the peer that shaped this exchange, by name: what the suite did on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub injected: Vec<String>,
}

/// What TLS made of a connection, as a transcript shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsFacts {
    /// `TLSv1.3`, `TLSv1.2`.
    pub version: String,
    /// `h2`, `http/1.1`, where one was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// The common name that the other end showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_subject: Option<String>,
    /// SHA-256 of the certificate that the other end showed, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_fingerprint: Option<String>,
    /// Until when the certificate is good that the other end showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub peer_not_after: Option<Timestamp>,
}

/// A request (`method`, `path`) or a response (`status`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The request's method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The request's path, with its query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The response's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// In order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

/// A body, bounded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// There was none.
    #[default]
    Empty,
    /// It was JSON.
    Json(Value),
    /// It was a text, but not JSON.
    Text(String),
    /// It was neither, or longer than is kept.
    Cut {
        /// Bytes in all.
        length: u64,
        /// SHA-256 hex of all.
        sha256: String,
        /// The beginning, with what is no UTF-8 replaced.
        beginning: String,
    },
}

impl Body {
    /// What is kept of these bytes.
    #[must_use]
    pub fn capture(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.len() <= BODY_BYTES_MAX => {
                serde_json::from_str(text).map_or_else(|_| Self::Text(text.to_owned()), Self::Json)
            }
            _ => Self::Cut {
                length: bytes.len() as u64,
                sha256: sha256_hex(bytes),
                beginning: String::from_utf8_lossy(&bytes[..bytes.len().min(BODY_BYTES_KEPT)]).into_owned(),
            },
        }
    }

    /// The JSON, where it was that.
    #[must_use]
    pub fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => Some(value),
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word: `refused`, `handshake`, `certificate`, `closed`, `timeout`, `too_large`, `malformed`.
    pub kind: String,
    /// In words.
    pub message: String,
}

/// A method of the operator plane (`binding.md`) and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The method.
    pub method: String,
    /// What it was asked with.
    pub parameters: Value,
    /// What it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why there is no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<OperationFailure>,
}

/// Why a method has no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationFailure {
    /// The operator do not know the method (-32601).
    Unsupported,
    /// The target said no.
    Refused {
        /// The JSON-RPC code.
        code: i64,
        /// In words.
        message: String,
    },
    /// The adapter broke.
    Adapter {
        /// In words.
        message: String,
    },
}

/// The kind of a remark that so many of a target's calls came at once as are a flood, though not all of
/// them are told.
pub const FLOOD: &str = "flood";

/// A remark of the suite: a fault it injected, a wait that ran out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// A stable word: `injected`, `waited`, `expected`, [`FLOOD`].
    pub kind: String,
    /// In words.
    pub message: String,
    /// The facts.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub facts: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_kept_as_what_they_are_and_bounded() {
        assert_eq!(Body::capture(b""), Body::Empty);
        assert_eq!(Body::capture(b"{\"a\":1}"), Body::Json(serde_json::json!({"a": 1})));
        assert_eq!(Body::capture(b"hello"), Body::Text("hello".into()));
        assert!(matches!(Body::capture(&[0xff, 0xfe]), Body::Cut { length: 2, .. }));
        let long = vec![b'a'; BODY_BYTES_MAX + 1];
        let Body::Cut { length, beginning, .. } = Body::capture(&long) else {
            panic!("a long body is cut");
        };
        assert_eq!((length, beginning.len()), (long.len() as u64, BODY_BYTES_KEPT));
    }
}
