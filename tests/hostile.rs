//! Runs against hostile targets. Each run ends in time, with the correct verdicts, within a memory limit, with
//! escaped and masked output, and calls no address that the user did not name.
//!
//! One run in a process of its own tests each behaviour on every route in turn, or a run for each route. The results are in
//! `reports/specimen/hostile.md`; `COVENANT_BLESS=1` writes that file again.

#[path = "hostile/callers.rs"]
mod callers;
#[path = "hostile/certificates.rs"]
mod certificates;
#[path = "hostile/frames.rs"]
mod frames;
#[path = "hostile/responses.rs"]
mod responses;
#[path = "hostile/server.rs"]
mod server;
#[path = "hostile/texts.rs"]
mod texts;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use certificates::CERTIFICATES;
use frames::FRAMES;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use responses::RESPONSES;
use serde_json::Value;
use server::{BEARER_TOKEN, Behaviour, Hostile, ROUTES, Route, TOKEN};
use texts::TEXTS;

const COVENANT: &str = env!("CARGO_BIN_EXE_covenant");
/// The limit of a run's peak memory, in MiB.
const MEMORY_MIB_MAX: u64 = 200;
/// The table rounds memory up to a multiple of this, so that small differences between runs do not show. In MiB.
const MEMORY_MIB_STEP: u64 = 100;
/// The time limit of a run over all routes.
const RUN_TIME_MAX: Duration = Duration::from_mins(3);
/// The number of behaviours in parallel.
const PARALLEL_RUNS: usize = 48;
/// The behaviours under which each call waits for its time limit, whatever its route. Each route has a run of its own,
/// side by side.
const WAITING: [&str; 4] = [
    "HTTP/2: settings without end",
    "HTTP/2: pings without end",
    "HTTP/2: a window of zero",
    "never completes the TLS handshake",
];

#[tokio::test(flavor = "multi_thread")]
async fn run_against_hostile_target_ends_in_time_with_correct_verdicts() {
    let behaviours: Vec<&'static Behaviour> =
        RESPONSES.iter().chain(TEXTS).chain(FRAMES).chain(CERTIFICATES).collect();
    assert!(behaviours.len() >= 100, "{} behaviours", behaviours.len());
    let is_known = |name: &&str| behaviours.iter().any(|behaviour| behaviour.name == *name);
    assert!(WAITING.iter().all(is_known), "each of {WAITING:?} is a behaviour");
    // Those that end by a time limit alone stand last, and begin first: the longest of them is the time of the test.
    let numbered = behaviours.into_iter().enumerate().rev();
    let runs = stream::iter(numbered).map(async |(n, behaviour)| (n, test_behaviour(behaviour).await));
    // Most of them wait: none waits for one that began before it.
    let mut rows: Vec<(usize, Row)> = runs.buffer_unordered(PARALLEL_RUNS).collect().await;
    rows.sort_by_key(|(n, _)| *n);
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let faults: Vec<&String> = rows.iter().flat_map(|row| &row.faults).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    compare(&table(&rows));
}

/// The result of one behaviour.
struct Row {
    name: &'static str,
    /// The verdict on each route: `("accept", "broken")`.
    verdicts: Vec<(String, String)>,
    memory_mib: u64,
    /// The differences from the expected result.
    faults: Vec<String>,
}

async fn test_behaviour(behaviour: &'static Behaviour) -> Row {
    let at_a_time = if WAITING.contains(&behaviour.name) { 1 } else { ROUTES.len() };
    let runs = ROUTES.chunks(at_a_time).map(|routes| test_routes(behaviour, routes));
    let mut row = Row { name: behaviour.name, verdicts: vec![], memory_mib: 0, faults: vec![] };
    for of_routes in join_all(runs).await {
        row.verdicts.extend(of_routes.verdicts);
        row.memory_mib = row.memory_mib.max(of_routes.memory_mib);
        row.faults.extend(of_routes.faults);
    }
    row
}

/// Tests a behaviour on some of the routes, in one run.
async fn test_routes(behaviour: &'static Behaviour, routes: &[Route]) -> Row {
    let hostile = Hostile::start(behaviour).await;
    let folder = tempfile::tempdir().expect("a folder");
    write_scenarios(folder.path(), routes);
    let run = run(&hostile, folder.path()).await;
    let mut faults = run.faults(behaviour, routes);
    if hostile.decoy_was_called() {
        faults.push("the run called an address that the user did not name".to_owned());
    }
    let faults = faults.iter().map(|fault| format!("{}: {fault}", behaviour.name)).collect();
    Row { name: behaviour.name, verdicts: run.verdicts(), memory_mib: run.memory_mib, faults }
}

/// Writes one scenario for each route. The target is hostile on that route alone.
fn write_scenarios(folder: &Path, routes: &[Route]) {
    std::fs::create_dir(folder.join("scenarios")).expect("a folder");
    for (route, label) in routes {
        let text = include_str!("hostile/scenario.toml").replace("ROUTE", route).replace("LABEL", label);
        std::fs::write(folder.join(format!("scenarios/{route}.toml")), text).expect("written");
    }
}

/// A finished run.
struct Run {
    folder: PathBuf,
    /// The exit code, or `None` if the run was killed at the time limit.
    code: Option<i32>,
    /// Standard output and standard error.
    output: String,
    /// The peak memory.
    memory_mib: u64,
    in_time: bool,
}

