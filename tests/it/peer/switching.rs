//! Peers that are switched while they run: over the control socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use super::Simulation;
use super::operated::Operated;
use crate::program::{LOOPBACK, Platform, code, covenant_in, output_of, wait_until};

#[test]
fn a_peer_that_was_joined_is_switched_over_its_control_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut peer = Simulation::start(
        folder.path(),
        &[
            "--accept",
            "--control",
            "control.json",
            "--every",
            "1h",
            "--peer",
            "carol",
            "--peer",
            "bob=bogus-kind",
        ],
    );
    let file = folder.path().join("control.json");
    wait_until("the control file is there", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with("}\n"))
    });
    let described: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("a file")).expect("JSON");
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let carol = &described["peers"][0];
    let mut target = Operated::start(folder.path());
    let _ = target.call(
        "peer.join",
        &json!({"base_url": carol["base_url"], "acceptance_token": carol["acceptance_token"],
            "ca_bundle_pem": carol["ca_bundle_pem"]}),
    );
    let _ = peer.line_with(&["carol#", "← target: accepts the invitation: answered 200"]);
    let _ = peer.line_with(&["carol#", "→ target: sends a heartbeat: answered 200"]);

    let ask = |words: &[&str]| {
        let output = covenant_in(folder.path(), &[&["peer", "control", "control.json"], words].concat());
        (code(&output), output_of(&output))
    };
    let (exit, status) = ask(&["status"]);
    assert_eq!(exit, 0, "{status}");
    assert!(status.contains("carol (federated): conforms"), "{status}");
    assert!(status.contains("bob (not federated): breaks 3.1, 3.4"), "{status}");
    let (exit, unknown) = ask(&["on", "carol", "silent-revocatoin"]);
    assert_eq!(exit, 2);
    assert!(unknown.contains("did you mean silent-revocation?"), "{unknown}");
    let (_, switched) = ask(&["on", "carol", "many-wide-grants"]);
    assert!(switched.contains("carol (federated): breaks 6.2"), "{switched}");
    let _ =
        peer.line_with(&["carol#", "→ target: sends a heartbeat, event", "breaks 6.2 (many-wide-grants)"]);
    let (_, switched) = ask(&["only", "carol", "silent-revocation"]);
    assert!(switched.contains("carol (federated): breaks 4.1, 4.2"), "{switched}");
    let _ = peer
        .line_with(&["carol#", "revokes the peering without a notice; breaks 4.1, 4.2 (silent-revocation)"]);

    let address = described["control"]["address"].as_str().expect("an address");
    let mut socket = TcpStream::connect(address).expect("it listens");
    writeln!(socket, "{}", json!({"token": "0".repeat(64), "command": "stop"})).expect("written");
    let mut answer = String::new();
    BufReader::new(socket).read_line(&mut answer).expect("an answer");
    assert!(answer.contains("the token is wrong"), "{answer}");

    let (exit, stopped) = ask(&["stop"]);
    assert_eq!((exit, stopped.as_str()), (0, "the simulation ends\n"));
    let printed = peer.ended();
    for secret in [&described["control"]["token"], &carol["acceptance_token"]] {
        assert!(!printed.contains(secret.as_str().expect("a text")), "a secret is printed");
    }
    assert!(!file.exists(), "the file is left behind");
    let (exit, gone) = ask(&["status"]);
    assert_eq!(exit, 2, "{gone}");
}

/// Asks a simulation over its control socket. Returns the exit code and all that was printed.
pub(super) fn ask(folder: &Path, words: &[&str]) -> (i32, String) {
    let output = covenant_in(folder, &[&["peer", "control", "control.json"], words].concat());
    (code(&output), output_of(&output))
}

/// Waits for the control file, and returns what it describes.
pub(super) fn described(folder: &Path) -> Value {
    let file = folder.join("control.json");
    wait_until("the control file is there", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with("}\n"))
    });
    serde_json::from_str(&std::fs::read_to_string(&file).expect("a file")).expect("JSON")
}

