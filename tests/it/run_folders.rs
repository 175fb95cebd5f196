//! The folder of a run: one run at a time, no old report in it, and no one else who reads it.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use covenant::clock::Seed;
use covenant::runner::RunFolder;

use crate::program::{COVENANT, SHORT, code, command, covenant_in, output_of, path_text, signal, wait_until};

fn run<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "--quiet", "--seed", "7", "--cases", "0", "--only", SHORT, "--out", out], more].concat()
}

#[test]
fn two_runs_do_not_write_into_one_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let lock = RunFolder::choose(Some(&out), Seed(1)).begin().expect("a lock");
    fs::write(out.join("report.txt"), "of the other run").expect("written");
    let locked = covenant_in(folder.path(), &run("out", &[]));
    assert_eq!(code(&locked), 6, "{}", output_of(&locked));
    assert!(output_of(&locked).contains("another run writes into this folder"), "{}", output_of(&locked));
    assert_eq!(fs::read_to_string(out.join("report.txt")).expect("a report"), "of the other run");
    drop(lock);
    // In a folder without a transcript it is no shortest case of an earlier run.
    fs::write(out.join("grants.toml"), "the user's own").expect("written");
    let free = covenant_in(folder.path(), &run("out", &[]));
    assert_eq!(code(&free), 0, "{}", output_of(&free));
    assert!(out.join("grants.toml").exists());
}

#[test]
fn an_old_report_is_gone_before_the_new_run_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    assert_eq!(code(&covenant_in(folder.path(), &run("out", &[]))), 0);
    fs::write(out.join("grants.toml"), "old case").expect("written");
    fs::write(out.join("mine.txt"), "not of a run").expect("written");
    let hangs = "sh -c 'touch started; sleep 1000'";
    let mut begun = command(folder.path(), &run("out", &["--adapter", hangs])).spawn().expect("it starts");
    wait_until("the adapter starts", || folder.path().join("started").exists());
    for file in
        ["report.txt", "report.json", "report.md", "report.html", "badge.svg", "junit.xml", "grants.toml"]
    {
        assert!(!out.join(file).exists(), "{file}");
    }
    assert!(out.join("mine.txt").exists());
    signal("KILL", begun.id());
    begun.wait().expect("it ends");
}

#[test]
fn a_removed_folder_is_a_fault_of_the_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let removes = format!("sh -c 'rm -rf {}/out; exec {COVENANT} adapter'", folder.path().display());
    let ran = covenant_in(folder.path(), &run("out", &["--adapter", &removes]));
    assert_eq!(code(&ran), 6, "{}", output_of(&ran));
}

#[test]
fn no_one_else_reads_what_a_run_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = format!("sh -c 'echo hello >&2; exec {COVENANT} adapter'");
    assert_eq!(code(&covenant_in(folder.path(), &run("a/out", &["--adapter", &logs]))), 0);
    let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    assert_eq!((mode(&folder.path().join("a")), mode(&folder.path().join("a/out"))), (0o700, 0o700));
    let files: Vec<_> = fs::read_dir(folder.path().join("a/out")).expect("a folder").flatten().collect();
    assert!(files.iter().any(|file| file.file_name() == "adapter.log"), "{files:?}");
    for file in files {
        assert_eq!(mode(&file.path()), 0o600, "{}", path_text(&file.path()));
    }
}

#[test]
fn a_run_does_not_end_a_watch() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("out")).expect("created");
    fs::write(folder.path().join("out/watch.json"), "{}").expect("written");
    let refused = covenant_in(folder.path(), &run("out", &[]));
    assert_eq!(code(&refused), 2, "{}", output_of(&refused));
    assert!(output_of(&refused).contains("a watch that has not ended"), "{}", output_of(&refused));
    assert!(folder.path().join("out/watch.json").exists());
}
