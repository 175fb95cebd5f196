//! A peer that joins a platform, and what is recorded of it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::Simulation;
use crate::program::{LOOPBACK, Platform, code, command, covenant_in, output_of, signal};

#[test]
fn a_peer_joins_and_each_line_names_the_clause_that_it_breaks() {
    let platform = Platform::start(LOOPBACK, &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let mut peer = Simulation::start(
        folder.path(),
        &[
            "--join",
            &platform.url,
            &platform.token,
            "--every",
            "1s",
            "--record",
            "out",
            "--conforming-first",
            "--behaviour",
            "contract-mismatch",
        ],
    );
    let accepted = peer.line_with(&["→ target: accepts the invitation: answered 200"]);
    assert!(!accepted.contains("breaks"), "{accepted}");
    let beat = peer.line_with(&["→ target: sends a heartbeat", "breaks 12.1, 12.2 (contract-mismatch)"]);
    let entry = beat.split_whitespace().find(|word| word.contains('#')).expect("an entry").to_owned();
    let printed = peer.end();
    assert!(!printed.contains(&platform.token), "the token is printed");

    let shown = covenant_in(folder.path(), &["show", "out", &entry]);
    assert!(output_of(&shown).contains("injected by contract-mismatch"), "{}", output_of(&shown));
    let recorded = std::fs::read_to_string(folder.path().join("out/transcript.jsonl")).expect("a transcript");
    assert!(!recorded.contains(&platform.token), "the token is recorded");
    let verified = covenant_in(folder.path(), &["verify", "out"]);
    assert_eq!(code(&verified), 7, "nothing is evaluated: {}", output_of(&verified));
    let again = covenant_in(
        folder.path(),
        &["peer", "--accept", "token-of-tests", "--record", "out", "--listen", LOOPBACK],
    );
    assert_eq!(code(&again), 2, "{}", output_of(&again));
}

#[test]
fn the_same_seed_draws_the_same_behaviours() {
    let drawn = || {
        let platform = Platform::start(LOOPBACK, &[]);
        let folder = tempfile::tempdir().expect("a folder");
        let arguments = [
            "--join",
            &platform.url,
            &platform.token,
            "--every",
            "1s",
            "--random",
            "--seed",
            "7",
            "--behaviour",
            "contract-mismatch",
            "--behaviour",
            "bogus-capabilities",
            "--conforming-first",
        ];
        let mut peer = Simulation::start(folder.path(), &arguments);
        let rounds: Vec<String> = (0..4)
            .map(|round| {
                let line = peer.line_with(&[&format!("mallory: round {round}: ")]);
                line.split_once("round").expect("a round").1.to_owned()
            })
            .collect();
        let _ = peer.end();
        rounds
    };
    assert_eq!(drawn(), drawn());
}

/// A simulated peer joins with a request for a certificate alone, as platforms of G2 do.
#[test]
fn a_peer_that_another_one_joins_is_federated() {
    /// As a platform may draw it; it is no option `-h`.
    const TOKEN: &str = "-hA7_of-tests-0123456789";
    let folder = tempfile::tempdir().expect("a folder");
    let fixed = ["peer", "--listen", LOOPBACK, "--accept", TOKEN, "--every", "1h", "--peer", "bob"];
    let mut joined = command(folder.path(), &fixed)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut errors = BufReader::new(joined.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let listens = errors.find(|line| line.starts_with("bob listens at ")).expect("a line");
    let url = listens.trim_start_matches("bob listens at ");
    let mut peer = Simulation::start(folder.path(), &["--join", url, TOKEN, "--every", "1h"]);
    let _ = peer.line_with(&["mallory", "the peering begins"]);
    let lines = BufReader::new(joined.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let begins = lines.take_while(|line| !line.contains("→ target: sends a heartbeat: answered 200"));
    let begins: Vec<String> = begins.collect();
    signal("TERM", joined.id());
    assert_eq!(joined.wait().expect("it ends").code(), Some(0));
    assert!(begins.iter().any(|line| line.contains("bob: the peering begins")), "{begins:?}");
    let _ = peer.end();
}
