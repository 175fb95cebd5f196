//! Checks an adapter method by method: is each method there, and does its result have the form of the
//! binding?

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use crate::clock::{Clock, Seed};
use crate::net::Limits;
use crate::operator::{Adapter, Description, Method, OperatorClient, OperatorError, Stdio, Targets};
use crate::peer::{Options, Peer, PermittedChoices, Profile, StepContext, TargetAddress};
use crate::report::terminal;
use crate::transcript::{ScenarioStart, Transcript};
use crate::wire::grant::Scope;

/// A method that does not exist in the binding.
const NONEXISTENT_METHOD: &str = "covenant.square_the_circle";
/// The kind of the test records.
const KIND: &str = "skill";
/// The id of a record that is put, found and deleted.
const RECORD: &str = "0190b2f0-0000-7000-8000-00000000c0de";
/// The end date of a release.
const BREAKS_AT: &str = "2100-01-01T00:00:00Z";

/// The check of one method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodLine {
    /// The name of the method.
    pub method: String,
    /// The finding.
    pub finding: Finding,
    /// A further problem that should be fixed.
    pub remark: Option<String>,
}

/// The result of the check of one method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The method is there, and its result has the form of the binding.
    Fine,
    /// The adapter reports the method as unknown. This is valid; the clauses that need it stay unproven.
    Missing,
    /// The method is there, and refused this call.
    Refused {
        /// The error message.
        message: String,
    },
    /// The result does not have the form of the binding.
    Malformed {
        /// The form that the binding requires.
        expected: String,
        /// The form found.
        found: String,
    },
    /// The adapter died, hung or broke its protocol.
    Failed {
        /// The failure.
        message: String,
    },
}

impl fmt::Display for MethodLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, more) = match &self.finding {
            Finding::Fine => ("ok", String::new()),
            Finding::Missing => ("missing", String::new()),
            Finding::Refused { message } => ("refused", terminal(message)),
            Finding::Malformed { expected, found } => {
                let found = terminal(found);
                ("MALFORMED", format!("expected {}\n{:32}found {found}", terminal(expected), ""))
            }
            Finding::Failed { message } => ("FAILED", terminal(message)),
        };
        let remark = self.remark.as_ref().map_or_else(String::new, |remark| format!(" ({remark})"));
        let line = format!("{:<20}{word:<12}{more}{remark}", self.method);
        f.write_str(line.trim_end())
    }
}

/// Checks an adapter of this program. Returns an error if the adapter cannot be called at all.
pub async fn check_adapter(adapters: &Stdio) -> Result<Vec<MethodLine>, OperatorError> {
    let adapter = adapters.start().await?;
    let mut lines = vec![impossible(&adapter).await];
    if lines[0].finding == Finding::Fine {
        lines.extend(Conversation::begin(&adapter).method_by_method().await);
    }
    drop(adapter);
    adapters.close().await;
    Ok(lines)
}

/// Calls a method that does not exist. An adapter that accepts any method proves nothing.
async fn impossible(adapter: &Adapter) -> MethodLine {
    let finding = match adapter.call(NONEXISTENT_METHOD, json!({})).await {
        Err(OperatorError::Unsupported { .. }) => Finding::Fine,
        Err(OperatorError::Refused { code, message, .. }) => {
            malformed_impossible(&format!("error {code} {message:?}"))
        }
        Ok(result) => malformed_impossible(&result.to_string()),
        Err(other) => Finding::Failed { message: other.to_string() },
    };
    MethodLine { method: "(no such method)".to_owned(), finding, remark: None }
}

fn malformed_impossible(found: &str) -> Finding {
    Finding::Malformed {
        expected: format!("error -32601 to {NONEXISTENT_METHOD}, which cannot exist"),
        found: found.to_owned(),
    }
}

/// The values that earlier methods returned and later ones need.
struct Conversation<'a> {
    adapter: &'a Adapter,
    description: &'a Description,
    known: Map<String, Value>,
    clock: Clock,
    peer: Option<Peer>,
}

