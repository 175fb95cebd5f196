//! Peers that are switched while they run: over the control socket, and by keys.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use nix::pty::openpty;
use nix::sys::termios::tcgetattr;
use serde_json::{Value, json};

use super::Simulation;
use super::operated::Operated;
use crate::program::{LOOPBACK, Platform, code, command, covenant_in, output_of, wait_until};

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

#[test]
fn keys_on_a_terminal_switch_a_family_and_the_terminal_is_restored() {
    let platform = Platform::start(LOOPBACK, &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let terminal = openpty(None, None).expect("a terminal");
    let before = tcgetattr(&terminal.slave).expect("its settings");
    let end = || Stdio::from(terminal.slave.try_clone().expect("an end"));
    let arguments = ["peer", "--listen", LOOPBACK, "--join", &platform.url, &platform.token, "--every", "1h"];
    let mut starting = command(folder.path(), &arguments);
    let mut child = starting.stdin(end()).stderr(end()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut keyboard = std::fs::File::from(terminal.master);
    let mut screen = keyboard.try_clone().expect("a terminal");
    // What is not read from a terminal holds back the program.
    std::thread::spawn(move || while screen.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {});
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    let mut line_with = |part: &str| {
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            assert!(lines.read_line(&mut line).expect("a line") > 0, "no line with {part}");
        }
        line
    };
    let first = line_with("→ target: sends a heartbeat");
    assert!(!first.contains("breaks"), "{first}");
    // F5 holds the keys of two families, and is none of them.
    keyboard.write_all(b"\x1b[15~3").expect("pressed");
    let _ = line_with("→ target: sends a heartbeat: answered 200; breaks 3.1, 3.2, 3.3, 3.4");
    keyboard.write_all(b"c:on mallory contract-mismatch\n").expect("pressed");
    let _ = line_with("breaks 12.1, 12.2 (contract-mismatch)");
    keyboard.write_all(b"q").expect("pressed");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(tcgetattr(&terminal.slave).expect("its settings").local_flags, before.local_flags);
}
