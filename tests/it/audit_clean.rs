//! The remains of an interrupted audit or run are cleaned up.
#![cfg(unix)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Output, Stdio};

use covenant::clock::Clock;
use serde_json::{Value, json};

use crate::audit::Adapter;
use crate::program::{
    LOOPBACK, Platform, audit_words, code, command, covenant_in, output_of, short_run, signal, wait_until,
};

/// A platform behind an adapter, which shows what its operator sees.
struct Seen {
    adapter: Adapter,
    url: String,
    folder: tempfile::TempDir,
}

impl Seen {
    fn start() -> Self {
        let mut adapter = Adapter::start();
        let started = adapter.call("platform.start", &json!({}));
        // An audit goes by the time of day, and so do the certificates that the target gives it.
        let shown = adapter.call("clock.now", &json!({}));
        let shown: jiff::Timestamp = shown["now"].as_str().expect("a time").parse().expect("a time");
        let behind = Clock::system().now().duration_since(shown).as_secs();
        adapter.call("clock.advance", &json!({"seconds": behind}));
        let invitation = json!({"remote_instance_url": "https://127.0.0.1:1", "spawn_role": "peer"});
        let proposed = adapter.call("peer.propose", &invitation);
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, value: &Value| {
            fs::write(folder.path().join(name), value.as_str().expect("a text")).expect("written");
        };
        write("ca.pem", &started["ca_bundle_pem"]);
        write("token", &proposed["acceptance_token"]);
        let url = started["base_url"].as_str().expect("a URL").to_owned();
        Self { adapter, url, folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a slow audit into the folder `out`, and waits until the target has admitted its peer.
    fn audit(&self, more: &[&str]) -> Child {
        let more = if more.is_empty() { &["--rate", "60"] } else { more };
        let mut audit = command(self.path(), &audit_words(&self.url, &[more, &["--out", "out"]].concat()));
        let audit = audit.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        wait_until("the audit is accepted", || {
            ["out/peering.json", "out/watch.json"].iter().any(|name| {
                fs::read_to_string(self.path().join(name)).is_ok_and(|text| text.contains("id_at_target"))
            })
        });
        audit
    }

    fn clean(&self) -> (i32, String) {
        clean(self.path(), &self.url, "out", &["--ca", "ca.pem"])
    }

    /// Returns the statuses of the peers, as the operator sees them.
    fn statuses(&mut self) -> Vec<String> {
        let listed = self.adapter.call("peer.list", &json!({}));
        let peers = listed["peers"].as_array().expect("peers").clone();
        peers.iter().map(|peer| peer["status"].as_str().expect("a status").to_owned()).collect()
    }
}

fn clean(folder: &Path, url: &str, run: &str, more: &[&str]) -> (i32, String) {
    let fixed = ["audit", url, "--clean", run, "--rate", "6000"];
    let output = covenant_in(folder, &[&fixed[..], more].concat());
    let text = output_of(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    (code(&output), text)
}

fn kill(mut audit: Child) {
    signal("KILL", audit.id());
    audit.wait().expect("it ends");
}

#[test]
fn an_audit_that_was_killed_is_cleaned_up_once_and_again() {
    let mut seen = Seen::start();
    kill(seen.audit(&[]));
    let kept = seen.path().join("out/peering.json");
    let mode = fs::metadata(&kept).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o077, 0, "others can read the keys");
    assert_ne!(seen.statuses(), ["revoked"]);

    // The folder is not used again while its peer stands.
    let again = covenant_in(seen.path(), &audit_words(&seen.url, &["--out", "out", "--force"]));
    assert_eq!(code(&again), 2, "{}", output_of(&again));
    assert!(output_of(&again).contains("--clean"), "{}", output_of(&again));

    let (exit, text) = seen.clean();
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("target, as recorded:") && text.contains("has left"), "{text}");
    assert_eq!(seen.statuses(), ["revoked"]);
    assert!(!kept.exists(), "the keys are still there");
    let left = fs::read_to_string(seen.path().join("out/left-behind.txt")).expect("a list");
    assert!(left.contains("it was notified that the peer leaves"), "{left}");

    let (exit, text) = seen.clean();
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("nothing to clean up"), "{text}");
}

