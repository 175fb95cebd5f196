//! A platform that shares nothing with the suite but the binding, in Python, judged through its adapter.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use covenant::check::Verdict;
use covenant::clock::Clock;
use covenant::operator::{Hands, HandsError, Lease, Targets, Wish};
use covenant::report::Report;
use covenant::suite::{EmbeddedRun, Event, Observer, Selection, assess, play};
use covenant::transcript::read;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{Mutex, watch};

/// What is played: the contract's core, and some of what needs verbs that this adapter lacks.
const ONLY: [&str; 5] =
    ["07-*/**", "12-*/**", "A-*/**", "10-*/major-break-without-*", "11-*/overlay-is-unmounted"];

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#[tokio::test(flavor = "multi_thread")]
async fn an_independent_platform_is_judged_fairly() {
    if let Some(missing) = missing_program() {
        eprintln!("skipped: there is no program {missing} here");
        return;
    }
    let report = judge(&ONLY).await;
    assert_eq!(report.void, None);
    let broken = actual(&report, Verdict::Broken);
    assert!(broken.is_empty(), "{broken:#?}");
    let unproven = actual(&report, Verdict::Unproven);
    let missing: BTreeSet<&str> = unproven
        .iter()
        .filter_map(|(_, actual)| actual.strip_prefix("the adapter does not know the verb "))
        .collect();
    assert_eq!(missing, BTreeSet::from(["overlay.list", "platform.kill", "release.set"]));
    // It sends no more than was asked for, so that a peer has no conflict to hide.
    let unused = unproven.iter().find(|(clause, _)| clause == "7.3").map(|(_, actual)| actual.as_str());
    assert_eq!(unused, Some("the target gave the peer no occasion to misbehave"));
    assert_eq!(unproven.len(), 4, "{unproven:#?}");
    assert!(report.counts.kept >= 30, "{:?}", report.counts);
}

/// The clauses that were judged so, and what was seen.
fn actual(report: &Report, verdict: Verdict) -> Vec<(String, String)> {
    let outcomes = report.checks.iter().map(|judged| &judged.outcome);
    outcomes
        .filter(|outcome| outcome.judgement.verdict == verdict)
        .map(|outcome| (outcome.check.clause.to_string(), outcome.judgement.actual.clone()))
        .collect()
}

async fn judge(only: &[&str]) -> Report {
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    let selection = Selection::new(&only, &[]).expect("patterns");
    let folder = tempfile::tempdir().expect("a folder");
    let transcript = folder.path().join("transcript.jsonl");
    let (_running, stop) = watch::channel(false);
    let plan = EmbeddedRun { selection, cases: 0, ..EmbeddedRun::default() };
    let mut run = plan.prepare(transcript.clone(), stop).expect("a run");
    run.targets = Arc::new(PythonPlatforms);
    run.start.target = String::from("the Python platform");
    play(run, Arc::new(Silent)).await.expect("it is played");
    assess(&read(&transcript).expect("it reads back"))
}

struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event) {}
}

/// One adapter process, and so one platform, for each scenario.
struct PythonPlatforms;

#[async_trait]
impl Targets for PythonPlatforms {
    async fn lease(&self, _: Wish<'_>) -> Result<Lease, HandsError> {
        let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python-platform/adapter.py");
        let child = tokio::process::Command::new("python3")
            .arg(adapter)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| HandsError::Environment {
                verb: "platform.start".to_owned(),
                message: error.to_string(),
            })?;
        Ok(Lease {
            hands: Arc::new(Adapter(Mutex::new(Conversation::of(child)))),
            clock: Clock::system(),
            shares_clock: false,
            guard: None,
        })
    }
}

/// JSON-RPC, one object a line.
struct Adapter(Mutex<Conversation>);

/// One question, one answer.
struct Conversation {
    _child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Conversation {
    fn of(mut child: Child) -> Self {
        let requests = child.stdin.take().expect("it was asked for");
        let answers = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        Self { _child: child, requests, answers }
    }

    async fn ask(&mut self, verb: &str, parameters: &Value) -> std::io::Result<Value> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": verb, "params": parameters});
        self.requests.write_all(format!("{request}\n").as_bytes()).await?;
        let line = self.answers.next_line().await?.unwrap_or_default();
        Ok(serde_json::from_str(&line)?)
    }
}

#[async_trait]
impl Hands for Adapter {
    async fn perform(&self, verb: &str, parameters: Value) -> Result<Value, HandsError> {
        let mut answer = self
            .0
            .lock()
            .await
            .ask(verb, &parameters)
            .await
            .map_err(|error| HandsError::Adapter { verb: verb.to_owned(), message: error.to_string() })?;
        match answer["error"]["code"].as_i64() {
            None => Ok(answer["result"].take()),
            Some(-32601) => Err(HandsError::Unsupported { verb: verb.to_owned() }),
            Some(code) => {
                let message = answer["error"]["message"].as_str().unwrap_or_default().to_owned();
                Err(HandsError::Refused { verb: verb.to_owned(), code, message })
            }
        }
    }
}

/// The program that the platform needs and this machine lacks.
fn missing_program() -> Option<&'static str> {
    let works = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    [("python3", "--version"), ("openssl", "version")]
        .into_iter()
        .find_map(|(program, argument)| (!works(program, argument)).then_some(program))
}
