//! Adapters: the reference behind one is evaluated as the embedded one is, and a bad one is told apart
//! from a bad target.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::desk::{Desk, TOKEN, serve};
use covenant::check::Verdict;
use covenant::contract::Aspect;
use covenant::operator::{Http, Log, OperatorClient, Program, Stdio, Targets};
use covenant::report::Report;
use covenant::suite::{ExternalTarget, Plan, Selection, Target};
use serde_json::json;

const COVENANT: &str = env!("CARGO_BIN_EXE_covenant");

fn external(targets: Arc<dyn Targets>) -> Target {
    Target::ExternalTarget(ExternalTarget { name: "external".to_owned(), arguments: vec![], targets })
}

fn stdio(line: &str) -> Stdio {
    Stdio::new(Program::parse(line).expect("a program"), Duration::from_mins(1), Log::default())
}

fn verdicts(report: &Report) -> BTreeMap<String, Verdict> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    evaluations.map(|evaluation| (evaluation.check.id.clone(), evaluation.result.verdict)).collect()
}

/// Every check of every clause and aspect.
#[tokio::test(flavor = "multi_thread")]
async fn the_reference_behind_an_adapter_gets_the_verdicts_of_the_embedded_one() {
    let plan = Plan { cases: 2, ..Plan::default() };
    let embedded = plan.run_to_report().await.expect("a run");
    let target = external(Arc::new(stdio(&format!("{COVENANT} adapter"))));
    let behind = Plan { target, ..plan }.run_to_report().await.expect("a run");
    assert_eq!(verdicts(&behind), verdicts(&embedded));
    assert_eq!(behind.void, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_defect_behind_an_adapter_is_found() {
    let selection = Selection::new(&[], &[3]).expect("a commitment");
    let target = external(Arc::new(stdio(&format!("{COVENANT} adapter --defect rejects-declared-kind"))));
    let report =
        Plan { target, selection, cases: 0, ..Plan::default() }.run_to_report().await.expect("a run");
    let broken: Vec<String> = report
        .checks
        .iter()
        .filter(|evaluated| evaluated.evaluation.result.verdict == Verdict::Broken)
        .map(|evaluated| {
            format!("{} {}", evaluated.evaluation.check.clause, evaluated.evaluation.check.aspect)
        })
        .collect();
    assert!(broken.contains(&"3.1 conduct".to_owned()), "{broken:?}");
}

/// The clock of such a target is followed, also where it is moved again and again in one step.
#[tokio::test(flavor = "multi_thread")]
async fn a_disclosure_that_comes_too_late_is_broken_behind_an_adapter_too() {
    let of_9_1 = |report: &Report| {
        let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
        let of_conduct = evaluations.filter(|evaluation| evaluation.check.aspect == Aspect::Conduct);
        of_conduct.map(|evaluation| evaluation.result.verdict).collect::<Vec<_>>()
    };
    for defect in ["discloses-compromise-after-25-hours", "counts-24-hours-from-declaration"] {
        let selection = Selection::new(&[], &[9]).expect("a commitment");
        let line = format!("{COVENANT} adapter --defect {defect}");
        let target = external(Arc::new(stdio(&line)));
        let report =
            Plan { target, selection, cases: 1, ..Plan::default() }.run_to_report().await.expect("a run");
        assert_eq!(of_9_1(&report), [Verdict::Broken, Verdict::Broken], "{defect}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_behind_a_url_gets_the_same_verdicts() {
    let (_server, url) = serve(Arc::new(Desk::open(true).await)).await;
    let selection = Selection::new(&[], &[4, 11]).expect("commitments");
    let plan = Plan { selection, cases: 1, ..Plan::default() };
    let embedded = plan.run_to_report().await.expect("a run");
    let http = Http::new(url, None, Some(TOKEN.to_owned()), Duration::from_mins(1));
    let behind = Plan { target: external(Arc::new(http)), ..plan }.run_to_report().await.expect("a run");
    assert_eq!(verdicts(&behind), verdicts(&embedded));
    assert_eq!(behind.void, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_does_not_speak_the_protocol_is_the_adapters_fault() {
    let (_server, url) = serve(Arc::new(Desk::open(true).await)).await;
    let anonymous_client = Http::new(url, None, None, Duration::from_mins(1));
    let error = anonymous_client.describe().await.expect_err("no token").to_string();
    assert!(error.starts_with("describe: the adapter failed: status 401"), "{error}");
}

/// An answer to `describe` that a suite can go on with.
const DESCRIBED: &str = r#"read -r _; echo '{"jsonrpc":"2.0","id":1,"result":{"name":"x","version":"1","protocol":1,"verbs":[]}}'"#;

/// What a bad adapter does, what it is made of, and what is told of it.
const BAD: &[(&str, &str, &str)] = &[
    ("ends at once", "exit 3", "describe: the adapter failed: ended with exit code 3"),
    ("ends with a word", "echo 'no database' >&2; exit 1", "its standard error ended with: no database"),
    ("answers rubbish", "echo hello; cat >/dev/null", "describe: the adapter failed: not JSON"),
    ("answers a list", "echo '[]'; cat >/dev/null", "a JSON object was expected"),
    (
        "answers nothing",
        r#"echo '{"jsonrpc":"2.0","id":1}'; cat >/dev/null"#,
        "either result or error was expected",
    ),
    (
        "speaks another protocol",
        r#"echo '{"jsonrpc":"2.0","id":1,"result":{"protocol":2}}'; cat >/dev/null"#,
        "protocol: 1 was expected, found 2",
    ),
    ("ends in mid-line", r#"read -r _; printf '{"jsonrpc":'"#, "in the middle of a line"),
    ("writes a line without end", "yes | tr -d '\\n'", "longer than 4 MiB"),
    ("nests without end", "yes '[' | tr -d '\\n' | head -c 200000; echo; cat >/dev/null", "not JSON"),
    ("answers what is no UTF-8", r"printf '\377\376\n'; cat >/dev/null", "describe: the adapter failed: not"),
    ("answers a NUL", r"printf '\000\n'; cat >/dev/null", "not JSON"),
    (
        "answers a number beyond range",
        r#"read -r _; echo '{"jsonrpc":"2.0","id":1,"result":{"protocol":1e999}}'; cat >/dev/null"#,
        "not JSON",
    ),
    (
        "speaks to the terminal and the XML",
        r#"DESCRIBED; read -r _; printf '%s\n' '{"jsonrpc":"2.0","id":2,"error":{"code":"\u001b[2J","message":"\u001b]0;owned\u0007 ]]><x a="}}'; cat >/dev/null"#,
        "covenant.square_the_circle: the adapter failed",
    ),
    (
        "says so on its standard error",
        r"printf '\033[2J\033]0;owned\007 ]]><x\n' >&2; exit 1",
        "standard error ended with",
    ),
    ("never answers", "cat >/dev/null", "describe: the adapter failed: no answer within 1 s"),
    (
        "ends later",
        "DESCRIBED; read -r _; exit 7",
        "covenant.square_the_circle: the adapter failed: ended with exit code 7",
    ),
    (
        "falls silent later",
        "DESCRIBED; cat >/dev/null",
        "covenant.square_the_circle: the adapter failed: no answer within 1 s",
    ),
    (
        "answers twice",
        r#"DESCRIBED; echo '{"jsonrpc":"2.0","id":1,"result":{}}'; cat >/dev/null"#,
        "it answered request 1 twice",
    ),
    (
        "answers what no one asked",
        r#"DESCRIBED; echo '{"jsonrpc":"2.0","id":99,"result":{}}'; cat >/dev/null"#,
        "a request that was not made",
    ),
    (
        "says yes to all",
        r#"DESCRIBED; read -r _; echo '{"jsonrpc":"2.0","id":2,"result":{}}'; cat >/dev/null"#,
        "there is no such method, and the adapter did not say so",
    ),
    (
        "floods its standard error",
        "yes 'I am busy' >&2 & DESCRIBED; read -r _; exit 7",
        "ended with exit code 7",
    ),
];

#[test]
fn a_bad_adapter_is_reported_apart_from_a_bad_target_and_nothing_hangs() {
    for (name, script, reported) in BAD {
        let folder = tempfile::tempdir().expect("a folder");
        let script_path = folder.path().join("adapter.sh");
        std::fs::write(&script_path, script.replace("DESCRIBED", DESCRIBED)).expect("it is written");
        let (code, text) = run(&format!("sh '{}'", script_path.display()), folder.path());
        assert_eq!(code, 5, "{name}: {text}");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(reported), "{name}: {text}");
        for shown in ["report.txt", "junit.xml", "report.json"] {
            let path = folder.path().join("out").join(shown);
            let shown = std::fs::read_to_string(&path).unwrap_or_default() + &text;
            let control = shown.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(control, None, "{name}: {}", path.display());
        }
        let log = std::fs::metadata(folder.path().join("out/adapter.log")).expect("a log");
        assert!(log.len() < (1 << 20) + 100, "{name}: {} bytes of log", log.len());
        assert!(folder.path().join("out/transcript.jsonl").is_file(), "{name}: the evidence is kept");
    }
}

#[test]
fn a_program_that_is_not_there_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, text) = run("/no/such/program --at all", folder.path());
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("does not start"), "{text}");
}

/// Exit code, and all that was written.
fn run(adapter: &str, folder: &Path) -> (i32, String) {
    let output = Command::new(COVENANT)
        .args([
            "run",
            "--quiet",
            "--seed",
            "1",
            "--only",
            "A-*/**",
            "--adapter-timeout",
            "1",
            "--adapter",
            adapter,
        ])
        .arg("--out")
        .arg(folder.join("out"))
        .output()
        .expect("the program starts");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("it ended by itself"), String::from_utf8_lossy(&text).into_owned())
}

/// Whoever is late answers a question that no one asks any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_is_not_taken_for_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adapter.sh");
    let script = r#"DESCRIBED; read -r _; read -r _; echo '{"jsonrpc":"2.0","id":2,"result":"late"}'
        echo '{"jsonrpc":"2.0","id":3,"result":"mine"}'; cat >/dev/null"#;
    std::fs::write(&path, script.replace("DESCRIBED", DESCRIBED)).expect("it is written");
    let program = Program::parse(&format!("sh '{}'", path.display())).expect("a program");
    let adapter =
        Stdio::new(program, Duration::from_millis(300), Log::default()).start().await.expect("it starts");
    let error = adapter.call("clock.now", json!({})).await.expect_err("it is late").to_string();
    assert!(error.starts_with("clock.now: the adapter failed: no answer within"), "{error}");
    assert_eq!(adapter.call("clock.now", json!({})).await, Ok(json!("mine")));
}

#[test]
fn a_check_says_of_each_method_what_is_missing_or_malformed() {
    let check = |words: &[&str]| {
        let output =
            Command::new(COVENANT).args(["adapter", "check", "--"]).args(words).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, text) = check(&[COVENANT, "adapter"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.ends_with("44 methods: 1 missing, 0 malformed or failed\n"), "{text}");
    // What was sent was committed with it: there is nothing left to commit.
    let refused: Vec<&str> = text.lines().filter(|line| line.contains(" refused ")).collect();
    assert!(matches!(refused[..], [only] if only.starts_with("migration.commit")), "{text}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adapter.sh");
    let script = r#"DESCRIBED
        read -r _; echo '{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"?"}}'
        n=3; while read -r _; do echo '{"jsonrpc":"2.0","id":'$n',"result":{}}'; n=$((n+1)); done"#;
    std::fs::write(&path, script.replace("DESCRIBED", DESCRIBED)).expect("it is written");
    let (code, text) = check(&["sh", path.to_str().expect("a path")]);
    assert_eq!(code, Some(5), "{text}");
    assert!(text.contains("expected {\"base_url\": http or https URL}"), "{text}");
    assert!(text.contains("describe.verbs does not list it"), "{text}");
}
