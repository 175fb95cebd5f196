//! An adapter behind a URL, for tests. Behind it is the embedded platform.

use std::sync::Arc;

use async_trait::async_trait;
use covenant::clock::{Clock, Seed};
use covenant::net::{Handler, Inbound, Limits, Outbound, Server};
use covenant::operator::{Embedded, EmbeddedOptions, Lease, TargetRequest, Targets, serve as serve_lines};
use covenant::pki::{Identity, ServerTls, TlsOptions, Trust};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

/// The bearer token that the adapter requires.
pub(crate) const TOKEN: &str = "opensesame";

/// An adapter to the embedded platform.
pub(crate) struct AdapterServer {
    targets: Embedded,
    lease: Mutex<Lease>,
    /// True if the adapter has `platform.reset`.
    resets: bool,
}

impl AdapterServer {
    pub(crate) async fn start(resets: bool) -> Self {
        let targets = Embedded::new(EmbeddedOptions {
            listen: std::net::Ipv4Addr::LOCALHOST.into(),
            patches: vec![],
            settings: json!({}),
        });
        let lease = Mutex::new(lease(&targets).await);
        Self { targets, lease, resets }
    }

    /// Returns the response to one request of the adapter protocol.
    pub(crate) async fn call(&self, request: &Value) -> Value {
        let mut lease = self.lease.lock().await;
        if self.resets && request["method"] == "platform.reset" {
            *lease = self::lease(&self.targets).await;
            return json!({"jsonrpc": "2.0", "id": request["id"], "result": {}});
        }
        let mut response = Vec::new();
        let line = format!("{request}\n");
        serve_lines(&*lease.operator, line.as_bytes(), &mut response).await.expect("a response");
        let mut response: Value = serde_json::from_slice(&response).expect("JSON");
        if self.resets && request["method"] == "describe" {
            response["result"]["verbs"].as_array_mut().expect("verbs").push(json!("platform.reset"));
        }
        response
    }
}

async fn lease(targets: &Embedded) -> Lease {
    let request = TargetRequest { scenario: "adapter-server", seed: Seed(1), alone: false, durable: true };
    targets.lease(request).await.expect("a platform")
}

#[async_trait]
impl Handler for AdapterServer {
    async fn handle(&self, request: Inbound) -> Outbound {
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Outbound::json(401, &json!({"error": "no valid bearer token"}));
        }
        let request: Value = serde_json::from_slice(&request.body).expect("a request");
        Outbound::json(200, &self.call(&request).await)
    }
}

/// Serves a handler over plain HTTP on a free port.
pub(crate) async fn serve(handler: Arc<dyn Handler>) -> (Server, url::Url) {
    serve_over(None, handler).await
}

/// Serves a handler on a free port, over TLS with this identity if there is one.
pub(crate) async fn serve_over(identity: Option<&Identity>, handler: Arc<dyn Handler>) -> (Server, url::Url) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let scheme = if identity.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}/", listener.local_addr().expect("an address"));
    let tls = identity.map(|identity| {
        ServerTls::new(identity, Trust::new(), &Clock::system(), TlsOptions::default()).expect("a TLS server")
    });
    let server = Server::start(listener, tls, handler, Limits::default()).expect("a server");
    (server, url.parse().expect("a URL"))
}
