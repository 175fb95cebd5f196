//! A watch goes on from any kill, and says what one may have left behind.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::program::{
    LOOPBACK, Platform, code, command_that_heeds_hangups, covenant_in, output_of, path_text, signal,
    wait_until,
};

fn arguments(platform: &Platform, lasts: &str) -> Vec<String> {
    let fixed = ["--quiet", "--rate", "6000", "--every", "1s", "--watch", lasts, "--seed", "3"];
    let files = [("--ca", "ca.pem"), ("--token-file", "token"), ("--out", "out")];
    let files = files.iter().flat_map(|(flag, file)| [(*flag).to_owned(), path_text(&platform.file(file))]);
    let first = ["audit".to_owned(), platform.url.clone()].into_iter();
    first.chain(fixed.iter().map(ToString::to_string)).chain(files).collect()
}

fn start(platform: &Platform, lasts: &str) -> Child {
    let words = arguments(platform, lasts);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    command_that_heeds_hangups(platform.folder.path(), &words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}

fn wait_until_accepted(platform: &Platform) {
    wait_until("the watch is accepted", || {
        let state = fs::read_to_string(platform.file("out/watch.json")).unwrap_or_default();
        state.contains("id_at_target")
    });
}

/// Kills a watch once it is accepted, and returns its state.
fn state_of_a_killed_watch(platform: &Platform, lasts: &str) -> Value {
    let mut watch = start(platform, lasts);
    wait_until_accepted(platform);
    signal("KILL", watch.id());
    watch.wait().expect("it ends");
    let state = fs::read(platform.file("out/watch.json")).expect("a state");
    serde_json::from_slice(&state).expect("a JSON text")
}

/// Runs the same command again, to its end.
fn go_on(platform: &Platform) -> (i32, String) {
    let words = arguments(platform, "2s");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = covenant_in(platform.folder.path(), &words);
    (code(&ended), output_of(&ended))
}

/// The moments of a kill, in milliseconds after the start. Those of a row wait for their watches side by side.
const KILLS: [&[u64]; 4] = [&[0, 30, 200], &[5, 40, 400], &[10, 60, 900], &[15, 20, 80, 120]];

#[test]
fn a_watch_goes_on_from_any_kill() {
    for row in KILLS {
        thread::scope(|scope| {
            for milliseconds in row {
                scope.spawn(|| goes_on_from_a_kill_after(Duration::from_millis(*milliseconds)));
            }
        });
    }
}

fn goes_on_from_a_kill_after(time: Duration) {
    let platform = Platform::start(LOOPBACK, &[]);
    let mut watch = start(&platform, "2s");
    thread::park_timeout(time);
    signal("KILL", watch.id());
    watch.wait().expect("it ends");
    let (exit, printed) = go_on(&platform);
    let is_explained = exit == 7 && printed.contains("was killed before while it accepted");
    assert!(exit == 0 || is_explained, "after {time:?}: {exit} {printed}");
    if is_explained {
        // The kill fell before the answer was recorded, or between that and the new state.
        let names_peer = printed.contains("perhaps: its answer was lost") || printed.contains("- peer 01");
        assert!(names_peer && printed.contains("to be removed by its operator"), "{printed}");
    }
    let verified = covenant_in(platform.folder.path(), &["verify", &path_text(&platform.file("out"))]);
    assert_eq!(code(&verified), exit, "{}", output_of(&verified));
    let left: Vec<_> = fs::read_dir(platform.file("out")).expect("a folder").flatten().collect();
    let is_state = |name: &str| name.starts_with(".watch-") || name == "watch.json";
    assert!(!left.iter().any(|file| is_state(&file.file_name().to_string_lossy())), "{left:?}");
}

#[test]
fn the_state_is_saved_before_the_token_is_spent() {
    // Nothing answers, so the accept lasts until the watch is killed.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut silent = Platform::start(LOOPBACK, &[]);
    silent.url = format!("https://{}", listener.local_addr().expect("an address"));
    let mut watch = start(&silent, "2s");
    let _call = listener.accept().expect("the watch calls");
    assert!(silent.file("out/watch.json").exists());
    signal("KILL", watch.id());
    watch.wait().expect("it ends");
    let state = fs::read_to_string(silent.file("out/watch.json")).expect("a state");
    assert!(state.contains("\"is_accepting\": true") && !state.contains(&silent.token), "{state}");
}

#[test]
fn a_watch_waits_for_its_port() {
    let platform = Platform::start(LOOPBACK, &[]);
    let state = state_of_a_killed_watch(&platform, "2s");
    let listen = state["listen"].as_str().expect("an address").to_owned();
    // If another process has the port already, it is taken all the same.
    let other = std::net::TcpListener::bind(&listen);
    let words = arguments(&platform, "2s");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut again = command_that_heeds_hangups(platform.folder.path(), &words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(again.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(&format!("another process has {listen}"))));
    drop(other);
    let rest: Vec<String> = lines.collect();
    assert_eq!(again.wait().expect("it ends").code(), Some(0), "{rest:?}");
}

#[test]
fn a_kill_between_the_answer_and_the_new_state_leaves_nothing_evaluated() {
    let platform = Platform::start(LOOPBACK, &[]);
    // The state from before the answer, which the transcript has already.
    let mut state = state_of_a_killed_watch(&platform, "1h");
    state["until"] = Value::Null;
    state["snapshot"]["admission"] = Value::Null;
    fs::write(platform.file("out/watch.json"), state.to_string()).expect("written");
    let (exit, printed) = go_on(&platform);
    assert_eq!(exit, 7, "{printed}");
    assert!(printed.contains("was killed before while it accepted"), "{printed}");
    assert!(printed.contains("- peer 01"), "{printed}");
}

#[test]
fn a_signal_interrupts_a_watch_and_the_same_command_continues_it() {
    let platform = Platform::start(LOOPBACK, &[]);
    let mut watch = start(&platform, "1h");
    wait_until_accepted(&platform);
    signal("TERM", watch.id());
    assert_eq!(watch.wait().expect("it ends").code(), Some(130));
    assert!(platform.file("out/report.txt").exists());
    let mut again = start(&platform, "1h");
    wait_until("the watch goes on", || !platform.file("out/report.txt").exists());
    let locked = go_on(&platform);
    assert_eq!(locked.0, 6, "{}", locked.1);
    signal("HUP", again.id());
    assert_eq!(again.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_torn_state_is_explained() {
    for text in ["", "{\"until\": null, \"listen\": \"127"] {
        let platform = Platform::start(LOOPBACK, &[]);
        fs::create_dir(platform.file("out")).expect("created");
        fs::write(platform.file("out/watch.json"), text).expect("written");
        let (exit, printed) = go_on(&platform);
        assert_eq!(exit, 2, "{printed}");
        assert!(
            printed.contains("the keys of the peer are lost") && printed.contains("revoke the peer"),
            "{printed}"
        );
    }
}
