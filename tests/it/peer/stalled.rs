//! A target that stalls: what is asked for meanwhile is done, and answered for itself.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use covenant::clock::Stopwatch;

use super::Simulation;
use super::many::Proposing;
use super::switching::{ask, described};
use crate::program::path_text;
use crate::program::{LOOPBACK, signal};

/// Takes the handshake with a token, and leaves it without an answer. Any other call before it is refused: at its start
/// the program looks whether the target can be called.
fn handshake(target: &TcpListener, token: &str) -> TcpStream {
    loop {
        let (mut socket, _) = target.accept().expect("a call");
        let mut request = String::new();
        let is_handshake = loop {
            let mut part = [0; 4096];
            let count = socket.read(&mut part).expect("a request");
            request.push_str(&String::from_utf8_lossy(&part[..count]));
            if request.contains(token) {
                break true;
            }
            if count == 0 || (request.starts_with("GET ") && request.contains("\r\n\r\n")) {
                break false;
            }
        };
        if is_handshake {
            return socket;
        }
        refuse(socket, "this is no handshake");
    }
}

/// Refuses a handshake with this error.
fn refuse(mut handshake: TcpStream, error: &str) {
    let body = format!("{{\"success\":false,\"error\":\"{error}\"}}");
    let head = "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\nconnection: close";
    // Who only connected does not read it.
    let _ = write!(handshake, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

/// Gives a peer another token, on a thread of its own.
fn joins(folder: &Path, token: &'static str) -> std::thread::JoinHandle<(i32, String)> {
    let folder = folder.to_owned();
    std::thread::spawn(move || ask(&folder, &["join", "mallory", token]))
}

#[test]
fn each_token_is_answered_with_what_came_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = TcpListener::bind(LOOPBACK).expect("a port");
    let url = format!("http://{}", target.local_addr().expect("an address"));
    let fixed = ["--control", "control.json", "--request-timeout", "60"];
    let peer = Simulation::start(folder.path(), &[&["--join", &url, "first-token"], &fixed[..]].concat());
    let first = handshake(&target, "first-token");
    described(folder.path());
    let second = joins(folder.path(), "second-token");
    // By then the command for the second token waits, as a rule. The answer is the same if it does not.
    for _ in 0..5 {
        assert_eq!(ask(folder.path(), &["status"]).0, 0);
    }
    refuse(first, "the first one is spent");
    refuse(handshake(&target, "second-token"), "the second one is spent");
    let (exit, text) = second.join().expect("it ends");
    assert!(exit == 4 && text.contains("the second one is spent"), "{text}");
    let third = joins(folder.path(), "third-token");
    refuse(handshake(&target, "third-token"), "the third one is spent");
    let (exit, text) = third.join().expect("it ends");
    assert!(exit == 4 && text.contains("the third one is spent"), "{text}");
    let _ = peer.end();
}

#[test]
fn the_peers_do_what_a_command_asks_for_side_by_side() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = Proposing::start(folder.path(), 4);
    let tokens = path_text(&folder.path().join("tokens"));
    let names = ["--peer", "a", "--peer", "b", "--peer", "c", "--peer", "d"];
    let joined = ["--join", &platform.url, "--token-file", &tokens, "--every", "1h"];
    let control = ["--control", "control.json", "--request-timeout", "4"];
    let mut peers = Simulation::start(folder.path(), &[&joined[..], &names, &control].concat());
    for _ in 0..names.len() / 2 {
        let _ = peers.line_with(&["→ target: sends a heartbeat: answered 200"]);
    }
    described(folder.path());
    signal("STOP", platform.id());
    let took = Stopwatch::start();
    let (exit, beats) = ask(folder.path(), &["beat"]);
    let took = took.elapsed();
    assert!(exit == 4 && beats.matches("FAILED: ").count() == 4, "{beats}");
    // One after the other they would take 16 s.
    assert!(took < Duration::from_secs(11), "{took:?}");
    let _ = peers.end();
}
