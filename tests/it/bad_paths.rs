//! Paths that are not what a command expects. Each is reported once, by its name, with what was expected; no pipe is waited
//! for, and no device is read without an end.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use covenant::clock::Stopwatch;

use crate::program::{code, command, covenant_in, output_of};

/// The time after which a command that waits is a failure of the test.
const TIME_MAX: Duration = Duration::from_mins(1);

/// The paths that are no regular file, and a word of the message for each.
const NO_FILES: [(&str, &str); 8] = [
    ("missing", "there is none"),
    ("fifo", "a pipe"),
    ("loop", "leads back to itself"),
    ("dangling", "link to nothing"),
    ("/dev/null", "a device"),
    ("/dev/zero", "a device"),
    ("/proc/self/mem", "cannot "),
    ("file/below", "is no folder"),
];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    assert!(Command::new("mkfifo").arg(at("fifo")).status().expect("mkfifo starts").success());
    symlink(at("loop"), at("loop")).expect("linked");
    symlink(at("nothing"), at("dangling")).expect("linked");
    fs::create_dir(at("folder")).expect("created");
    symlink(at("folder"), at("folder/itself")).expect("linked");
    fs::write(at("file"), "x").expect("written");
    folder
}

/// Runs the program, and fails if it does not end.
fn ended(folder: &Path, arguments: &[&str]) -> Output {
    let child = command(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("it starts");
    let since = Stopwatch::start();
    while child.try_wait().expect("a status").is_none() {
        if since.elapsed() > TIME_MAX {
            let _ = child.kill();
            panic!("{arguments:?} waits");
        }
        thread::park_timeout(Duration::from_millis(10));
    }
    child.wait_with_output().expect("its output")
}

#[test]
fn no_path_of_a_file_that_is_none_is_waited_for() {
    let folder = folder();
    let audit = ["audit", "https://127.0.0.1:1"];
    let external = ["--adapter", "true", "--target", "https://127.0.0.1:1"];
    let token = ["--token-file", "file", "--watch", "1s", "--out", "watched"];
    let commands: [(&str, Vec<&str>); 12] = [
        ("run --config", vec!["run", "--config"]),
        ("doctor --config", vec!["doctor", "--config"]),
        ("run --scenarios", vec!["run", "--scenarios"]),
        ("list --scenarios", vec!["list", "scenarios", "--scenarios"]),
        ("verify", vec!["verify"]),
        ("replay", vec!["replay"]),
        ("audit --token-file", [&audit[..], &["--token-file"]].concat()),
        ("run --ca", [&["run"][..], &external, &["--ca"]].concat()),
        ("run --peer-certificate", vec!["run", "--peer-key", "file", "--peer-certificate"]),
        ("doctor --peer-certificate", vec!["doctor", "--peer-key", "file", "--peer-certificate"]),
        ("run --credentials", vec!["run", "--operator", "powernode:https://127.0.0.1:1", "--credentials"]),
        ("audit --grant-file", [&audit[..], &token, &["--grant-file"]].concat()),
    ];
    for (name, words) in commands {
        // A grant file may appear later.
        let paths = NO_FILES
            .iter()
            .filter(|(path, _)| name != "audit --grant-file" || !["missing", "file/below"].contains(path));
        for (path, part) in paths.chain([&("folder", "a folder, and")]) {
            let output = ended(folder.path(), &[&words[..], &[path]].concat());
            let text = output_of(&output);
            assert_eq!(code(&output), 2, "{name} {path}: {text}");
            assert!(text.contains(path) && !text.contains("No such file"), "{name} {path}: {text}");
            // A folder may hold what is looked for.
            let is_folder_taken = *path == "folder" && !text.contains(part);
            assert!(is_folder_taken || text.matches(part).count() == 1, "{name} {path}: {part:?} in {text}");
        }
    }
}

#[test]
fn the_files_of_a_watch_are_not_waited_for() {
    for name in ["watch.json", "transcript.jsonl", "adapter.log", ".lock"] {
        let folder = folder();
        fs::create_dir(folder.path().join("watched")).expect("created");
        let pipe = folder.path().join("watched").join(name);
        assert!(Command::new("mkfifo").arg(pipe).status().expect("mkfifo starts").success());
        let watch = ["--token-file", "file", "--watch", "1s", "--out", "watched"];
        let output = ended(folder.path(), &[&["audit", "https://127.0.0.1:1"][..], &watch].concat());
        let is_used = ["watch.json", "transcript.jsonl"].contains(&name);
        assert!(!is_used || output_of(&output).contains("a pipe"), "{name}: {}", output_of(&output));
        let run = ["run", "--quiet", "--only", "00-sanity/handshake", "--cases", "0", "--out", "watched"];
        let output = ended(folder.path(), &run);
        assert!([2, 6, 7].contains(&code(&output)), "{name}: {}", output_of(&output));
    }
}

#[test]
fn no_path_of_a_folder_that_is_none_is_waited_for() {
    let folder = folder();
    for (path, part) in NO_FILES {
        for words in [["golden", "diff", "--folder"], ["selftest", "--only=ipv6", "--goldens"]] {
            let output = ended(folder.path(), &[&words[..], &[path]].concat());
            let text = output_of(&output);
            assert_eq!(code(&output), 2, "{words:?} {path}: {text}");
            assert!(text.contains(path) && !text.contains("No such file"), "{words:?} {path}: {text}");
            let is_named = text.contains(part) || text.contains("not a folder");
            assert!(is_named, "{words:?} {path}: {text}");
        }
    }
}

#[test]
fn a_folder_that_links_to_itself_is_read_once() {
    let folder = folder();
    let scenario = "title = \"t\"\n\n[[step]]\nadvance = { seconds = 1 }\n";
    fs::write(folder.path().join("folder/one.toml"), scenario).expect("written");
    let output = ended(folder.path(), &["list", "scenarios", "--scenarios", "folder"]);
    assert_eq!(code(&output), 0, "{}", output_of(&output));
    assert_eq!(output_of(&output).matches("one\n").count(), 1, "{}", output_of(&output));
}

#[test]
fn a_path_of_output_that_cannot_be_used_is_named() {
    let folder = folder();
    for (out, part) in [
        ("file", "this is no folder"),
        ("fifo", "this is no folder"),
        ("loop", "this is no folder"),
        ("/dev/null", "this is no folder"),
        ("file/below", "cannot create the run folder"),
        ("/proc/below", "cannot create the run folder"),
    ] {
        let output = ended(folder.path(), &["run", "--quiet", "--only", "00-sanity/*", "--out", out]);
        let text = output_of(&output);
        assert_eq!(code(&output), 6, "{out}: {text}");
        assert!(text.contains(part) && text.contains("--out"), "{out}: {text}");
    }
    for path in ["fifo", "folder", "loop", "/dev/zero"] {
        let output = ended(folder.path(), &["target", "--listen", "127.0.0.1:0", "--db", path]);
        assert_eq!(code(&output), 2, "{path}: {}", output_of(&output));
    }
}

/// The device itself is not named: a fault would replace that of the machine.
#[test]
fn no_file_replaces_a_pipe_or_a_device() {
    let folder = folder();
    symlink("/dev/null", folder.path().join("null")).expect("linked");
    symlink("/proc/self/fd/1", folder.path().join("stdout")).expect("linked");
    let before = names(folder.path());
    let run = ["run", "--quiet", "--only", "00-sanity/handshake", "--cases", "0", "--out", "out", "--format"];
    let attest =
        ["attest", "4.4", "--by", "x", "--target", "embedded", "--release", "1.4.0", "--evidence", "file"];
    let commands: [(&[&str], &str); 5] = [
        (&run, "junit="),
        (&run, "json-lines="),
        (&["key", "new", "--force", "--out"], ""),
        (&[&attest[..], &["--force", "--out"]].concat(), ""),
        (&["target", "--listen", "127.0.0.1:0", "--propose", "https://127.0.0.1:1", "--tokens"], ""),
    ];
    for (words, prefix) in commands {
        for path in ["fifo", "null", "stdout"] {
            let output = ended(folder.path(), &[words, &[format!("{prefix}{path}").as_str()]].concat());
            let text = output_of(&output);
            assert_eq!(code(&output), 2, "{words:?} {path}: {text}");
            let message =
                format!("{path}: this is a device, a pipe or a socket, and none is replaced; name a file");
            assert_eq!(text.matches(&message).count(), 1, "{words:?} {path}: {text}");
            assert_eq!(names(folder.path()), before, "{words:?} {path}");
            assert!(path == "fifo" || folder.path().join(path).is_symlink(), "{words:?} {path}");
        }
    }
}

#[test]
fn init_that_cannot_write_leaves_nothing_behind() {
    let folder = folder();
    let before = names(folder.path());
    for (path, exit, part) in [
        ("missing/covenant.toml", 6, "missing does not exist"),
        ("/proc/covenant.toml", 6, "cannot write"),
        ("file/covenant.toml", 6, "file does not exist"),
        ("folder", 2, "exists already"),
        ("dangling", 2, "exists already"),
        ("loop", 2, "exists already"),
        ("fifo", 2, "exists already"),
    ] {
        let output = covenant_in(folder.path(), &["init", path]);
        let text = output_of(&output);
        assert_eq!(code(&output), exit, "{path}: {text}");
        assert!(text.contains(part) && !text.contains(".tmp"), "{path}: {text}");
    }
    assert_eq!(names(folder.path()), before);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_missing_adapter_is_named_once() {
    let folder = folder();
    let run = ["run", "--quiet", "--seed", "7", "--out", "out", "--adapter", "./no-adapter"];
    let output = ended(folder.path(), &run);
    assert_eq!(code(&output), 5, "{}", output_of(&output));
    let report = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(report.matches("does not start").count(), 1, "{report}");
    assert!(output_of(&output).lines().count() < 30, "{}", output_of(&output));
}