#[test]
fn an_audit_that_was_interrupted_says_how_to_clean_up() {
    for name in ["INT", "TERM"] {
        let mut seen = Seen::start();
        let mut audit = command(seen.path(), &audit_words(&seen.url, &["--rate", "60", "--out", "out"]));
        let mut audit = audit.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        wait_until("the audit is accepted", || {
            fs::read_to_string(seen.path().join("out/peering.json"))
                .is_ok_and(|text| text.contains("id_at_target"))
        });
        signal(name, audit.id());
        let mut printed = String::new();
        std::io::Read::read_to_string(&mut audit.stderr.take().expect("piped"), &mut printed)
            .expect("a text");
        assert_eq!(audit.wait().expect("it ends").code(), Some(130), "{printed}");
        assert!(printed.contains("--clean out --ca ca.pem lets it leave"), "{printed}");
        let (exit, text) = seen.clean();
        assert_eq!(exit, 0, "{text}");
        assert_eq!(seen.statuses(), ["revoked"]);
    }
}

#[test]
fn an_audit_that_was_killed_after_its_leave_has_left() {
    let platform = Platform::start(LOOPBACK, &[]);
    let path = platform.folder.path();
    let words = audit_words(&platform.url, &["--rate", "60", "--out", "out"]);
    let mut audit = command(path, &words);
    let audit = audit.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let kept = platform.file("out/peering.json");
    let admitted = || fs::read_to_string(&kept).ok().filter(|text| text.contains("id_at_target"));
    wait_until("the audit is accepted", || admitted().is_some());
    let keys = admitted().expect("the keys");
    let ended = audit.wait_with_output().expect("it ends");
    assert_eq!(code(&ended), 0, "{}", output_of(&ended));
    // As the kill leaves it before the keys are removed.
    fs::write(&kept, keys).expect("written");
    let (exit, text) = clean(path, &platform.url, "out", &["--ca", "ca.pem"]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("has left, and its keys are removed") && !kept.exists(), "{text}");
    assert!(!platform.file("out/cleanup.jsonl").exists(), "the target was called again");
}

#[test]
fn a_watch_whose_notice_is_refused_keeps_its_keys() {
    let mut seen = Seen::start();
    let mut watch = seen.audit(&["--watch", "4s", "--every", "1s", "--rate", "6000"]);
    let listed = seen.adapter.call("peer.list", &json!({}));
    seen.adapter.call(
        "peer.revoke",
        &json!({"peer_id": listed["peers"][0]["peer_id"], "reason": "the operator says so"}),
    );
    watch.wait().expect("it ends");
    let keys = seen.path().join("out/watch.json");
    let text = fs::read_to_string(&keys).expect("the keys are there");
    assert!(text.contains("\"peer_url\"") && text.contains("\"target\""), "no peering in {text}");
    let again = ["audit", &seen.url, "--ca", "ca.pem", "--watch", "4s", "--out", "out", "--quiet"];
    let again = covenant_in(seen.path(), &again);
    assert_eq!(code(&again), 2, "{}", output_of(&again));
    assert!(output_of(&again).contains("--clean out"), "{}", output_of(&again));
    let (exit, text) = seen.clean();
    assert_eq!(exit, 4, "{text}");
    assert!(text.contains("the keys stay in out/watch.json") && keys.exists(), "{text}");
    let (exit, text) = clean(seen.path(), "https://127.0.0.1:1", "out", &["--ca", "ca.pem"]);
    assert_eq!(exit, 2, "{text}");
    assert!(text.contains("this audit is of https://127.0.0.1:"), "{text}");
    let elsewhere = ["audit", "https://127.0.0.1:1", "--watch", "4s", "--out", "out", "--quiet"];
    let elsewhere = covenant_in(seen.path(), &elsewhere);
    assert_eq!(code(&elsewhere), 2, "{}", output_of(&elsewhere));
    assert!(output_of(&elsewhere).contains("this audit is of https://"), "{}", output_of(&elsewhere));
}

#[test]
fn a_watch_that_was_killed_is_cleaned_up() {
    let mut seen = Seen::start();
    kill(seen.audit(&["--watch", "1h", "--rate", "6000"]));
    let (exit, text) = seen.clean();
    assert_eq!(exit, 0, "{text}");
    assert_eq!(seen.statuses(), ["revoked"]);
    assert!(!seen.path().join("out/watch.json").exists());
}

