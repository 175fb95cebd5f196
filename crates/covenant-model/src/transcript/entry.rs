//! Entries, the lines of a transcript.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind::{FailureKind, NoteKind};
use super::size::{BODY_BYTES_MAX, BODY_WEIGHT_MAX};
use crate::Stage;
use crate::clock::Seed;
use crate::contract::HeldText;
use crate::wire::canonical::sha256_hex;
use crate::wire::weight::weight;
use crate::{Blame, Fault};

/// One line of a transcript: an event in a scenario or in the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Id of the scenario; empty for the run itself.
    pub scenario: String,
    /// Number of the entry in the scenario, from 1.
    pub n: u64,
    /// Time, by the scenario's clock.
    pub at: Timestamp,
    /// Number of the scenario's step that caused the entry, from 1; `None` if the target began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// Label that the step gave to the entry (`as = "…"`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `true` if a result, parameters or facts were too long, and their beginning stands for them. No verdict rests on
    /// what is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Real time that the scenario took, in milliseconds, on the entry that ends it. The clock of a scenario may be moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_milliseconds: Option<u64>,
    /// Content of the entry. Its readers share it; it is not copied.
    pub what: Arc<What>,
    /// Content as it was written, if the ids of `what` were put into their usual text; no transcript has it.
    #[serde(skip)]
    pub written: Option<Arc<What>>,
}

/// Entry as it is written, with the digest of the line before it. The digest shows that a line was changed or
/// is missing.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    /// SHA-256 of the line before, without its line end, in hex; empty on the first line.
    pub(super) previous: Cow<'a, str>,
    /// The entry, owned or borrowed.
    #[serde(flatten)]
    pub(super) entry: Cow<'a, Entry>,
}

/// Content of an entry.
#[expect(clippy::large_enum_variant, reason = "nearly every entry is an exchange")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Start of the run.
    Run(RunStart),
    /// Start of a scenario.
    Scenario(ScenarioStart),
    /// Request, with its response or its failure.
    Exchange(Exchange),
    /// Call of an operator method, with its result or its failure.
    Operation(Operation),
    /// Note of the suite about something that no exchange shows.
    Note(Note),
    /// End of the scenario.
    End(Outcome),
    /// End of the run.
    Seal(Seal),
}

/// Last line of a transcript. Nothing follows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seal {
    /// Outcome of the run.
    pub outcome: Outcome,
    /// Number of lines before this one.
    pub lines: u64,
    /// SHA-256 of this line with an empty digest, in hex. The line holds the digest of the line before, so it stands
    /// for all of them.
    pub digest: String,
}

impl Seal {
    /// Returns the line of a seal with an empty digest: what the digest is made of. `None` if the line holds no such
    /// digest.
    pub(super) fn unsigned(&self, line: &str) -> Option<String> {
        let (before, after) = line.rsplit_once(&digest_member(&self.digest))?;
        Some(format!("{before}{}{after}", digest_member("")))
    }

    /// Returns the line with the digest in place of the empty one.
    pub(super) fn close(line: &str) -> String {
        let digest = digest_member(&sha256_hex(line));
        match line.rsplit_once(&digest_member("")) {
            Some((before, after)) => format!("{before}{digest}{after}"),
            None => line.to_owned(),
        }
    }
}

/// Returns the member that holds the digest of a seal, as the writer writes it. A quote inside a text is escaped, so
/// no text holds it.
fn digest_member(digest: &str) -> String {
    format!("\"digest\":\"{digest}\"")
}

/// First line of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// Version of the format: [`super::FORMAT`].
    pub format: u32,
    /// Version of the suite.
    pub covenant: String,
    /// Seed of the run.
    pub seed: Seed,
    /// Contract text that the run goes by, and what named it.
    #[serde(flatten)]
    pub contract: HeldText,
    /// Version of our binding.
    pub binding: String,
    /// Target of the run, for a person: `embedded reference`, or a URL.
    pub target: String,
    /// Defects and variants of the embedded reference, in order; `None` if the target is another platform.
    pub reference: Option<Vec<String>>,
    /// Words that named another target, as its user gave them. They are shown to a person, and never run.
    pub target_arguments: Vec<String>,
    /// Settings that affect verdicts (`binding.md`, "Numbers").
    pub settings: BTreeMap<String, Value>,
    /// Scenarios that the run executes, in order.
    pub scenarios: Vec<String>,
    /// `true` if the run covers a part of the suite only.
    pub partial: bool,
}

/// First line of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioStart {
    /// Whole text of the scenario file. It contains the checks of the scenario.
    pub source: String,
    /// Seed of the scenario, derived from the run's seed by the scenario's id.
    pub seed: Seed,
}

impl ScenarioStart {
    /// Returns the behaviours of each peer of the scenario. The map is empty if the source can't be read.
    #[must_use]
    pub fn behaviours(&self) -> BTreeMap<String, Vec<String>> {
        self.cast().into_iter().map(|peer| (peer.name, peer.behaviours)).collect()
    }

    /// Returns the peers that report the release of the run, because their profile names none. The set is
    /// empty if the source can't be read.
    #[must_use]
    pub fn peers_of_run_release(&self) -> BTreeSet<String> {
        let of_run = |peer: &CastPeer| !peer.profile.contains_key("platform_version");
        self.cast().into_iter().filter(of_run).map(|peer| peer.name).collect()
    }

    fn cast(&self) -> Vec<CastPeer> {
        toml::from_str::<Cast>(&self.source).unwrap_or_default().peer
    }
}

/// Peers of a scenario, as its source lists them.
#[derive(Default, Deserialize)]
struct Cast {
    #[serde(default)]
    peer: Vec<CastPeer>,
}

