//! The cost of the gate's relay: requests a second through it against straight, in one run. Prints the figures and asserts
//! that each request was answered.
//!
//! `cargo bench --bench relay`

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use covenant::clock::Clock;
use covenant::gate::{End, Relay};
use covenant::net::{Client, ClientOptions, Handler, Inbound, Limits, Outbound, Request, Server};
use covenant::pki::{Authority, ClientTls, ServerTls, TlsOptions, Trust};
use covenant::wire::generation::CallerForm;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

const LISTEN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The numbers of clients that call side by side.
const CLIENTS: [usize; 3] = [1, 4, 16];
/// The number of requests of each measurement.
const REQUESTS: usize = 4000;
/// The number of measurements of each way, taken in turn. The median counts.
const TURNS: usize = 5;

/// A platform that answers each heartbeat at once.
struct Answering;

#[async_trait]
impl Handler for Answering {
    async fn handle(&self, request: Inbound) -> Outbound {
        assert!(request.peer_certificate.is_some(), "the caller is known");
        Outbound::json(200, &json!({"success": true, "data": {"status": "active", "our_endpoints": []}}))
    }
}

#[tokio::main]
async fn main() {
    let clock = Clock::system();
    let authority = |name: &str| Authority::new(name, &clock).expect("an authority");
    let (caller, callee) = (authority("caller"), authority("callee"));
    let listener = TcpListener::bind((LISTEN, 0)).await.expect("a port");
    let base_url = |port: u16| format!("https://127.0.0.1:{port}").parse::<Url>().expect("a URL");
    let straight = base_url(listener.local_addr().expect("an address").port());
    let trust = Trust::new();
    trust.add("caller", caller.pem()).expect("an anchor");
    let ends = [
        End {
            base_url: straight.clone(),
            ca_bundle_pem: Some(callee.pem().to_owned()),
            caller: CallerForm::Tls,
            clock: clock.clone(),
        },
        End {
            base_url: base_url(1),
            ca_bundle_pem: Some(caller.pem().to_owned()),
            caller: CallerForm::Tls,
            clock: clock.clone(),
        },
    ];
    let relay = Relay::start(ends, LISTEN, Limits::default()).expect("a relay");
    // The relay presents an identity of what stands for the caller.
    trust.add("relay", relay.ca_bundle_pem(1)).expect("an anchor");
    let identity = callee.leaf("callee", &["127.0.0.1"], 1).expect("a leaf");
    let tls = ServerTls::new(&identity, trust, &clock, TlsOptions::default()).expect("TLS");
    let server =
        Server::start(listener, Some(tls), Arc::new(Answering), Limits::default()).expect("a server");

    println!("{REQUESTS} heartbeats over kept TLS 1.3 connections, median of {TURNS} turns");
    for clients in CLIENTS {
        let (mut before, mut through) = (vec![], vec![]);
        for _ in 0..TURNS {
            before.push(rate(&straight, &caller, &clock, clients).await);
            through.push(rate(relay.url(0), &caller, &clock, clients).await);
        }
        let median = |rates: &mut Vec<f64>| {
            rates.sort_by(f64::total_cmp);
            rates[rates.len() / 2]
        };
        let (before, through) = (median(&mut before), median(&mut through));
        println!(
            "{clients:>3} clients: straight {before:>7.0}/s, through the relay {through:>7.0}/s, ratio {:.2}",
            through / before
        );
    }
    server.kill().await;
}

/// Returns the requests a second of some clients, each with a connection of its own.
async fn rate(base_url: &Url, caller: &Authority, clock: &Clock, clients: usize) -> f64 {
    let identity = caller.leaf("fed:1", &[], 1).expect("a leaf");
    let mut all = vec![];
    for _ in 0..clients {
        let tls = ClientTls::new(Some(&identity), Trust::on_first_use(), clock, TlsOptions::default());
        let options = ClientOptions { reuse_connections: true, ..ClientOptions::default() };
        let client = Client::new(Some(tls.expect("TLS")), Limits::default(), options);
        // The handshakes are no part of the measurement.
        send(&client, base_url).await;
        all.push(client);
    }
    let start = Instant::now();
    let mut calling = JoinSet::new();
    for client in all {
        let base_url = base_url.clone();
        calling.spawn(async move {
            for _ in 0..REQUESTS / clients {
                send(&client, &base_url).await;
            }
        });
    }
    while let Some(called) = calling.join_next().await {
        called.expect("each is answered");
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let requests = (REQUESTS / clients * clients) as f64;
    requests / start.elapsed().as_secs_f64()
}

async fn send(client: &Client, base_url: &Url) {
    let body = json!({"status": "active", "platform_version": "1.4.2", "capabilities": {}, "endpoints": []});
    let request = Request {
        method: "POST".to_owned(),
        path_and_query: "/api/v1/system/federation_api/heartbeat".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Some(body.to_string().into()),
    };
    let response = client.send(base_url, request).await.expect("an answer");
    assert_eq!(response.status, 200);
}
