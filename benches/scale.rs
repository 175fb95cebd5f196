//! Cost of the number of peers and of cases: time, processor and memory, each in processes of its own. Prints tables
//! and asserts nothing.
//!
//! `cargo bench --bench scale` (about ten minutes)

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

#[path = "../tests/it/described.rs"]
mod described;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const COVENANT: &str = env!("CARGO_BIN_EXE_covenant");
/// The numbers of peers, and the time between two heartbeats of one of them.
const PEERS: [u32; 4] = [10, 100, 1000, 10_000];
const EVERY: &str = "60s";
/// The time for which the peers are kept after they have federated: one heartbeat of each.
const KEPT: Duration = Duration::from_secs(70);
/// The numbers of cases.
const CASES: [u32; 3] = [12, 120, 1200];

fn main() {
    println!(
        "peers    federated  handshake  heartbeats  CPU of a heartbeat  memory of the peers  CPU, memory of the target"
    );
    for count in PEERS {
        peers(count);
    }
    println!("\ncases    wall       CPU        CPU of a case  memory");
    for cases in CASES {
        run(cases);
    }
}

/// Federates peers with the reference in another process, and keeps them for a time.
fn peers(count: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = folder.path().join("tokens");
    let (target, url) = target(&tokens, count);
    let began = Instant::now();
    let mut child = Command::new(COVENANT)
        .args([
            "peer",
            "--listen",
            "127.0.0.1:0",
            "--join",
            &url,
            "--count",
            &count.to_string(),
            "--every",
            EVERY,
        ])
        .arg("--token-file")
        .arg(&tokens)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let errors = BufReader::new(child.stderr.take().expect("piped"));
    let federated = errors.lines().map_while(Result::ok).find(|line| line.starts_with("federated after"));
    let (took, at_handshake) = (began.elapsed(), usage(&child));
    std::thread::park_timeout(KEPT);
    let (kept, of_target) = (usage(&child), usage(&target));
    kill(pid(&child), Signal::SIGTERM).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let answered = number_before(&text, " answered");
    let cpu = kept.seconds - at_handshake.seconds;
    let admitted = federated.as_deref().map_or(0.0, |line| number_before(line, " federated"));
    println!(
        "{count:<8} {admitted:<10} {:<10} {answered:<11} {:<19} {:<20} {:.1} s, {} MiB",
        format!("{:.2} ms", took.as_secs_f64() * 1000.0 / f64::from(count)),
        format!("{:.2} ms", cpu * 1000.0 / answered.max(1.0)),
        format!("{} MiB", kept.peak_mebibytes),
        of_target.seconds,
        of_target.peak_mebibytes,
    );
    end(target);
}

/// Starts the reference with proposals, and returns its URL.
fn target(tokens: &Path, count: u32) -> (Child, String) {
    let (child, described) = described::start(
        Command::new(COVENANT)
            .args(["target", "--listen", "127.0.0.1:0", "--propose", "https://127.0.0.1:1"])
            .args(["--proposals", &count.to_string(), "--tokens"])
            .arg(tokens),
    );
    (child, described["base_url"].as_str().expect("a URL").to_owned())
}

/// Runs every scenario and property with a number of cases.
fn run(cases: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let began = Instant::now();
    let child = Command::new(COVENANT)
        .args(["run", "-q", "--seed", "1", "--cases", &cases.to_string(), "--out"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut last = Usage::default();
    let mut child = child;
    while child.try_wait().expect("it runs").is_none() {
        last = usage(&child).or(last);
        std::thread::park_timeout(Duration::from_millis(50));
    }
    println!(
        "{cases:<8} {:<10} {:<10} {:<14} {} MiB",
        format!("{:.1} s", began.elapsed().as_secs_f64()),
        format!("{:.1} s", last.seconds),
        format!("{:.1} ms", last.seconds * 1000.0 / f64::from(cases)),
        last.peak_mebibytes
    );
}

/// Resources that a process has used so far.
#[derive(Clone, Copy, Default)]
struct Usage {
    seconds: f64,
    peak_mebibytes: u64,
}

impl Usage {
    /// A process that has just ended has used nothing any more.
    fn or(self, before: Self) -> Self {
        if self.peak_mebibytes == 0 { before } else { self }
    }
}

fn usage(child: &Child) -> Usage {
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap_or_default();
    let status = read("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
    let stat = read("stat");
    // The fields after the name of the program, which may hold spaces: utime and stime are the 12th and 13th.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<u32>().ok()).unwrap_or(0);
    Usage { seconds: f64::from(ticks(11) + ticks(12)) / 100.0, peak_mebibytes: peak / 1024 }
}

/// Returns the number in front of a text, the last time that it stands there.
fn number_before(text: &str, end: &str) -> f64 {
    let before = text.rfind(end).map(|place| &text[..place]);
    before.and_then(|text| text.rsplit([' ', '\n']).next()?.parse().ok()).unwrap_or(0.0)
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process"))
}

fn end(mut child: Child) {
    let _ = kill(pid(&child), Signal::SIGTERM);
    let _ = child.wait();
}
