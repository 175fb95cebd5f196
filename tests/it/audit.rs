//! A visit to a platform that is someone else's, as an operator makes it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

const COVENANT: &str = env!("CARGO_BIN_EXE_covenant");

/// The reference platform, alone, with a token for a visitor.
struct Platform {
    child: Child,
    url: String,
    folder: tempfile::TempDir,
}

impl Platform {
    fn start(more: &[&str]) -> Self {
        let mut child = Command::new(COVENANT)
            .args(["target", "--listen", "127.0.0.1:0", "--propose", "https://127.0.0.1:1"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let reported: Value = serde_json::from_str(&line).expect("JSON");
        let folder = tempfile::tempdir().expect("a folder");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        std::fs::write(folder.path().join("ca.pem"), text(&reported["ca_bundle_pem"])).expect("written");
        std::fs::write(folder.path().join("token"), text(&reported["peers"][0]["acceptance_token"]))
            .expect("written");
        Self { child, url: text(&reported["base_url"]), folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn visit(&self, more: &[&str], typed: &str) -> Output {
        let mut child = Command::new(COVENANT)
            .args(["audit", &self.url, "--quiet", "--rate", "6000", "--poll-timeout", "20", "--seed", "3"])
            .arg("--ca")
            .arg(self.file("ca.pem"))
            .arg("--token-file")
            .arg(self.file("token"))
            .arg("--out")
            .arg(self.file("out"))
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        // Where nothing is asked, nothing is read.
        let _ = child.stdin.take().expect("piped").write_all(typed.as_bytes());
        child.wait_with_output().expect("it ends")
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn reported(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

fn secrets_in(folder: &Path, secret: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    files.filter(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains(secret))).collect()
}

#[test]
fn a_visit_is_evaluated_and_tells_what_it_left_and_its_record_can_not_be_changed() {
    let platform = Platform::start(&[]);
    let output = platform.visit(&[], "");
    let text = reported(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("KEPT, as far as this part of the contract goes"), "{text}");
    assert!(text.contains("it was notified that the peer leaves"), "{text}");
    let token = std::fs::read_to_string(platform.file("token")).expect("a token");
    assert_eq!(secrets_in(&platform.file("out"), &token), Vec::<PathBuf>::new());

    let again = platform.visit(&[], "");
    assert_eq!(again.status.code(), Some(4), "the token is used up: {}", reported(&again));
    assert!(
        reported(&again).contains("created at") && reported(&again).contains("nothing"),
        "{}",
        reported(&again)
    );
}

#[test]
fn a_breach_is_found_from_outside_and_a_changed_record_is_noticed() {
    let platform = Platform::start(&["--defect", "discloses-no-operator-contact"]);
    let output = platform.visit(&[], "");
    assert_eq!(output.status.code(), Some(1), "{}", reported(&output));
    assert!(reported(&output).contains("BROKEN 1.1 conduct"), "{}", reported(&output));
    let transcript = platform.file("out/transcript.jsonl");
    let verify = || Command::new(COVENANT).arg("verify").arg(&transcript).output().expect("it runs");
    assert_eq!(verify().status.code(), Some(1));
    let text = std::fs::read_to_string(&transcript).expect("a transcript");
    std::fs::write(&transcript, text.replacen("\"status\":200", "\"status\":201", 1)).expect("written");
    let noticed = verify();
    assert_eq!(noticed.status.code(), Some(2));
    assert!(reported(&noticed).contains("was changed, or is missing"), "{}", reported(&noticed));
}

#[test]
fn misbehaviour_asks_for_the_targets_name_first() {
    let platform = Platform::start(&[]);
    let refused = platform.visit(&["--intrusive"], "somewhere else\n");
    assert_eq!(refused.status.code(), Some(2), "{}", reported(&refused));
    assert!(!platform.file("out").exists(), "nothing was done");
    let visited = platform.visit(&["--intrusive"], "127.0.0.1\n");
    assert_eq!(visited.status.code(), Some(0), "{}", reported(&visited));
    assert!(reported(&visited).contains("O Out of scope                kept"), "{}", reported(&visited));
}

#[test]
fn without_a_token_nothing_is_created_and_an_absent_platform_is_reported() {
    let platform = Platform::start(&[]);
    let look = |url: &str| {
        let output =
            Command::new(COVENANT).args(["audit", url]).env_remove("COVENANT_ACCEPTANCE_TOKEN").output();
        output.expect("it runs")
    };
    let output = look(&platform.url);
    assert_eq!(output.status.code(), Some(0), "{}", reported(&output));
    assert!(reported(&output).contains("Read-only: nothing was created"), "{}", reported(&output));
    let absent = look("https://127.0.0.1:1");
    assert_eq!(absent.status.code(), Some(4), "{}", reported(&absent));
    assert!(reported(&absent).contains("FAIL  connection"), "{}", reported(&absent));
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

    /// Waits until the watch has seen so many heartbeats.
    fn until_beats(&self, count: usize) {
        until_labelled(&self.file("out/transcript.jsonl"), "beat", count);
    }
}

/// Waits until so many entries of a transcript bear the label.
fn until_labelled(transcript: &Path, label: &str, count: usize) {
    let started = covenant::clock::Stopwatch::start();
    let label = format!("\"label\":\"{label}\"");
    loop {
        let text = std::fs::read_to_string(transcript).unwrap_or_default();
        if text.matches(&label).count() >= count {
            return;
        }
        assert!(started.elapsed() < std::time::Duration::from_mins(1), "{text}");
        std::thread::yield_now();
    }
}

#[test]
fn a_watch_survives_a_kill_and_goes_on_where_it_was() {
    let platform = Platform::start(&[]);
    let token = platform.file("token");
    let mut first = platform.watch(&["--token-file", token.to_str().expect("a path")]);
    platform.until_beats(2);
    first.kill().expect("it is killed");
    let _ = first.wait();
    let state = platform.file("out/watch.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&state).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "it holds keys");
    }
    let second = platform.watch(&[]).wait_with_output().expect("it ends");
    assert_eq!(second.status.code(), Some(0), "{}", reported(&second));
    assert!(reported(&second).contains("it was notified that the peer leaves"), "{}", reported(&second));
    assert!(!state.exists(), "the keys are good for nothing any more");
    let text = std::fs::read_to_string(platform.file("out/transcript.jsonl")).expect("a transcript");
    assert!(text.contains("\"kind\":\"resumed\"") && text.contains("days more"));
    let evaluated = Command::new(COVENANT).arg("verify").arg(platform.file("out")).output().expect("it runs");
    assert_eq!(evaluated.status.code(), Some(0), "{}", reported(&evaluated));
    let third = platform.watch(&[]).wait_with_output().expect("it ends");
    assert_eq!(third.status.code(), Some(2), "{}", reported(&third));
    assert!(reported(&third).contains("this watch has ended"), "{}", reported(&third));
}

#[test]
fn a_watch_whose_record_was_changed_does_not_go_on() {
    let platform = Platform::start(&[]);
    let token = platform.file("token");
    let mut first = platform.watch(&["--token-file", token.to_str().expect("a path")]);
    platform.until_beats(1);
    first.kill().expect("it is killed");
    let _ = first.wait();
    let transcript = platform.file("out/transcript.jsonl");
    let text = std::fs::read_to_string(&transcript).expect("a transcript");
    std::fs::write(&transcript, text.replacen("\"status\":200", "\"status\":201", 1)).expect("written");
    let second = platform.watch(&[]).wait_with_output().expect("it ends");
    assert_eq!(second.status.code(), Some(2), "{}", reported(&second));
    assert!(reported(&second).contains("was changed, or is missing"), "{}", reported(&second));
}

/// The reference platform with an operator client: what its operator does can be asked for.
struct Operated {
    child: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Operated {
    fn start() -> Self {
        let mut child = Command::new(COVENANT)
            .arg("adapter")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let answers = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, answers }
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters});
        writeln!(self.child.stdin.as_mut().expect("piped"), "{request}").expect("it listens");
        let line = self.answers.next().expect("a line").expect("a text");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }
}

impl Drop for Operated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_watch_uses_a_grant_to_its_last_second() {
    let mut operator = Operated::start();
    let started = operator.ask("platform.start", &json!({}));
    let invitation = json!({"remote_instance_url": "https://127.0.0.1:1", "spawn_role": "peer"});
    let proposed = operator.ask("peer.propose", &invitation);
    let id = "01a2075f-ab38-734e-bd8b-a790d60fdad4";
    let declared = json!({"resource_kind": "skill", "schema_version": 1, "direction": "bidirectional", "policy": "manual"});
    operator.ask("capability.declare", &declared);
    operator
        .ask("resource.put", &json!({"kind": "skill", "id": id, "record": {"id": id, "name": "Weaving"}}));
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
        .find_map(|line| line.expect("a line").strip_prefix("watch: let in as peer ").map(ToOwned::to_owned))
        .expect("it is told as which peer");

    let asked = json!({"peer_id": peer_id, "remote_subject": "auditor", "resource_kind": "skill",
                       "permission_scopes": ["read"], "ttl_days": 7});
    let mut grant = operator.ask("grant.issue", &asked);
    let token = grant["bearer_token"].as_str().expect("a token").to_owned();
    grant["resource_kind"] = json!("skill");
    grant["resource_id"] = json!(id);
    // Some seconds before its end, by the target's clock, which stands between two moves.
    operator.ask("clock.advance", &json!({"seconds": 7 * 24 * 3600 - 4}));
    write("grant.new", &grant.to_string());
    std::fs::rename(folder.path().join("grant.new"), folder.path().join("grant.json")).expect("renamed");

    until_labelled(&folder.path().join("out/transcript.jsonl"), "read", 1);
    operator.ask("clock.advance", &json!({"seconds": 5}));

    let output = watch.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("2 Reciprocity of grants       kept"), "{text}");
    assert_eq!(secrets_in(&folder.path().join("out"), &token), Vec::<PathBuf>::new());
}
