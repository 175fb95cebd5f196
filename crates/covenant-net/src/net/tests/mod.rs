//! Tests of client and server against each other, over real sockets.

mod certificates;
mod exchanges;
mod failures;
mod foreign_certificates;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use url::Url;

use super::{
    Client, ClientOptions, Handler, Inbound, Limits, NetError, Outbound, Pause, Port, RejectedByLimit,
    Request, Response, Server,
};
use crate::pki::{Authority, ClientTls, ServerTls, TlsOptions, Trust};
use covenant_model::clock::Clock;
use covenant_model::transcript::FailureKind;

const HTTP1: TlsOptions = only(true);
const HTTP2: TlsOptions = only(false);

const fn only(without_http2: bool) -> TlsOptions {
    TlsOptions {
        versions: crate::pki::TlsVersions::Both,
        without_http2,
        without_http1: !without_http2,
        host_names_checked: false,
    }
}

/// Handler that returns the request it received, or acts as the path says.
#[derive(Default)]
struct EchoHandler {
    /// Signal that a request without a response has arrived.
    silent: Notify,
    /// Signal that the head of a request has arrived.
    begun: Notify,
    /// Calls that a limit rejected.
    rejected_by_limit: Mutex<Vec<RejectedByLimit>>,
}

#[async_trait]
impl Handler for EchoHandler {
    async fn begins(&self, head: &Inbound) -> bool {
        self.begun.notify_one();
        head.path == "/half"
    }

    fn rejected_by_limit(&self, call: RejectedByLimit) {
        self.rejected_by_limit.lock().expect("a list").push(call);
    }

    async fn handle(&self, request: Inbound) -> Outbound {
        let long = Bytes::from(vec![b'x'; 1025]);
        match request.path.as_str() {
            "/silent" => {
                self.silent.notify_one();
                std::future::pending().await
            }
            "/dead" => Outbound::abort(),
            "/torn" => Outbound { abort: true, ..Outbound::json(200, &json!("a body of some length")) },
            "/panic" => panic!("as a handler should not"),
            "/long" => Outbound { status: 200, body: long, ..Outbound::default() },
            "/length" => Outbound::json(200, &json!(request.body.len())),
            "/pieces" => Outbound { chunked: true, ..Outbound::json(200, &json!("in pieces")) },
            "/headers" => {
                let headers = (0..200).map(|n| (format!("x-{n}"), "1".to_owned())).collect();
                Outbound { headers, ..Outbound::json(200, &json!({})) }
            }
            _ => Outbound::json(200, &seen(&request)),
        }
    }
}

fn seen(request: &Inbound) -> Value {
    json!({
        "connection": request.connection,
        "path": request.path,
        "query": request.query,
        "header": request.header("X-A"),
        "body": String::from_utf8_lossy(&request.body),
        "protocol": request.protocol,
        "subject": request.peer_certificate.as_ref().and_then(|leaf| leaf.common_name.as_deref()),
        "tls": request.tls,
        "mark": request.mark,
        "remote": request.remote.ip(),
    })
}

/// Server with its own certificate authority, and the data that a client needs to reach it.
struct Fixture {
    clock: Clock,
    authority: Authority,
    /// Trust of the server.
    trust: Trust,
    handler: Arc<EchoHandler>,
    server: Server,
    url: Url,
}

async fn fixture() -> Fixture {
    fixture_at("127.0.0.1:0").await
}

async fn fixture_at(address: &str) -> Fixture {
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
    let authority = Authority::new("server", &clock).expect("an authority");
    let trust = Trust::new();
    let identity = authority.leaf("server", &["127.0.0.1"], 90).expect("a leaf");
    let tls = ServerTls::new(&identity, trust.clone(), &clock, TlsOptions::default()).expect("TLS");
    let listener = TcpListener::bind(address).await.expect("a port");
    let handler = Arc::new(EchoHandler::default());
    let server = Server::start(listener, Some(tls), handler.clone(), small()).expect("a server");
    let url = Url::parse(&format!("https://{}", server.address())).expect("a URL");
    Fixture { clock, authority, trust, handler, server, url }
}

fn small() -> Limits {
    Limits { body_bytes_max: 1024, exchange_time_max: Duration::from_secs(3), ..Limits::default() }
}

impl Fixture {
    /// Creates a client that trusts the server; `signer` gives it a certificate.
    fn client(&self, signer: Option<&Authority>, tls: TlsOptions, options: ClientOptions) -> Client {
        self.client_within(small(), signer, tls, options)
    }

    /// Creates a client with limits of its own.
    fn client_within(
        &self,
        limits: Limits,
        signer: Option<&Authority>,
        tls: TlsOptions,
        options: ClientOptions,
    ) -> Client {
        let trust = Trust::new();
        trust.add("server", self.authority.pem()).expect("an anchor");
        let identity = signer.map(|signer| signer.leaf("fed:1", &[], 90).expect("a leaf"));
        let tls = ClientTls::new(identity.as_ref(), trust, &self.clock, tls).expect("TLS");
        Client::new(Some(tls), limits, options)
    }

    async fn call(&self, client: &Client, path: &str) -> Result<Response, NetError> {
        client.send(&self.url, post(path)).await
    }
}

fn post(path: &str) -> Request {
    Request {
        method: "POST".into(),
        path_and_query: path.into(),
        headers: vec![("x-a".into(), "1".into())],
        body: Some(Bytes::from_static(b"hello")),
    }
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).expect("JSON")
}