#[test]
fn what_is_held_back_for_the_peering_is_switched_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixed = ["--accept", "--control", "control.json", "--every", "1h", "--conforming-first"];
    let given = ["--behaviour", "bogus-kind"];
    let mut peer = Simulation::start(folder.path(), &[&fixed[..], &given].concat());
    let mallory = described(folder.path())["peers"][0].clone();
    let (_, status) = ask(folder.path(), &["status"]);
    assert!(status.contains("conforms until it is federated, and then breaks 3.1, 3.4"), "{status}");
    let (_, switched) = ask(folder.path(), &["only", "many-wide-grants"]);
    assert!(switched.contains("conforms until it is federated, and then breaks 6.2"), "{switched}");
    let mut target = Operated::start(folder.path());
    let _ = target.call(
        "peer.join",
        &json!({"base_url": mallory["base_url"], "acceptance_token": mallory["acceptance_token"],
            "ca_bundle_pem": mallory["ca_bundle_pem"]}),
    );
    let accepted = peer.line_with(&["← target: accepts the invitation: answered 200"]);
    assert!(!accepted.contains("breaks"), "{accepted}");
    let _ = peer.line_with(&["→ target: sends a heartbeat", "breaks 6.2 (many-wide-grants)"]);
    let (_, status) = ask(folder.path(), &["status"]);
    assert!(status.contains("mallory (federated): breaks 6.2"), "{status}");
    assert!(!peer.end().contains("(bogus-kind)"), "a behaviour came back that was switched off");
}

#[test]
fn a_command_whose_call_fails_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = Platform::start(LOOPBACK, &[]);
    let joined = ["--join", &platform.url, &platform.token, "--every", "1h", "--control", "control.json"];
    let mut peer = Simulation::start(folder.path(), &joined);
    let _ = peer.line_with(&["sends a heartbeat: answered 200"]);
    described(folder.path());
    let (exit, beat) = ask(folder.path(), &["beat"]);
    assert_eq!((exit, beat.as_str()), (0, "mallory: a heartbeat\n"));
    let (exit, synced) = ask(folder.path(), &["sync", "no-such-kind"]);
    assert_eq!(exit, 4, "{synced}");
    assert!(synced.contains("mallory: FAILED: 4"), "{synced}");
    drop(platform);
    for command in ["beat", "revoke"] {
        let (exit, failed) = ask(folder.path(), &[command]);
        assert_eq!(exit, 4, "{command}: {failed}");
        assert!(failed.contains("mallory: FAILED: "), "{command}: {failed}");
    }
    let (exit, over) = ask(folder.path(), &["beat"]);
    assert!(exit == 4 && over.contains("it is not federated"), "{over}");
    let (exit, again) = ask(folder.path(), &["join", "mallory", "another-token"]);
    assert_eq!(exit, 4, "{again}");
    assert!(again.contains("mallory: FAILED: the target did not admit the peer"), "{again}");
    let printed = peer.end();
    assert!(!printed.contains("another-token"), "a token is printed");
}

#[test]
fn connections_that_stall_do_not_hold_back_the_control_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = Simulation::start(folder.path(), &["--accept", "--control", "control.json"]);
    let address = described(folder.path())["control"]["address"].as_str().expect("an address").to_owned();
    let stalled: Vec<TcpStream> =
        (0..15).map(|_| TcpStream::connect(&address).expect("it listens")).collect();
    // The one place that is left answers one command after the other.
    for _ in 0..3 {
        let (exit, status) = ask(folder.path(), &["status"]);
        assert_eq!(exit, 0, "{status}");
    }
    let last = TcpStream::connect(&address).expect("it listens");
    let mut beyond = TcpStream::connect(&address).expect("it listens");
    assert_eq!(beyond.read(&mut [0]).unwrap_or(0), 0, "a connection beyond the limit is served");
    drop((stalled, last));
    wait_until("the places are free again", || ask(folder.path(), &["status"]).0 == 0);
    let _ = peer.end();
}
