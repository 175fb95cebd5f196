//! A machine that lacks something: the run ends as a fault of the environment, with what was evaluated before.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::program::{COVENANT, code, command, output_of, wait_until};

/// Runs the suite in a shell that has set a limit.
fn run_under(folder: &Path, limit: &str, more: &str) -> Output {
    let line = format!("{limit} && exec '{COVENANT}' run --quiet --seed 1 --cases 2 --out out {more}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).current_dir(folder).stdin(Stdio::null());
    shell.output().expect("a shell starts")
}

fn assert_of_environment(run: &Output, reason: &str) {
    let text = output_of(run);
    assert_eq!(code(run), 6, "{text}");
    assert!(text.contains(reason) && text.contains("error: "), "{text}");
    assert!(!text.contains("BROKEN"), "{text}");
}

#[test]
fn the_soft_limit_of_open_files_is_raised() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenarios = "--jobs 8 --only '03-*/*'";
    let run = run_under(folder.path(), "ulimit -S -n 24", scenarios);
    assert_eq!(code(&run), 0, "{}", output_of(&run));
    // Without what raises it, the same run fails.
    let run = run_under(folder.path(), "ulimit -n 24", scenarios);
    assert_of_environment(&run, "ulimit -n");
}

#[test]
fn too_few_open_files_are_the_fault_of_the_environment() {
    for limit in [24, 40, 64] {
        let folder = tempfile::tempdir().expect("a folder");
        let run = run_under(folder.path(), &format!("ulimit -n {limit}"), "--jobs 64");
        assert_of_environment(&run, "ulimit -n");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let adapter = format!("--jobs 32 --adapter \"'{COVENANT}' adapter\"");
    let run = run_under(folder.path(), "ulimit -n 40", &adapter);
    assert_of_environment(&run, "Too many open files");
}

#[test]
fn a_file_that_may_not_grow_is_the_fault_of_the_environment_and_what_was_evaluated_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    // A block has 512 or 1024 bytes, as the shell has it.
    let run = run_under(folder.path(), "ulimit -f 2000", "");
    assert_of_environment(&run, "the transcript could not be written whole");
    assert!(output_of(&run).contains("transcript:"), "{}", output_of(&run));
    let report = fs::read_to_string(folder.path().join("out/report.txt")).expect("a report");
    assert!(report.contains("interrupted"), "{report}");
    let verified = command(folder.path(), &["verify", "out"]).output().expect("it starts");
    assert_eq!(code(&verified), 130, "{}", output_of(&verified));
}

/// A device that is always full stands for the disk of a report.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_the_fault_of_the_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = run_under(folder.path(), "true", "--only '03-*/*' > /dev/full");
    assert_eq!(code(&run), 6, "{}", output_of(&run));
    assert!(folder.path().join("out/report.txt").exists(), "the reports are written all the same");
}

#[test]
fn a_folder_that_is_removed_is_the_fault_of_the_environment_and_the_report_is_on_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["run", "--quiet", "--seed", "1", "--only", "07-*/*", "--jobs", "1", "--out", "out"];
    let mut run = command(folder.path(), &arguments);
    let run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let out = folder.path().join("out");
    let size = || fs::metadata(out.join("transcript.jsonl")).map_or(0, |file| file.len());
    wait_until("the run has begun", || size() > 200_000);
    fs::remove_dir_all(&out).expect("removed");
    let run = run.wait_with_output().expect("it ends");
    assert_of_environment(&run, "removed or changed");
    assert!(String::from_utf8_lossy(&run.stdout).starts_with("PARTIAL: "), "{}", output_of(&run));
    assert!(!out.exists());
}
