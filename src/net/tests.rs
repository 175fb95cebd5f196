//! Both ends against each other, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::net::TcpListener;
use url::Url;

use super::{Client, ClientOptions, Handler, Inbound, Limits, NetError, Outbound, Request, Response, Server};
use crate::clock::Clock;
use crate::pki::{Authority, ClientTls, ServerTls, TlsOptions, TlsVersions, Trust};

/// Tells what it saw; `/silent` never answers, `/dead` drops the connection, `/long` is too long.
struct Mirror;

#[async_trait]
impl Handler for Mirror {
    async fn handle(&self, request: Inbound) -> Outbound {
        match request.path.as_str() {
            "/silent" => std::future::pending().await,
            "/dead" => Outbound::abort(),
            "/long" => Outbound { status: 200, body: Bytes::from(vec![b'x'; 4096]), ..Outbound::default() },
            _ => Outbound::json(
                200,
                &serde_json::json!({
                    "connection": request.connection,
                    "body": String::from_utf8_lossy(&request.body),
                    "subject": request.peer_certificate.and_then(|leaf| leaf.common_name),
                }),
            ),
        }
    }
}

/// A server with an authority of its own, and what a client needs to reach it.
struct World {
    clock: Clock,
    authority: Authority,
    trust: Trust,
    server: Server,
    url: Url,
}

async fn world(options: TlsOptions) -> World {
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
    let authority = Authority::new("server", &clock).expect("an authority");
    let trust = Trust::new();
    let identity = authority.leaf("server", &["127.0.0.1"], 90).expect("a leaf");
    let tls = ServerTls::new(&identity, trust.clone(), &clock, options).expect("TLS");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server = Server::start(listener, Some(tls), Arc::new(Mirror), small()).expect("a server");
    let url = Url::parse(&format!("https://{}", server.address())).expect("a URL");
    World { clock, authority, trust, server, url }
}

fn small() -> Limits {
    Limits { body_bytes_max: 1024, exchange_time_max: Duration::from_millis(500), ..Limits::default() }
}

impl World {
    fn client(&self, signer: Option<&Authority>, tls: TlsOptions, options: ClientOptions) -> Client {
        let trust = Trust::new();
        trust.add("server", self.authority.pem()).expect("an anchor");
        let identity = signer.map(|signer| signer.leaf("fed:1", &[], 90).expect("a leaf"));
        let tls = ClientTls::new(identity.as_ref(), trust, &self.clock, tls).expect("TLS");
        Client::new(Some(tls), small(), options)
    }

    async fn call(&self, client: &Client, path: &str) -> Result<Response, NetError> {
        let request = Request {
            method: "POST".into(),
            path_and_query: path.into(),
            headers: vec![("x-a".into(), "1".into())],
            body: Some(Bytes::from_static(b"hello")),
        };
        client.send(&self.url, request).await
    }
}

fn json(response: &Response) -> serde_json::Value {
    serde_json::from_slice(&response.body).expect("JSON")
}

#[tokio::test]
async fn both_protocols_and_both_versions_carry_an_exchange() {
    let world = world(TlsOptions::default()).await;
    for (tls, protocol, version) in [
        (TlsOptions::default(), "HTTP/2", "TLSv1_3"),
        (TlsOptions { without_http2: true, ..TlsOptions::default() }, "HTTP/1.1", "TLSv1_3"),
        (TlsOptions { versions: TlsVersions::Only12, ..TlsOptions::default() }, "HTTP/2", "TLSv1_2"),
    ] {
        for chunked in [false, true] {
            let client = world.client(None, tls, ClientOptions { chunked, ..ClientOptions::default() });
            let response = world.call(&client, "/").await.expect("an answer");
            assert_eq!((response.status, response.protocol), (200, protocol));
            assert_eq!(response.tls.as_ref().expect("TLS").version, version);
            assert_eq!(json(&response)["body"], "hello");
        }
    }
}

