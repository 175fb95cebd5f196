//! The hostile platform: conforming until its desk says on which route it is to be hostile.

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

use super::certificates::{Chain, Keys};

/// The acceptance token: in no file of a run.
pub(crate) const TOKEN: &str = "SeCrEtAcCePtAnCeToKeNoFfOrTyThReEcHaRaCtErS";
/// The bearer token: in no file of a run.
pub(crate) const BEARER_TOKEN: &str = "fgs.01a2075f-bf10-732f-90d5-6f713823df2c.5ec4e75ec4e75ec4e75ec4e7";
/// The routes, and the label that the scenario gives to its call of each.
pub(crate) const ROUTES: [(&str, &str); 6] = [
    ("accept", "accepted"),
    ("audit_excerpts", "asked"),
    ("heartbeat", "beat"),
    ("migrations", "migrated"),
    ("resources", "fetched"),
    ("sync", "synced"),
];

/// One way to fight back.
pub(crate) struct Behaviour {
    pub(crate) name: &'static str,
    /// Whether what it answers is no answer, so that nothing of it may be called kept.
    pub(crate) spoils: bool,
    pub(crate) how: How,
}

/// Where it takes hold.
pub(crate) enum How {
    /// In place of the answer to a request, on a connection that speaks HTTP/1.1.
    Answer(for<'a> fn(&'a mut Wire, &'a Asked) -> BoxFuture<'a, std::io::Result<()>>),
    /// In place of HTTP/2, after a handshake that agreed on it.
    Frames(for<'a> fn(&'a mut Wire) -> BoxFuture<'a, std::io::Result<()>>),
    /// In place of TLS.
    Socket(for<'a> fn(&'a mut TcpStream) -> BoxFuture<'a, std::io::Result<()>>),
    /// With another certificate.
    Certificate(fn(&Keys) -> Chain),
}

/// A connection behind TLS.
pub(crate) type Wire = BufReader<TlsStream<TcpStream>>;

/// A request, and what is known where it is answered.
pub(crate) struct Asked {
    pub(crate) route: String,
    /// Whom no one may call.
    pub(crate) trap: SocketAddr,
    /// What was sent, as text.
    pub(crate) sent: String,
}

/// A hostile platform with its desk.
pub(crate) struct Hostile {
    url: String,
    desk_url: String,
    ca_bundle_pem: String,
    trapped: Arc<AtomicBool>,
    _desk: Server,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

struct Shared {
    behaviour: &'static Behaviour,
    /// The route on which it is hostile just now; empty where it is conforming.
    hostile: Mutex<String>,
    trap: SocketAddr,
    conforming: Arc<ServerConfig>,
    http2: Arc<ServerConfig>,
    other: Option<Arc<ServerConfig>>,
}

impl Hostile {
    pub(crate) async fn start(behaviour: &'static Behaviour) -> Self {
        let keys = Keys::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("an address"));
        let trap = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let trapped = Arc::new(AtomicBool::new(false));
        let other = match behaviour.how {
            How::Certificate(make) => Some(Keys::config(make(&keys), b"http/1.1")),
            _ => None,
        };
        let shared = Arc::new(Shared {
            behaviour,
            hostile: Mutex::default(),
            trap: trap.local_addr().expect("an address"),
            conforming: Keys::config(keys.conforming(), b"http/1.1"),
            http2: Keys::config(keys.conforming(), b"h2"),
            other,
        });
        let flag = trapped.clone();
        let tasks = vec![
            tokio::spawn(serve(listener, shared.clone())),
            tokio::spawn(async move {
                while trap.accept().await.is_ok() {
                    flag.store(true, Ordering::SeqCst);
                }
            }),
        ];
        let desk = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let desk_url = format!("http://{}/", desk.local_addr().expect("an address"));
        let handler = Arc::new(Desk { shared, url: url.clone() });
        let desk = Server::start(desk, None, handler, Limits::default()).expect("a server");
        Self { url, desk_url, ca_bundle_pem: keys.ca_bundle_pem(), trapped, _desk: desk, tasks }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn desk_url(&self) -> &str {
        &self.desk_url
    }

    pub(crate) fn ca_bundle_pem(&self) -> &str {
        &self.ca_bundle_pem
    }

    pub(crate) fn trap_was_called(&self) -> bool {
        self.trapped.load(Ordering::SeqCst)
    }
}

/// The operator's operator, which are conforming.
struct Desk {
    shared: Arc<Shared>,
    url: String,
}

#[async_trait]
impl Handler for Desk {
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
        tokio::spawn(connection(socket, shared.clone()));
    }
}

async fn connection(mut socket: TcpStream, shared: Arc<Shared>) {
    let hostile = shared.hostile.lock().expect("not poisoned").clone();
    let is_hostile = !hostile.is_empty();
    let config = match &shared.behaviour.how {
        How::Socket(act) if is_hostile => {
            let _ = act(&mut socket).await;
            return;
        }
        How::Certificate(_) if is_hostile => shared.other.clone().expect("it was made"),
        How::Frames(_) if is_hostile => shared.http2.clone(),
        _ => shared.conforming.clone(),
    };
    let Ok(stream) = TlsAcceptor::from(config).accept(socket).await else { return };
    let mut wire = BufReader::new(stream);
    if let (How::Frames(act), true) = (&shared.behaviour.how, is_hostile) {
        let _ = act(&mut wire).await;
        return;
    }
    while let Some((route, sent)) = next_request(&mut wire).await {
        let asked = Asked { route, trap: shared.trap, sent };
        match &shared.behaviour.how {
            How::Answer(act) if asked.route == hostile => {
                let _ = act(&mut wire, &asked).await;
                return;
            }
            _ => {
                if answer(&mut wire, &conforming(&asked.route).to_string()).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The route of a request, and all that was sent.
async fn next_request(wire: &mut (impl AsyncRead + AsyncBufReadExt + Unpin)) -> Option<(String, String)> {
    let mut sent = String::new();
    let mut length = 0;
    let mut route = String::new();
    loop {
        let mut line = String::new();
        if wire.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if sent.is_empty() {
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
        sent.push_str(&line);
        if is_end {
            break;
        }
    }
    let body = if length == usize::MAX {
        chunks(wire).await?
    } else {
        let mut body = vec![0; length];
        wire.read_exact(&mut body).await.ok()?;
        body
    };
    sent.push_str(&String::from_utf8_lossy(&body));
    Some((route, sent))
}

async fn chunks(wire: &mut (impl AsyncRead + AsyncBufReadExt + Unpin)) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        wire.read_line(&mut line).await.ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        wire.read_exact(&mut chunk).await.ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// What a conforming platform answers.
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

/// An answer in good order.
pub(crate) async fn answer(wire: &mut (impl AsyncWrite + Unpin), body: &str) -> std::io::Result<()> {
    let status = if body.contains("migration_id") { 201 } else { 200 };
    let head = format!(
        "HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    wire.write_all(head.as_bytes()).await?;
    wire.write_all(body.as_bytes()).await?;
    wire.flush().await
}
