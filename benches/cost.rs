//! Time and peak memory of whole runs, each as a process. Prints the figures and asserts nothing.
//!
//! `cargo bench`

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// The number of measured runs of a command, after one warm-up run.
const RUNS: usize = 5;

/// The measured commands: name, arguments, and number of runs after the warm-up. A command with 0 runs once, without a
/// warm-up. The smallest command is first, because the peak memory is that of the largest process so far.
const COMMANDS: [(&str, &[&str], usize); 5] = [
    ("covenant list clauses: the start of the program", &["list", "clauses"], RUNS),
    (
        "covenant run --only '00-*/**': the handshake and three short scenarios",
        &["run", "-q", "--seed", "1", "--only", "00-*/**"],
        RUNS,
    ),
    ("covenant run --cases 0: every scenario", &["run", "-q", "--seed", "1", "--cases", "0"], RUNS),
    ("covenant run", &["run", "-q", "--seed", "1"], RUNS),
    ("covenant selftest", &["selftest"], 0),
];

fn main() {
    for (name, arguments, runs) in COMMANDS {
        let folder = tempfile::tempdir().expect("a folder");
        // A command that takes minutes runs once and needs no warm-up.
        let warm_up = usize::from(runs > 0);
        let timed = (0..=runs).map(|_| time(arguments, folder.path()));
        let mut times: Vec<Duration> = timed.skip(warm_up).collect();
        times.sort();
        println!(
            "{name}\n    wall min {:.2?}, median {:.2?}, max {:.2?}; peak memory {} MiB",
            times[0],
            times[times.len() / 2],
            times[times.len() - 1],
            peak_mebibytes()
        );
    }
}

fn time(arguments: &[&str], folder: &Path) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_covenant"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    if arguments[0] == "run" {
        command.arg("--out").arg(folder);
    }
    let start = Instant::now();
    let status = command.status().expect("the program starts");
    assert!(status.success(), "{arguments:?}: {status}");
    start.elapsed()
}

fn peak_mebibytes() -> i64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| usage.max_rss() / 1024)
}