#[test]
fn a_whole_audit_leaves_nothing_to_clean_up() {
    let platform = Platform::start(LOOPBACK, &[]);
    let words = audit_words(&platform.url, &["--rate", "6000", "--out", "out"]);
    let audited = covenant_in(platform.folder.path(), &words);
    assert_eq!(code(&audited), 0, "{}", output_of(&audited));
    assert!(!platform.file("out/peering.json").exists());
    let (exit, text) = clean(platform.folder.path(), &platform.url, "out", &["--ca", "ca.pem"]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("nothing to clean up"), "{text}");
}

#[test]
fn what_cannot_be_cleaned_up_is_shown_with_what_to_do() {
    // Nothing answers, so the accept lasts until the audit is killed.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("token"), "a-token-of-tests").expect("written");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let mut audit =
        command(folder.path(), &["audit", &url, "--token-file", "token", "--out", "out", "--quiet"]);
    let audit = audit.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let _call = listener.accept().expect("the audit calls");
    let kept = folder.path().join("out/peering.json");
    assert!(kept.exists(), "the keys were not kept before the token was sent");
    assert!(!fs::read_to_string(&kept).expect("a text").contains("a-token-of-tests"));
    kill(audit);
    let (exit, text) = clean(folder.path(), &url, "out", &[]);
    assert_eq!(exit, 4, "{text}");
    assert!(text.contains("look for a peer at https://127.0.0.1:") && text.contains("peer.revoke"), "{text}");
    assert!(kept.exists());
}

#[test]
fn a_target_that_does_not_answer_or_refuses_leaves_the_keys() {
    let mut seen = Seen::start();
    kill(seen.audit(&[]));
    let listed = seen.adapter.call("peer.list", &json!({}));
    seen.adapter.call(
        "peer.revoke",
        &json!({"peer_id": listed["peers"][0]["peer_id"], "reason": "the operator says so"}),
    );
    let (exit, text) = seen.clean();
    assert_eq!(exit, 4, "{text}");
    assert!(text.contains("not cleaned up: the target was not notified"), "{text}");
    assert!(text.contains("to be removed by its operator"), "{text}");
    drop(seen.adapter);
    let (exit, text) = clean(seen.folder.path(), &seen.url, "out", &["--ca", "ca.pem"]);
    assert_eq!(exit, 4, "{text}");
    assert!(seen.folder.path().join("out/peering.json").exists());
}

#[test]
fn a_wrong_folder_is_refused() {
    let seen = Seen::start();
    kill(seen.audit(&[]));
    fs::create_dir(seen.path().join("empty")).expect("created");
    let other = Seen::start();
    let kept = seen.path().join("out/peering.json");
    let text = fs::read_to_string(&kept).expect("a text");
    for (url, run, more, part) in [
        (&seen.url, "missing", &[][..], "no folder"),
        (&seen.url, "token", &[], "no folder"),
        (&seen.url, "empty", &[], "this is not the folder of an audit or a run"),
        (&other.url, "out", &[], "this audit is of https://127.0.0.1:"),
        (&seen.url, "out", &["--adapter", "x"], "no operator client"),
        (&seen.url, "out", &["--out", "other"], "cannot be used with"),
    ] {
        let (exit, printed) = clean(seen.path(), url, run, more);
        assert_eq!(exit, 2, "{run}: {printed}");
        assert!(printed.contains(part), "{run}: {printed}");
    }
    assert!(!seen.path().join("missing").exists());
    assert_eq!(fs::read_to_string(&kept).expect("a text"), text);
    fs::write(&kept, &text[..text.len() / 2]).expect("written");
    let (exit, printed) = seen.clean();
    assert_eq!(exit, 2, "{printed}");
    assert!(
        printed.contains("the keys of the peer are lost") && printed.contains("revoke the peer"),
        "{printed}"
    );
}

