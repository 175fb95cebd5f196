//! `covenant peer`: simulated peers on their own, beside a target in another process.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use covenant::clock::Clock;
use nix::pty::openpty;
use nix::sys::termios::tcgetattr;
use serde_json::{Value, json};

use crate::described;
use crate::program::{
    LOOPBACK, Platform, code, command, covenant_in, output_of, path_text, signal, wait_until,
};

/// A simulation with its lines.
struct Simulation {
    child: Child,
    lines: BufReader<ChildStdout>,
    seen: String,
}

impl Simulation {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = command(folder, &[&["peer", "--listen", LOOPBACK], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, lines, seen: String::new() }
    }

    /// Reads lines up to the first that has all parts.
    fn line_with(&mut self, parts: &[&str]) -> String {
        let mut line = String::new();
        while self.lines.read_line(&mut line).expect("a line") > 0 {
            self.seen.push_str(&line);
            if parts.iter().all(|part| line.contains(part)) {
                return line;
            }
            line.clear();
        }
        let _ = self.child.kill();
        let mut errors = String::new();
        let _ = self.child.stderr.take().expect("piped").read_to_string(&mut errors);
        panic!("no line with {parts:?} in {}\n{errors}", self.seen);
    }

    /// Ends it by SIGTERM, and returns all that it printed.
    fn end(self) -> String {
        signal("TERM", self.child.id());
        self.ended()
    }

    /// Waits for its end, and returns all that it printed.
    fn ended(mut self) -> String {
        let _ = self.lines.read_to_string(&mut self.seen);
        let ended = self.child.wait_with_output().expect("it ends");
        assert_eq!(code(&ended), 0, "{}{}", self.seen, output_of(&ended));
        format!("{}{}", self.seen, output_of(&ended))
    }
}

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

/// The reference platform behind its adapter, whose operator calls methods.
struct Operated {
    child: Child,
    requests: ChildStdin,
    results: BufReader<ChildStdout>,
}

impl Operated {
    fn start(folder: &Path) -> Self {
        let mut child = command(folder, &["adapter"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let requests = child.stdin.take().expect("piped");
        let results = BufReader::new(child.stdout.take().expect("piped"));
        let mut operated = Self { child, requests, results };
        operated.call("platform.start", &json!({}));
        // Its clock begins long before the certificates of peers that have the system's.
        let now: jiff::Timestamp =
            serde_json::from_value(operated.call("clock.now", &json!({}))["now"].clone()).expect("a time");
        let behind = Clock::system().now().duration_since(now).as_secs();
        operated.call("clock.advance", &json!({"seconds": behind}));
        operated
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters});
        writeln!(self.requests, "{request}").expect("written");
        let mut line = String::new();
        self.results.read_line(&mut line).expect("a line");
        let response: Value = serde_json::from_str(&line).expect("JSON");
        assert!(response.get("error").is_none(), "{method}: {line}");
        response["result"].clone()
    }
}

impl Drop for Operated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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

/// The reference with many proposals, whose tokens are in the file `tokens`.
struct Proposing {
    child: Child,
    url: String,
}

impl Proposing {
    fn start(folder: &Path, proposals: u32) -> Self {
        let proposals = proposals.to_string();
        let arguments =
            ["target", "--listen", LOOPBACK, "--propose", "https://127.0.0.1:1", "--tokens", "tokens"];
        let arguments = [&arguments[..], &["--proposals", &proposals]].concat();
        let (child, described) = described::start(&mut command(folder, &arguments));
        assert!(described.get("peers").is_none(), "the tokens are printed");
        Self { child, url: described["base_url"].as_str().expect("a URL").to_owned() }
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
    let spent = covenant_in(
        folder.path(),
        &["peer", "--listen", LOOPBACK, "--join", &target.url, "--token-file", &tokens, "--count", "2"],
    );
    assert_eq!(code(&spent), 4, "{}", output_of(&spent));
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
    assert!(histogram.contains("1/(1-Percentile)") && histogram.contains("Total count = 20"), "{histogram}");
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
