//! The platform over real sockets and real mTLS, called by a plain client.

mod conduct;
mod contract_text;
mod crash;
mod federation;
mod governance;
mod handshake;
mod migrations;
mod misreporting_peers;
mod patches;

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::{Options, Running};
use covenant_model::clock::{Clock, Seed};
use covenant_model::operator::Method;
use covenant_model::wire::generation::{FORWARDED, ProxiedCaller};
use covenant_model::wire::header;
use covenant_model::wire::path::PREFIX;
use covenant_net::net::{Client, ClientOptions, Limits, Request};
use covenant_net::pki::{ClientTls, Identity, SigningRequest, TlsOptions, Trust};

/// A platform and its clock.
struct Target {
    running: Running,
    clock: Clock,
}

/// A status and a body.
#[derive(Debug)]
struct TestResponse {
    status: u16,
    body: Value,
}

/// A peer that completed the handshake with a target.
struct Guest {
    peer_id: String,
    identity: Option<Identity>,
    base_url: Url,
    trust: Trust,
    clock: Clock,
}

fn options() -> Options {
    let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a time");
    Options::in_memory(Clock::manual(start), Seed(7))
}

impl Target {
    async fn start(options: Options) -> Self {
        let clock = options.clock.clone();
        Self { running: super::Platform::start(options).await.expect("starts"), clock }
    }

    /// Starts a target that declares the kind `skill`, with `note` as its dependency.
    async fn with_skills(options: Options) -> Self {
        let target = Self::start(options).await;
        target.declare(json!({"resource_kind": "skill", "dependencies": ["note"]})).await;
        target.declare(json!({"resource_kind": "note"})).await;
        target
    }

    /// Declares a kind with the given members, and plain ones for the rest.
    async fn declare(&self, row: Value) {
        let plain = json!({"schema_version": 1, "direction": "bidirectional", "policy": "manual"});
        self.operate("capability.declare", merged(plain, &row)).await;
    }

    /// Calls a method by name. Its result has the form that the table gives it.
    async fn operate(&self, method: &str, parameters: Value) -> Value {
        let method = Method::parse(method).expect("a method");
        let result = self.running.platform.call(method, parameters).await;
        let result = result.unwrap_or_else(|error| panic!("{method}: {error}"));
        assert_eq!(method.definition().check_result(result.clone()), Ok(()), "{method}: {result}");
        result
    }

    async fn propose(&self) -> (String, String) {
        let proposed =
            self.operate("peer.propose", json!({"remote_instance_url": "https://peer.example"})).await;
        let text = |name: &str| proposed[name].as_str().expect("a text").to_owned();
        (text("peer_id"), text("acceptance_token"))
    }

    /// Returns a guest without a certificate.
    fn anonymous_client(&self) -> Guest {
        let trust = Trust::new();
        trust.add("target", self.running.ca_bundle_pem()).expect("an authority");
        Guest {
            peer_id: String::new(),
            identity: None,
            base_url: Url::parse(self.running.base_url()).expect("a URL"),
            trust,
            clock: self.clock.clone(),
        }
    }

    /// Returns a peer that completed the handshake and sent its first heartbeat: active.
    async fn guest(&self) -> Guest {
        let mut guest = self.anonymous_client();
        let (_, token) = self.propose().await;
        let response = guest.accept(&token, json!({})).await;
        assert_eq!(response.status, 200, "{response:?}");
        let response = guest.heartbeat(json!({})).await;
        assert_eq!(response.body["data"]["status"], "active", "{response:?}");
        guest
    }

    async fn grant(&self, guest: &Guest, scopes: &[&str]) -> (String, String) {
        let asked = json!({
            "peer_id": guest.peer_id, "resource_kind": "skill", "permission_scopes": scopes,
            "remote_subject": "agent-7",
        });
        let issued = self.operate("grant.issue", asked).await;
        let text = |name: &str| issued[name].as_str().expect("a text").to_owned();
        (text("grant_id"), text("bearer_token"))
    }

    /// Returns the kinds of the findings about a guest, in the order in which they were raised.
    async fn findings(&self, guest: &Guest) -> Vec<String> {
        let scan = self.operate("governance.scan", Value::Null).await;
        let all = scan["findings"].as_array().expect("a list").iter();
        let own = all.filter(|finding| finding["federation_peer_id"] == guest.peer_id.as_str());
        own.map(|finding| finding["kind"].as_str().expect("a text").to_owned()).collect()
    }

    async fn status(&self, guest: &Guest) -> String {
        let shown = self.operate("peer.show", json!({"peer_id": guest.peer_id})).await;
        shown["peer"]["status"].as_str().expect("a status").to_owned()
    }
}

