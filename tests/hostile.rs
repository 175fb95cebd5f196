//! A target that fights back: whatever it does, a run ends in time, with the right verdict, within a
//! stated memory, with a clean report, and calls nobody whom the user did not name.
//!
//! Each behaviour is met on every route in turn, by a run in a process of its own. What came of it is in
//! `reports/specimen/hostile.md`; `COVENANT_BLESS=1` writes it again.

#[path = "hostile/answers.rs"]
mod answers;
#[path = "hostile/certificates.rs"]
mod certificates;
#[path = "hostile/frames.rs"]
mod frames;
#[path = "hostile/server.rs"]
mod server;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use answers::ANSWERS;
use certificates::CERTIFICATES;
use frames::FRAMES;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::Value;
use server::{BEARER_TOKEN, Behaviour, Hostile, ROUTES, TOKEN};

const COVENANT: &str = env!("CARGO_BIN_EXE_covenant");
/// A run's memory at most.
const MEMORY_MIB_MAX: u64 = 200;
/// In the table memory is rounded up to a multiple of this, so that it tells the same each time.
const MEMORY_MIB_STEP: u64 = 100;
/// A run's time at most, all routes together.
const RUN_TIME_MAX: Duration = Duration::from_mins(3);
/// Runs side by side.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_target_does_the_run_ends_well() {
    let every: Vec<&'static Behaviour> = ANSWERS.iter().chain(FRAMES).chain(CERTIFICATES).collect();
    assert!(every.len() >= 40, "{} behaviours", every.len());
    let rows: Vec<Row> = stream::iter(every).map(set_target).buffered(AT_ONCE).collect().await;
    let faults: Vec<&String> = rows.iter().flat_map(|row| &row.faults).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    compare(&table(&rows));
}

/// What came of one behaviour.
struct Row {
    name: &'static str,
    /// `accept broken, heartbeat broken, …`
    outcomes: Vec<(String, String)>,
    memory_mib: u64,
    /// What should not have come of it.
    faults: Vec<String>,
}

async fn set_target(behaviour: &'static Behaviour) -> Row {
    let hostile = Hostile::start(behaviour).await;
    let folder = tempfile::tempdir().expect("a folder");
    write_scenarios(folder.path());
    let run = run(&hostile, folder.path()).await;
    let mut faults = run.faults(behaviour);
    if hostile.trap_was_called() {
        faults.push("it called an address that the user did not name".to_owned());
    }
    let faults = faults.iter().map(|fault| format!("{}: {fault}", behaviour.name)).collect();
    Row { name: behaviour.name, outcomes: run.outcomes(), memory_mib: run.memory_mib, faults }
}

/// One scenario for each route: the target is hostile there, and nowhere else.
fn write_scenarios(folder: &Path) {
    std::fs::create_dir(folder.join("scenarios")).expect("a folder");
    for (route, label) in ROUTES {
        let text = include_str!("hostile/scenario.toml").replace("ROUTE", route).replace("LABEL", label);
        std::fs::write(folder.join(format!("scenarios/{route}.toml")), text).expect("written");
    }
}

/// A run that ended, or that was ended.
struct Run {
    folder: PathBuf,
    code: Option<i32>,
    reported: String,
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
            "1",
            "--cases",
            "0",
            "--request-timeout",
            "2",
            "--poll-timeout",
            "0",
        ])
        .args(["--target", hostile.url(), "--operator", hostile.desk_url()])
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
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    let watched = async {
        loop {
            tokio::select! {
                ended = child.wait() => return ended.expect("it ends"),
                _ = looks.tick() => memory_mib = peak_mib(&status).unwrap_or(memory_mib),
            }
        }
    };
    let ended = tokio::time::timeout(RUN_TIME_MAX, watched).await;
    let reported =
        ["stdout", "stderr"].map(|name| std::fs::read(folder.join(name)).expect("a file")).concat();
    Run {
        folder: out,
        code: ended.as_ref().ok().and_then(std::process::ExitStatus::code),
        reported: String::from_utf8(reported).expect("whatever it writes is UTF-8"),
        memory_mib,
        in_time: ended.is_ok(),
    }
}

/// The most memory that a process has had, where the system tells.
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

    /// What was evaluated on each route.
    fn outcomes(&self) -> Vec<(String, String)> {
        let report = self.report();
        let checks = report["checks"].as_array().cloned().unwrap_or_default();
        let evaluated = checks.iter().filter_map(|evaluated| {
            let scenario = evaluated["check"]["scenario"].as_str()?;
            Some((scenario.to_owned(), evaluated["result"]["verdict"].as_str()?.to_owned()))
        });
        evaluated.collect()
    }

    fn faults(&self, behaviour: &Behaviour) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.in_time {
            faults.push(format!("the run did not end within {RUN_TIME_MAX:?}"));
        }
        if self.in_time && !matches!(self.code, Some(0 | 1)) {
            faults.push(format!("exit code {:?}: {}", self.code, self.reported));
        }
        if self.memory_mib > MEMORY_MIB_MAX {
            faults.push(format!("{} MiB", self.memory_mib));
        }
        let outcomes = self.outcomes();
        if outcomes.len() != ROUTES.len() {
            faults.push(format!("{} routes of {} were evaluated", outcomes.len(), ROUTES.len()));
        }
        let wrong = |verdict: &str| if behaviour.spoils { verdict == "kept" } else { verdict != "kept" };
        faults.extend(
            outcomes
                .iter()
                .filter(|(_, verdict)| wrong(verdict))
                .map(|(route, verdict)| format!("{route} was {verdict}")),
        );
        faults.extend(self.unclean());
        faults
    }

    /// Control characters where a person or a parser reads, and secrets anywhere.
    fn unclean(&self) -> Vec<String> {
        let files: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        let mut texts: Vec<(String, String)> = vec![("the terminal".to_owned(), self.reported.clone())];
        for path in &files {
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
            texts.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
        }
        let mut faults = Vec::new();
        for (name, text) in &texts {
            if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t')) {
                faults.push(format!("{name} has control characters"));
            }
            if [TOKEN, BEARER_TOKEN].iter().any(|secret| text.contains(secret)) {
                faults.push(format!("{name} has a secret"));
            }
        }
        faults
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "# A target that fights back\n\nEach behaviour, met on every route in turn by one run; the memory is the run's most, \
         rounded up.\n\n| behaviour | what was evaluated | memory |\n|---|---|---|\n",
    );
    for row in rows {
        let told = |verdict: &str| {
            let of: Vec<&str> = row
                .outcomes
                .iter()
                .filter(|(_, found)| found == verdict)
                .map(|(route, _)| route.as_str())
                .collect();
            match of.len() {
                0 => None,
                all if all == ROUTES.len() => Some(format!("{verdict} on every route")),
                _ => Some(format!("{verdict}: {}", of.join(", "))),
            }
        };
        let told: Vec<String> = ["broken", "unproven", "kept"].into_iter().filter_map(told).collect();
        let memory = row.memory_mib.div_ceil(MEMORY_MIB_STEP) * MEMORY_MIB_STEP;
        let _ = writeln!(text, "| {} | {} | {memory} MiB |", row.name, told.join("; "));
    }
    text
}

fn compare(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/specimen/hostile.md");
    if std::env::var_os("COVENANT_BLESS").is_some() {
        std::fs::write(&path, table).expect("written");
        return;
    }
    // What a run takes differs from build to build; what it evaluated does not.
    let without_memory = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.rsplit_once(" | ").map_or(line, |(rest, _)| rest).to_owned()).collect()
    };
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(without_memory(&committed), without_memory(table), "COVENANT_BLESS=1 writes it again");
}
