//! A platform that conforms, except on the one route that the setting `hostile` names.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use covenant::net::{Handler, Inbound, Limits, Outbound, Server};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use super::certificates::{Authority, Chain};
use super::responses::raw;

/// The acceptance token. No file of a run may contain it.
pub(crate) const TOKEN: &str = "SeCrEtAcCePtAnCeToKeNoFfOrTyThReEcHaRaCtErS";
/// The bearer token. No file of a run may contain it.
pub(crate) const BEARER_TOKEN: &str = "fgs.01a2075f-bf10-732f-90d5-6f713823df2c.5ec4e75ec4e75ec4e75ec4e7";
/// A route, with the label that the scenario gives to its call.
pub(crate) type Route = (&'static str, &'static str);
/// Each route.
pub(crate) const ROUTES: [Route; 6] = [
    ("accept", "accepted"),
    ("audit_excerpts", "asked"),
    ("heartbeat", "beat"),
    ("migrations", "migrated"),
    ("resources", "fetched"),
    ("sync", "synced"),
];

/// One hostile behaviour.
pub(crate) struct Behaviour {
    pub(crate) name: &'static str,
    /// True if the response is invalid, so that no check of the route may be kept.
    pub(crate) is_invalid: bool,
    pub(crate) layer: Layer,
}