/// Returns the introduction of a conforming peer.
fn introduction() -> Value {
    json!({
        "metadata": {
            "operator_contact": "operator@guest.example", "jurisdiction": "FR",
            "platform_version": "1.4.2", "last_known_good_release": "v1.4.1",
        },
        "platform_version": "1.4.2", "data_residency": "eu",
        "capabilities": {"resource_kinds": [{"kind": "skill", "schema_version": 1, "direction": "bidirectional"}]},
    })
}

/// Merges `change` into `value`. `null` removes a member.
fn merged(mut value: Value, change: &Value) -> Value {
    if let (Some(members), Some(changes)) = (value.as_object_mut(), change.as_object()) {
        for (name, change) in changes {
            match (change, members.get_mut(name)) {
                (Value::Null, _) => {
                    members.remove(name);
                }
                (Value::Object(_), Some(kept)) => *kept = merged(kept.take(), change),
                _ => {
                    members.insert(name.clone(), change.clone());
                }
            }
        }
    }
    value
}

impl Guest {
    /// Calls accept, with `change` merged into a conforming request.
    async fn accept(&mut self, token: &str, change: Value) -> TestResponse {
        let request = SigningRequest::new("whatever").expect("a request");
        let conforming = json!({"acceptance_token": token, "contract_version": 1, "csr_pem": request.pem()});
        let body = merged(merged(conforming, &introduction()), &change);
        let response = self.call("POST", "accept", Some(body), None).await;
        let data = &response.body["data"];
        self.peer_id = data["peer_id"].as_str().unwrap_or_default().to_owned();
        let part = |name: &str| data["federation_certificate"][name].as_str().unwrap_or_default().to_owned();
        self.identity = request.into_identity(&part("cert_pem"), &part("ca_chain_pem")).ok();
        response
    }

    /// Calls heartbeat, with `change` merged into a conforming request.
    async fn heartbeat(&self, change: Value) -> TestResponse {
        self.call("POST", "heartbeat", Some(merged(introduction(), &change)), None).await
    }

    async fn get(&self, path: &str, token: Option<&str>) -> TestResponse {
        self.call("GET", path, None, token).await
    }

    async fn post(&self, path: &str, body: Value, token: Option<&str>) -> TestResponse {
        self.call("POST", path, Some(body), token).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>, token: Option<&str>) -> TestResponse {
        self.try_call(method, path, body, token).await.expect("an answer")
    }

    async fn try_call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        token: Option<&str>,
    ) -> Result<TestResponse, covenant_net::net::NetError> {
        let tls =
            ClientTls::new(self.identity.as_ref(), self.trust.clone(), &self.clock, TlsOptions::default());
        let client = Client::new(Some(tls.expect("TLS")), Limits::default(), ClientOptions::default());
        let mut headers: Vec<_> = token
            .map(|token| (header::AUTHORIZATION.to_owned(), header::bearer(token)))
            .into_iter()
            .collect();
        // A platform behind a proxy reads the certificate from this header. Any other platform ignores it.
        if let Some(identity) = &self.identity {
            let certificate = identity.certificate();
            let subject = certificate.common_name.clone().unwrap_or_default();
            let certificate = Some((subject, certificate.pem()));
            let caller = ProxiedCaller { peer_id: None, certificate };
            headers.extend((FORWARDED.headers)(&caller));
        }
        let request = Request {
            method: method.to_owned(),
            path_and_query: format!("{PREFIX}/{path}"),
            headers,
            body: body.map(|body| body.to_string().into()),
        };
        let response = client.send(&self.base_url, request).await?;
        let body = serde_json::from_slice(&response.body).unwrap_or_default();
        Ok(TestResponse { status: response.status, body })
    }
}

/// Returns a plan of `create` steps of the kind `skill`, in the given order, with `fail` on any conflict.
fn plan(records: &[Value]) -> Value {
    let steps: Vec<Value> = (0..)
        .zip(records)
        .map(|(order, record)| {
            json!({
                "step_order": order, "resource_kind": "skill", "resource_id": record["id"],
                "action": "create", "conflict_policy": "fail", "payload": record,
            })
        })
        .collect();
    let root = &records[0]["id"];
    json!({
        "operation": "migrate", "root_resource_kind": "skill", "root_resource_id": root,
        "plan_summary": {}, "steps": steps,
    })
}

/// Returns the text of a UUIDv7 that ends in `number`.
fn id(number: u32) -> String {
    format!("01970000-0000-7000-8000-{number:012}")
}
