//! The plan of an audit, and that it does no more: the dry run, the rate, valid traffic.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;

use covenant::transcript::{Direction, Entry, Exchange, read};
use covenant::wire::path::Route;
use jiff::SignedDuration;
use serde_json::Value;

use crate::program::{LOOPBACK, Platform, code, command, covenant_in, output_of};

/// Returns the words of an audit of the platform, into the folder `out`.
fn words(platform: &Platform, more: &[&str]) -> Vec<String> {
    let fixed = ["audit", &platform.url, "--ca", "ca.pem"];
    fixed.iter().chain(more).map(ToString::to_string).collect()
}

fn run(platform: &Platform, more: &[&str]) -> (i32, String) {
    let words = words(platform, more);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = covenant_in(platform.folder.path(), &words);
    (code(&output), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns the calls of a dry run, each as method and path.
fn planned(platform: &Platform, more: &[&str]) -> Vec<(String, String)> {
    let (exit, printed) = run(platform, &[more, &["--dry-run", "--format", "json"]].concat());
    assert_eq!(exit, 0, "{printed}");
    let dry: Value = serde_json::from_str(&printed).expect("JSON");
    let text = |call: &Value, member: &str| call[member].as_str().expect("a text").to_owned();
    let calls = dry["calls"].as_array().expect("calls");
    calls.iter().map(|call| (text(call, "method"), text(call, "path"))).collect()
}

/// Returns the calls of the peers in a transcript, in order.
fn calls(folder: &Path) -> Vec<(Entry, Exchange)> {
    let reading = read(&folder.join("transcript.jsonl")).expect("a transcript");
    let entries: Vec<Entry> = reading.traces().flat_map(|trace| trace.entries().to_vec()).collect();
    let of = |entry: &Entry| Some((entry.clone(), entry.exchange()?.clone()));
    let all = entries.iter().filter_map(of);
    all.filter(|(_, exchange)| exchange.direction == Direction::ToTarget).collect()
}

fn made(folder: &Path) -> Vec<(String, String)> {
    let of = |(_, exchange): (Entry, Exchange)| {
        let path = exchange.request.path.expect("a path");
        let path = path.split('?').next().expect("a path").to_owned();
        (exchange.request.method.expect("a method"), path)
    };
    calls(folder).into_iter().map(of).collect()
}

const AS_PEER: [&str; 7] = ["--token-file", "token", "--rate", "6000", "--poll-timeout", "20", "--quiet"];

#[test]
fn an_audit_makes_the_calls_of_its_dry_run() {
    let platform = Platform::start(LOOPBACK, &[]);
    let expected = planned(&platform, &AS_PEER);
    let (exit, printed) = run(&platform, &[&AS_PEER[..], &["--out", "out"]].concat());
    assert_eq!(exit, 0, "the dry run spent no token: {printed}");
    assert_eq!(made(&platform.file("out")), expected);

    let outside = planned(&platform, &[]);
    let (exit, printed) = run(&platform, &["--out", "outside"]);
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(made(&platform.file("outside")), outside);
}

#[test]
fn an_intrusive_audit_makes_the_calls_of_its_dry_run() {
    let platform = Platform::start(LOOPBACK, &[]);
    let expected = planned(&platform, &[&AS_PEER[..], &["--intrusive"]].concat());
    let words = words(&platform, &[&AS_PEER[..], &["--intrusive", "--out", "out"]].concat());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let typed = platform.file("typed");
    fs::write(&typed, "127.0.0.1\n").expect("written");
    let mut audit = command(platform.folder.path(), &words);
    let output = audit.stdin(fs::File::open(typed).expect("a file")).output().expect("it runs");
    assert_eq!(code(&output), 0, "{}", output_of(&output));
    assert_eq!(made(&platform.file("out")), expected);
}

#[test]
fn a_watch_makes_the_calls_of_its_dry_run_alone() {
    let platform = Platform::start(LOOPBACK, &[]);
    let watch = ["--token-file", "token", "--rate", "6000", "--watch", "2s", "--every", "1s", "--out", "out"];
    let expected = planned(&platform, &watch);
    let (exit, printed) = run(&platform, &watch);
    assert_eq!(exit, 0, "{printed}");
    let made = made(&platform.file("out"));
    assert!(made.iter().all(|call| expected.contains(call)), "{made:?} {expected:?}");
    assert!(expected.iter().all(|call| made.contains(call)), "{made:?} {expected:?}");
}

#[test]
fn a_dry_run_sends_nothing_and_shows_what_would_be_left() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("set");
    let address = listener.local_addr().expect("an address");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("token"), "a-token-of-tests").expect("written");
    let as_peer = ["--token-file", "token"];
    for scheme in ["http", "https"] {
        for more in
            [&[][..], &as_peer, &["--token-file", "token", "--intrusive"], &["--watch", "3d", "--out", "out"]]
        {
            let url = format!("{scheme}://{address}");
            let words = [&["audit", &url, "--dry-run"], more].concat();
            let output = covenant_in(folder.path(), &words);
            let text = output_of(&output);
            assert_eq!(code(&output), 0, "{words:?}: {text}");
            assert!(
                text.contains("dry run: nothing was sent") && text.contains("left at the target"),
                "{text}"
            );
            assert_eq!(text.contains("a peering: one peer"), !more.is_empty(), "{text}");
            assert!(!text.contains("a-token-of-tests"), "{text}");
            assert_eq!(text.contains("MISBEHAVES"), more.contains(&"--intrusive"), "{text}");
        }
    }
    let error = listener.accept().map(drop).expect_err("a dry run called the target");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").flatten().collect();
    assert_eq!(left.len(), 1, "a dry run wrote a file: {left:?}");

    let url = format!("https://{address}");
    let peer =
        covenant_in(folder.path(), &[&["audit", &url, "--dry-run", "--rate", "12"][..], &as_peer].concat());
    let text = output_of(&peer);
    assert!(text.contains("token: from token") && text.contains("12 calls a minute at most"), "{text}");
    let junit = covenant_in(folder.path(), &["audit", &url, "--dry-run", "--format", "junit"]);
    assert_eq!(code(&junit), 2, "{}", output_of(&junit));
    let missing = covenant_in(folder.path(), &["audit", &url, "--dry-run", "--token-file", "missing"]);
    assert_eq!(code(&missing), 2, "{}", output_of(&missing));
}