/// An adapter to a platform that is not there, whose operator sees one peer. It notes what it revokes.
const OPERATOR: &str = r#"
import json, pathlib, sys
state = pathlib.Path("revoked")
for line in sys.stdin:
    call = json.loads(line)
    answer, parameters = {"jsonrpc": "2.0", "id": call["id"]}, call.get("params", {})
    if call["method"] == "describe":
        answer["result"] = {"name": "x", "version": "1", "protocol": 1,
                            "verbs": ["platform.start", "peer.propose", "peer.show", "peer.revoke"]}
    elif call["method"] == "platform.start":
        answer["result"] = {"base_url": "https://127.0.0.1:1"}
    elif call["method"] == "peer.propose":
        answer["result"] = {"peer_id": "peer-of-tests-1", "acceptance_token": "token-of-tests-1"}
    elif call["method"] == "peer.show" and pathlib.Path("refuses").exists():
        answer["error"] = {"code": -32603, "message": "no permission to show a peer"}
    elif call["method"] == "peer.revoke" and pathlib.Path("refuses").exists():
        answer["error"] = {"code": -32603, "message": "nor revoke them"}
    elif call["method"] == "peer.show" and pathlib.Path("gone").exists():
        answer["error"] = {"code": -32004, "message": "no such peer"}
    elif call["method"] == "peer.show":
        answer["result"] = {"peer": {"peer_id": parameters["peer_id"], "status": "revoked" if state.exists() else "proposed"}}
    elif call["method"] == "peer.revoke":
        state.write_text(parameters["peer_id"])
        answer["result"] = {}
    else:
        answer["error"] = {"code": -32601, "message": "unknown"}
    print(json.dumps(answer), flush=True)
"#;

#[test]
fn the_operator_revokes_what_a_run_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("adapter.py"), OPERATOR).expect("written");
    let url = "https://127.0.0.1:1";
    let adapter = "python3 adapter.py";
    let run =
        ["run", "--quiet", "--only", "00-sanity/handshake", "--cases", "0", "--out", "out", "--target", url];
    let ran = covenant_in(path, &[&run[..], &["--adapter", adapter]].concat());
    assert_ne!(code(&ran), 0, "{}", output_of(&ran));

    let (exit, text) = clean(path, url, "out", &[]);
    assert_eq!(exit, 2, "{text}");
    assert!(text.contains("- peer peer-of-tests-1") && text.contains("--adapter"), "{text}");
    let cleaned = |typed: &str| -> Output {
        let words = ["audit", url, "--clean", "out", "--adapter", adapter];
        fs::write(path.join("typed"), typed).expect("written");
        let typed = fs::File::open(path.join("typed")).expect("a file");
        command(path, &words).stdin(typed).output().expect("it runs")
    };
    let refused = cleaned("elsewhere\n");
    assert_eq!(code(&refused), 2, "{}", output_of(&refused));
    assert!(!path.join("revoked").exists(), "it revoked what was not confirmed");
    fs::write(path.join("refuses"), "").expect("written");
    let refused = cleaned("127.0.0.1\n");
    assert_eq!(code(&refused), 4, "a refusal was taken for a clean target: {}", output_of(&refused));
    assert!(output_of(&refused).contains("NOT revoked"), "{}", output_of(&refused));
    fs::rename(path.join("refuses"), path.join("gone")).expect("renamed");
    let gone = cleaned("127.0.0.1\n");
    assert_eq!(code(&gone), 0, "{}", output_of(&gone));
    assert!(output_of(&gone).contains("the target does not show it"), "{}", output_of(&gone));
    fs::remove_file(path.join("gone")).expect("removed");
    let first = cleaned("127.0.0.1\n");
    assert_eq!(code(&first), 0, "{}", output_of(&first));
    assert!(output_of(&first).contains("- peer peer-of-tests-1: revoked"), "{}", output_of(&first));
    assert_eq!(fs::read_to_string(path.join("revoked")).expect("a text"), "peer-of-tests-1");
    let second = cleaned("127.0.0.1\n");
    assert_eq!(code(&second), 0, "{}", output_of(&second));
    assert!(output_of(&second).contains("was revoked before"), "{}", output_of(&second));
}

#[test]
fn a_run_of_the_embedded_reference_leaves_nothing() {
    let folder = short_run(false).folder();
    let (exit, text) = clean(folder.path(), "https://127.0.0.1:1", "out", &[]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("embedded reference"), "{text}");
}
