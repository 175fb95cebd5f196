//! SIGTERM and SIGHUP do what Ctrl-C does, and no adapter outlives the suite, however that ends.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use covenant::clock::Stopwatch;

use crate::program::{
    COVENANT, code, command, command_that_heeds_hangups, covenant_in, output_of, path_text, signal,
    wait_until, working_in,
};

/// Starts a run with an adapter that starts a child and then does what the script says.
fn begin(folder: &Path, script: &str) -> Child {
    let script_file = folder.join("adapter.sh");
    let script = format!("sleep 1000 &\necho \"$$ $!\" > ids.new\nmv ids.new ids\n{script}\n");
    fs::write(&script_file, script).expect("written");
    let line = format!("sh {}", script_file.display());
    let out = path_text(&folder.join("out"));
    let arguments = ["run", "--quiet", "--seed", "7", "--jobs", "1", "--adapter", &line, "--out", &out];
    let run = command_that_heeds_hangups(folder, &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    wait_until("the adapter starts", || folder.join("ids").exists());
    assert!(working_in(folder).len() > 1, "the run and its adapter");
    run
}

#[test]
fn a_signal_ends_a_run_in_order() {
    for name in ["INT", "TERM", "HUP"] {
        let folder = tempfile::tempdir().expect("a folder");
        // It keeps the platform until it gets the signal to end, so that the run is under way.
        let run = begin(folder.path(), &format!("exec {COVENANT} adapter"));
        wait_until("the run begins", || folder.path().join("out/transcript.jsonl").exists());
        signal(name, run.id());
        let ended = run.wait_with_output().expect("it ends");
        assert_eq!(code(&ended), 130, "{name}: {}", output_of(&ended));
        for file in ["report.txt", "report.json", "junit.xml", "report.md"] {
            assert!(folder.path().join("out").join(file).is_file(), "{name}: {file}");
        }
        let verified = covenant_in(folder.path(), &["verify", "out"]);
        assert_eq!(code(&verified), 130, "{name}: {}", output_of(&verified));
        wait_until(&format!("{name}: the adapters and their children end"), || {
            working_in(folder.path()).is_empty()
        });
    }
}

/// The time for which the suite is stopped: longer than a reading of the clocks that comes late.
const PAUSE: Duration = Duration::from_secs(5);

#[test]
fn a_suite_that_stood_still_says_so_and_blames_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = path_text(&folder.path().join("out"));
    let arguments = ["run", "--quiet", "--seed", "7", "--jobs", "1", "--commitment", "7", "--out", &out];
    let run = command(folder.path(), &arguments).stdout(Stdio::piped()).spawn().expect("it starts");
    let transcript = || fs::read_to_string(folder.path().join("out/transcript.jsonl")).unwrap_or_default();
    wait_until("a scenario is played", || transcript().contains("\"scenario\":\"07-"));
    signal("STOP", run.id());
    let stopped = Stopwatch::start();
    wait_until("it was stopped for a while", || stopped.elapsed() > PAUSE);
    signal("CONT", run.id());
    let ended = run.wait_with_output().expect("it ends");
    assert_eq!(code(&ended), 0, "{}", output_of(&ended));
    assert!(transcript().contains("\"kind\":\"paused\""), "the pause is noted where it was");
    let verified = covenant_in(folder.path(), &["verify", "out"]);
    assert_eq!(code(&verified), 0, "{}", output_of(&verified));
}

#[test]
fn no_adapter_outlives_a_suite_that_is_killed() {
    for script in [
        format!("exec {COVENANT} adapter"),
        // It reads nothing, closes nothing, and ignores every signal that can be ignored.
        "trap '' HUP INT TERM PIPE\nwhile :; do sleep 1; done".to_owned(),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut run = begin(folder.path(), &script);
        signal("KILL", run.id());
        run.wait().expect("it ends");
        wait_until(&format!("{script}: the adapters and their children end"), || {
            working_in(folder.path()).is_empty()
        });
    }
}

