//! The commands that the documents show, each run in a temporary folder.
//!
//! A command without a row in the tables below runs as it stands, and must exit with 0. A row adds arguments, or names
//! what stands for a placeholder; it leaves nothing out that a document shows.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::audit::wait_for_text;
use crate::program::{LOOPBACK, Platform};
use crate::python::missing_program;

const README: &str = include_str!("../../README.md");
const CONTRIBUTING: &str = include_str!("../../CONTRIBUTING.md");
const GUIDE: &str = include_str!("../../docs/plug-your-platform-in.md");

/// How a command is run that does not run as it stands, or does not exit with 0.
struct Row {
    command: &'static str,
    /// The placeholders of the command, each with what stands for it.
    placeholders: &'static [(&'static str, &'static str)],
    /// Arguments that are added.
    added: &'static str,
    exit: i32,
    /// The transcript that shows that the command is at work; it is interrupted then.
    interrupted_at_work: Option<&'static str>,
}

const fn row(command: &'static str, added: &'static str) -> Row {
    Row { command, placeholders: &[], added, exit: 0, interrupted_at_work: None }
}

/// Limits a run to a short scenario.
const SHORT: &str = "--only 03-truthful-capabilities/declared-kinds-are-served";
/// Lets an audit call quickly, and not wait for a heartbeat.
const QUICK_AUDIT: &str = "--rate 6000 --poll-timeout 1 --seed 1";

const ROWS: &[Row] = &[
    row("cargo run --release -- run", SHORT),
    row("covenant run --adapter 'python3 adapter.py'", SHORT),
    Row {
        exit: 1,
        ..row("covenant run --defect omits-first-conflict-from-log", "--only '07-*/conflicts-are-resolved'")
    },
    // What these three select in all is asserted in `src/runner/selection.rs`.
    row("covenant run --clause 7.3", "--only '07-*/conflicts-are-resolved'"),
    row(
        "covenant run --commitment E --commitment 7",
        "--cases 0 --only '07-*/conflicts-are-resolved' --only 'E-*/corrupt-streams-are-reported'",
    ),
    row("covenant run --behaviour bogus-capabilities", "--only '03-*/bogus-kind-is-noticed'"),
    Row {
        exit: 130,
        interrupted_at_work: Some("cases/transcript.jsonl"),
        ..row("covenant run --property grants --cases 10000 --seed 7", "--out cases")
    },
    row("covenant explain", "7.3"),
    // A new folder has no recording of the release before.
    Row { exit: 7, ..row("covenant gate --baseline golden/releases/1.4.2", "") },
    Row { placeholders: &[("FILE", "scenario.toml")], ..row("covenant run --scenarios FILE", "") },
    row(
        "covenant run --quiet --adapter 'python3 adapter.py' --format junit --out out --seed 1 > junit.xml",
        SHORT,
    ),
    row(
        "covenant run --quiet --seed 1 --out new --format junit=out.xml --format markdown=summary.md --format github --deadline 30m",
        SHORT,
    ),
    row("covenant run --quiet --seed 1 --out known --known known-breaches.toml --min-proved 1%", SHORT),
    row("covenant audit https://platform.example", ""),
    row("covenant audit https://platform.example --token-file token.txt --out audited", QUICK_AUDIT),
    Row {
        placeholders: &[("next.txt", "token.txt")],
        ..row(
            "covenant audit https://platform.example --token-file next.txt --out audited-again --compare audited",
            QUICK_AUDIT,
        )
    },
    Row {
        exit: 130,
        interrupted_at_work: Some("watch/transcript.jsonl"),
        ..row(
            "covenant audit https://platform.example --token-file token.txt --watch 3d --out watch",
            "--every 1s",
        )
    },
    row("covenant replay out --adapter 'python3 adapter.py'", ""),
    row("covenant verify", "out"),
    Row { placeholders: &[("…", "our contract says so")], ..row("covenant run --attest '4.4=…'", SHORT) },
    Row { placeholders: &[("DIR", "man")], ..row("covenant man --out DIR", "") },
    Row { placeholders: &[("SHELL", "bash")], ..row("covenant completions SHELL", "") },
    Row {
        placeholders: &[("scenario|report|config|adapter", "scenario")],
        ..row("covenant schema scenario|report|config|adapter", "")
    },
    row("covenant run --adapter 'python3 tests/python-platform/adapter.py'", SHORT),
    row(
        "covenant run --adapter 'python3 tests/powernode-platform/adapter.py --generation G3' --cases 1",
        "--only V-contract-versioning/both-sides-record-same-version",
    ),
];

