//! Error messages: each cause is printed once, for every kind of error that the command line shows.

use std::error::Error;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use covenant::cli::Config;
use covenant::clock::{Clock, Seed};
use covenant::golden::GoldenError;
use covenant::peer::PeerError;
use covenant::pki::PkiError;
use covenant::reference::{Database, Options, Platform};
use covenant::runner::{Selection, library};
use covenant::transcript::{Transcript, read};
use covenant::with_causes;
use tempfile::TempDir;

/// The width of the terminal, in columns.
const COLUMNS: &str = "100";

/// Wrong inputs: a name, and the arguments. The files that they name are [`FILES`].
pub(crate) const WRONG_INPUTS: &[(&str, &[&str])] = &[
    ("unknown-option", &["run", "--oops"]),
    ("unknown-subcommand", &["runs"]),
    ("unknown-defect", &["run", "--seed", "7", "--defect", "omits-first-conflict-from-lug"]),
    ("unknown-step", &["run", "--seed", "7", "--scenarios", "unknown-step.toml"]),
    ("unknown-check", &["run", "--seed", "7", "--scenarios", "unknown-check.toml"]),
    ("unknown-argument-of-check", &["run", "--seed", "7", "--scenarios", "unknown-argument.toml"]),
    ("missing-scenarios", &["run", "--seed", "7", "--scenarios", "missing"]),
    ("invalid-glob", &["run", "--seed", "7", "--only", "["]),
    ("invalid-configuration", &["run", "--seed", "7", "--config", "invalid.toml"]),
    ("unknown-configuration", &["run", "--seed", "7", "--config", "unknown-member.toml"]),
    ("missing-configuration", &["doctor", "--config", "missing.toml"]),
    ("out-below-a-file", &["run", "--seed", "7", "--only", "00-sanity/*", "--out", "invalid.toml/out"]),
    ("missing-transcript", &["verify", "missing.jsonl"]),
    ("invalid-transcript", &["verify", "invalid.toml"]),
    ("empty-run-folder", &["replay", "empty"]),
    ("show-without-a-run", &["show", "empty", "07-migration-hygiene/conflicts-are-resolved#12"]),
    ("missing-goldens", &["golden", "diff", "--folder", "missing"]),
    ("missing-adapter", &["adapter", "check", "--", "./missing-adapter"]),
    ("missing-token", &["audit", "https://127.0.0.1:1", "--token-file", "missing"]),
    ("invalid-duration", &["audit", "https://127.0.0.1:1", "--out", "out", "--watch", "3x"]),
    ("invalid-database", &["target", "--listen", "127.0.0.1:0", "--db", "invalid.toml"]),
    ("man-below-a-file", &["man", "--out", "invalid.toml/man1"]),
];

/// The files of the folder in which the program gets [`WRONG_INPUTS`].
const FILES: &[(&str, &str)] = &[
    ("unknown-step.toml", "title = \"t\"\n\n[[step]]\nadvanze = { seconds = 1 }\n"),
    (
        "unknown-check.toml",
        "title = \"t\"\n\n[[step]]\noperator = { method = \"contract.list\", as = \"listed\" }\n\n[[check]]\nclause = \"V.1\"\n\
         aspect = \"conduct\"\ncheck = \"digests-are-scored\"\nrequirement = \"r\"\nwith = { snapshot = \"listed\" }\n",
    ),
    (
        "unknown-argument.toml",
        "title = \"t\"\n\n[[step]]\noperator = { method = \"contract.list\", as = \"listed\" }\n\n[[check]]\nclause = \"V.1\"\n\
         aspect = \"conduct\"\ncheck = \"digests-are-stored\"\nrequirement = \"r\"\nwith = { snapshots = \"listed\" }\n",
    ),
    ("invalid.toml", "[run]\njobs = = 4\n"),
    ("unknown-member.toml", "[target]\nadaptor = \"x\"\n"),
];

