//! `covenant audit` of a platform that someone else operates.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use covenant::contract::V1_2026_05;
use serde_json::{Value, json};

use crate::program::{COVENANT, LOOPBACK, Platform, covenant_in, output_of};

/// Runs an audit of the platform, with an answer typed to its question.
fn audit(platform: &Platform, more: &[&str], typed: &str) -> Output {
    let mut child = Command::new(COVENANT)
        .args(["audit", &platform.url, "--quiet", "--rate", "6000", "--poll-timeout", "20", "--seed", "3"])
        .arg("--ca")
        .arg(platform.file("ca.pem"))
        .arg("--token-file")
        .arg(platform.file("token"))
        .arg("--out")
        .arg(platform.file("out"))
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // The program closes standard input unread unless it asks a question.
    let _ = child.stdin.take().expect("piped").write_all(typed.as_bytes());
    child.wait_with_output().expect("it ends")
}

/// Returns the files that contain the secret.
fn files_with(folder: &Path, secret: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    files.filter(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains(secret))).collect()
}

#[test]
fn authenticated_audit_is_evaluated_and_lists_what_it_created() {
    let platform = Platform::start(LOOPBACK, &[]);
    let output = audit(&platform, &[], "");
    let text = output_of(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let proved = format!(" of {} aspects proved, none broken", V1_2026_05.aspects().count());
    assert!(text.starts_with("PARTIAL: ") && text.contains(&proved), "{text}");
    assert!(text.contains("it was notified that the peer leaves"), "{text}");
    let token = std::fs::read_to_string(platform.file("token")).expect("a token");
    assert_eq!(files_with(&platform.file("out"), &token), Vec::<PathBuf>::new());

    let again = audit(&platform, &["--force"], "");
    assert_eq!(again.status.code(), Some(7), "the token is used up: {}", output_of(&again));
    assert!(
        output_of(&again).contains("created at") && output_of(&again).contains("nothing"),
        "{}",
        output_of(&again)
    );
}

#[test]
fn authenticated_audit_detects_a_breach_and_verify_detects_a_changed_transcript() {
    let platform = Platform::start(LOOPBACK, &["--defect", "discloses-no-operator-contact"]);
    let output = audit(&platform, &[], "");
    assert_eq!(output.status.code(), Some(1), "{}", output_of(&output));
    assert!(output_of(&output).contains("BROKEN 1.1 conduct"), "{}", output_of(&output));
    let transcript = platform.file("out/transcript.jsonl");
    let verify = || Command::new(COVENANT).arg("verify").arg(&transcript).output().expect("it runs");
    assert_eq!(verify().status.code(), Some(1));
    let text = std::fs::read_to_string(&transcript).expect("a transcript");
    std::fs::write(&transcript, text.replacen("\"status\":200", "\"status\":201", 1)).expect("written");
    let changed = verify();
    assert_eq!(changed.status.code(), Some(2));
    assert!(output_of(&changed).contains("was changed, or is missing"), "{}", output_of(&changed));
}

#[test]
fn auditor_takes_on_the_release_of_the_target() {
    let platform = Platform::start(LOOPBACK, &["--variant", "runs-next-major-release"]);
    let output = audit(&platform, &[], "");
    assert_eq!(output.status.code(), Some(0), "{}", output_of(&output));
    let transcript = std::fs::read_to_string(platform.file("out/transcript.jsonl")).expect("a transcript");
    let entries = transcript.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let exchanges = entries.map(|entry| entry["what"]["exchange"].clone());
    let stated: Vec<Value> = exchanges
        .filter(|it| it["direction"] == "to_target" && it["request"]["method"] == "POST")
        .map(|it| it["request"]["body"]["json"]["platform_version"].clone())
        .collect();
    // The accept, then the heartbeats.
    assert_eq!(stated[0], "1.4.0");
    assert!(stated.len() >= 4 && stated[1..].iter().all(|release| release == "2.0.3"), "{stated:?}");
}

#[test]
fn intrusive_audit_requires_the_host_name_of_the_target() {
    let platform = Platform::start(LOOPBACK, &[]);
    let refused = audit(&platform, &["--intrusive"], "somewhere else\n");
    assert_eq!(refused.status.code(), Some(2), "{}", output_of(&refused));
    assert!(!platform.file("out").exists(), "a refused audit created a run folder");
    let confirmed = audit(&platform, &["--intrusive"], "127.0.0.1\n");
    assert_eq!(confirmed.status.code(), Some(0), "{}", output_of(&confirmed));
    assert!(output_of(&confirmed).contains("O Out of scope             kept"), "{}", output_of(&confirmed));
}

#[test]
fn anonymous_audit_creates_nothing_and_reports_an_absent_platform() {
    let platform = Platform::start(LOOPBACK, &[]);
    let audit = |url: &str| covenant_in(platform.folder.path(), &["audit", url]);
    let output = audit(&platform.url);
    assert_eq!(output.status.code(), Some(0), "{}", output_of(&output));
    assert!(output_of(&output).contains("Read-only: nothing was created"), "{}", output_of(&output));
    let absent = audit("https://127.0.0.1:1");
    assert_eq!(absent.status.code(), Some(4), "{}", output_of(&absent));
    assert!(output_of(&absent).contains("FAIL  connection"), "{}", output_of(&absent));
}

impl Platform {
    fn watch(&self, more: &[&str]) -> Child {
        Command::new(COVENANT)
            .args(["audit", &self.url, "--quiet", "--rate", "6000", "--watch", "6s", "--every", "1s"])
            .arg("--ca")
            .arg(self.file("ca.pem"))
            .arg("--out")
            .arg(self.file("out"))
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    }

    /// Waits until the transcript of the watch has `count` heartbeats.
    fn wait_for_heartbeats(&self, count: usize) {
        wait_for_label(&self.file("out/transcript.jsonl"), "beat", count);
    }
}

/// Waits until a transcript has `count` entries with the label.
fn wait_for_label(transcript: &Path, label: &str, count: usize) {
    wait_for_text(transcript, &format!("\"label\":\"{label}\""), count);
}

/// Waits until a transcript has a text `count` times.
pub(crate) fn wait_for_text(transcript: &Path, wanted: &str, count: usize) {
    let started = covenant::clock::Stopwatch::start();
    loop {
        let text = std::fs::read_to_string(transcript).unwrap_or_default();
        if text.matches(wanted).count() >= count {
            return;
        }
        assert!(started.elapsed() < std::time::Duration::from_mins(1), "{text}");
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
}

#[test]
fn watch_continues_after_a_kill() {
    let platform = Platform::start(LOOPBACK, &[]);
    let token = platform.file("token");
    let mut first = platform.watch(&["--token-file", token.to_str().expect("a path")]);
    platform.wait_for_heartbeats(2);
    first.kill().expect("it is killed");
    let _ = first.wait();
    let state = platform.file("out/watch.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&state).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read the keys");
    }
    let second = platform.watch(&[]).wait_with_output().expect("it ends");
    assert_eq!(second.status.code(), Some(0), "{}", output_of(&second));
    assert!(output_of(&second).contains("it was notified that the peer leaves"), "{}", output_of(&second));
    assert!(!state.exists(), "the keys are still there after the end of the watch");
    let text = std::fs::read_to_string(platform.file("out/transcript.jsonl")).expect("a transcript");
    assert!(text.contains("\"kind\":\"resumed\"") && text.contains("more days"));
    let evaluated = Command::new(COVENANT).arg("verify").arg(platform.file("out")).output().expect("it runs");
    assert_eq!(evaluated.status.code(), Some(0), "{}", output_of(&evaluated));
    let third = platform.watch(&[]).wait_with_output().expect("it ends");
    assert_eq!(third.status.code(), Some(2), "{}", output_of(&third));
    assert!(output_of(&third).contains("this watch has ended"), "{}", output_of(&third));
}

#[test]
fn watch_with_a_changed_transcript_does_not_continue() {
    let platform = Platform::start(LOOPBACK, &[]);
    let token = platform.file("token");
    let mut first = platform.watch(&["--token-file", token.to_str().expect("a path")]);
    platform.wait_for_heartbeats(1);
    first.kill().expect("it is killed");
    let _ = first.wait();
    let transcript = platform.file("out/transcript.jsonl");
    let text = std::fs::read_to_string(&transcript).expect("a transcript");
    std::fs::write(&transcript, text.replacen("\"status\":200", "\"status\":201", 1)).expect("written");
    let second = platform.watch(&[]).wait_with_output().expect("it ends");
    assert_eq!(second.status.code(), Some(2), "{}", output_of(&second));
    assert!(output_of(&second).contains("was changed, or is missing"), "{}", output_of(&second));
}

/// The reference platform behind its adapter.
pub(crate) struct Adapter {
    child: Child,
    responses: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Adapter {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(COVENANT)
            .arg("adapter")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let responses = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, responses }
    }

    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters});
        writeln!(self.child.stdin.as_mut().expect("piped"), "{request}").expect("it reads");
        let line = self.responses.next().expect("a line").expect("a text");
        let response: Value = serde_json::from_str(&line).expect("JSON");
        assert!(response["error"].is_null(), "{method}: {response}");
        response["result"].clone()
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn watch_reads_under_a_grant_until_its_last_second() {
    let mut adapter = Adapter::start();
    let started = adapter.call("platform.start", &json!({}));
    let invitation = json!({"remote_instance_url": "https://127.0.0.1:1", "spawn_role": "peer"});
    let proposed = adapter.call("peer.propose", &invitation);
    let id = "01a2075f-ab38-734e-bd8b-a790d60fdad4";
    let declared = json!({"resource_kind": "skill", "schema_version": 1, "direction": "bidirectional", "policy": "manual"});
    adapter.call("capability.declare", &declared);
    adapter
        .call("resource.put", &json!({"kind": "skill", "id": id, "record": {"id": id, "name": "Weaving"}}));
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("ca.pem", started["ca_bundle_pem"].as_str().expect("a text"));
    write("token", proposed["acceptance_token"].as_str().expect("a text"));
    let mut watch = Command::new(COVENANT)
        .args(["audit", started["base_url"].as_str().expect("a text")])
        .args(["--quiet", "--rate", "6000", "--watch", "20s", "--every", "1s", "--ca", "ca.pem"])
        .args(["--token-file", "token", "--grant-file", "grant.json", "--out", "out"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(watch.stderr.take().expect("piped")).lines();
    let peer_id = lines
        .find_map(|line| line.expect("a line").split_once(" as peer ").map(|(_, id)| id.to_owned()))
        .expect("the watch prints its peer id");

    let requested = json!({"peer_id": peer_id, "remote_subject": "auditor", "resource_kind": "skill",
                       "permission_scopes": ["read"], "ttl_days": 7});
    let mut grant = adapter.call("grant.issue", &requested);
    let token = grant["bearer_token"].as_str().expect("a token").to_owned();
    grant["resource_kind"] = json!("skill");
    grant["resource_id"] = json!(id);
    // Four seconds before the end of the grant. The target's clock does not run between two calls of `clock.advance`.
    adapter.call("clock.advance", &json!({"seconds": 7 * 24 * 3600 - 4}));
    write("grant.new", &grant.to_string());
    std::fs::rename(folder.path().join("grant.new"), folder.path().join("grant.json")).expect("renamed");

    wait_for_label(&folder.path().join("out/transcript.jsonl"), "read", 1);
    adapter.call("clock.advance", &json!({"seconds": 5}));

    let output = watch.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("2 Reciprocity of grants    kept"), "{text}");
    assert_eq!(files_with(&folder.path().join("out"), &token), Vec::<PathBuf>::new());
}