/// The reason why no test runs the self-test.
const SELFTEST: &str = "it plays the whole suite for each defect; `.ci/run` runs one part of eighty";

/// The reason why no test here runs the simulator.
const SIMULATED: &str = "it needs a platform with a token at a fixed port; `peer.rs` runs it at a free one";

/// The commands that are not run, each with the reason.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo install --locked --path .", "it builds everything again"),
    (
        "covenant peer --join https://127.0.0.1:8443 --token-file tokens.txt --behaviour bogus-capabilities",
        SIMULATED,
    ),
    ("covenant peer --join https://127.0.0.1:8443 --token-file tokens.txt --count 10000", SIMULATED),
    ("covenant flood https://127.0.0.1:8443 --rate 200 --for 10s", SIMULATED),
    ("covenant peer control", SIMULATED),
    ("covenant target", "it serves until it is stopped; `program.rs` starts it"),
    ("cargo test --release --workspace", "it runs this test"),
    ("bash .ci/run", "it runs this test"),
    ("covenant replay", "a block of the README runs it with its arguments"),
    ("covenant show", "a block of the README runs it with its arguments"),
    ("covenant selftest", SELFTEST),
    ("covenant selftest --out reports/specimen --goldens golden/reports --accept", SELFTEST),
    (
        "ci/limits > target/limits.md && cp target/limits.md reports/specimen/limits.md",
        "it takes minutes, and writes into the repository",
    ),
    (
        "covenant certify --profile observed --key covenant-key.pem --out certified",
        "the tests beside it would disturb a run of the whole suite; `.ci/run` certifies one",
    ),
    ("covenant verify certified/attestation.json --key covenant-key.pub.pem", "it needs that attestation"),
    ("covenant certify", "a block of the README runs it with its arguments"),
    ("covenant attest", "`persons_word.rs` runs it with its arguments"),
    ("ci/specimens", "it plays the whole suite; `.ci/run` runs it with `--check`"),
    ("ci/picture", "it installs Python packages, and writes into the repository"),
    (
        "COVENANT_BLESS=1 cargo test --release --test it tampering",
        "it builds, and writes into the repository",
    ),
    ("COVENANT_BLESS=1 cargo test --release --test hostile", "it builds, and writes into the repository"),
    (
        "INSTA_UPDATE=always cargo test --release --test it snapshots",
        "it builds, and writes into the repository",
    ),
];

#[test]
fn commands_of_the_readme() {
    let folder = Folder::new();
    // `covenant init` writes a file that later commands would read.
    let (first, last): (Vec<Shown>, Vec<Shown>) =
        shown(README).chain(in_text(README)).partition(|shown| shown.command != "covenant init");
    run_all(&folder, first.into_iter().chain(last));
}

#[test]
fn commands_of_the_guide() {
    run_all(&Folder::new(), shown(GUIDE));
}

#[test]
fn commands_of_contributing() {
    run_all(&Folder::new(), shown(CONTRIBUTING));
}

#[test]
fn each_row_is_of_a_documented_command() {
    let all = [README, GUIDE, CONTRIBUTING].into_iter().flat_map(shown).chain(in_text(README));
    let all: BTreeSet<String> = all.map(|shown| shown.command).collect();
    let rows = ROWS.iter().map(|row| row.command).chain(NOT_RUN.iter().map(|(command, _)| *command));
    let stale: Vec<&str> = rows.filter(|command| !all.contains(*command)).collect();
    assert_eq!(stale, Vec::<&str>::new());
}

/// A command of a document.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    command: String,
    /// The comment behind it.
    comment: String,
    /// The folder that an earlier line of its block changes to.
    folder: String,
}

/// Returns the commands in the `sh` blocks of a document.
fn shown(document: &str) -> impl Iterator<Item = Shown> {
    let blocks = document.split("\n```").filter_map(|block| block.strip_prefix("sh\n"));
    blocks.flat_map(|block| {
        let mut folder = String::new();
        let lines = block.lines().filter(|line| !line.is_empty()).filter_map(move |line| {
            if let Some(below) = line.strip_prefix("cd ") {
                below.clone_into(&mut folder);
                return None;
            }
            let (command, comment) = line.split_once(" #").unwrap_or((line, ""));
            let (command, comment) = (command.trim().to_owned(), comment.trim().to_owned());
            Some(Shown { command, comment, folder: folder.clone() })
        });
        lines.collect::<Vec<_>>()
    })
}

