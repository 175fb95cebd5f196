//! A target that calls the peers from many connections at the same time.

use covenant::clock::Clock;
use covenant::net::{Client, ClientOptions, Limits, Request as Call};
use covenant::pki::{ClientTls, TlsOptions, Trust};
use futures_util::future::join_all;

use super::responses::body;
use super::server::{Connection, Request, conforming};

/// The number of connections.
const CALLERS: usize = 512;
/// The length of each body, in bytes.
const LENGTH: usize = 8 << 20;

/// Answers as a conforming platform does, and then calls the peer, without a certificate.
pub(crate) async fn call_the_peer(connection: &mut Connection, request: &Request) -> std::io::Result<()> {
    body(connection, conforming(&request.route).to_string()).await?;
    let Some((_, rest)) = request.text.split_once("https://127.0.0.1:") else { return Ok(()) };
    let port = rest.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default();
    let url = url::Url::parse(&format!("https://127.0.0.1:{port}")).expect("a URL");
    tokio::spawn(async move {
        let tls = ClientTls::new(None, Trust::on_first_use(), &Clock::system(), TlsOptions::default());
        let client = Client::new(Some(tls.expect("TLS")), Limits::default(), ClientOptions::default());
        let call = Call {
            method: "POST".to_owned(),
            path_and_query: "/api/v1/system/federation_api/heartbeat".to_owned(),
            body: Some(vec![b'x'; LENGTH].into()),
            ..Call::default()
        };
        join_all((0..CALLERS).map(|_| client.send(&url, call.clone()))).await;
    });
    Ok(())
}
