//! OperatorClient behind a URL, for tests: the embedded platform, and whatever else answers requests.

use std::sync::Arc;

use async_trait::async_trait;
use covenant::clock::Seed;
use covenant::net::{Handler, Inbound, Limits, Outbound, Server};
use covenant::operator::{Embedded, EmbeddedOptions, Lease, TargetRequest, Targets, serve as answer_lines};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

/// The token that a desk asks for.
pub(crate) const TOKEN: &str = "opensesame";

/// The embedded platform behind a URL.
pub(crate) struct Desk {
    targets: Embedded,
    lease: Mutex<Lease>,
    /// Whether it can be made again.
    resets: bool,
}

impl Desk {
    pub(crate) async fn open(resets: bool) -> Self {
        let targets = Embedded::new(EmbeddedOptions {
            listen: std::net::Ipv4Addr::LOCALHOST.into(),
            patches: vec![],
            settings: json!({}),
        });
        let lease = Mutex::new(lease(&targets).await);
        Self { targets, lease, resets }
    }

    /// Answers one request of an adapter's protocol.
    pub(crate) async fn call(&self, request: &Value) -> Value {
        let mut lease = self.lease.lock().await;
        if self.resets && request["method"] == "platform.reset" {
            *lease = self::lease(&self.targets).await;
            return json!({"jsonrpc": "2.0", "id": request["id"], "result": {}});
        }
        let mut answer = Vec::new();
        let line = format!("{request}\n");
        answer_lines(&*lease.operator, line.as_bytes(), &mut answer).await.expect("it is answered");
        let mut answer: Value = serde_json::from_slice(&answer).expect("JSON");
        if self.resets && request["method"] == "describe" {
            answer["result"]["verbs"].as_array_mut().expect("verbs").push(json!("platform.reset"));
        }
        answer
    }
}

async fn lease(targets: &Embedded) -> Lease {
    let wish = TargetRequest { scenario: "desk", seed: Seed(1), alone: false, durable: true };
    targets.lease(wish).await.expect("a platform")
}

#[async_trait]
impl Handler for Desk {
    async fn handle(&self, request: Inbound) -> Outbound {
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Outbound::json(401, &json!({"error": "who are you?"}));
        }
        let request: Value = serde_json::from_slice(&request.body).expect("a request");
        Outbound::json(200, &self.call(&request).await)
    }
}

/// Serves a handler in plain HTTP on a port of its own.
pub(crate) async fn serve(handler: Arc<dyn Handler>) -> (Server, url::Url) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let server = Server::start(listener, None, handler, Limits::default()).expect("a server");
    (server, url.parse().expect("a URL"))
}