impl<'a> Conversation<'a> {
    fn begin(adapter: &'a Adapter) -> Self {
        let clock = Clock::manual(Clock::system().now());
        Self { adapter, description: adapter.description(), known: Map::new(), clock, peer: None }
    }

    /// Calls the methods in an order in which each has the values that it needs.
    async fn method_by_method(mut self) -> Vec<MethodLine> {
        const LAST: [Method; 6] = [
            Method::ResourceDelete,
            Method::PeerRevoke,
            Method::ContractDeprecate,
            Method::PlatformKill,
            Method::PlatformStop,
            Method::PlatformReset,
        ];
        let mut lines = Vec::new();
        let early = Method::ALL.iter().filter(|method| !LAST.contains(method));
        for method in early.chain(&LAST) {
            lines.push(self.ask(*method).await);
            self.afterwards(*method).await;
        }
        lines
    }

    async fn ask(&mut self, method: Method) -> MethodLine {
        let evaluation = self.adapter.call(method.as_str(), self.parameters(method)).await;
        let says_it_has = self.description.has(method);
        let remark = match (&evaluation, says_it_has) {
            (Err(OperatorError::Unsupported { .. }), true) => Some("describe.verbs lists it"),
            (Ok(_) | Err(OperatorError::Refused { .. }), false) => Some("describe.verbs does not list it"),
            _ => None,
        };
        let finding = match evaluation {
            Ok(result) => {
                let finding = wanting(method, &result).unwrap_or(Finding::Fine);
                self.learn(method, &result);
                finding
            }
            Err(OperatorError::Unsupported { .. }) => Finding::Missing,
            Err(OperatorError::Refused { message, .. }) => Finding::Refused { message },
            Err(other) => Finding::Failed { message: other.to_string() },
        };
        MethodLine { method: method.to_string(), finding, remark: remark.map(ToOwned::to_owned) }
    }

    fn learn(&mut self, method: Method, result: &Value) {
        let members: &[&str] = match method {
            Method::ClockNow | Method::ClockAdvance => &["now"],
            Method::PlatformStart => &["base_url", "ca_bundle_pem"],
            Method::PeerPropose => &["peer_id", "acceptance_token"],
            Method::GrantIssue => &["grant_id"],
            Method::MigrationSend => &["migration_id"],
            _ => &[],
        };
        for member in members {
            self.known.insert((*member).to_owned(), result[*member].clone());
        }
    }