#[derive(Deserialize)]
struct CastPeer {
    name: String,
    #[serde(default)]
    behaviours: Vec<String>,
    #[serde(default)]
    profile: BTreeMap<String, toml::Value>,
}

/// Outcome of a scenario or of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every step was executed.
    Completed,
    /// A fault ended it early.
    Aborted(Fault),
    /// The operator client has no method that the scenario needs.
    Unsupported {
        /// Name of the missing method.
        method: String,
    },
    /// The kinds that the target names, or the addresses that the peers may have, do not suffice for the scenario, so it was not
    /// played.
    Lacking {
        /// The lack, for a person.
        lacks: String,
    },
    /// A stage that the scenario needs failed on this target, so the scenario was not played.
    Blocked {
        /// Stage that failed.
        stage: Stage,
        /// Reason for which it failed, for a person.
        reason: String,
    },
    /// A person pressed Ctrl-C.
    Interrupted,
    /// The run was to end at the first broken check.
    EndedAtBreach {
        /// Id of the check.
        check: String,
    },
    /// The time that the run was given is over.
    EndedAtDeadline {
        /// The time, as the user gave it: `10m`.
        deadline: String,
    },
}

impl Outcome {
    /// Returns the outcome of a scenario for which the target's kinds do not suffice.
    #[must_use]
    pub fn lacking_kinds(lacks: &str) -> Self {
        Self::Lacking { lacks: kinds_lack(lacks) }
    }

    /// Returns whether the run ended early because its user had asked for it.
    #[must_use]
    pub const fn is_early_end(&self) -> bool {
        matches!(self, Self::EndedAtBreach { .. } | Self::EndedAtDeadline { .. })
    }

    /// Returns the blame; `None` if no fault ended it.
    #[must_use]
    pub fn blame(&self) -> Option<Blame> {
        match self {
            Self::Aborted(fault) => Some(fault.blame),
            _ => None,
        }
    }
}

/// Says what the target's kinds lack.
#[must_use]
pub fn kinds_lack(lacks: &str) -> String {
    format!("the target's kinds (`describe`) do not suffice: {lacks}")
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        Self::Aborted(fault)
    }
}

/// Direction of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A simulated peer called the target.
    ToTarget,
    /// The target called a simulated peer.
    FromTarget,
}

/// One request on the federation plane, with its response or its failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Name of the simulated peer in the scenario.
    pub peer: String,
    /// Direction of the call.
    pub direction: Direction,
    /// Request as it was sent.
    pub request: Message,
    /// Response; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Message>,
    /// Reason why there is no response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// TLS facts of the connection; `None` if it had no TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
    /// Protocol: `HTTP/1.1` or `HTTP/2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Loopback address that the peer called from; `None` if the peer has no address of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Ipv4Addr>,
    /// Names of the behaviours that changed this exchange. The suite injected them on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub injected: Vec<String>,
}

/// Facts of a TLS connection, as a transcript shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsFacts {
    /// TLS version: `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// Protocol that ALPN agreed on: `h2` or `http/1.1`; `None` if there was no agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// Common name in the certificate of the other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_subject: Option<String>,
    /// SHA-256 of the certificate of the other end, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_fingerprint: Option<String>,
    /// End of validity of the certificate of the other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub peer_not_after: Option<Timestamp>,
}

/// Request (`method`, `path`) or response (`status`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Method of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path of the request, with its query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Status of the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Headers, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Body of the message.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

/// Body of a message, limited in size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// No body.
    #[default]
    Empty,
    /// A body in JSON.
    Json(Value),
    /// Text that is not JSON.
    Text(String),
    /// Bytes that are neither JSON nor text, or a body over the limit.
    Cut {
        /// Length of the whole body, in bytes.
        length: u64,
        /// SHA-256 of the whole body, in hex.
        sha256: String,
        /// Beginning of the body. Bytes that are not UTF-8 are replaced.
        beginning: String,
    },
}

impl Body {
    /// Returns the part of these bytes that a transcript keeps.
    #[must_use]
    pub fn capture(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.len() <= BODY_BYTES_MAX && weight(bytes) <= BODY_WEIGHT_MAX => {
                serde_json::from_str(text).map_or_else(|_| Self::Text(text.to_owned()), Self::Json)
            }
            _ => Self::cut_of(bytes),
        }
    }

    /// Returns the JSON; `None` if the body is not JSON.
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

/// Reason why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Kind of the failure.
    pub kind: FailureKind,
    /// Reason, for a person.
    pub message: String,
}

/// One call of an operator method (`binding.md`), with its result or its failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Name of the method.
    pub method: String,
    /// Parameters of the call.
    pub parameters: Value,
    /// Result of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Reason why there is no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<OperationFailure>,
}

/// Reason why a method has no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationFailure {
    /// The operator client does not have the method (-32601).
    Unsupported,
    /// The target refused the call.
    Refused {
        /// JSON-RPC error code.
        code: i64,
        /// Reason, for a person.
        message: String,
    },
    /// The adapter failed.
    Adapter {
        /// Reason, for a person.
        message: String,
    },
}

/// Note of the suite, such as an injected fault or an expired wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Kind of the note.
    pub kind: NoteKind,
    /// Text of the note, for a person.
    pub message: String,
    /// Facts of the note, as data.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub facts: Value,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::size::BYTES_KEPT;

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
        assert_eq!((length, beginning.len()), (long.len() as u64, BYTES_KEPT));
        // A short text may take much memory.
        let heavy = format!("[{}0]", "{\"\":0},".repeat(20_000));
        assert!(matches!(Body::capture(heavy.as_bytes()), Body::Cut { .. }));
    }
}
