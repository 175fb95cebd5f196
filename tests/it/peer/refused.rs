//! Arguments that a simulation refuses before anything is called.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::program::{LOOPBACK, code, command, covenant_in, output_of, path_text, signal};

#[test]
fn a_file_of_the_user_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("keep.json");
    std::fs::write(&kept, "precious").expect("written");
    let flood = ["flood", "https://127.0.0.1:1", "--rate", "1", "--for", "1s", "--histogram", "keep.json"];
    for arguments in [&["peer", "--listen", LOOPBACK, "--accept", "--control", "keep.json"][..], &flood] {
        let output = covenant_in(folder.path(), arguments);
        assert_ne!(code(&output), 0);
        assert!(
            output_of(&output).contains("keep.json: exists, and nothing is overwritten"),
            "{}",
            output_of(&output)
        );
        assert_eq!(std::fs::read_to_string(&kept).expect("a file"), "precious");
    }
    let count =
        ["peer", "--count", "2", "--join", "https://127.0.0.1:1", "a", "b", "--behaviour", "handshake-flood"];
    let output = covenant_in(folder.path(), &count);
    assert!(
        code(&output) == 2 && output_of(&output).contains("shows in other calls"),
        "{}",
        output_of(&output)
    );
}

#[test]
fn a_target_on_another_machine_is_misbehaved_at_only_if_its_name_is_typed() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, part) in [
        (&["--join", "https://platform.example", "token-of-tests"][..], "give --yes platform.example"),
        (
            &["--join", "https://platform.example", "token-of-tests", "--yes", "other.example"],
            "--yes names other.example",
        ),
        (&["--join", "https://127.0.0.1:1"], "a token of the platform's operator is needed"),
        (&[], "--accept TOKEN"),
        (&["--accept", "one", "--peer", "carol", "--peer", "bob"], "2 peers need a token each"),
        (&["--accept", "one", "two"], "2 tokens are given for 1 peer"),
        (
            &["--accept", "one", "one", "--peer", "carol", "--peer", "bob"],
            "token 2 is the same as one before it",
        ),
        (
            &["--join", "https://127.0.0.1:1", "one", "two", "three", "--count", "2"],
            "3 tokens are given for 2 peers",
        ),
        (
            &["--accept", "one", "two", "--peer", "a", "--peer", "b", "--advertise", "https://peers.example"],
            "name the first port with --listen",
        ),
        (&["--accept", "one", "--peer", "carol", "--peer", "carol"], "the name is given twice"),
        (&["--accept", "one", "--behaviour", "bogus-kinds"], "did you mean bogus-kind?"),
        (&["--accept", "one", "--ca", "ca.pem"], "--ca is of no use here"),
    ] {
        let refused = covenant_in(folder.path(), &[&["peer", "--listen", LOOPBACK], arguments].concat());
        assert_eq!(code(&refused), 2, "{arguments:?}: {}", output_of(&refused));
        assert!(output_of(&refused).contains(part), "{arguments:?}: {}", output_of(&refused));
    }
    let control = covenant_in(folder.path(), &["peer", "control", "none.json", "status"]);
    assert_eq!(code(&control), 2, "{}", path_text(folder.path()));
}

#[test]
fn an_address_that_no_one_can_call_is_not_advertised() {
    let folder = tempfile::tempdir().expect("a folder");
    for address in ["0.0.0.0:0", "[::]:0"] {
        for more in [&["--accept", "one"][..], &["--join", "https://127.0.0.1:1", "one", "--count", "1"]] {
            let refused = covenant_in(folder.path(), &[&["peer", "--listen", address], more].concat());
            let text = output_of(&refused);
            assert_eq!(code(&refused), 2, "{text}");
            assert!(text.contains("no one can call") && text.contains("--advertise https://HOST:"), "{text}");
        }
    }
    let everywhere =
        ["--accept", "one-token", "--listen", "0.0.0.0:0", "--advertise", "https://127.0.0.1:7443"];
    let mut child = command(folder.path(), &[&["peer"], &everywhere[..]].concat())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let listens = lines.map_while(Result::ok).find(|line| line.contains(" listens at "));
    signal("TERM", child.id());
    let _ = child.wait();
    assert_eq!(listens.as_deref(), Some("mallory listens at https://127.0.0.1:7443"));
}

#[test]
fn a_start_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind(LOOPBACK).expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    std::fs::write(folder.path().join("keep.json"), "precious").expect("written");
    std::fs::create_dir(folder.path().join("own")).expect("created");
    for (record, more) in [
        ("out", &["--listen", address.as_str()][..]),
        ("out", &["--listen", LOOPBACK, "--control", "keep.json"]),
        ("own", &["--listen", LOOPBACK, "--control", "keep.json"]),
        ("deep/er/out", &["--listen", address.as_str()]),
        ("own/deep/er", &["--listen", address.as_str()]),
    ] {
        let fixed = ["peer", "--accept", "token-of-tests", "--record", record];
        let failed = covenant_in(folder.path(), &[&fixed[..], more].concat());
        assert_eq!(code(&failed), 6, "{}", output_of(&failed));
        let left = std::fs::read_dir(folder.path().join(record)).map(Iterator::count);
        assert_eq!(left.ok(), (record == "own").then_some(0), "{more:?}");
        let path = folder.path();
        assert!(!path.join("deep").exists() && !path.join("own/deep").exists(), "{record}: a folder is left");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("keep.json")).expect("a file"), "precious");
}