async fn run(hostile: &Hostile, folder: &Path) -> Run {
    let out = folder.join("out");
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, hostile.ca_bundle_pem()).expect("written");
    let mut child = tokio::process::Command::new(COVENANT)
        .args([
            "run",
            "--quiet",
            "--seed",
            "1",
            "--jobs",
            "4",
            "--cases",
            "0",
            "--request-timeout",
            "2",
            "--poll-timeout",
            "0",
        ])
        .args(["--target", hostile.url(), "--operator", hostile.operator_url()])
        .arg("--ca")
        .arg(&ca)
        .arg("--scenarios")
        .arg(folder.join("scenarios"))
        .arg("--out")
        .arg(&out)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(folder.join("stdout")).expect("a file"))
        .stderr(std::fs::File::create(folder.join("stderr")).expect("a file"))
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let status = PathBuf::from(format!("/proc/{}/status", child.id().expect("an id")));
    let mut memory_mib = 0;
    let mut samples = tokio::time::interval(Duration::from_millis(50));
    let sampled = async {
        loop {
            tokio::select! {
                ended = child.wait() => return ended.expect("it ends"),
                _ = samples.tick() => memory_mib = peak_mib(&status).unwrap_or(memory_mib),
            }
        }
    };
    let ended = tokio::time::timeout(RUN_TIME_MAX, sampled).await;
    let output = ["stdout", "stderr"].map(|name| std::fs::read(folder.join(name)).expect("a file")).concat();
    Run {
        folder: out,
        code: ended.as_ref().ok().and_then(std::process::ExitStatus::code),
        output: String::from_utf8(output).expect("the output is UTF-8"),
        memory_mib,
        in_time: ended.is_ok(),
    }
}

/// Reads a process's peak memory in MiB. Returns `None` if the system does not report it.
fn peak_mib(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib.div_ceil(1024))
}

impl Run {
    fn report(&self) -> Value {
        let text = std::fs::read(self.folder.join("report.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or(Value::Null)
    }

    /// Returns the verdict on each evaluated route.
    fn verdicts(&self) -> Vec<(String, String)> {
        let report = self.report();
        let checks = report["checks"].as_array().cloned().unwrap_or_default();
        let evaluated = checks.iter().filter_map(|evaluated| {
            let scenario = evaluated["check"]["scenario"].as_str()?;
            Some((scenario.to_owned(), evaluated["result"]["verdict"].as_str()?.to_owned()))
        });
        evaluated.collect()
    }

    fn faults(&self, behaviour: &Behaviour, routes: &[Route]) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.in_time {
            faults.push(format!("the run did not end within {RUN_TIME_MAX:?}"));
        }
        if self.memory_mib > MEMORY_MIB_MAX {
            faults.push(format!("{} MiB of memory, at most {MEMORY_MIB_MAX} allowed", self.memory_mib));
        }
        let verdicts = self.verdicts();
        // A run in which nothing is kept or broken is no success.
        let is_evaluated = verdicts.iter().any(|(_, verdict)| matches!(verdict.as_str(), "kept" | "broken"));
        let expected: &[i32] = if is_evaluated { &[0, 1] } else { &[7] };
        if self.in_time && !self.code.is_some_and(|code| expected.contains(&code)) {
            faults.push(format!("exit code {:?}, not one of {expected:?}: {}", self.code, self.output));
        }
        if verdicts.len() != routes.len() {
            faults.push(format!("{} routes of {} were evaluated", verdicts.len(), routes.len()));
        }
        let wrong = |verdict: &str| (verdict == "kept") == behaviour.is_invalid;
        faults.extend(
            verdicts
                .iter()
                .filter(|(_, verdict)| wrong(verdict))
                .map(|(route, verdict)| format!("wrong verdict on {route}: {verdict}")),
        );
        faults.extend(self.output_faults());
        faults
    }

    /// Returns the outputs that contain a control character or a secret.
    fn output_faults(&self) -> Vec<String> {
        let files: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        let mut texts: Vec<(String, String)> = vec![("the terminal output".to_owned(), self.output.clone())];
        for path in &files {
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
            texts.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
        }
        let mut faults = Vec::new();
        for (name, text) in &texts {
            if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t')) {
                faults.push(format!("{name} contains control characters"));
            }
            if [TOKEN, BEARER_TOKEN].iter().any(|secret| text.contains(secret)) {
                faults.push(format!("{name} contains a secret"));
            }
        }
        faults
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "# Hostile targets\n\nOne run for each behaviour; the target behaves so on every route in turn. Memory is the \
         run's peak, rounded up.\n\n| behaviour | verdicts | memory |\n|---|---|---|\n",
    );
    for row in rows {
        let summarise = |verdict: &str| {
            let routes: Vec<&str> = row
                .verdicts
                .iter()
                .filter(|(_, actual)| actual == verdict)
                .map(|(route, _)| route.as_str())
                .collect();
            match routes.len() {
                0 => None,
                all if all == ROUTES.len() => Some(format!("{verdict} on every route")),
                _ => Some(format!("{verdict}: {}", routes.join(", "))),
            }
        };
        let verdicts: Vec<String> =
            ["broken", "unproven", "kept"].into_iter().filter_map(summarise).collect();
        let memory = row.memory_mib.div_ceil(MEMORY_MIB_STEP) * MEMORY_MIB_STEP;
        let _ = writeln!(text, "| {} | {} | {memory} MiB |", row.name, verdicts.join("; "));
    }
    text
}

fn compare(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/specimen/hostile.md");
    if std::env::var_os("COVENANT_BLESS").is_some() {
        std::fs::write(&path, table).expect("written");
        return;
    }
    // Memory differs from build to build. Verdicts do not, so they alone are compared.
    let without_memory = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.rsplit_once(" | ").map_or(line, |(rest, _)| rest).to_owned()).collect()
    };
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        without_memory(&committed),
        without_memory(table),
        "{} is stale; COVENANT_BLESS=1 writes it again",
        path.display()
    );
}
