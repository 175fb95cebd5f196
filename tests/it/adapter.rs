//! Adapters. The reference behind an adapter gets the verdicts of the embedded reference, and a faulty adapter is
//! reported apart from a faulty target.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::adapter_server::{AdapterServer, TOKEN, serve, serve_over};
use crate::program::output_of;
use covenant::check::Verdict;
use covenant::clock::{Clock, Seed};
use covenant::contract::Aspect;
use covenant::operator::platform::{Now, Start};
use covenant::operator::{
    Http, Log, Method, OperatorClient, OperatorMethod, Program, Stdio, TargetRequest, Targets,
};
use covenant::pki::Authority;
use covenant::report::Report;
use covenant::runner::{ExternalTarget, Plan, Selection, Target};
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

/// Returns what selects scenarios and properties.
fn selected(ids: &[&str]) -> Selection {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    Selection::new(&ids, &[]).expect("patterns")
}

/// Plays scenarios that stop, kill and move the target, and a property. Whole runs behind an adapter are those of
/// `platforms`.
#[tokio::test(flavor = "multi_thread")]
async fn reference_behind_program_adapter_gets_the_verdicts_of_the_embedded_reference() {
    let selection = selected(&[
        "03-truthful-capabilities/declared-*",
        "05-audit-transparency/excerpt-within-72-hours",
        "07-migration-hygiene/crash-leaves-nothing",
        "09-compromise-disclosure/compromise-is-disclosed-after-a-restart",
        "09-compromise-disclosure/late-disclosure-is-noticed",
        "property/compromises",
    ]);
    let plan = Plan { selection, cases: 1, ..Plan::default() };
    let embedded = plan.run_to_report().await.expect("a run");
    let target = external(Arc::new(stdio(&format!("{COVENANT} adapter"))));
    let behind = Plan { target, ..plan }.run_to_report().await.expect("a run");
    assert_eq!(verdicts(&behind), verdicts(&embedded));
    assert_eq!(behind.void, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_behind_adapter_is_detected() {
    let selection = selected(&["03-truthful-capabilities/declared-kinds-are-served"]);
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

/// All that checks the conduct of 9.1.
const DISCLOSURES: [&str; 4] = [
    "09-compromise-disclosure/compromise-is-disclosed-*",
    "09-compromise-disclosure/exfiltration-is-disclosed*",
    "09-compromise-disclosure/stolen-certificate-is-disclosed",
    "property/compromises",
];

/// The peers follow the clock of a target behind an adapter, also when one step moves it several times.
#[tokio::test(flavor = "multi_thread")]
async fn late_disclosure_behind_adapter_is_broken() {
    let of_9_1 = |report: &Report| {
        let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
        let of_conduct = evaluations.filter(|evaluation| evaluation.check.aspect == Aspect::Conduct);
        of_conduct.map(|evaluation| evaluation.result.verdict).collect::<Vec<_>>()
    };
    // The second defect is seen only where a declaration comes later than the compromise.
    for (defect, broken) in [
        ("discloses-compromise-after-25-hours", [true; 7]),
        ("counts-24-hours-from-declaration", [true, false, true, false, false, false, true]),
    ] {
        let selection = selected(&DISCLOSURES);
        let line = format!("{COVENANT} adapter --defect {defect}");
        let target = external(Arc::new(stdio(&line)));
        let report =
            Plan { target, selection, cases: 1, ..Plan::default() }.run_to_report().await.expect("a run");
        let is_broken: Vec<bool> =
            of_9_1(&report).iter().map(|verdict| *verdict == Verdict::Broken).collect();
        assert_eq!(is_broken, broken, "{defect}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reference_behind_url_adapter_gets_the_verdicts_of_the_embedded_reference() {
    let (_server, url) = serve(Arc::new(AdapterServer::start(true).await)).await;
    let selection = selected(&[
        "04-notice-of-revocation/notice-precedes-teardown",
        "04-notice-of-revocation/open-migrations-have-grace",
        "11-right-of-exit/data-remains-after-revocation-by-peer",
        "11-right-of-exit/operator-revokes-from-each-state",
        "property/exits",
    ]);
    let plan = Plan { selection, cases: 1, ..Plan::default() };
    let embedded = plan.run_to_report().await.expect("a run");
    let http = Http::new(url, None, Some(TOKEN.to_owned()), Duration::from_mins(1));
    let behind = Plan { target: external(Arc::new(http)), ..plan }.run_to_report().await.expect("a run");
    assert_eq!(verdicts(&behind), verdicts(&embedded));
    assert_eq!(behind.void, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn adapter_behind_a_url_is_trusted_by_the_authorities_that_the_user_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("the adapter's own", &Clock::system()).expect("an authority");
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("a file");
    let identity = authority.leaf("adapter", &["127.0.0.1"], 30).expect("an identity");
    let (_server, url) = serve_over(Some(&identity), Arc::new(AdapterServer::start(true).await)).await;
    let check = async |more: &[&str]| {
        let mut command = tokio::process::Command::new(COVENANT);
        command.args(["adapter", "check", "--operator", url.as_str()]).args(more).current_dir(folder.path());
        let output = command.env("COVENANT_OPERATOR_TOKEN", TOKEN).output().await.expect("it runs");
        (output.status.code(), output_of(&output))
    };
    let (code, text) = check(&["--ca", "ca.pem"]).await;
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = check(&[]).await;
    assert_eq!(code, Some(5), "{text}");
    assert!(text.contains("is not trusted") && text.contains("--ca FILE names authorities"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn url_without_adapter_protocol_is_a_failure_of_the_adapter() {
    let (_server, url) = serve(Arc::new(AdapterServer::start(true).await)).await;
    let anonymous_client = Http::new(url, None, None, Duration::from_mins(1));
    let error = anonymous_client.describe().await.expect_err("no token").to_string();
    assert!(error.starts_with("describe: the adapter failed: status 401"), "{error}");
}

/// Shell commands that give a valid response to `describe`.
const DESCRIBE_RESPONSE: &str = r#"read -r _; echo '{"jsonrpc":"2.0","id":1,"result":{"name":"x","version":"1","protocol":1,"verbs":[]}}'"#;

/// Faulty adapters: a name, the shell script, and a part of the report.
const FAULTY: &[(&str, &str, &str)] = &[
    ("exits at once", "exit 3", "describe: the adapter failed: ended with exit code 3"),
    (
        "exits with a message on standard error",
        "echo 'no database' >&2; exit 1",
        "its standard error ended with: no database",
    ),
    ("responds with text", "echo hello; cat >/dev/null", "describe: the adapter failed: not JSON"),
    ("responds with a list", "echo '[]'; cat >/dev/null", "a JSON object was expected"),
    (
        "responds without result and error",
        r#"echo '{"jsonrpc":"2.0","id":1}'; cat >/dev/null"#,
        "either result or error was expected",
    ),
    (
        "has another protocol version",
        r#"echo '{"jsonrpc":"2.0","id":1,"result":{"protocol":2}}'; cat >/dev/null"#,
        "protocol: 1 was expected, found 2",
    ),
    ("exits in the middle of a line", r#"read -r _; printf '{"jsonrpc":'"#, "in the middle of a line"),
    ("writes an endless line", "yes | tr -d '\\n'", "longer than 4 MiB"),
    ("nests 200,000 lists", "yes '[' | tr -d '\\n' | head -c 200000; echo; cat >/dev/null", "127 deep"),
    (
        "responds with invalid UTF-8",
        r"printf '\377\376\n'; cat >/dev/null",
        "describe: the adapter failed: not",
    ),
    ("responds with a NUL", r"printf '\000\n'; cat >/dev/null", "not JSON"),
    (
        "responds with a number out of range",
        r#"read -r _; echo '{"jsonrpc":"2.0","id":1,"result":{"protocol":1e999}}'; cat >/dev/null"#,
        "not JSON",
    ),
    (
        "puts terminal escapes and XML into an error",
        r#"DESCRIBE_RESPONSE; read -r _; printf '%s\n' '{"jsonrpc":"2.0","id":2,"error":{"code":"\u001b[2J","message":"\u001b]0;owned\u0007 ]]><x a="}}'; cat >/dev/null"#,
        "covenant.square_the_circle: the adapter failed",
    ),
    (
        "puts terminal escapes and XML on standard error",
        r"printf '\033[2J\033]0;owned\007 ]]><x\n' >&2; exit 1",
        "standard error ended with",
    ),
    ("never responds", "cat >/dev/null", "describe: the adapter failed: no answer within 1 s"),
    (
        "exits after describe",
        "DESCRIBE_RESPONSE; read -r _; exit 7",
        "covenant.square_the_circle: the adapter failed: ended with exit code 7",
    ),
    (
        "stops responding after describe",
        "DESCRIBE_RESPONSE; cat >/dev/null",
        "covenant.square_the_circle: the adapter failed: no answer within 1 s",
    ),
    (
        "responds twice",
        r#"DESCRIBE_RESPONSE; echo '{"jsonrpc":"2.0","id":1,"result":{}}'; cat >/dev/null"#,
        "it answered request 1 twice",
    ),
    (
        "responds to an unknown id",
        r#"DESCRIBE_RESPONSE; echo '{"jsonrpc":"2.0","id":99,"result":{}}'; cat >/dev/null"#,
        "a request that was not made",
    ),
    (
        "accepts a method that cannot exist",
        r#"DESCRIBE_RESPONSE; read -r _; echo '{"jsonrpc":"2.0","id":2,"result":{}}'; cat >/dev/null"#,
        "there is no such method, and the adapter did not say so",
    ),
    (
        "floods its standard error",
        "yes 'I am busy' >&2 & DESCRIBE_RESPONSE; read -r _; exit 7",
        "ended with exit code 7",
    ),
];

#[test]
fn faulty_adapter_ends_the_run_with_exit_code_5_and_no_hang() {
    for (name, script, reported) in FAULTY {
        let folder = tempfile::tempdir().expect("a folder");
        let script_path = folder.path().join("adapter.sh");
        std::fs::write(&script_path, script.replace("DESCRIBE_RESPONSE", DESCRIBE_RESPONSE))
            .expect("it is written");
        let (code, text) = run(&format!("sh '{}'", script_path.display()), folder.path());
        assert_eq!(code, 5, "{name}: {text}");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(reported), "{name}: {text}");
        for file in ["report.txt", "junit.xml", "report.json"] {
            let path = folder.path().join("out").join(file);
            let shown = std::fs::read_to_string(&path).unwrap_or_default() + &text;
            let control = shown.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(control, None, "{name}: {}", path.display());
        }
        let log = std::fs::metadata(folder.path().join("out/adapter.log")).expect("a log");
        assert!(log.len() < (1 << 20) + 100, "{name}: {} bytes of log", log.len());
        assert!(folder.path().join("out/transcript.jsonl").is_file(), "{name}: no transcript");
    }
}

#[test]
fn missing_adapter_program_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, text) = run("/no/such/program --at all", folder.path());
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("does not start"), "{text}");
}

/// Runs the suite with an adapter. Returns the exit code, and standard output and standard error.
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

#[tokio::test(flavor = "multi_thread")]
async fn late_response_is_not_matched_to_the_next_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adapter.sh");
    let script = r#"DESCRIBE_RESPONSE; read -r _; read -r _; echo '{"jsonrpc":"2.0","id":2,"result":"late"}'
        echo '{"jsonrpc":"2.0","id":3,"result":"in time"}'; cat >/dev/null"#;
    let again = DESCRIBE_RESPONSE.replace("\"id\":1", "\"id\":2");
    let script = script.replace("DESCRIBE_RESPONSE", DESCRIBE_RESPONSE).replace("DESCRIBE_AGAIN", &again);
    std::fs::write(&path, script).expect("it is written");
    let program = Program::parse(&format!("sh '{}'", path.display())).expect("a program");
    let adapter =
        Stdio::new(program, Duration::from_millis(300), Log::default()).start().await.expect("it starts");
    let error = adapter.call(Now::METHOD, json!({})).await.expect_err("it is late").to_string();
    assert!(error.starts_with("clock.now: the adapter failed: no answer within"), "{error}");
    assert_eq!(adapter.call(Now::METHOD, json!({})).await, Ok(json!("in time")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_was_given_up_keeps_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    for (end, why) in [
        ("echo why >&2; exit 7", "ended with exit code 7; its standard error ended with: why"),
        ("kill -9 $$", "was ended by a signal (signal: 9 (SIGKILL))"),
        ("echo hello; cat >/dev/null", "not JSON"),
        ("printf half", "in the middle of a line: \"half\""),
    ] {
        let path = folder.path().join("adapter.sh");
        std::fs::write(&path, format!("{DESCRIBE_RESPONSE}; read -r _; {end}")).expect("it is written");
        let program = Program::parse(&format!("sh '{}'", path.display())).expect("a program");
        let starting = Stdio::new(program, Duration::from_secs(20), Log::default());
        let adapter = starting.start().await.expect("it starts");
        let first = adapter.call(Now::METHOD, json!({})).await.expect_err("it ends").to_string();
        assert!(first.contains(why), "{first}");
        let next = adapter.call(Now::METHOD, json!({})).await.expect_err("it ended").to_string();
        let reason = first.strip_prefix("clock.now: the adapter failed: ").expect("a reason");
        assert_eq!(next, format!("clock.now: the adapter failed: it was given up before: {reason}"));
    }
}

#[test]
fn adapter_check_reports_each_missing_or_malformed_method() {
    let check = |program: &[&str]| {
        let output = Command::new(COVENANT)
            .args(["adapter", "check", "--"])
            .args(program)
            .output()
            .expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, text) = check(&[COVENANT, "adapter"]);
    assert_eq!(code, Some(0), "{text}");
    // One line for each method, and one for the method that does not exist.
    let count = Method::all().count() + 1;
    assert!(text.ends_with(&format!("{count} methods: 1 missing, 0 malformed or failed\n")), "{text}");
    // The migration was committed when it was sent, so `migration.commit` is refused.
    let refused: Vec<&str> = text.lines().filter(|line| line.contains(" refused ")).collect();
    assert!(matches!(refused[..], [only] if only.starts_with("migration.commit")), "{text}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adapter.sh");
    let script = r#"DESCRIBE_RESPONSE
        DESCRIBE_AGAIN
        read -r _; echo '{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"?"}}'
        n=4; while read -r _; do echo '{"jsonrpc":"2.0","id":'$n',"result":{}}'; n=$((n+1)); done"#;
    let again = DESCRIBE_RESPONSE.replace(r#""id":1"#, r#""id":2"#);
    let script = script.replace("DESCRIBE_RESPONSE", DESCRIBE_RESPONSE).replace("DESCRIBE_AGAIN", &again);
    std::fs::write(&path, script).expect("it is written");
    let (code, text) = check(&["sh", path.to_str().expect("a path")]);
    assert_eq!(code, Some(5), "{text}");
    assert!(text.contains("expected {\"base_url\": http or https URL}"), "{text}");
    assert!(text.contains("describe.verbs does not list it"), "{text}");
}

/// Starts the platform of three scenarios in turn, each with these settings, and returns the ids of the adapter's
/// processes. The adapter can reset its platform, and shows these peers.
async fn processes(peers: &str, settings: serde_json::Value) -> Vec<u64> {
    let script = format!(
        r#"while read -r line; do
             id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
             case $line in
               *describe*) result='{{"protocol":1,"name":"x","version":"1","resets_completely":true,"verbs":["describe","platform.start","platform.reset"]}}';;
               *peer.list*) result='{peers}';;
               *) result="{{\"pid\":$$}}";;
             esac
             printf '{{"jsonrpc":"2.0","id":%s,"result":%s}}\n' "$id" "$result"
           done"#
    );
    let program = Program::of(vec!["sh".to_owned(), "-c".to_owned(), script]).expect("a program");
    let targets = Stdio::new(program, Duration::from_mins(1), Log::default());
    let mut processes = vec![];
    for scenario in ["one", "two", "three"] {
        let request = TargetRequest { scenario, seed: Seed(1), alone: false, durable: false };
        let lease = targets.lease(request).await.expect("a lease");
        let parameters = json!({ "settings": settings.clone() });
        let started = lease.operator.call(Start::METHOD, parameters).await.expect("it starts");
        processes.push(started["pid"].as_u64().expect("a process"));
    }
    targets.close().await;
    processes
}

#[tokio::test(flavor = "multi_thread")]
async fn adapter_that_can_reset_its_platform_plays_scenarios_in_turn() {
    let same = processes(r#"{"peers":[]}"#, json!({})).await;
    assert!(same.iter().all(|process| *process == same[0]), "{same:?}");
    // A platform with settings of its own, or with a peer that outlived the reset, is not used again.
    let with_settings = processes(r#"{"peers":[]}"#, json!({"residency": "eu"})).await;
    let with_peer = processes(r#"{"peers":[{"id":"x"}]}"#, json!({})).await;
    for mut differ in [with_settings, with_peer] {
        differ.sort_unstable();
        differ.dedup();
        assert_eq!(differ.len(), 3, "{differ:?}");
    }
}
