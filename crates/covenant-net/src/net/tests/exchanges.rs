//! Tests of exchanges that succeed.

use std::net::Ipv4Addr;

use super::*;
use crate::pki::TlsVersions;

#[tokio::test]
async fn both_protocols_and_both_versions_carry_an_exchange() {
    let fixture = fixture().await;
    for (tls, protocol) in [(HTTP1, "HTTP/1.1"), (HTTP2, "HTTP/2")] {
        for (versions, version) in [(TlsVersions::Only12, "TLSv1.2"), (TlsVersions::Both, "TLSv1.3")] {
            for chunked in [false, true] {
                let options = ClientOptions { chunked, ..ClientOptions::default() };
                let client = fixture.client(None, TlsOptions { versions, ..tls }, options);
                let response = fixture.call(&client, "/a/b?c=d").await.expect("an answer");
                assert_eq!((response.status, response.protocol), (200, protocol));
                assert_eq!(response.tls.as_ref().expect("TLS").version, version);
                let seen = body(&response);
                assert_eq!((&seen["path"], &seen["query"]), (&json!("/a/b"), &json!("c=d")));
                assert_eq!((&seen["header"], &seen["body"]), (&json!("1"), &json!("hello")));
                assert_eq!((&seen["protocol"], &seen["tls"]["version"]), (&json!(protocol), &json!(version)));
            }
        }
    }
}

#[tokio::test]
async fn a_response_may_be_chunked_and_has_no_date_header() {
    let fixture = fixture().await;
    for tls in [HTTP1, HTTP2] {
        let client = fixture.client(None, tls, ClientOptions::default());
        let response = fixture.call(&client, "/pieces").await.expect("an answer");
        assert_eq!(body(&response), "in pieces");
        let names: Vec<&str> = response.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert!(!names.contains(&"content-length") && !names.contains(&"date"), "{names:?}");
    }
}

#[tokio::test]
async fn http_is_plain_without_tls_and_addresses_may_be_ipv6() {
    // Some machines have no IPv6.
    let mut listeners = vec![TcpListener::bind("127.0.0.1:0").await.expect("a port")];
    listeners.extend(TcpListener::bind("[::1]:0").await.ok());
    for listener in listeners {
        let server =
            Server::start(listener, None, Arc::new(EchoHandler::default()), small()).expect("a server");
        let url = Url::parse(&format!("http://{}/base/", server.address())).expect("a URL");
        let client = Client::new(None, small(), ClientOptions::default());
        let response = client.send(&url, post("/x")).await.expect("an answer");
        assert_eq!((response.protocol, &response.tls), ("HTTP/1.1", &None));
        assert_eq!(body(&response)["path"], "/base/x");
    }
}

#[tokio::test]
async fn connections_are_kept_alive_only_if_requested() {
    let fixture = fixture().await;
    for tls in [HTTP1, HTTP2] {
        for reuse_connections in [false, true] {
            let options = ClientOptions { reuse_connections, ..ClientOptions::default() };
            let client = fixture.client(None, tls, options);
            let first = body(&fixture.call(&client, "/").await.expect("an answer"))["connection"].clone();
            let second = body(&fixture.call(&client, "/").await.expect("an answer"))["connection"].clone();
            assert_eq!(first == second, reuse_connections, "{tls:?}");
            client.forget_connections();
            let third = body(&fixture.call(&client, "/").await.expect("an answer"))["connection"].clone();
            assert_ne!(second, third, "{tls:?}");
        }
    }
}

#[tokio::test]
async fn the_server_sees_the_source_address_of_the_client() {
    let fixture = fixture().await;
    for source in [None, Some(Ipv4Addr::new(127, 0, 1, 2))] {
        let client = fixture.client(None, HTTP1, ClientOptions { source, ..ClientOptions::default() });
        let response = fixture.call(&client, "/").await.expect("an answer");
        assert_eq!(body(&response)["remote"], json!(response.source.unwrap_or(Ipv4Addr::LOCALHOST)));
        if cfg!(target_os = "linux") {
            assert_eq!(response.source, source);
        }
    }
}

#[tokio::test]
async fn a_kept_alive_connection_to_a_restarted_server_is_replaced() {
    for tls in [HTTP1, HTTP2] {
        let Fixture { clock, authority, server, url, .. } = fixture().await;
        let address = server.address().to_string();
        let trust = Trust::new();
        trust.add("server", authority.pem()).expect("an anchor");
        let client_tls = ClientTls::new(None, trust.clone(), &clock, tls).expect("TLS");
        let options = ClientOptions { reuse_connections: true, ..ClientOptions::default() };
        let client = Client::new(Some(client_tls), small(), options);
        assert!(client.send(&url, post("/")).await.is_ok());
        server.kill().await;
        let again = fixture_at(&address).await;
        trust.add("server", again.authority.pem()).expect("an anchor");
        assert_eq!(body(&client.send(&url, post("/")).await.expect("an answer"))["connection"], 1);
    }
}

#[tokio::test]
async fn a_handler_gets_the_head_of_a_request_before_its_body_is_there() {
    let fixture = fixture().await;
    for tls in [HTTP1, HTTP2] {
        let client = fixture.client(None, tls, ClientOptions::default());
        let pause = Pause::default();
        let sending = client.send_in_halves(&fixture.url, post("/half"), &pause);
        let meanwhile = async {
            pause.first_half_sent().await;
            fixture.handler.begun.notified().await;
            pause.resume();
        };
        let (response, ()) = tokio::join!(sending, meanwhile);
        let seen = body(&response.expect("an answer"));
        assert_eq!((&seen["body"], &seen["mark"]), (&json!("hello"), &json!(true)));
    }
}

#[tokio::test]
async fn a_client_learns_that_the_head_of_its_request_was_read() {
    let fixture = fixture().await;
    let client = fixture.client(None, HTTP1, ClientOptions::default());
    let mut request = post("/half");
    request.headers.push(("expect".to_owned(), "100-continue".to_owned()));
    let pause = Pause::default();
    let sending = client.send_in_halves(&fixture.url, request, &pause);
    let meanwhile = async {
        pause.head_received().await;
        pause.resume();
    };
    let (response, ()) = tokio::join!(sending, meanwhile);
    assert_eq!(body(&response.expect("an answer"))["body"], json!("hello"));
}