/// The rate of the test, in calls a minute, and the time between two calls.
const RATE: &str = "300";
const BETWEEN: SignedDuration = SignedDuration::from_millis(200);

#[test]
fn an_audit_sends_valid_traffic_alone_and_stays_under_its_rate() {
    let platform = Platform::start(LOOPBACK, &[]);
    let slow = ["--token-file", "token", "--rate", RATE, "--poll-timeout", "20", "--quiet", "--out", "out"];
    let (exit, printed) = run(&platform, &slow);
    assert_eq!(exit, 0, "{printed}");
    let calls = calls(&platform.file("out"));
    for (entry, call) in &calls {
        let request = &call.request;
        let (method, path) =
            (request.method.as_deref().expect("a method"), request.path.as_deref().expect("a path"));
        let path = path.split('?').next().expect("a path");
        assert!(Route::parse(method, path).is_some(), "{method} {path} is no route");
        assert!(call.injected.is_empty(), "{:?}", call.injected);
        let is_late = entry.label.as_deref() == Some("late");
        let status = call.status().expect("an answer");
        assert!((200..300).contains(&status) || is_late, "{method} {path}: {status}");
    }
    // An entry has the time at which its call ended, so the first and the last may lie closer together than they began.
    let times: Vec<_> = calls.iter().map(|(entry, _)| entry.at).collect();
    let pauses = i32::try_from(times.len() - 2).expect("a few");
    let took = times[times.len() - 1].duration_since(times[0]);
    assert!(took >= BETWEEN * pauses, "{} calls within {took:?}", times.len());
}
