//! Checks an adapter method by method: is each method there, and does its result have the form of the
//! binding?

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::{Value, json};
use url::Url;

use crate::clock::{Clock, Seed, read_moment};
use crate::net::Limits;
use crate::operator::platform::Describe;
use crate::operator::{
    Description, Kind, Method, MethodDef, NONEXISTENT_METHOD, OperatorClient, OperatorError, OperatorMethod,
    TargetRequest, Targets, contract, grant, network, peer, platform, resource,
};
use crate::peer::{Options, Peer, PermittedChoices, Profile, StepContext, TargetAddress};
use crate::report::terminal;
use crate::scenario::fit_parameters;
use crate::transcript::mask::Mask;
use crate::transcript::{ScenarioStart, Transcript};
use crate::wire::generation::CallerForm;
use crate::wire::grant::Scope;

/// The methods that end something. They are called last, so that the others still have what they need.
const LAST: [Method; 6] = [
    resource::Delete::METHOD,
    peer::Revoke::METHOD,
    contract::Deprecate::METHOD,
    platform::Kill::METHOD,
    platform::Stop::METHOD,
    platform::Reset::METHOD,
];

/// The members of results that later methods need.
const LEARNED: [&str; 6] =
    ["base_url", "ca_bundle_pem", "peer_id", "acceptance_token", "grant_id", "migration_id"];

/// The check of one method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodLine {
    /// The name of the method.
    pub method: String,
    /// Result of the call.
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
                let found = terminal(&found.chars().take(SHOWN_MAX).collect::<String>());
                ("MALFORMED", format!("expected {}\n{:32}found {found}", terminal(expected), ""))
            }
            Finding::Failed { message } => ("FAILED", terminal(message)),
        };
        let remark = self.remark.as_ref().map_or_else(String::new, |remark| format!(" ({remark})"));
        let line = format!("{:<20}{word:<12}{more}{remark}", self.method);
        f.write_str(line.trim_end())
    }
}

/// Checks an operator client. Returns an error if it cannot be called at all.
pub async fn check_operator(targets: &dyn Targets) -> Result<Vec<MethodLine>, OperatorError> {
    let request = TargetRequest { scenario: "adapter check", seed: Seed(1), alone: true, durable: false };
    let lease = targets.lease(request).await?;
    let description = Description::read(&lease.operator.call(Describe::METHOD, json!({})).await?)?;
    let mut lines = vec![impossible(&*lease.operator).await];
    if lines[0].finding == Finding::Fine {
        lines.extend(
            Conversation::begin(&*lease.operator, &description, lease.caller).method_by_method().await,
        );
    }
    drop(lease);
    targets.close().await;
    Ok(lines)
}

