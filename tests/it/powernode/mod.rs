//! A Powernode target through its REST surface, and recorded responses of generation G1.

mod planes;
mod shapes;
mod stand_in;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use covenant::Blame;
use covenant::check::Verdict;
use covenant::clock::{Clock, Seed};
use covenant::contract::Section;
use covenant::net::{Handler, Inbound, Limits, Outbound, Server};
use covenant::operator::peer::{self, Propose};
use covenant::operator::powernode::{Credentials, Powernode, Rest};
use covenant::operator::{
    Address, At, ClockSync, Lease, Method, OperatorClient, OperatorError, OperatorMethod, TargetRequest,
    Targets, capability, governance, grant, migration,
};
use covenant::reference::{Database, Options, Platform, Running, Settings};
use covenant::report::Report;
use covenant::runner::{ExternalTarget, Plan, Selection, Target};
use covenant::transcript::Outcome;
use covenant::wire::generation::{CallerForm, FORWARDED_G1};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const PASSWORD: &str = "correct horse";
const TOKEN: &str = "jwt-of-the-operator";

/// A REST surface that calls the operator methods of the reference platform.
struct Surface {
    running: Running,
    log_ins: AtomicU32,
}

impl Surface {
    async fn start() -> Arc<Self> {
        let options = Options {
            clock: Clock::system(),
            seed: Seed(1),
            database: Database::Memory,
            listen: "127.0.0.1:0".parse().expect("an address"),
            settings: Settings::default(),
            patches: vec![],
        };
        let running = Platform::start(options).await.expect("a platform");
        Arc::new(Self { running, log_ins: AtomicU32::new(0) })
    }

    fn address(&self) -> Address {
        Address {
            base_url: self.running.base_url().parse().expect("a URL"),
            ca_bundle_pem: Some(self.running.ca_bundle_pem().to_owned()),
            caller: CallerForm::Tls,
        }
    }

    /// Maps a REST call to an operator method. Returns status and body.
    async fn respond(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let segments: Vec<&str> = path.trim_start_matches("/api/v1/system/").split('/').collect();
        let with_peer = |peer: &str, body: &Value| {
            let mut with = if body.is_object() { body.clone() } else { json!({}) };
            with["peer_id"] = json!(peer);
            with
        };
        let (method, parameters) = match (method, segments.as_slice()) {
            ("POST", ["platform", "peers"]) => {
                return match self.running.platform.call(Propose::METHOD, body).await {
                    Ok(proposed) => (
                        201,
                        json!({"data": {"peer": {"id": proposed["peer_id"]}, "acceptance_token": proposed["acceptance_token"]}}),
                    ),
                    Err(error) => (422, json!({"error": error.message})),
                };
            }
            ("GET", ["platform", "peers", peer]) => (peer::Show::METHOD, json!({"peer_id": peer})),
            ("GET", ["platform", "peers"]) => (peer::List::METHOD, json!({})),
            ("POST", ["platform", "peers", peer, "revoke"]) => (peer::Revoke::METHOD, with_peer(peer, &body)),
            ("POST", ["platform", "peers", peer, "grants"]) => (grant::Issue::METHOD, with_peer(peer, &body)),
            ("POST", ["platform", "peers", peer, "grants", grant, "revoke"]) => {
                (grant::Revoke::METHOD, json!({"peer_id": peer, "grant_id": grant}))
            }
            ("POST", ["platform", "peers", peer, "capabilities"]) => {
                let mut row = with_peer(peer, &body);
                row["schema_version"] = json!(1);
                (capability::Declare::METHOD, row)
            }
            ("PATCH", ["sdwan", "federation_peers", _]) => {
                return (202, json!({"data": {"status": "pending_approval"}}));
            }
            ("GET", ["sdwan", "federation_governance", "scan"]) => (governance::Scan::METHOD, json!({})),
            ("GET", ["platform", "migrations"]) => (migration::List::METHOD, json!({})),
            ("GET", ["platform", "migrations", id]) => (migration::Show::METHOD, json!({"migration_id": id})),
            _ => return (404, json!({"status": 404, "error": "Not Found"})),
        };
        match self.running.platform.call(method, parameters).await {
            Ok(result) => (200, json!({"success": true, "data": result})),
            Err(error) => (422, json!({"success": false, "error": error.message})),
        }
    }
}

#[async_trait]
impl Handler for Surface {
    async fn handle(&self, request: Inbound) -> Outbound {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        if request.path == "/api/v1/auth/login" {
            if self.log_ins.fetch_add(1, Ordering::SeqCst) >= 5 {
                return Outbound::json(429, &json!({"error": "too many"}));
            }
            if body["password"] != PASSWORD {
                return Outbound::json(401, &json!({"success": false, "error": "Invalid email or password"}));
            }
            return Outbound::json(200, &json!({"success": true, "data": {"access_token": TOKEN}}));
        }
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Outbound::json(401, &json!({"error": "Unauthorized"}));
        }
        let (status, response) = self.respond(&request.method, &request.path, body).await;
        Outbound::json(status, &response)
    }
}

