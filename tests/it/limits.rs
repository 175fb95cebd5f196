//! Limits: memory under many callers, and what is kept of long answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use covenant::clock::Clock;
use covenant::net::{Client, ClientOptions, Handler, Inbound, Limits, Outbound, Request};
use covenant::pki::{ClientTls, TlsOptions, Trust};
use covenant::transcript::{Body, What, read};
use serde_json::{Value, json};

use crate::adapter_server::{AdapterServer, TOKEN, serve};
use crate::program::{LOOPBACK, Platform, SHORT, code, command, covenant_in, output_of};

/// The limit of the peak memory of a process, in MiB (`README.md`).
#[cfg(target_os = "linux")]
const MEMORY_MIB_MAX: u64 = 200;
/// The number of callers at the same time.
#[cfg(target_os = "linux")]
const CALLERS: usize = 512;

/// Returns the peak memory of a process, in MiB.
#[cfg(target_os = "linux")]
fn peak_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number").div_ceil(1024)
}

/// Only Linux says how much memory another process has had.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_target_under_512_anonymous_clients_stays_within_its_memory() {
    let platform = Platform::start(LOOPBACK, &[]);
    let trust = Trust::new();
    let ca = std::fs::read_to_string(platform.file("ca.pem")).expect("an authority");
    trust.add("target", &ca).expect("an anchor");
    let url: url::Url = platform.url.parse().expect("a URL");
    let client = |without_http2: bool| {
        let options = TlsOptions { without_http2, without_http1: !without_http2, ..TlsOptions::default() };
        let tls = ClientTls::new(None, trust.clone(), &Clock::system(), options).expect("TLS");
        Client::new(Some(tls), Limits::default(), ClientOptions::default())
    };
    let accept = |body: String| Request {
        method: "POST".to_owned(),
        path_and_query: "/api/v1/system/federation_api/accept".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Some(body.into()),
    };
    // The second takes a hundred times its size when it is parsed.
    let bodies = ["x".repeat(8 << 20), format!("[{}0]", "{\"\":0},".repeat((256 << 10) / 7 - 1))];
    for without_http2 in [true, false] {
        for request in bodies.clone().map(accept) {
            let client = client(without_http2);
            let calls = (0..CALLERS).map(|_| client.send(&url, request.clone()));
            let answers = futures_util::future::join_all(calls).await;
            let refused = |status: u16| (400..500).contains(&status);
            assert!(answers.iter().flatten().all(|answer| refused(answer.status)));
            assert!(answers.iter().any(Result::is_ok), "none was answered");
        }
    }
    let mib = peak_mib(platform.id());
    assert!(mib <= MEMORY_MIB_MAX, "{mib} MiB");
    let answer = client(true).send(&url, accept("{}".to_owned())).await.expect("it answers still");
    assert!((400..500).contains(&answer.status));
}

/// An adapter whose answers to two methods are long: a result of a valid platform, or an error.
struct LongAnswers {
    adapter: AdapterServer,
    errors: bool,
}

/// The methods with a long answer.
const LONG: [&str; 2] = ["grant.issue", "peer.show"];
/// Scenarios that call them.
const ASKS_FOR_LONG: [&str; 2] =
    ["00-sanity/revoke", "02-reciprocity-of-grants/grant-lasts-to-its-last-second"];

#[async_trait]
impl Handler for LongAnswers {
    async fn handle(&self, request: Inbound) -> Outbound {
        let asked: Value = serde_json::from_slice(&request.body).expect("a request");
        let is_long = LONG.iter().any(|method| asked["method"] == *method);
        let escapes = "\u{1b}".repeat(600 << 10);
        if self.errors && is_long {
            let error = json!({"code": -32009, "message": escapes});
            return Outbound::json(200, &json!({"jsonrpc": "2.0", "id": asked["id"], "error": error}));
        }
        let mut answer = self.adapter.call(&asked).await;
        if is_long && answer["result"].is_object() {
            answer["result"]["notes"] = json!(escapes);
        }
        Outbound::json(200, &answer)
    }
}

async fn run_with(errors: bool, folder: &Path) -> (i32, String) {
    let adapter = AdapterServer::start(true).await;
    let (_server, url) = serve(Arc::new(LongAnswers { adapter, errors })).await;
    let arguments =
        ["run", "--quiet", "--seed", "1", "--cases", "0", "--operator", url.as_str(), "--out", "out"];
    let mut run = command(folder, &arguments);
    run.args(["--only", SHORT, "--only", ASKS_FOR_LONG[0], "--only", ASKS_FOR_LONG[1]])
        .env("COVENANT_OPERATOR_TOKEN", TOKEN);
    let ended = tokio::task::spawn_blocking(move || run.output().expect("it starts")).await.expect("it ends");
    (code(&ended), output_of(&ended))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_cut_and_what_is_written_can_be_read_back() {
    for errors in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let (code, text) = run_with(errors, folder.path()).await;
        assert_ne!(code, 70, "{text}");
        let path: PathBuf = folder.path().join("out/transcript.jsonl");
        assert!(path.metadata().expect("a transcript").len() < 8 << 20);
        let reading = read(&path).expect("it reads");
        let cut = reading.traces().flat_map(|trace| trace.entries().to_vec()).filter(|entry| entry.cut);
        assert_eq!(cut.count() == 0, errors, "{text}");
        let verified = covenant_in(folder.path(), &["verify", "out"]);
        assert_eq!(verified.status.code(), Some(code), "{}", output_of(&verified));
        assert!(text.len() < 1 << 20, "{} bytes of report", text.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_result_has_the_marks_of_a_cut_body_and_leaves_what_rests_on_it_unproven() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, text) = run_with(false, folder.path()).await;
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains("longer than what is recorded of it"), "{code} {text}");
    let reading = read(&folder.path().join("out/transcript.jsonl")).expect("it reads");
    let entries = reading.traces().flat_map(|trace| trace.entries().to_vec());
    let cut: Vec<Value> = entries
        .filter(|entry| entry.cut)
        .filter_map(|entry| match &*entry.what {
            What::Operation(operation) => operation.result.clone(),
            _ => None,
        })
        .collect();
    let Body::Cut { length, sha256, beginning } = serde_json::from_value(cut[0].clone()).expect("a mark")
    else {
        panic!("{}", cut[0]);
    };
    assert!(length > 600 << 10 && sha256.len() == 64 && beginning.len() <= 2048);
}
