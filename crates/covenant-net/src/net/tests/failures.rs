//! Tests of failures and of the kinds that name them.

use std::io::ErrorKind;
use std::os::fd::AsFd;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::net::Protocol;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failure_has_its_kind_and_does_not_disturb_the_server() {
    let fixture = fixture().await;
    for tls in [HTTP1, HTTP2] {
        let client = fixture.client(None, tls, ClientOptions::default());
        for (path, kind) in [
            ("/silent", FailureKind::Timeout),
            ("/dead", FailureKind::Closed),
            ("/torn", FailureKind::Closed),
            ("/panic", FailureKind::Closed),
            ("/long", FailureKind::TooLarge),
            ("/headers", FailureKind::TooLarge),
        ] {
            let error = fixture.call(&client, path).await.expect_err(path);
            assert_eq!(error.kind(), kind, "{tls:?} {path}: {error}");
            assert!(fixture.call(&client, "/").await.is_ok(), "{tls:?} after {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_over_a_limit_is_reported() {
    let fixture = fixture().await;
    for tls in [HTTP1, HTTP2] {
        let client = fixture.client(None, tls, ClientOptions::default());
        for (length, status) in [(1024, 200), (1025, 413), (2048, 413)] {
            let body = Some(Bytes::from(vec![b'x'; length]));
            let response = client.send(&fixture.url, Request { body, ..post("/length") }).await;
            assert_eq!(response.expect("an answer").status, status, "{tls:?} {length}");
        }
        let headers = (0..200).map(|n| (format!("x-{n}"), "1".to_owned())).collect();
        let response = client.send(&fixture.url, Request { headers, ..post("/") }).await.expect("an answer");
        assert_eq!(response.status, 431, "{tls:?}");
    }
    // The handler has heard of each, so that it can record what it never got.
    let heard = |handler: &EchoHandler| {
        let calls = handler.rejected_by_limit.lock().expect("a list");
        calls.iter().filter_map(|call| Some((call.status?, call.reason.clone()))).collect::<Vec<_>>()
    };
    let long = (413, "its body is longer than 1024 bytes".to_owned());
    let heard = heard(&fixture.handler);
    assert_eq!(heard.iter().filter(|call| **call == long).count(), 4, "{heard:?}");
    let heads = heard.iter().filter(|(status, reason)| *status == 431 && reason.contains("100 headers"));
    assert_eq!(heads.count(), 2, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_arrive_is_reported() {
    let fixture = fixture().await;
    for tls in [HTTP1, HTTP2] {
        let client = fixture.client_within(Limits::default(), None, tls, ClientOptions::default());
        let pause = Pause::default();
        let sending = client.send_in_halves(&fixture.url, post("/half"), &pause);
        assert_eq!(sending.await.map(|response| response.status).ok(), Some(408), "{tls:?}");
        let heard = std::mem::take(&mut *fixture.handler.rejected_by_limit.lock().expect("a list"));
        let request = Some(("POST".to_owned(), "/half".to_owned()));
        let reason = "its body did not arrive within 3s".to_owned();
        assert_eq!(heard, [RejectedByLimit { request, status: Some(408), reason }], "{tls:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_answers_nothing_and_frees_its_port() {
    for tls in [HTTP1, HTTP2] {
        let fixture = fixture().await;
        let client = fixture.client(None, tls, ClientOptions::default());
        let (handler, url, server) = (fixture.handler, fixture.url, fixture.server);
        let address = server.address();
        let call = client.send(&url, post("/silent"));
        let kill = async {
            handler.silent.notified().await;
            server.kill().await;
            // The kill ends the handler, not only its connection.
            Arc::try_unwrap(handler).map_err(|_| "a handler still runs").expect("the last one");
            TcpListener::bind(address).await.expect("the port is free again");
        };
        let (answer, ()) = tokio::join!(call, kill);
        assert_eq!(answer.expect_err("killed").kind(), FailureKind::Closed, "{tls:?}");
        assert_eq!(
            client.send(&url, post("/")).await.expect_err("no one listens").kind(),
            FailureKind::Refused
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_completes_requests_in_progress_and_accepts_no_others() {
    let fixture = fixture().await;
    let client = fixture.client(None, HTTP1, ClientOptions { reuse_connections: true, ..Default::default() });
    assert!(fixture.call(&client, "/").await.is_ok());
    let url = fixture.url;
    tokio::time::timeout(Duration::from_secs(1), fixture.server.stop()).await.expect("it need not be killed");
    assert_eq!(client.send(&url, post("/")).await.expect_err("no one listens").kind(), FailureKind::Refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_server_frees_its_port() {
    let fixture = fixture().await;
    let address = fixture.server.address();
    drop(fixture.server);
    let freed = async { while TcpStream::connect(address).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(5), freed).await.expect("the port is let go of");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_half_a_head_times_out_and_delays_no_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let limits = Limits { connections_max: 1, exchange_time_max: Duration::from_millis(200), ..small() };
    let server = Server::start(listener, None, Arc::new(EchoHandler::default()), limits).expect("a server");
    let mut slow = TcpStream::connect(server.address()).await.expect("a connection");
    slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.expect("half a head");
    let url = Url::parse(&format!("http://{}", server.address())).expect("a URL");
    let client = Client::new(None, Limits::default(), ClientOptions::default());
    assert!(client.send(&url, post("/")).await.is_ok(), "once the only place is free");
    let mut rest = vec![];
    let _ = slow.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_http_invalid_tls_and_a_closed_connection_are_distinguished() {
    for (sent, scheme, kind) in [
        (&b"SSH-2.0-x\r\n\r\n"[..], "http", FailureKind::Malformed),
        (&b"SSH-2.0-x\r\n\r\n"[..], "https", FailureKind::Handshake),
        (b"", "http", FailureKind::Closed),
        (b"", "https", FailureKind::Closed),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "http", FailureKind::Closed),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url =
            Url::parse(&format!("{scheme}://{}", listener.local_addr().expect("an address"))).expect("a URL");
        let answer = async {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            // A socket that is dropped with unread data is reset, and the response is lost.
            let _ = socket.read(&mut [0; 4096]).await;
            socket.write_all(sent).await.expect("sent");
        };
        let fixture = fixture().await;
        let client = fixture.client(None, HTTP1, ClientOptions::default());
        let (answer, ()) = tokio::join!(client.send(&url, post("/")), answer);
        let error = answer.expect_err("no answer");
        assert_eq!(error.kind(), kind, "{scheme} {}: {error}", String::from_utf8_lossy(sent));
    }
}

/// Serves these answers, each to a request, on as many connections as it takes. Returns how many it took.
async fn serve_raw(listener: TcpListener, answers: &[&str]) -> usize {
    let mut answers = answers.iter();
    let mut connections = 0;
    while answers.len() > 0 {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        connections += 1;
        while let Ok(1..) = socket.read(&mut [0; 4096]).await {
            let Some(answer) = answers.next() else { break };
            socket.write_all(answer.as_bytes()).await.expect("sent");
            if answers.len() == 0 {
                break;
            }
        }
    }
    connections
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_forms_of_answers_are_read() {
    let old = "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}";
    let folded = "HTTP/1.1 200 OK\r\nx-a: one\r\n two\r\ncontent-length: 2\r\n\r\n{}";
    // The next request of a connection with an HTTP/1.0 answer would be one of HTTP/1.0, whose body in pieces has no end.
    for (answer, connections) in [(old, 2), (folded, 1)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url =
            Url::parse(&format!("http://{}", listener.local_addr().expect("an address"))).expect("a URL");
        let options = ClientOptions { reuse_connections: true, chunked: true, ..ClientOptions::default() };
        let client = Client::new(None, small(), options);
        let calls = async {
            for _ in 0..2 {
                let response = client.send(&url, post("/")).await.expect("an answer");
                assert_eq!((response.status, &response.body[..]), (200, &b"{}"[..]));
            }
        };
        let answers = [answer, answer];
        let (served, ()) = tokio::join!(serve_raw(listener, &answers), calls);
        assert_eq!(served, connections, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_head_names_both_limits() {
    let fixture = fixture().await;
    let client = fixture.client(None, HTTP1, ClientOptions::default());
    let error = fixture.call(&client, "/headers").await.expect_err("two hundred headers");
    assert_eq!(error.to_string(), "more than 100 headers, or more than 65536 bytes of head");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_without_end_that_are_no_answer_end_the_exchange() {
    let settings: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    let ping: &[u8] = &[0, 0, 8, 6, 1, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7];
    for (protocol, first, again) in
        [(Protocol::Http2, settings, ping), (Protocol::Negotiated, b"", b"HTTP/1.1 102 Processing\r\n\r\n")]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let flood = async {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let _ = socket.read(&mut [0; 4096]).await;
            socket.write_all(first).await.expect("sent");
            let many = again.repeat(1000);
            while socket.write_all(&many).await.is_ok() {}
        };
        let limits = Limits { exchange_time_max: Duration::from_mins(1), ..small() };
        let client = Client::new(None, limits, ClientOptions { protocol, ..ClientOptions::default() });
        let url = url.parse().expect("a URL");
        let (answer, ()) = tokio::join!(client.send(&url, post("/")), flood);
        let error = answer.expect_err("no answer");
        assert_eq!(error.to_string(), "more than 1052672 bytes for one answer", "{protocol:?}");
        assert_eq!(error.kind(), FailureKind::TooLarge);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_request_is_an_error_of_the_caller() {
    let client = Client::new(None, small(), ClientOptions::default());
    for url in ["ftp://127.0.0.1/", "https://127.0.0.1/", "data:x"] {
        let url = Url::parse(url).expect("a URL");
        assert_eq!(
            client.send(&url, post("/")).await.expect_err("no way").kind(),
            FailureKind::Request,
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_port_is_taken_once_and_refuses_while_no_one_listens() {
    let port = Port::take("127.0.0.1:0".parse().expect("an address")).expect("a port");
    for _ in 0..2 {
        let refused = TcpStream::connect(port.address()).await.expect_err("no one listens");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let listener = port.listen().expect("its own");
        TcpStream::connect(port.address()).await.expect("someone listens");
        Port::take(port.address()).expect_err("it is taken");
        drop(listener);
    }
}

/// A process that is being started holds a copy of each socket for a moment.
#[tokio::test]
async fn a_port_is_listened_on_again_while_a_copy_of_the_last_listener_is_open() {
    let port = Port::take("127.0.0.1:0".parse().expect("an address")).expect("a port");
    for _ in 0..2 {
        let listener = port.listen().expect("a listener");
        let copy = listener.as_fd().try_clone_to_owned().expect("a copy");
        let handler = Arc::new(EchoHandler::default());
        let server = Server::start(listener, None, handler, Limits::default()).expect("a server");
        TcpStream::connect(port.address()).await.expect("the server listens");
        server.kill().await;
        port.listen().expect("the server listens no more");
        drop(copy);
    }
}