/// Returns the commands in the running text of a document, each once.
fn in_text(document: &str) -> impl Iterator<Item = Shown> {
    let text: String = document.split("\n```").step_by(2).collect();
    let spans = text.split('`').skip(1).step_by(2).filter(|span| span.starts_with("covenant "));
    let commands: BTreeSet<String> = spans.map(str::to_owned).collect();
    commands.into_iter().map(|command| Shown { command, comment: String::new(), folder: String::new() })
}

#[expect(clippy::print_stderr, reason = "a skipped command reports it")]
fn run_all(folder: &Folder, commands: impl Iterator<Item = Shown>) {
    let mut count = 0;
    for shown in commands {
        let command = shown.command.as_str();
        if NOT_RUN.iter().any(|(not_run, _)| *not_run == command) {
            continue;
        }
        if let Some(missing) = missing_program().filter(|_| command.contains("python3")) {
            eprintln!("skipped: the program {missing} is missing: {command}");
            continue;
        }
        let usual = row("", "");
        let row = ROWS.iter().find(|row| row.command == command).unwrap_or(&usual);
        let output = folder.run(&shown, row);
        let text = String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(row.exit), "{command}: {} {text}", output.status);
        if let Some(stated) = shown.comment.strip_prefix("exit code ") {
            assert!(stated.starts_with(&row.exit.to_string()), "{command} exits with {}", row.exit);
        }
        count += 1;
    }
    assert!(count >= 3, "{count} commands were run");
}

/// A temporary folder with the files that the documented commands name.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for below in ["bin", "docs", "golden/reports", "golden/wire", "reports/specimen", "schemas", "target"]
        {
            fs::create_dir_all(path.join(below)).expect("created");
        }
        symlink(root.join("tests"), path.join("tests")).expect("linked");
        symlink(root.join("tests/python-platform/adapter.py"), path.join("adapter.py")).expect("linked");
        for (from, to) in [
            ("golden/wire/accept-anonymous.json", "golden/wire/accept-anonymous.json"),
            ("scenarios/03-truthful-capabilities/declared-kinds-are-served.toml", "scenario.toml"),
        ] {
            fs::copy(root.join(from), path.join(to)).expect("copied");
        }
        // The program of the documents, with the arguments that a row adds.
        let program = env!("CARGO_BIN_EXE_covenant");
        let script = path.join("bin/covenant");
        fs::write(&script, format!("#!/bin/sh\neval \"exec '{program}' \\\"\\$@\\\" $ADDED\"\n"))
            .expect("written");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("set");
        Self(folder)
    }

    fn run(&self, shown: &Shown, row: &Row) -> Output {
        let transcript = row.interrupted_at_work.map(|transcript| self.0.path().join(transcript));
        if let Some(old) = transcript.as_ref().filter(|transcript| transcript.exists()) {
            panic!("{}: {} is of an earlier command", shown.command, old.display());
        }
        let mut command = shown.command.replace("cargo run --release --", "covenant");
        for (placeholder, value) in row.placeholders {
            command = command.replace(placeholder, value);
        }
        let mut added = row.added.to_owned();
        // A platform for each audit: a token is good for one.
        let platform = command.contains("https://platform.example").then(|| Platform::start(LOOPBACK, &[]));
        if let Some(platform) = &platform {
            command = command.replace("https://platform.example", &platform.url);
            fs::copy(platform.file("token"), self.0.path().join("token.txt")).expect("copied");
            added = format!("{added} --ca {}", platform.file("ca.pem").display());
        }
        let path =
            format!("{}:{}", self.0.path().join("bin").display(), std::env::var("PATH").expect("a path"));
        let child = Command::new("sh")
            .arg("-c")
            .arg(if row.interrupted_at_work.is_some() { format!("exec {command}") } else { command })
            .current_dir(self.0.path().join(&shown.folder))
            .env("PATH", path)
            .env("ADDED", added)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        if let Some(transcript) = &transcript {
            interrupt_at_work(&child, transcript);
        }
        child.wait_with_output().expect("it ends")
    }
}

/// Interrupts a command as soon as its transcript has a few entries.
fn interrupt_at_work(child: &Child, transcript: &Path) {
    wait_for_text(transcript, "\n", 4);
    let id = Pid::from_raw(child.id().try_into().expect("a process id"));
    kill(id, Signal::SIGINT).expect("it runs");
}