async fn serve(handler: Arc<dyn Handler>) -> (Server, url::Url) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = Server::start(listener, None, handler, Limits::default()).expect("a server");
    (server, url.parse().expect("a URL"))
}

fn rest(url: url::Url, password: &str) -> Rest {
    let credentials = Credentials {
        email: "operator@platform.example".to_owned(),
        password: password.to_owned(),
        worker_token: None,
    };
    Rest::new(url, None, credentials, Duration::from_mins(1))
}

fn actual(report: &Report, verdict: Verdict) -> BTreeMap<String, String> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    evaluations
        .filter(|evaluation| evaluation.result.verdict == verdict)
        .map(|evaluation| (evaluation.check.id.clone(), evaluation.result.actual.clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn powernode_is_evaluated_through_its_rest_surface_with_one_log_in() {
    let surface = Surface::start().await;
    let address = surface.address();
    let (_server, url) = serve(surface.clone()).await;
    let targets = Arc::new(At::new(address, Arc::new(Powernode::new(rest(url, PASSWORD), vec![]))));
    let target =
        Target::ExternalTarget(ExternalTarget { name: "powernode".to_owned(), arguments: vec![], targets });
    let selection = Selection::new(
        &[],
        &[Section::Commitment(1), Section::Commitment(2), Section::Commitment(4), Section::Commitment(7)],
    )
    .expect("commitments");
    // The platform responds fast, so a short timeout is enough for what never arrives.
    let mut plan = Plan { target, selection, cases: 0, ..Plan::default() };
    plan.run_context.poll_timeout = Duration::from_secs(1);
    let report = plan.run_to_report().await.expect("a run");
    assert_eq!(report.void, None);
    assert_eq!(actual(&report, Verdict::Broken), BTreeMap::new());
    assert!(report.counts.kept > 5, "{:?}", report.counts);
    let missing: BTreeSet<&str> = report.missing_methods.iter().map(|missing| &*missing.method).collect();
    assert!(missing.contains("clock.advance") && missing.contains("resource.fetch"), "{missing:?}");
    assert_eq!(surface.log_ins.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_and_unsupported_methods_of_the_rest_surface_are_reported() {
    let surface = Surface::start().await;
    let (_server, url) = serve(surface.clone()).await;
    let operator = Powernode::new(rest(url.clone(), PASSWORD), vec![]);
    let peer = operator.call(Propose::METHOD, json!({"remote_instance_url": "https://a.example"})).await;
    let peer_id = peer.expect("a peer")["peer_id"].clone();
    let pending =
        operator.call(peer::Suspend::METHOD, json!({"peer_id": peer_id})).await.expect_err("pending");
    assert!(pending.to_string().contains("pending approval (202)"), "{pending}");
    let unsupported = operator.call(peer::ListOverlay::METHOD, json!({"peer_id": peer_id})).await;
    assert_eq!(unsupported, Err(OperatorError::unsupported(peer::ListOverlay::METHOD)));
    let sweep = operator.call(peer::SendHeartbeat::METHOD, json!({"peer_id": peer_id})).await;
    assert_eq!(
        sweep,
        Err(OperatorError::unsupported(peer::SendHeartbeat::METHOD)),
        "it needs a worker token"
    );
    let wrong_password = rest(url, "wrong").log_in().await.expect_err("a wrong password").to_string();
    assert!(
        wrong_password.contains("Invalid email or password") && !wrong_password.contains("wrong\""),
        "{wrong_password}"
    );
}

const RECORDINGS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/wire/transcripts/powernode-g1.jsonl");

/// A platform of generation G1 that gives a recorded response on each route.
struct Recorded(BTreeMap<&'static str, Value>);

impl Recorded {
    fn read() -> Option<Self> {
        let text = std::fs::read_to_string(Path::new(RECORDINGS)).ok()?;
        let wanted = [
            ("accept", "accept_ok_full"),
            ("heartbeat", "auth_cert_by_subject"),
            ("resource", "resource_L10_cidr_ok"),
            ("migrations", "migration_300_steps"),
            ("audit", "audit_garbage_timestamps"),
            ("catalog", "catalog_empty"),
            ("anonymous", "auth_no_cert_service_catalog"),
            ("nowhere", "route_unknown_html"),
        ];
        let recordings: Vec<Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let named = |name: &str, route: &str| {
            let exact = recordings.iter().find(|recording| recording["name"] == name);
            let of_route = || {
                recordings.iter().find(|recording| {
                    recording["response"]["status"] == 200
                        && recording["request"]["path"].as_str().is_some_and(|path| path.ends_with(route))
                })
            };
            exact.or_else(of_route).map(|recording| recording["response"].clone())
        };
        Some(Self(wanted.iter().filter_map(|(route, name)| Some((*route, named(name, route)?))).collect()))
    }
}

#[async_trait]
impl Handler for Recorded {
    async fn handle(&self, request: Inbound) -> Outbound {
        let below = request.path.rsplit("federation_api/").next().unwrap_or_default();
        let route = match below.split('/').next().unwrap_or_default() {
            "accept" => "accept",
            _ if request.header("x-client-s-dn-cn").is_none() => "anonymous",
            "heartbeat" => "heartbeat",
            "resources" => "resource",
            "migrations" if request.method == "POST" => "migrations",
            "audit_excerpts" => "audit",
            "service_catalog" => "catalog",
            _ => "nowhere",
        };
        let recorded = &self.0[route];
        let status = recorded["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
        Outbound::json(status, &recorded["body"])
    }
}

/// An operator client with the few methods that a G1 target has.
#[derive(Debug)]
struct G1Operator(Address);

#[async_trait]
impl Targets for G1Operator {
    async fn lease(&self, _: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        Ok(Lease {
            operator: Arc::new(Self(self.0.clone())),
            clock: Clock::system(),
            clock_sync: ClockSync::Independent,
            caller: CallerForm::Forwarded(&FORWARDED_G1),
            is_fresh: false,
            guard: None,
        })
    }
}

#[async_trait]
impl OperatorClient for G1Operator {
    async fn call(&self, method: Method, _: Value) -> Result<Value, OperatorError> {
        match method.name() {
            "platform.start" => Ok(json!({"base_url": self.0.base_url})),
            "peer.propose" => {
                Ok(json!({"peer_id": "p", "acceptance_token": "a-token-of-forty-three-characters"}))
            }
            "grant.issue" => Ok(json!({
                "grant_id": "01a2075f-bf10-732f-90d5-6f713823df2c",
                "bearer_token": "fg-01a2075f-bf10-732f-90d5-6f713823df2c",
                "expires_at": "2100-01-01T00:00:00Z",
            })),
            "capability.declare" | "peer.revoke" => Ok(json!({})),
            "governance.scan" => Ok(json!({"findings": []})),
            _ => Err(OperatorError::unsupported(method)),
        }
    }

    fn settles_at_once(&self) -> bool {
        true
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
#[tokio::test(flavor = "multi_thread")]
async fn recorded_g1_responses_are_evaluated_without_a_decoding_error() {
    let Some(recorded) = Recorded::read() else {
        eprintln!("skipped: no recordings beside this checkout");
        return;
    };
    let (_server, base_url) = serve(Arc::new(recorded)).await;
    let address = Address { base_url, ca_bundle_pem: None, caller: CallerForm::Forwarded(&FORWARDED_G1) };
    let targets = Arc::new(At::new(address.clone(), Arc::new(G1Operator(address))));
    let target = Target::ExternalTarget(ExternalTarget { name: "G1".to_owned(), arguments: vec![], targets });
    let report = Plan { target, cases: 0, ..Plan::default() }.run_to_report().await.expect("a run");
    // The stages complete, so each of its responses was decoded.
    assert_eq!(report.void, None);
    let faults: Vec<_> = report
        .scenarios
        .iter()
        .filter(|row| {
            let blame = row.outcome.as_ref().and_then(Outcome::blame);
            blame.is_some_and(|blame| blame != Blame::Target)
        })
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(report.counts.emitted > 25 && report.counts.broken > 10, "{:?}", report.counts);
}

#[tokio::test(flavor = "multi_thread")]
async fn base_url_of_another_machine_in_plain_http_has_to_be_allowed() {
    let base_url = "http://192.0.2.1:3000".parse().expect("a URL");
    let address = Address { base_url, ca_bundle_pem: None, caller: CallerForm::Forwarded(&FORWARDED_G1) };
    let targets = Arc::new(G1Operator(address));
    let target = Target::ExternalTarget(ExternalTarget { name: "G1".to_owned(), arguments: vec![], targets });
    for plain_http in [false, true] {
        let mut plan = Plan { target: target.clone(), cases: 0, ..Plan::default() };
        plan.run_context.plain_http = plain_http;
        plan.run_context.limits.connect_time_max = Duration::from_millis(100);
        plan.run_context.limits.exchange_time_max = Duration::from_millis(100);
        let void = plan.run_to_report().await.expect("a run").void.expect("nothing is there");
        assert_eq!(void.contains("plain http needs --plain-http"), !plain_http, "{void}");
    }
}