    /// Follows up on a method. A proposed peer accepts, so that later methods have a partner; the peer uses
    /// the target's clock.
    async fn afterwards(&mut self, method: Method) {
        if matches!(method, Method::ClockNow | Method::ClockAdvance) {
            let now = self.known.get("now").and_then(Value::as_str).and_then(|now| now.parse().ok());
            if let Some(now) = now {
                self.clock.set(now, true);
            }
        }
        if method == Method::ClockAdvance {
            self.peer = start_peer(self.clock.clone());
        }
        let (Method::PeerPropose, Some(peer)) = (method, &self.peer) else { return };
        let base_url =
            self.known.get("base_url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
        let Some(base_url) = base_url else { return };
        let ca_bundle_pem = self.known.get("ca_bundle_pem").and_then(Value::as_str).map(ToOwned::to_owned);
        peer.set_target(TargetAddress { base_url, ca_bundle_pem, caller: self.description.caller });
        let token = self.known.get("acceptance_token").and_then(Value::as_str).unwrap_or_default().to_owned();
        let context = StepContext::default();
        // If accept fails, the methods that need a partner report it.
        let _ = peer.accept(&context, &token, &Value::Null).await;
        let _ = peer.heartbeat(&context, &Value::Null).await;
    }

    fn parameters(&self, method: Method) -> Value {
        let known = |name: &str| self.known.get(name).cloned().unwrap_or(Value::Null);
        let peer_id = known("peer_id");
        let url =
            self.peer.as_ref().map(Peer::base_url).map(|url| url.as_str().trim_end_matches('/').to_owned());
        match method {
            Method::ClockAdvance => json!({"seconds": 1}),
            Method::PeerPropose => json!({"remote_instance_url": url}),
            Method::PeerJoin => json!({
                "base_url": url,
                "acceptance_token": self.peer.as_ref().map(Peer::propose),
                "ca_bundle_pem": self.peer.as_ref().map(Peer::ca_bundle_pem),
            }),
            Method::GrantIssue => json!({
                "peer_id": peer_id, "remote_subject": "covenant", "resource_kind": KIND, "permission_scopes": ["read"],
            }),
            Method::GrantRevoke => {
                json!({"peer_id": peer_id, "grant_id": known("grant_id"), "reason": "checked"})
            }
            Method::GrantHold => {
                let grant = self
                    .peer
                    .as_ref()
                    .map(|peer| peer.issue_grant(KIND, Some(RECORD), vec![Scope::Read, Scope::Migrate]));
                json!({
                    "peer_id": peer_id,
                    "grant_id": grant.as_ref().map(|grant| grant.id.clone()),
                    "bearer_token": grant.as_ref().map(|grant| grant.bearer_token.clone()),
                    "resource_kind": KIND, "resource_id": RECORD, "permission_scopes": ["read", "migrate"],
                    "expires_at": grant.as_ref().map(|grant| grant.expires_at.to_string()),
                })
            }
            Method::ResourceFetch => json!({"peer_id": peer_id, "kind": KIND, "id": RECORD}),
            Method::ResourceGet | Method::ResourceDelete => json!({"kind": KIND, "id": RECORD}),
            Method::ResourcePut => {
                json!({"kind": KIND, "id": RECORD, "record": {"id": RECORD, "name": "checked"}})
            }
            Method::ResourceList => json!({"kind": KIND}),
            Method::CapabilityDeclare => json!({
                "resource_kind": KIND, "schema_version": "1.0", "direction": "bidirectional", "policy": "manual",
            }),
            Method::MigrationSend => json!({
                "peer_id": peer_id, "operation": "duplicate", "root_resource_kind": KIND, "root_resource_id": RECORD,
            }),
            Method::MigrationShow | Method::MigrationCommit | Method::MigrationDelete => {
                json!({"migration_id": known("migration_id")})
            }
            Method::CompromiseDeclare => json!({
                "kind": "intrusion", "detected_at": Clock::system().now().to_string(), "summary": "checked",
            }),
            Method::ResidencySet => json!({"residency": "EU"}),
            Method::ReleaseSet => json!({"version": "1.4.1"}),
            Method::ReleaseDeprecate => {
                json!({"version": "1.4.0", "breaks_at": BREAKS_AT, "notice_url": "https://example.org/end"})
            }
            Method::ContractDeprecate => json!({"version": 1, "reason": "checked"}),
            Method::PeerSuspend | Method::PeerResume | Method::PeerRevoke => {
                json!({"peer_id": peer_id, "reason": "checked"})
            }
            Method::PeerShow
            | Method::GrantList
            | Method::SyncRun
            | Method::HeartbeatSend
            | Method::AuditList
            | Method::AuditRequest
            | Method::OverlayList => json!({"peer_id": peer_id}),
            _ => json!({}),
        }
    }
}

/// The number of characters of a result that are shown.
const SHOWN_MAX: usize = 200;

/// Returns a finding if a result does not have the form of the binding.
fn wanting(method: Method, result: &Value) -> Option<Finding> {
    let expected = expected(method);
    let found = match expected {
        Form::Anything => return None,
        Form::Array(of) if result.is_array() || of.is_some_and(|of| result[of].is_array()) => return None,
        Form::Array(_) => result.to_string(),
        Form::Members(members) => {
            let (name, _) = members.iter().find(|(name, kind)| !kind.is_met(&result[*name]))?;
            format!("{name}: {}", result[*name])
        }
    };
    Some(Finding::Malformed {
        expected: expected.to_string(),
        found: found.chars().take(SHOWN_MAX).collect(),
    })
}

/// The form of a method's result.
#[derive(Clone, Copy)]
enum Form {
    Anything,
    Members(&'static [(&'static str, Kind)]),
    /// An array, or an object with an array under this name.
    Array(Option<&'static str>),
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Address,
    Moment,
    Object,
    Array,
}