/// The protocol layer that a behaviour replaces.
pub(crate) enum Layer {
    /// The response to a request, over HTTP/1.1.
    Response(for<'a> fn(&'a mut Connection, &'a Request) -> BoxFuture<'a, std::io::Result<()>>),
    /// A text in place of the response to a request, and the end of the connection.
    Text(&'static str),
    /// HTTP/2, after a TLS handshake that negotiated it.
    Frames(for<'a> fn(&'a mut Connection) -> BoxFuture<'a, std::io::Result<()>>),
    /// TLS.
    Socket(for<'a> fn(&'a mut TcpStream) -> BoxFuture<'a, std::io::Result<()>>),
    /// The server certificate.
    Certificate(fn(&Authority) -> Chain),
}

/// A TLS connection.
pub(crate) type Connection = BufReader<TlsStream<TcpStream>>;

/// A request to the platform.
pub(crate) struct Request {
    pub(crate) route: String,
    /// An address that no user named and that a run must not call.
    pub(crate) decoy: SocketAddr,
    /// Head and body as text.
    pub(crate) text: String,
}

/// A running hostile platform, with the adapter URL of its operator.
pub(crate) struct Hostile {
    url: String,
    operator_url: String,
    ca_bundle_pem: String,
    decoy_called: Arc<AtomicBool>,
    _operator: Server,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

struct Shared {
    behaviour: &'static Behaviour,
    /// The route on which the platform is hostile; empty if there is none.
    hostile: Mutex<String>,
    decoy: SocketAddr,
    conforming: Arc<ServerConfig>,
    http2: Arc<ServerConfig>,
    /// The configuration with the hostile certificate, if the behaviour has one.
    hostile_certificate: Option<Arc<ServerConfig>>,
}

impl Hostile {
    pub(crate) async fn start(behaviour: &'static Behaviour) -> Self {
        let authority = Authority::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("an address"));
        let decoy = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let decoy_called = Arc::new(AtomicBool::new(false));
        let hostile_certificate = match behaviour.layer {
            Layer::Certificate(make) => Some(Authority::config(make(&authority), b"http/1.1")),
            _ => None,
        };
        let shared = Arc::new(Shared {
            behaviour,
            hostile: Mutex::default(),
            decoy: decoy.local_addr().expect("an address"),
            conforming: Authority::config(authority.conforming(), b"http/1.1"),
            http2: Authority::config(authority.conforming(), b"h2"),
            hostile_certificate,
        });
        let flag = decoy_called.clone();
        let tasks = vec![
            tokio::spawn(serve(listener, shared.clone())),
            tokio::spawn(async move {
                while decoy.accept().await.is_ok() {
                    flag.store(true, Ordering::SeqCst);
                }
            }),
        ];
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let operator_url = format!("http://{}/", listener.local_addr().expect("an address"));
        let handler = Arc::new(Operator { shared, url: url.clone() });
        let operator = Server::start(listener, None, handler, Limits::default()).expect("a server");
        Self {
            url,
            operator_url,
            ca_bundle_pem: authority.ca_bundle_pem(),
            decoy_called,
            _operator: operator,
            tasks,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn operator_url(&self) -> &str {
        &self.operator_url
    }

    pub(crate) fn ca_bundle_pem(&self) -> &str {
        &self.ca_bundle_pem
    }

    pub(crate) fn decoy_was_called(&self) -> bool {
        self.decoy_called.load(Ordering::SeqCst)
    }
}

/// The adapter of the platform's operator. It conforms.
struct Operator {
    shared: Arc<Shared>,
    url: String,
}

#[async_trait]
impl Handler for Operator {
    async fn handle(&self, request: Inbound) -> Outbound {
        let request: Value = serde_json::from_slice(&request.body).expect("a request");
        let result = match request["method"].as_str().unwrap_or_default() {
            "describe" => {
                json!({"name": "hostile", "version": "1", "protocol": 1, "verbs": [], "settles_at_once": true})
            }
            "platform.start" => {
                let route = request["params"]["settings"]["hostile"].as_str().unwrap_or_default().to_owned();
                *self.shared.hostile.lock().expect("not poisoned") = route;
                json!({"base_url": self.url})
            }
            "peer.propose" => json!({"peer_id": "p", "acceptance_token": TOKEN}),
            "grant.issue" => {
                json!({"grant_id": "g", "bearer_token": BEARER_TOKEN, "expires_at": "2100-01-01T00:00:00Z"})
            }
            "capability.declare" => json!({}),
            _ => {
                let error = json!({"code": -32601, "message": "?"});
                return Outbound::json(200, &json!({"jsonrpc": "2.0", "id": request["id"], "error": error}));
            }
        };
        Outbound::json(200, &json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(serve_connection(socket, shared.clone()));
    }
}

async fn serve_connection(mut socket: TcpStream, shared: Arc<Shared>) {
    let hostile = shared.hostile.lock().expect("not poisoned").clone();
    let is_hostile = !hostile.is_empty();
    let config = match &shared.behaviour.layer {
        Layer::Socket(send) if is_hostile => {
            let _ = send(&mut socket).await;
            return;
        }
        Layer::Certificate(_) if is_hostile => shared.hostile_certificate.clone().expect("made at the start"),
        Layer::Frames(_) if is_hostile => shared.http2.clone(),
        _ => shared.conforming.clone(),
    };
    let Ok(stream) = TlsAcceptor::from(config).accept(socket).await else { return };
    let mut connection = BufReader::new(stream);
    if let (Layer::Frames(send), true) = (&shared.behaviour.layer, is_hostile) {
        let _ = send(&mut connection).await;
        return;
    }
    while let Some((route, text)) = next_request(&mut connection).await {
        let request = Request { route, decoy: shared.decoy, text };
        match &shared.behaviour.layer {
            Layer::Response(send) if request.route == hostile => {
                let _ = send(&mut connection, &request).await;
                return;
            }
            Layer::Text(text) if request.route == hostile => {
                let _ = raw(&mut connection, text).await;
                return;
            }
            _ => {
                if respond(&mut connection, &conforming(&request.route).to_string()).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Reads a request: its route, and its head and body as text.
async fn next_request(
    connection: &mut (impl AsyncRead + AsyncBufReadExt + Unpin),
) -> Option<(String, String)> {
    let mut text = String::new();
    let mut length = 0;
    let mut route = String::new();
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if text.is_empty() {
            let path = line.split_whitespace().nth(1)?;
            let below = path.rsplit("federation_api/").next()?;
            route = below.split(['/', '?']).next()?.to_owned();
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if lower.starts_with("transfer-encoding:") {
            length = usize::MAX;
        }
        let is_end = line.trim().is_empty();
        text.push_str(&line);
        if is_end {
            break;
        }
    }
    let body = if length == usize::MAX {
        chunks(connection).await?
    } else {
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.ok()?;
        body
    };
    text.push_str(&String::from_utf8_lossy(&body));
    Some((route, text))
}

async fn chunks(connection: &mut (impl AsyncRead + AsyncBufReadExt + Unpin)) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await.ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        connection.read_exact(&mut chunk).await.ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// The response body of a conforming platform.
pub(crate) fn conforming(route: &str) -> Value {
    let disclosed = json!({
        "operator_contact": "operator@hostile.example", "jurisdiction": "DE", "platform_version": "1.4.0",
        "last_known_good_release": "v1.4.0",
    });
    match route {
        "accept" => json!({"success": true, "data": {
            "peer_id": "01a2075f-ab38-734e-bd8b-a790d60fdad4", "status": "enrolled", "peer_kind": "platform",
            "contract_version_agreed": 1, "metadata": disclosed,
        }}),
        "heartbeat" => {
            json!({"success": true, "data": {"status": "active", "metadata": disclosed, "our_endpoints": []}})
        }
        "resources" => json!({"success": true, "data": {"kind": "skill", "id": "x", "exists": true}}),
        "audit_excerpts" => json!({"success": true, "data": {"events": [], "shipments": [], "count": 0}}),
        "migrations" => {
            json!({"data": {"migration_id": "m", "status": "completed", "applied_count": 1, "skipped_count": 0}})
        }
        "sync" => json!({"data": {"accepted": 1, "cursor": {"from": "0", "to": "1"}}}),
        _ => json!({"data": {}}),
    }
}

/// Sends a well-formed response.
pub(crate) async fn respond(connection: &mut (impl AsyncWrite + Unpin), body: &str) -> std::io::Result<()> {
    let status = if body.contains("migration_id") { 201 } else { 200 };
    let head = format!(
        "HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(body.as_bytes()).await?;
    connection.flush().await
}