#[tokio::test]
async fn a_client_certificate_is_taken_from_a_trusted_authority_only_and_anchors_change_while_it_runs() {
    let world = world(TlsOptions::default()).await;
    let peer = Authority::new("peer", &world.clock).expect("an authority");
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        for without_http2 in [false, true] {
            let tls = TlsOptions { versions, without_http2, ..TlsOptions::default() };
            world.trust.remove("peer");
            let refused = world.call(&world.client(Some(&peer), tls, ClientOptions::default()), "/").await;
            assert_eq!(refused.expect_err("a foreign authority").kind(), "certificate", "{tls:?}");
            world.trust.add("peer", peer.pem()).expect("an anchor");
            let client = world.client(Some(&peer), tls, ClientOptions::default());
            assert_eq!(json(&world.call(&client, "/").await.expect("an answer"))["subject"], "fed:1");
        }
    }
}

#[tokio::test]
async fn an_expired_certificate_is_refused_when_the_clock_has_moved() {
    let world = world(TlsOptions::default()).await;
    let peer = Authority::new("peer", &world.clock).expect("an authority");
    world.trust.add("peer", peer.pem()).expect("an anchor");
    let client = world.client(Some(&peer), TlsOptions::default(), ClientOptions::default());
    assert!(world.call(&client, "/").await.is_ok());
    world.clock.advance_seconds(90 * 86_400 + 1);
    assert_eq!(world.call(&client, "/").await.expect_err("expired").kind(), "certificate");
}

#[tokio::test]
async fn connections_are_kept_alive_only_where_asked() {
    let world = world(TlsOptions::default()).await;
    for without_http2 in [false, true] {
        let tls = TlsOptions { without_http2, ..TlsOptions::default() };
        for reuse_connections in [false, true] {
            let options = ClientOptions { reuse_connections, ..ClientOptions::default() };
            let client = world.client(None, tls, options);
            let first = json(&world.call(&client, "/").await.expect("an answer"))["connection"].clone();
            let second = json(&world.call(&client, "/").await.expect("an answer"))["connection"].clone();
            assert_eq!(first == second, reuse_connections, "{tls:?}");
        }
    }
}

#[tokio::test]
async fn limits_hold_and_each_failure_has_its_word() {
    let world = world(TlsOptions::default()).await;
    for without_http2 in [false, true] {
        let tls = TlsOptions { without_http2, ..TlsOptions::default() };
        let client = world.client(None, tls, ClientOptions::default());
        for (path, kind) in [("/silent", "timeout"), ("/dead", "closed"), ("/long", "too_large")] {
            let error = world.call(&client, path).await.expect_err(path);
            assert_eq!(error.kind(), kind, "{path}: {error}");
        }
    }
    let client = world.client(None, TlsOptions::default(), ClientOptions::default());
    let long = Request {
        method: "POST".into(),
        path_and_query: "/".into(),
        headers: vec![],
        body: Some(Bytes::from(vec![b'x'; 2048])),
    };
    assert_eq!(client.send(&world.url, long).await.expect("an answer").status, 413);
}

#[tokio::test]
async fn a_killed_server_answers_nothing_and_frees_its_port() {
    let world = world(TlsOptions::default()).await;
    let client = world.client(None, TlsOptions::default(), ClientOptions::default());
    let call = world.call(&client, "/silent");
    let address = world.server.address();
    let kill = async {
        tokio::task::yield_now().await;
    };
    let (_, error) = tokio::join!(kill, call);
    assert_eq!(error.expect_err("never answered").kind(), "timeout");
    world.server.kill().await;
    TcpListener::bind(address).await.expect("the port is free again");
}

#[tokio::test]
async fn no_one_there_is_refused() {
    let world = world(TlsOptions::default()).await;
    let client = world.client(None, TlsOptions::default(), ClientOptions::default());
    let url = world.url.clone();
    world.server.stop().await;
    let request = Request { method: "GET".into(), path_and_query: "/".into(), ..Request::default() };
    assert_eq!(client.send(&url, request).await.expect_err("no one listens").kind(), "refused");
}
