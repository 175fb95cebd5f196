//! `covenant doctor`, and an audit without a token: what says nothing of a platform is not "ok".

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::adapter_server::serve;
use crate::program::{ADAPTER_AT, COVENANT, code, covenant_in, output_of};

/// Answers every request in the same way, and returns its URL.
fn answering(head: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 16 * 1024]);
            let length = body.len();
            let _ = stream
                .write_all(format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes());
        }
    });
    url
}

#[test]
fn a_server_that_answers_everything_alike_has_no_generation_and_no_identity() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = "{\"success\":false,\"error\":\"no\",\"code\":\"UNAUTHORIZED\"}";
    for (head, body) in [
        ("302 Found\r\nLocation: https://login.example/", ""),
        ("401 Unauthorized", ""),
        ("401 Unauthorized", error),
        ("422 Unprocessable", error),
        ("503 Service Unavailable", ""),
        ("503 Service Unavailable", error),
        ("200 OK", "<html>hello</html>"),
        ("204 No Content", ""),
        ("404 Not Found", ""),
    ] {
        for identity in [&[][..], &["--identity", "tls"], &["--identity", "forwarded"]] {
            let url = answering(head, body);
            let output = covenant_in(folder.path(), &[&["audit", &url][..], identity].concat());
            let text = output_of(&output);
            assert!(!text.contains("ok    generation") && !text.contains("ok    identity"), "{head}: {text}");
            let is_plausible = head.starts_with("40") && !body.is_empty() || head.starts_with("422");
            assert!(is_plausible || code(&output) == 4, "{head}: {text}");
        }
    }
}

#[test]
fn a_platform_has_its_generation_and_identity() {
    let platform = crate::program::Platform::start(crate::program::LOOPBACK, &[]);
    let output = covenant_in(platform.folder.path(), &["audit", &platform.url, "--ca", "ca.pem"]);
    let text = output_of(&output);
    assert_eq!(code(&output), 0, "{text}");
    for point in ["ok    accept", "ok    generation", "ok    identity"] {
        assert!(text.contains(point), "{point}: {text}");
    }
}

/// Words of a description that are misspelt, in JSON.
const MISSPELT: &str = r#"{"verbs": ["peer.propse"], "settle_at_once": true}"#;

#[test]
fn a_base_url_that_is_none_fails_and_misspelt_words_are_noted() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("adapter.py"), ADAPTER_AT).expect("written");
    for base_url in ["12", "null", "\"\"", "\"a.example\"", "\"ftp://a.example\"", "[]", "{}"] {
        let adapter = format!("python3 adapter.py '{base_url}' '{MISSPELT}'");
        let output = covenant_in(folder.path(), &["doctor", "--adapter", &adapter]);
        let text = output_of(&output);
        assert_eq!(code(&output), 5, "{base_url}: {text}");
        assert!(text.contains("FAIL  start") && text.contains("base_url"), "{base_url}: {text}");
        for near in ["did you mean peer.propose?", "did you mean settles_at_once?"] {
            assert!(text.contains(near), "{near}: {text}");
        }
    }
}

#[test]
fn the_doctor_tries_the_way_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let adapter = format!("{COVENANT} adapter");
    let output = covenant_in(folder.path(), &["doctor", "--adapter", &adapter]);
    let text = output_of(&output);
    assert_eq!(code(&output), 0, "{text}");
    assert!(text.contains("ok    callback"), "{text}");
    let closed = ["doctor", "--adapter", &adapter, "--advertise", "https://127.0.0.1:1"];
    let text = output_of(&covenant_in(folder.path(), &closed));
    assert!(!text.contains("ok    callback") && text.contains("--advertise"), "{text}");
}

/// An HTTP server that closes each connection after one answer, without saying so.
#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_closes_its_connections_silently_is_called_all_the_same() {
    use std::sync::Arc;
    use std::time::Duration;

    use covenant::operator::Http;
    use covenant::runner::{ExternalTarget, Plan, Selection, Target};
    use serde_json::Value;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let adapter = Arc::new(crate::adapter_server::AdapterServer::start(true).await);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let adapter = adapter.clone();
            tokio::spawn(async move {
                let mut request = vec![];
                let body = loop {
                    let mut piece = [0; 4096];
                    let Ok(count @ 1..) = stream.read(&mut piece).await else { return };
                    request.extend(&piece[..count]);
                    let text = String::from_utf8_lossy(&request);
                    let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
                    if let Ok(call) = serde_json::from_str::<Value>(body) {
                        break call;
                    }
                };
                let answer = adapter.call(&body).await.to_string();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
                let _ = stream.write_all((head + &answer).as_bytes()).await;
            });
        }
    });
    let targets = Arc::new(Http::new(url.parse().expect("a URL"), None, None, Duration::from_mins(1)));
    let target = Target::ExternalTarget(ExternalTarget { name: "x".to_owned(), arguments: vec![], targets });
    let selection = Selection::new(&["03-*/**".to_owned()], &[]).expect("a pattern");
    let report =
        Plan { target, selection, cases: 0, ..Plan::default() }.run_to_report().await.expect("a run");
    assert_eq!(report.void, None);
    let aborted: Vec<_> = report
        .scenarios
        .iter()
        .filter(|row| row.outcome.as_ref().is_some_and(|outcome| outcome.blame().is_some()))
        .collect();
    assert!(aborted.is_empty(), "{aborted:?}");
}

/// An adapter that compresses its answers all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_answer_of_an_adapter_is_named_as_the_reason() {
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;
    use covenant::net::{Handler, Inbound, Outbound};
    use covenant::operator::Http;

    struct Compressing;
    #[async_trait]
    impl Handler for Compressing {
        async fn handle(&self, request: Inbound) -> Outbound {
            assert_eq!(request.header("accept-encoding"), Some("identity"));
            let headers = vec![("content-encoding".to_owned(), "gzip".to_owned())];
            Outbound { status: 200, headers, body: vec![0x1f, 0x8b, 8].into(), ..Outbound::default() }
        }
    }
    let (_server, url) = serve(Arc::new(Compressing)).await;
    let error = Http::new(url, None, None, Duration::from_secs(9)).describe().await.expect_err("compressed");
    assert!(error.to_string().contains("compressed (gzip)"), "{error}");
}
