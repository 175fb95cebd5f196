//! An adapter, looked at verb by verb: is each there, and does it answer in the binding's form?

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use crate::clock::{Clock, Seed};
use crate::net::Limits;
use crate::operator::{Adapter, Description, Hands, HandsError, Stdio, Targets, Verb};
use crate::peer::{Cue, Options, Peer, Profile, TargetAddress, Variation};
use crate::report::terminal;
use crate::transcript::{ScenarioStart, Transcript};
use crate::wire::grant::Scope;

/// A verb that cannot exist.
const IMPOSSIBLE_VERB: &str = "covenant.square_the_circle";
/// The kind of the records that are used.
const KIND: &str = "skill";
/// A record that is put, found and deleted.
const RECORD: &str = "0190b2f0-0000-7000-8000-00000000c0de";
/// The date of a release's end.
const BREAKS_AT: &str = "2100-01-01T00:00:00Z";

/// What was found of one verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerbLine {
    /// The verb.
    pub verb: String,
    /// What was found.
    pub finding: Finding,
    /// Something beside it that should be mended.
    pub remark: Option<String>,
}

/// What was found of a verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is there, and answers in the binding's form.
    Fine,
    /// The adapter says that it does not know it: lawful, and its clauses stay unproven.
    Missing,
    /// It is there, and said no this time.
    Refused {
        /// Its error.
        message: String,
    },
    /// What it answered is not what the binding says.
    Malformed {
        /// What the binding says.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The adapter died, hung, or broke its protocol.
    Failed {
        /// What happened.
        message: String,
    },
}

impl fmt::Display for VerbLine {
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
        let line = format!("{:<20}{word:<12}{more}{remark}", self.verb);
        f.write_str(line.trim_end())
    }
}

/// Talks to an adapter of this make. The error is an adapter that can't be talked to at all.
pub async fn check_adapter(adapters: &Stdio) -> Result<Vec<VerbLine>, HandsError> {
    let adapter = adapters.start().await?;
    let mut lines = vec![impossible(&adapter).await];
    if lines[0].finding == Finding::Fine {
        lines.extend(Conversation::begin(&adapter).verb_by_verb().await);
    }
    drop(adapter);
    adapters.close().await;
    Ok(lines)
}

/// An adapter that does anything it is asked for says nothing by it.
async fn impossible(adapter: &Adapter) -> VerbLine {
    let finding = match adapter.perform(IMPOSSIBLE_VERB, json!({})).await {
        Err(HandsError::Unsupported { .. }) => Finding::Fine,
        Err(HandsError::Refused { code, message, .. }) => {
            malformed_impossible(&format!("error {code} {message:?}"))
        }
        Ok(result) => malformed_impossible(&result.to_string()),
        Err(other) => Finding::Failed { message: other.to_string() },
    };
    VerbLine { verb: "(no such verb)".to_owned(), finding, remark: None }
}

fn malformed_impossible(found: &str) -> Finding {
    Finding::Malformed {
        expected: format!("error -32601 to {IMPOSSIBLE_VERB}, which cannot exist"),
        found: found.to_owned(),
    }
}

