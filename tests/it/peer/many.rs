//! Many peers on one listener, and a flood of handshakes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use covenant::clock::Stopwatch;

use super::Simulation;
use crate::described;
use crate::program::{LOOPBACK, Platform, code, command, covenant_in, output_of, path_text, signal};

/// The reference with many proposals, whose tokens are in the file `tokens`.
pub(super) struct Proposing {
    child: Child,
    pub(super) url: String,
}

impl Proposing {
    pub(super) fn start(folder: &Path, proposals: u32) -> Self {
        let proposals = proposals.to_string();
        let arguments =
            ["target", "--listen", LOOPBACK, "--propose", "https://127.0.0.1:1", "--tokens", "tokens"];
        let arguments = [&arguments[..], &["--proposals", &proposals]].concat();
        let (child, described) = described::start(&mut command(folder, &arguments));
        assert!(described.get("peers").is_none(), "the tokens are printed");
        Self { child, url: described["base_url"].as_str().expect("a URL").to_owned() }
    }

    /// Returns the number of the process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Proposing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn many_peers_federate_on_one_listener_each_with_an_identity_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = path_text(&folder.path().join("tokens"));
    let target = Proposing::start(folder.path(), 30);
    let arguments = ["--join", &target.url, "--token-file", &tokens, "--count", "30", "--every", "1s"];
    let mut peers = Simulation::start(folder.path(), &arguments);
    let line = peers.line_with(&["30 federated", " answered", "calls of the target"]);
    assert!(line.contains(" 0 refused, 0 without a response"), "{line}");
    let answered =
        line.split(" answered").next().and_then(|text| text.rsplit(' ').next()?.parse::<u32>().ok());
    assert!(answered.is_some_and(|answered| answered >= 30), "{line}");
    let called = line
        .split(" calls of the target")
        .next()
        .and_then(|text| text.rsplit(' ').next()?.parse::<u32>().ok());
    assert!(called.is_some_and(|called| called >= 30), "{line}");
    let printed = peers.end();
    let token = std::fs::read_to_string(&tokens).expect("tokens");
    assert!(!printed.contains(token.lines().next().expect("a token")), "a token is printed");

    let few = covenant_in(
        folder.path(),
        &["peer", "--join", &target.url, "--token-file", &tokens, "--count", "31"],
    );
    assert_eq!(code(&few), 2);
    assert!(output_of(&few).contains("31 peers need a token each, and 30 are given"), "{}", output_of(&few));
    let two: Vec<&str> = token.lines().take(2).collect();
    std::fs::write(folder.path().join("two"), two.join("\n")).expect("written");
    let spent = covenant_in(
        folder.path(),
        &["peer", "--listen", LOOPBACK, "--join", &target.url, "--token-file", "two", "--count", "2"],
    );
    assert_eq!(code(&spent), 4, "{}", output_of(&spent));
    assert!(output_of(&spent).contains("2 failed: handshake: 4"), "{}", output_of(&spent));
    assert!(output_of(&spent).contains("2 not admitted"), "{}", output_of(&spent));
}