/// Creates a folder with the files of the wrong inputs.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in FILES {
        fs::write(folder.path().join(name), text).expect("written");
    }
    fs::create_dir(folder.path().join("empty")).expect("created");
    folder
}

/// Runs the program in a folder, with a fixed width and without the settings of this shell.
pub(crate) fn covenant_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_covenant"))
        .args(arguments)
        .current_dir(folder)
        .env("COLUMNS", COLUMNS)
        .env_remove("CLICOLOR_FORCE")
        .env_remove("COVENANT_ACCEPTANCE_TOKEN")
        .output()
        .expect("the program starts")
}

/// Returns what the program prints about a wrong input.
pub(crate) fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = covenant_in(folder, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code().is_some_and(|code| code != 0), "{arguments:?}: {text}");
    assert!(output.stdout.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    text
}

#[test]
fn the_program_prints_each_cause_once() {
    let folder = folder();
    let occupied = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = occupied.local_addr().expect("an address").to_string();
    let port_in_use: &[&str] = &["target", "--listen", &address];
    for (name, arguments) in WRONG_INPUTS.iter().copied().chain([("port-in-use", port_in_use)]) {
        let printed = refusal(folder.path(), arguments);
        for cause in printed.lines().flat_map(|line| line.split(": ")).filter(|cause| is_sentence(cause)) {
            assert_eq!(printed.matches(cause).count(), 1, "{name} repeats {cause:?}:\n{printed}");
        }
    }
}

/// Returns whether a part of a message is a sentence; a name or a path may be repeated.
fn is_sentence(part: &str) -> bool {
    part.trim().contains(' ') && !part.trim_start().starts_with(['|', '-'])
}

#[tokio::test]
async fn no_error_repeats_its_source() {
    for error in errors().await {
        let printed = with_causes(&*error);
        let mut next: &dyn Error = &*error;
        while let Some(source) = next.source() {
            let cause = source.to_string();
            assert!(!next.to_string().contains(&cause), "{next} repeats {cause}");
            assert_eq!(printed.matches(&cause).count(), 1, "{printed}");
            next = source;
        }
    }
}

/// Returns one error of each type that has a source or wraps one.
async fn errors() -> Vec<Box<dyn Error>> {
    let folder = folder();
    let missing = folder.path().join("missing");
    let invalid = folder.path().join("invalid.toml");
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
    let options = || Options::in_memory(clock.clone(), Seed(1));
    let occupied = TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = occupied.local_addr().expect("an address");
    let io = || std::io::Error::from(std::io::ErrorKind::AddrInUse);
    let path = |path: &PathBuf| path.display().to_string();
    let json = serde_json::from_str::<u8>("x").expect_err("no number");
    let keys = || PkiError::NoPem { wanted: "certificate" };
    vec![
        Box::new(library(Some(&missing)).expect_err("missing")),
        Box::new(read(&missing).expect_err("missing")),
        Box::new(Selection::new(&["[".to_owned()], &[]).expect_err("no glob")),
        Box::new(Config::parse("[run]\njobs = = 4\n").expect_err("no TOML")),
        Box::new(Platform::start(Options { listen, ..options() }).await.expect_err("in use")),
        Box::new(
            Platform::start(Options { database: Database::File(invalid.clone()), ..options() })
                .await
                .expect_err("no database"),
        ),
        Box::new(transcript_error(&missing.join("t.jsonl"), &clock)),
        Box::new(GoldenError::Json { path: path(&invalid), source: json }),
        Box::new(PeerError::Listen { name: "alice".to_owned(), address: listen, source: io() }),
        Box::new(PeerError::Keys { name: "alice".to_owned(), source: keys() }),
    ]
}

fn transcript_error(path: &Path, clock: &Clock) -> impl Error + use<> {
    Transcript::create(path, super::snapshots::run_start(&[]), clock).expect_err("there is no folder")
}