/// Calls a method that does not exist. An adapter that accepts any method proves nothing.
async fn impossible(operator: &dyn OperatorClient) -> MethodLine {
    let finding = match operator.call_nonexistent().await {
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
    operator: &'a dyn OperatorClient,
    description: &'a Description,
    caller: CallerForm,
    /// The secrets in the results, so that no line shows one.
    mask: Mask,
    known: BTreeMap<&'static str, Value>,
    clock: Clock,
    peer: Option<Peer>,
}

impl<'a> Conversation<'a> {
    fn begin(operator: &'a dyn OperatorClient, description: &'a Description, caller: CallerForm) -> Self {
        let clock = Clock::manual(Clock::system().now());
        Self {
            operator,
            description,
            caller,
            mask: Mask::default(),
            known: BTreeMap::new(),
            clock,
            peer: None,
        }
    }

    /// Calls the methods in an order in which each has the values that it needs.
    async fn method_by_method(mut self) -> Vec<MethodLine> {
        let mut lines = Vec::new();
        let early = Method::all().filter(|method| !LAST.contains(method));
        for method in early.chain(LAST) {
            lines.push(self.ask(method).await);
            self.afterwards(method).await;
        }
        lines
    }

    async fn ask(&mut self, method: Method) -> MethodLine {
        let evaluation = self.operator.call(method, self.parameters(method)).await;
        if let Ok(result) = &evaluation {
            self.mask.learn_members(result);
        }
        let says_it_has = self.description.has(method);
        let remark = match (&evaluation, says_it_has) {
            (Err(OperatorError::Unsupported { .. }), true) => Some("describe.verbs lists it".to_owned()),
            (Ok(_) | Err(OperatorError::Refused { .. }), false) => {
                Some("describe.verbs does not list it".to_owned())
            }
            _ if method == Describe::METHOD && !self.description.remarks.is_empty() => {
                Some(terminal(&self.description.remarks.join("; ")))
            }
            _ => None,
        };
        let finding = match evaluation {
            Ok(result) => {
                let finding = wanting(method.definition(), &result).unwrap_or(Finding::Fine);
                self.learn(&result);
                finding
            }
            Err(OperatorError::Unsupported { .. }) => Finding::Missing,
            Err(OperatorError::Refused { message, .. }) => Finding::Refused { message },
            Err(other) => Finding::Failed { message: other.to_string() },
        };
        let finding = self.masked(finding);
        MethodLine { method: method.to_string(), finding, remark }
    }

    fn masked(&self, finding: Finding) -> Finding {
        match finding {
            Finding::Refused { message } => Finding::Refused { message: self.mask.text(&message) },
            Finding::Failed { message } => Finding::Failed { message: self.mask.text(&message) },
            Finding::Malformed { expected, found } => {
                Finding::Malformed { expected, found: self.mask.text(&found) }
            }
            other => other,
        }
    }

    /// Keeps the ids and addresses that a result names first, for the methods that come after it, and sets the
    /// peer's clock by the target's.
    fn learn(&mut self, result: &Value) {
        for member in LEARNED {
            if let Some(value) = result.get(member).filter(|value| !value.is_null()) {
                self.known.entry(member).or_insert_with(|| value.clone());
            }
        }
        if let Some(now) = result["now"].as_str().and_then(|now| now.parse().ok()) {
            self.clock.set(now, true);
        }
    }

    /// Follows up on a method. A proposed peer accepts, so that later methods have a partner.
    async fn afterwards(&mut self, method: Method) {
        if method == platform::Advance::METHOD {
            self.peer = start_peer(self.clock.clone());
        }
        let (peer::Propose::METHOD, Some(peer)) = (method, &self.peer) else { return };
        let base_url =
            self.known.get("base_url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
        let Some(base_url) = base_url else { return };
        let ca_bundle_pem = self.known.get("ca_bundle_pem").and_then(Value::as_str).map(ToOwned::to_owned);
        peer.set_target(TargetAddress {
            base_url,
            ca_bundle_pem,
            host_names_checked: false,
            caller: self.caller,
        });
        let token = self.known.get("acceptance_token").and_then(Value::as_str).unwrap_or_default().to_owned();
        let context = StepContext::default();
        // If accept fails, the methods that need a partner report it.
        let _ = peer.accept(&context, &token, &Value::Null).await;
        let _ = peer.heartbeat(&context, &Value::Null).await;
    }

    /// Returns the parameters of the method's example, with the kinds of the platform and the values of this run.
    fn parameters(&self, method: Method) -> Value {
        let mut given = method.definition().example.parameters();
        if let Some(kinds) = &self.description.kinds {
            fit_parameters(&mut given, kinds);
        }
        let own = self.own_values(method, &given);
        for (name, value) in given.as_object_mut().into_iter().flatten() {
            if let Some(own) = own.get(name) {
                *value = own.clone();
            }
        }
        given
    }

    /// Returns the values that only this run knows, by the names of the parameters.
    fn own_values(&self, method: Method, example: &Value) -> Value {
        let known = |name: &str| self.known.get(name).cloned().unwrap_or(Value::Null);
        let peer = self.peer.as_ref();
        let url = peer.map(Peer::base_url_text);
        let text = |name: &str| example[name].as_str().unwrap_or_default();
        match method {
            peer::Join::METHOD => json!({
                "base_url": url,
                "acceptance_token": peer.map(Peer::propose),
                "ca_bundle_pem": peer.map(Peer::ca_bundle_pem),
            }),
            network::Probe::METHOD => json!({"url": url, "peer_id": known("peer_id")}),
            grant::Hold::METHOD => {
                let (kind, id) = (text("resource_kind"), text("resource_id"));
                let scopes = vec![Scope::Read, Scope::Migrate];
                let grant = peer.map(|peer| peer.issue_grant(kind, Some(id), scopes));
                json!({
                    "peer_id": known("peer_id"),
                    "grant_id": grant.as_ref().map(|grant| grant.id.clone()),
                    "bearer_token": grant.as_ref().map(|grant| grant.bearer_token.clone()),
                    "expires_at": grant.as_ref().map(|grant| grant.expires_at.to_string()),
                })
            }
            _ => json!({
                "peer_id": known("peer_id"),
                "grant_id": known("grant_id"),
                "migration_id": known("migration_id"),
                "remote_instance_url": url,
                "detected_at": Clock::system().now().to_string(),
            }),
        }
    }
}

/// The number of characters of a result that are shown.
const SHOWN_MAX: usize = 200;

/// Returns a finding if a result does not have the form of the table.
fn wanting(row: &MethodDef, result: &Value) -> Option<Finding> {
    let expected = row.result();
    let lacking = expected.required().find(|member| !is_met(&member.kind, &result[&*member.name]));
    let found = match lacking {
        _ if result.is_array() && expected.may_be_bare => return None,
        None if result.is_null() && expected.required().next().is_none() => return None,
        None => row.check_result(result.clone()).err()?,
        Some(_) if expected.may_be_bare => result.to_string(),
        Some(member) => format!("{}: {}", member.name, result[&*member.name]),
    };
    Some(Finding::Malformed { expected: expected.to_string(), found })
}

/// Returns true if a value is of a kind. A text that says nothing is none.
fn is_met(kind: &Kind, value: &Value) -> bool {
    let text = value.as_str();
    match kind {
        Kind::Text => text.is_some_and(|text| !text.is_empty()),
        Kind::Url => text.is_some_and(|text| Url::parse(text).is_ok_and(|url| url.has_host())),
        Kind::Moment => text.is_some_and(|text| read_moment(text).is_some()),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Boolean => value.is_boolean(),
        Kind::Object => value.is_object(),
        Kind::Array(_) => value.is_array(),
        Kind::Anything => true,
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
        server_identity: None,
        pace: None,
    };
    Peer::start(options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_bindings_form_is_reported_with_what_was_expected() {
        let check = |method: Method, result: Value| wanting(method.definition(), &result);
        let good = json!({"peer_id": "a", "acceptance_token": "b"});
        assert_eq!(check(peer::Propose::METHOD, good), None);
        let finding = check(peer::Propose::METHOD, json!({"peer_id": 7})).expect("a finding");
        let Finding::Malformed { expected, found } = finding else { panic!("{finding:?}") };
        assert_eq!(expected, r#"{"peer_id": text, "acceptance_token": text}"#);
        assert_eq!(found, "peer_id: 7");
        assert!(check(platform::Now::METHOD, json!({"now": "yesterday"})).is_some());
        assert_eq!(check(peer::List::METHOD, json!([])), None);
        assert_eq!(check(peer::List::METHOD, json!({"peers": []})), None);
        assert!(check(peer::List::METHOD, json!({"peer": []})).is_some());
        assert_eq!(check(peer::Suspend::METHOD, Value::Null), None);
        assert!(
            check(platform::Start::METHOD, json!({"base_url": "https://a", "ca_bundle_pem": 7})).is_some()
        );
    }
}