#[test]
fn a_flood_reports_rate_outcomes_and_latency_and_leaves_nothing_behind() {
    let platform = Platform::start(LOOPBACK, &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["flood", &platform.url, "--rate", "20", "--for", "1s", "--histogram", "latency.hgrm"];
    let flooded = covenant_in(folder.path(), &arguments);
    let text = output_of(&flooded);
    assert_eq!(code(&flooded), 0, "{text}");
    assert!(text.contains("handshakes: 20 sent of 20 due"), "{text}");
    assert!(text.contains("outcomes: ") && text.contains("latency: median "), "{text}");
    let histogram = std::fs::read_to_string(folder.path().join("latency.hgrm")).expect("a histogram");
    assert!(histogram.contains("1/(1-Percentile)") && histogram.contains("Total count = "), "{histogram}");
    // The token of the platform is still good.
    let joined = ["--join", &platform.url, &platform.token, "--every", "1h"];
    let mut peer = Simulation::start(folder.path(), &joined);
    let _ = peer.line_with(&["accepts the invitation: answered 200"]);
    let _ = peer.end();

    for (arguments, exit, part) in [
        (
            ["flood", "https://platform.example", "--rate", "1", "--for", "1s"],
            2,
            "give --yes platform.example",
        ),
        (["flood", "https://127.0.0.1:1", "--rate", "5", "--for", "1s"], 4, "no handshake was answered"),
    ] {
        let refused = covenant_in(folder.path(), &arguments);
        assert_eq!(code(&refused), exit, "{}", output_of(&refused));
        assert!(output_of(&refused).contains(part), "{}", output_of(&refused));
    }
}

/// Answers the first of two requests in plain http, and no other one.
fn answers_half(target: &TcpListener) -> Vec<TcpStream> {
    let mut stalled = Vec::new();
    for number in 0.. {
        let Ok((mut socket, _)) = target.accept() else { break };
        let mut head = [0; 1024];
        if socket.read(&mut head).unwrap_or(0) == 0 {
            break;
        }
        if number % 2 == 0 {
            let _ = socket.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
        } else {
            stalled.push(socket);
        }
    }
    stalled
}

#[test]
fn a_flood_ends_in_time_and_its_rate_is_that_of_what_was_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = TcpListener::bind(LOOPBACK).expect("a port");
    let address = target.local_addr().expect("an address");
    let serving = std::thread::spawn(move || answers_half(&target));
    let took = Stopwatch::start();
    let url = format!("http://{address}");
    let flooded = covenant_in(folder.path(), &["flood", &url, "--rate", "10", "--for", "2s"]);
    let took = took.elapsed();
    // A connection that closes at once ends the server.
    drop(TcpStream::connect(address).expect("it listens"));
    let text = output_of(&flooded);
    assert_eq!(code(&flooded), 0, "{text}");
    assert!(took < Duration::from_secs(8), "what is under way is waited for: {took:?}\n{text}");
    assert!(text.contains("20 sent of 20 due in 2.0s; 5 answered a second"), "{text}");
    assert!(text.contains("outcomes: 401 10, cut off 10"), "{text}");
    assert_eq!(serving.join().expect("it ends").len(), 10);
}

#[test]
fn a_flood_whose_histogram_has_no_place_is_refused_before_it_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("a-folder")).expect("created");
    let target = TcpListener::bind(LOOPBACK).expect("a port");
    target.set_nonblocking(true).expect("set");
    let url = format!("http://{}", target.local_addr().expect("an address"));
    for (path, part) in [
        ("none/x", "the folder none does not exist"),
        ("a-folder", "nothing is overwritten"),
        // A folder in which no one may write, not even the administrator.
        ("/proc/x", "/proc/x: "),
    ] {
        let arguments = ["flood", &url, "--rate", "1", "--for", "1h", "--histogram", path];
        let refused = covenant_in(folder.path(), &arguments);
        assert_ne!(code(&refused), 0, "{}", output_of(&refused));
        assert!(output_of(&refused).contains(part), "{}", output_of(&refused));
        assert!(target.accept().is_err(), "{path}: the flood began");
    }
}

#[test]
fn an_interrupted_flood_prints_what_it_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = TcpListener::bind(LOOPBACK).expect("a port");
    let url = format!("https://{}", target.local_addr().expect("an address"));
    let arguments = ["flood", &url, "--rate", "20", "--for", "1h", "--histogram", "latency.hgrm"];
    let mut starting = command(folder.path(), &arguments);
    let child = starting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // Two handshakes are under way, and get no answer.
    let connections: Vec<_> = (0..2).map(|_| target.accept().expect("a handshake")).collect();
    signal("INT", child.id());
    let ended = child.wait_with_output().expect("it ends");
    let text = output_of(&ended);
    assert_eq!(code(&ended), 130, "{text}");
    assert!(text.contains("handshakes: ") && text.contains("outcomes: cut off "), "{text}");
    assert!(text.contains("this is what was measured by then"), "{text}");
    let histogram = std::fs::read_to_string(folder.path().join("latency.hgrm")).expect("a histogram");
    assert!(histogram.contains("Total count = 0"), "{histogram}");
    drop(connections);
}
