//! Transcripts that come from someone else are data: nothing that they name is run, called or sent a secret.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use covenant::clock::{Clock, Seed};
use covenant::contract::{HeldText, TextSource, V1_2026_05};
use covenant::transcript::{Outcome, RunStart, ScenarioStart, Transcript, read};

use crate::program::{COVENANT, DEFECT, SHORT, command, short_run};

/// Text that a shell would run.
const HOSTILE: &str = "x; touch PWNED; $(touch PWNED) `touch PWNED` 'q' \"$(touch PWNED)\"\ntouch PWNED #";
const SECRET: &str = "operator-token-of-the-victim";

fn covenant_in(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).env("COVENANT_OPERATOR_TOKEN", SECRET).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Writes the transcript of a run with a breach again, with another first line and another name of its scenario.
fn forge(folder: &Path, change: impl FnOnce(&mut RunStart), scenario: &str) -> String {
    let played = short_run(true).folder();
    let reading = read(&played.path().join("out/transcript.jsonl")).expect("a transcript");
    let mut start = reading.start.clone();
    start.reference = None;
    start.contract = HeldText::known(&V1_2026_05, TextSource::Assumed);
    change(&mut start);
    let path = folder.join("foreign.jsonl");
    let clock = Clock::system();
    let transcript = Transcript::create(&path, start, &clock).expect("created");
    for trace in reading.traces() {
        let source = trace.start().expect("a start").source.clone();
        let id = if trace.scenario() == SHORT { scenario } else { trace.scenario() };
        let recorder = transcript.begin(id, ScenarioStart { source, seed: Seed(7) }, clock.clone());
        for entry in &trace.entries()[1..] {
            recorder.record_again(entry, entry.label.as_deref());
        }
    }
    transcript.end(Outcome::Completed, &clock);
    path.to_str().expect("a path").to_owned()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn a_recorded_adapter_is_shown_and_never_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path =
        forge(folder.path(), |start| start.target_arguments = words(&["--adapter", "touch PWNED"]), SHORT);
    let replayed = covenant_in(folder.path(), &["replay", &path]);
    let output_of = text(&replayed.stderr);
    assert_eq!(replayed.status.code(), Some(2), "{output_of}");
    assert!(output_of.contains("--adapter 'touch PWNED' (as recorded"), "{output_of}");
    assert!(output_of.contains("name yours with --adapter or --operator"), "{output_of}");
    let verified = text(&covenant_in(folder.path(), &["verify", &path]).stdout);
    assert!(verified.contains("TARGET, as recorded: --adapter 'touch PWNED'"), "{verified}");
    assert!(
        verified.contains(&format!("replay:      covenant run --only {SHORT} --seed 7 TARGET\n")),
        "{verified}"
    );
    assert!(!folder.path().join("PWNED").exists());
}

#[test]
fn no_recorded_address_is_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    for flag in ["--operator", "--target", "--advertise"] {
        let path = forge(folder.path(), |start| start.target_arguments = words(&[flag, &url]), SHORT);
        let replayed = covenant_in(folder.path(), &["replay", &path]);
        assert_eq!(replayed.status.code(), Some(2), "{flag}: {}", text(&replayed.stderr));
        assert!(!text(&replayed.stderr).contains(SECRET));
        let called = listener.accept().err().map(|error| error.kind());
        assert_eq!(called, Some(ErrorKind::WouldBlock), "{flag}");
    }
}

#[test]
fn no_id_of_a_transcript_runs_in_a_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    let hostile = |start: &mut RunStart| {
        start.reference = Some(words(&[HOSTILE]));
        start.target = HOSTILE.to_owned();
        start.settings.insert("release".to_owned(), HOSTILE.into());
        start.settings.insert("scenarios".to_owned(), HOSTILE.into());
    };
    let path = forge(folder.path(), hostile, HOSTILE);
    let verified = text(&covenant_in(folder.path(), &["verify", &path]).stdout);
    let command = verified.lines().find_map(|line| line.trim().strip_prefix("replay:")).expect("a command");
    let script = format!("covenant() {{ :; }}\n{command}\n");
    let ran = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().expect("a shell");
    assert!(ran.status.success(), "{command}: {}", text(&ran.stderr));
    assert!(!folder.path().join("PWNED").exists(), "{command}");

    let replayed = covenant_in(folder.path(), &["replay", &path]);
    assert_eq!(replayed.status.code(), Some(8), "{}", text(&replayed.stderr));
    assert!(text(&replayed.stderr).contains("no defect or variant is called"), "{}", text(&replayed.stderr));
}

#[test]
fn a_target_of_the_command_line_or_of_the_users_file_is_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path =
        forge(folder.path(), |start| start.target_arguments = words(&["--adapter", "touch PWNED"]), SHORT);
    let adapter = |defect: &str| format!("{COVENANT} adapter{defect}");
    let fixed = covenant_in(folder.path(), &["replay", &path, "--adapter", &adapter("")]);
    assert_eq!((fixed.status.code(), text(&fixed.stdout).contains(": fixed")), (Some(0), true));
    fs::create_dir(folder.path().join("mine")).expect("created");
    let config = format!("[target]\nadapter = \"{}\"\n", adapter(&format!(" --defect {DEFECT}")));
    fs::write(folder.path().join("mine/covenant.toml"), &config).expect("written");
    let broken = covenant_in(&folder.path().join("mine"), &["replay", &path]);
    assert_eq!((broken.status.code(), text(&broken.stdout).contains(": still broken")), (Some(1), true));

    // A file that came with the transcript is not the user's own.
    fs::write(folder.path().join("covenant.toml"), &config).expect("written");
    let archive = folder.path().join("archive");
    fs::create_dir_all(archive.join("out")).expect("created");
    fs::write(archive.join("covenant.toml"), &config).expect("written");
    fs::copy(&path, archive.join("out/transcript.jsonl")).expect("copied");
    for (place, transcript) in [(folder.path(), path.as_str()), (&archive, "out")] {
        let refused = covenant_in(place, &["replay", transcript]);
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains("--config"), "{}", text(&refused.stderr));
    }
}

#[test]
fn what_cannot_be_replayed_has_a_code_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = forge(folder.path(), |start| start.reference = Some(vec![]), "99-unknown/scenario");
    let replayed = covenant_in(folder.path(), &["replay", &path]);
    assert_eq!(replayed.status.code(), Some(8), "{}", text(&replayed.stderr));
    assert!(text(&replayed.stdout).contains("cannot be replayed: "), "{}", text(&replayed.stdout));
    let audit =
        forge(folder.path(), |start| drop(start.settings.insert("audit".to_owned(), true.into())), SHORT);
    let replayed = covenant_in(folder.path(), &["replay", &audit]);
    assert_eq!(replayed.status.code(), Some(8), "{}", text(&replayed.stderr));
    assert!(text(&replayed.stderr).contains("new token"), "{}", text(&replayed.stderr));
}
