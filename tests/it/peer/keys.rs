//! Peers that are switched by the keys of a terminal.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use covenant::clock::Stopwatch;
use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};

use crate::program::{LOOPBACK, Platform, command, signal, wait_until};

/// A simulation on a terminal.
struct Terminal {
    child: Child,
    lines: BufReader<ChildStdout>,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    slave: std::os::fd::OwnedFd,
}

impl Terminal {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let terminal = openpty(None, None).expect("a terminal");
        let end = || Stdio::from(terminal.slave.try_clone().expect("an end"));
        let mut starting = command(folder.path(), &[&["peer", "--listen", LOOPBACK], arguments].concat());
        let starting = starting.stdin(end()).stderr(end()).stdout(Stdio::piped());
        let mut child = starting.spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped"));
        let keyboard = File::from(terminal.master);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut shown, text) = (keyboard.try_clone().expect("a terminal"), screen.clone());
        // What is not read from a terminal holds back the program.
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Some(count) = shown.read(&mut part).ok().filter(|count| *count > 0) {
                text.lock().expect("no panic").push_str(&String::from_utf8_lossy(&part[..count]));
            }
        });
        Self { child, lines, keyboard, screen, slave: terminal.slave }
    }

    fn press(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).expect("pressed");
    }

    fn line_with(&mut self, part: &str) -> String {
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            assert!(self.lines.read_line(&mut line).expect("a line") > 0, "no line with {part}");
        }
        line
    }

    /// Waits until the screen shows a text after what it showed so far, and returns all that it shows.
    fn shows(&self, part: &str, times: usize) -> String {
        let screen = || self.screen.lock().expect("no panic").clone();
        wait_until(part, || screen().matches(part).count() >= times);
        screen()
    }

    fn flags(&self) -> LocalFlags {
        tcgetattr(&self.slave).expect("its settings").local_flags
    }
}

#[test]
fn keys_on_a_terminal_switch_a_family_and_the_terminal_is_restored() {
    let platform = Platform::start(LOOPBACK, &[]);
    let before =
        tcgetattr(&openpty(None, None).expect("a terminal").slave).expect("its settings").local_flags;
    let mut terminal = Terminal::start(&["--join", &platform.url, &platform.token, "--every", "1h"]);
    let first = terminal.line_with("→ target: sends a heartbeat");
    assert!(!first.contains("breaks"), "{first}");
    // F5 holds the keys of two families, and is none of them.
    terminal.press(b"\x1b[15~3");
    let _ = terminal.line_with("→ target: sends a heartbeat: answered 200; breaks 3.1, 3.2, 3.3, 3.4");
    // F5, F1 of a Linux console, the key to the left and Ctrl-U are no part of a line.
    terminal.press(b"c:on mal\x1b[15~lory \x1b[[Acontract\x1b[D-mismatch\x15\n");
    let _ = terminal.line_with("breaks 12.1, 12.2 (contract-mismatch)");
    let screen = terminal.shows("on mallory contract-mismatch", 1);
    assert!(!screen.contains("15~"), "{screen}");
    terminal.press(b"q");
    assert_eq!(terminal.child.wait().expect("it ends").code(), Some(0));
    assert_eq!(terminal.flags(), before);
}

#[test]
fn a_key_switches_off_what_waits_for_the_peering() {
    let given = ["--accept", "token-of-tests", "--conforming-first", "--behaviour", "bogus-capabilities"];
    let mut terminal = Terminal::start(&given);
    let waits = "conforms until it is federated, and then breaks 3.1, 3.2, 3.3, 3.4";
    terminal.shows(waits, 1);
    terminal.press(b"3");
    let screen = terminal.shows("mallory (not federated): conforms\r\n", 1);
    assert_eq!(screen.matches(waits).count(), 1, "{screen}");
    terminal.press(b"3");
    terminal.shows(waits, 2);
    terminal.press(b"q");
    assert_eq!(terminal.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_call_that_the_target_stalls_holds_back_no_key() {
    let platform = Platform::start(LOOPBACK, &[]);
    let joined = ["--join", &platform.url, &platform.token, "--every", "1h", "--request-timeout", "60"];
    let mut terminal = Terminal::start(&joined);
    let _ = terminal.line_with("→ target: sends a heartbeat: answered 200");
    signal("STOP", platform.id());
    let took = Stopwatch::start();
    terminal.press(b"hs");
    terminal.shows("mallory (federated): conforms\r\n", 1);
    terminal.press(b"q");
    assert_eq!(terminal.child.wait().expect("it ends").code(), Some(0));
    assert!(took.elapsed() < Duration::from_secs(20), "{:?}", took.elapsed());
}