/// What the verbs are asked about, as far as it is known by then.
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

    /// In an order in which each has what it needs.
    async fn verb_by_verb(mut self) -> Vec<VerbLine> {
        const LAST: [Verb; 6] = [
            Verb::ResourceDelete,
            Verb::PeerRevoke,
            Verb::ContractDeprecate,
            Verb::PlatformKill,
            Verb::PlatformStop,
            Verb::PlatformReset,
        ];
        let mut lines = Vec::new();
        let early = Verb::ALL.iter().filter(|verb| !LAST.contains(verb));
        for verb in early.chain(&LAST) {
            lines.push(self.ask(*verb).await);
            self.afterwards(*verb).await;
        }
        lines
    }

    async fn ask(&mut self, verb: Verb) -> VerbLine {
        let outcome = self.adapter.perform(verb.as_str(), self.parameters(verb)).await;
        let says_it_has = self.description.has(verb);
        let remark = match (&outcome, says_it_has) {
            (Err(HandsError::Unsupported { .. }), true) => Some("describe.verbs lists it"),
            (Ok(_) | Err(HandsError::Refused { .. }), false) => Some("describe.verbs does not list it"),
            _ => None,
        };
        let finding = match outcome {
            Ok(result) => {
                let finding = wanting(verb, &result).unwrap_or(Finding::Fine);
                self.learn(verb, &result);
                finding
            }
            Err(HandsError::Unsupported { .. }) => Finding::Missing,
            Err(HandsError::Refused { message, .. }) => Finding::Refused { message },
            Err(other) => Finding::Failed { message: other.to_string() },
        };
        VerbLine { verb: verb.to_string(), finding, remark: remark.map(ToOwned::to_owned) }
    }

    fn learn(&mut self, verb: Verb, result: &Value) {
        let members: &[&str] = match verb {
            Verb::ClockNow | Verb::ClockAdvance => &["now"],
            Verb::PlatformStart => &["base_url", "ca_bundle_pem"],
            Verb::PeerPropose => &["peer_id", "acceptance_token"],
            Verb::GrantIssue => &["grant_id"],
            Verb::MigrationSend => &["migration_id"],
            _ => &[],
        };
        for member in members {
            self.known.insert((*member).to_owned(), result[*member].clone());
        }
    }

    /// A proposed peer accepts, so that the verbs that follow have a partner; its clock is the target's.
    async fn afterwards(&mut self, verb: Verb) {
        if matches!(verb, Verb::ClockNow | Verb::ClockAdvance) {
            let now = self.known.get("now").and_then(Value::as_str).and_then(|now| now.parse().ok());
            if let Some(now) = now {
                self.clock.set(now, true);
            }
        }
        if verb == Verb::ClockAdvance {
            self.peer = start_peer(self.clock.clone());
        }
        let (Verb::PeerPropose, Some(peer)) = (verb, &self.peer) else { return };
        let base_url =
            self.known.get("base_url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
        let Some(base_url) = base_url else { return };
        let ca_bundle_pem = self.known.get("ca_bundle_pem").and_then(Value::as_str).map(ToOwned::to_owned);
        peer.meet(TargetAddress { base_url, ca_bundle_pem, caller: self.description.caller });
        let token = self.known.get("acceptance_token").and_then(Value::as_str).unwrap_or_default().to_owned();
        let cue = Cue::default();
        // Where it does not come about, the verbs that need a partner say so.
        let _ = peer.accept(&cue, &token, &Value::Null).await;
        let _ = peer.heartbeat(&cue, &Value::Null).await;
    }

    fn parameters(&self, verb: Verb) -> Value {
        let known = |name: &str| self.known.get(name).cloned().unwrap_or(Value::Null);
        let peer_id = known("peer_id");
        let url =
            self.peer.as_ref().map(Peer::base_url).map(|url| url.as_str().trim_end_matches('/').to_owned());
        match verb {
            Verb::ClockAdvance => json!({"seconds": 1}),
            Verb::PeerPropose => json!({"remote_instance_url": url}),
            Verb::PeerJoin => json!({
                "base_url": url,
                "acceptance_token": self.peer.as_ref().map(Peer::propose),
                "ca_bundle_pem": self.peer.as_ref().map(Peer::ca_bundle_pem),
            }),
            Verb::GrantIssue => json!({
                "peer_id": peer_id, "remote_subject": "covenant", "resource_kind": KIND, "permission_scopes": ["read"],
            }),
            Verb::GrantRevoke => {
                json!({"peer_id": peer_id, "grant_id": known("grant_id"), "reason": "checked"})
            }
            Verb::GrantHold => {
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
            Verb::ResourceFetch => json!({"peer_id": peer_id, "kind": KIND, "id": RECORD}),
            Verb::ResourceGet | Verb::ResourceDelete => json!({"kind": KIND, "id": RECORD}),
            Verb::ResourcePut => {
                json!({"kind": KIND, "id": RECORD, "record": {"id": RECORD, "name": "checked"}})
            }
            Verb::ResourceList => json!({"kind": KIND}),
            Verb::CapabilityDeclare => json!({
                "resource_kind": KIND, "schema_version": "1.0", "direction": "bidirectional", "policy": "manual",
            }),
            Verb::MigrationSend => json!({
                "peer_id": peer_id, "operation": "duplicate", "root_resource_kind": KIND, "root_resource_id": RECORD,
            }),
            Verb::MigrationShow | Verb::MigrationCommit | Verb::MigrationDelete => {
                json!({"migration_id": known("migration_id")})
            }
            Verb::CompromiseDeclare => json!({
                "kind": "intrusion", "detected_at": Clock::system().now().to_string(), "summary": "checked",
            }),
            Verb::ResidencySet => json!({"residency": "EU"}),
            Verb::ReleaseSet => json!({"version": "1.4.1"}),
            Verb::ReleaseDeprecate => {
                json!({"version": "1.4.0", "breaks_at": BREAKS_AT, "notice_url": "https://example.org/end"})
            }
            Verb::ContractDeprecate => json!({"version": 1, "reason": "checked"}),
            Verb::PeerSuspend | Verb::PeerResume | Verb::PeerRevoke => {
                json!({"peer_id": peer_id, "reason": "checked"})
            }
            Verb::PeerShow
            | Verb::GrantList
            | Verb::SyncRun
            | Verb::HeartbeatSend
            | Verb::AuditList
            | Verb::AuditRequest
            | Verb::OverlayList => json!({"peer_id": peer_id}),
            _ => json!({}),
        }
    }
}

/// Characters of a result that are shown.
const SHOWN_MAX: usize = 200;

/// What of the binding's form a result lacks.
fn wanting(verb: Verb, result: &Value) -> Option<Finding> {
    let expected = expected(verb);
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

/// The form of a verb's result.
#[derive(Clone, Copy)]
enum Form {
    Anything,
    Members(&'static [(&'static str, Kind)]),
    /// An array, or an object with one under this name.
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

/// The form that `binding.md` gives to a verb's result.
fn expected(verb: Verb) -> Form {
    match verb {
        Verb::Describe => {
            Form::Members(&[("name", Kind::Text), ("version", Kind::Text), ("verbs", Kind::Array)])
        }
        Verb::PlatformStart => Form::Members(&[("base_url", Kind::Address)]),
        Verb::ClockNow | Verb::ClockAdvance => Form::Members(&[("now", Kind::Moment)]),
        Verb::PeerPropose => Form::Members(&[("peer_id", Kind::Text), ("acceptance_token", Kind::Text)]),
        Verb::PeerJoin => Form::Members(&[("peer_id", Kind::Text)]),
        Verb::PeerShow => Form::Members(&[("peer", Kind::Object)]),
        Verb::PeerList => Form::Array(Some("peers")),
        Verb::GrantIssue => Form::Members(&[
            ("grant_id", Kind::Text),
            ("bearer_token", Kind::Text),
            ("expires_at", Kind::Moment),
        ]),
        Verb::GrantList => Form::Array(Some("grants")),
        Verb::CapabilityList => Form::Array(Some("capabilities")),
        Verb::ResourceList => Form::Array(Some("resources")),
        Verb::MigrationSend => Form::Members(&[("migration_id", Kind::Text), ("status", Kind::Text)]),
        Verb::MigrationList => Form::Array(Some("migrations")),
        Verb::AuditList => Form::Array(Some("entries")),
        Verb::EventList => Form::Array(Some("events")),
        Verb::GovernanceScan => Form::Members(&[("findings", Kind::Array)]),
        Verb::ContractList => Form::Array(Some("versions")),
        Verb::OverlayList => Form::Array(Some("addresses")),
        _ => Form::Anything,
    }
}

/// A partner for the verbs that need one; none where this machine has no port for it.
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
        variation: Variation::plain(),
        limits: Limits::default(),
        keepsake: None,
        pace: None,
    };
    Peer::start(options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_bindings_form_is_told_with_what_was_expected() {
        let good = json!({"peer_id": "a", "acceptance_token": "b"});
        assert_eq!(wanting(Verb::PeerPropose, &good), None);
        let finding = wanting(Verb::PeerPropose, &json!({"peer_id": 7})).expect("a finding");
        let Finding::Malformed { expected, found } = finding else { panic!("{finding:?}") };
        assert_eq!(expected, r#"{"peer_id": text, "acceptance_token": text}"#);
        assert_eq!(found, "peer_id: 7");
        assert!(wanting(Verb::ClockNow, &json!({"now": "yesterday"})).is_some());
        assert_eq!(wanting(Verb::PeerList, &json!([])), None);
        assert_eq!(wanting(Verb::PeerList, &json!({"peers": []})), None);
        assert!(wanting(Verb::PeerList, &json!({"peer": []})).is_some());
    }
}
