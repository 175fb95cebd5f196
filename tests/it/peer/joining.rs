//! A peer that joins a platform, and what is recorded of it.

use super::Simulation;
use crate::program::{LOOPBACK, Platform, code, covenant_in, output_of};

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