#[test]
fn an_adapter_ends_under_its_guard_as_it_does_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    for (script, part) in [
        ("exit 3", "ended with exit code 3"),
        ("echo why >&2; exit 4", "ended with exit code 4; its standard error ended with: why"),
        ("kill -9 $$", "was ended by a signal"),
        ("exec >&-; sleep 1000", "closed its standard output and runs on"),
    ] {
        let checked = covenant_in(folder.path(), &["adapter", "check", "--", "sh", "-c", script]);
        assert_eq!(code(&checked), 5, "{script}: {}", output_of(&checked));
        assert!(output_of(&checked).contains(part), "{script}: {}", output_of(&checked));
    }
    for missing in ["./missing", "no-such-program-anywhere"] {
        let checked = covenant_in(folder.path(), &["adapter", "check", "--", missing]);
        assert!(output_of(&checked).contains("does not start: No such file"), "{}", output_of(&checked));
    }
}

#[test]
fn target_and_adapter_end_by_a_signal_with_code_0() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, input) in [(vec!["target", "--listen", "127.0.0.1:0"], false), (vec!["adapter"], true)] {
        let mut starting = command(folder.path(), &arguments);
        starting.stdout(Stdio::piped()).stderr(Stdio::null());
        if input {
            starting.stdin(Stdio::piped());
        }
        let mut program = starting.spawn().expect("it starts");
        // The handlers are there once the program waits.
        wait_for_handlers(program.id());
        signal("TERM", program.id());
        assert_eq!(program.wait().expect("it ends").code(), Some(0), "{arguments:?}");
    }
}

/// Waits until a process handles SIGTERM.
fn wait_for_handlers(process: u32) {
    wait_until("it handles signals", || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
        u64::from_str_radix(caught.trim(), 16).is_ok_and(|mask| mask >> 14 & 1 == 1)
    });
}

#[test]
fn every_command_that_plays_ends_in_order_by_a_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = ["run", "--quiet", "--seed", "7", "--cases", "0", "--only", "03-*/**", "--only", "07-*/**"];
    let defect =
        ["--defect", "omits-first-conflict-from-log", "--defect", "rejects-declared-kind", "--out", "out"];
    assert_eq!(code(&covenant_in(folder.path(), &[&broken[..], &defect].concat())), 1);
    let script = "sleep 1000 &\necho \"$$ $!\" > ids.new\nmv ids.new ids\nwhile :; do sleep 1; done\n";
    fs::write(folder.path().join("adapter.sh"), script).expect("written");
    let goldens = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/wire");
    let commands: [&[&str]; 5] = [
        &["doctor", "--adapter", "sh adapter.sh"],
        &["adapter", "check", "--", "sh", "adapter.sh"],
        &["replay", "out", "--adapter", "sh adapter.sh"],
        &["selftest", "--partition", "hash:1/10"],
        &["golden", "diff", "--folder", goldens],
    ];
    for arguments in commands {
        let temporary = tempfile::tempdir().expect("a folder");
        let _ = fs::remove_file(folder.path().join("ids"));
        let mut starting = command(folder.path(), arguments);
        starting.env("TMPDIR", temporary.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let running = starting.spawn().expect("it starts");
        wait_for_handlers(running.id());
        let has_adapter = arguments.iter().any(|word| word.contains("adapter.sh"));
        if has_adapter {
            wait_until("the adapter starts", || folder.path().join("ids").exists());
            assert!(working_in(folder.path()).len() > 1, "{arguments:?}");
        }
        signal("TERM", running.id());
        let ended = running.wait_with_output().expect("it ends");
        assert_eq!(code(&ended), 130, "{arguments:?}: {}", output_of(&ended));
        assert!(output_of(&ended).contains("interrupted"), "{arguments:?}: {}", output_of(&ended));
        let left: Vec<_> = fs::read_dir(temporary.path()).expect("a folder").flatten().collect();
        assert!(left.is_empty(), "{arguments:?} left {left:?}");
        if has_adapter {
            wait_until(&format!("{arguments:?}: the adapter and its child end"), || {
                working_in(folder.path()).is_empty()
            });
        }
    }
}