impl Kind {
    fn is_met(self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Text => text.is_some_and(|text| !text.is_empty()),
            Self::Address => text.is_some_and(|text| Url::parse(text).is_ok_and(|url| url.has_host())),
            Self::Moment => text.is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Address => "http or https URL",
            Self::Moment => "moment as in RFC 3339",
            Self::Object => "object",
            Self::Array => "array",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anything => f.write_str("anything"),
            Self::Array(None) => f.write_str("an array"),
            Self::Array(Some(name)) => write!(f, "{{\"{name}\": array}} or an array"),
            Self::Members(members) => {
                let members: Vec<String> =
                    members.iter().map(|(name, kind)| format!("\"{name}\": {}", kind.in_words())).collect();
                write!(f, "{{{}}}", members.join(", "))
            }
        }
    }
}

/// Returns the form that `binding.md` gives to a method's result.
fn expected(method: Method) -> Form {
    match method {
        Method::Describe => {
            Form::Members(&[("name", Kind::Text), ("version", Kind::Text), ("verbs", Kind::Array)])
        }
        Method::PlatformStart => Form::Members(&[("base_url", Kind::Address)]),
        Method::ClockNow | Method::ClockAdvance => Form::Members(&[("now", Kind::Moment)]),
        Method::PeerPropose => Form::Members(&[("peer_id", Kind::Text), ("acceptance_token", Kind::Text)]),
        Method::PeerJoin => Form::Members(&[("peer_id", Kind::Text)]),
        Method::PeerShow => Form::Members(&[("peer", Kind::Object)]),
        Method::PeerList => Form::Array(Some("peers")),
        Method::GrantIssue => Form::Members(&[
            ("grant_id", Kind::Text),
            ("bearer_token", Kind::Text),
            ("expires_at", Kind::Moment),
        ]),
        Method::GrantList => Form::Array(Some("grants")),
        Method::CapabilityList => Form::Array(Some("capabilities")),
        Method::ResourceList => Form::Array(Some("resources")),
        Method::MigrationSend => Form::Members(&[("migration_id", Kind::Text), ("status", Kind::Text)]),
        Method::MigrationList => Form::Array(Some("migrations")),
        Method::AuditList => Form::Array(Some("entries")),
        Method::EventList => Form::Array(Some("events")),
        Method::GovernanceScan => Form::Members(&[("findings", Kind::Array)]),
        Method::ContractList => Form::Array(Some("versions")),
        Method::OverlayList => Form::Array(Some("addresses")),
        _ => Form::Anything,
    }
}

/// Starts a partner for the methods that need one. Returns `None` if this machine has no free port.
fn start_peer(clock: Clock) -> Option<Peer> {
    let start = ScenarioStart { source: String::new(), seed: Seed(1) };
    let options = Options {
        name: "partner".to_owned(),
        seed: Seed(1),
        clock: clock.clone(),
        behaviours: vec![],
        recorder: Transcript::in_memory().begin("adapter check", start, clock),
        listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        advertise: None,
        profile: Profile::default(),
        permitted_choices: PermittedChoices::plain(),
        limits: Limits::default(),
        snapshot: None,
        pace: None,
    };
    Peer::start(options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_bindings_form_is_reported_with_what_was_expected() {
        let good = json!({"peer_id": "a", "acceptance_token": "b"});
        assert_eq!(wanting(Method::PeerPropose, &good), None);
        let finding = wanting(Method::PeerPropose, &json!({"peer_id": 7})).expect("a finding");
        let Finding::Malformed { expected, found } = finding else { panic!("{finding:?}") };
        assert_eq!(expected, r#"{"peer_id": text, "acceptance_token": text}"#);
        assert_eq!(found, "peer_id: 7");
        assert!(wanting(Method::ClockNow, &json!({"now": "yesterday"})).is_some());
        assert_eq!(wanting(Method::PeerList, &json!([])), None);
        assert_eq!(wanting(Method::PeerList, &json!({"peers": []})), None);
        assert!(wanting(Method::PeerList, &json!({"peer": []})).is_some());
    }
}
