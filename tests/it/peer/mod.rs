//! `covenant peer`: simulated peers on their own, beside a target in another process.
#![cfg(unix)]

mod joining;
mod keys;
mod many;
mod operated;
mod refused;
mod stalled;
mod switching;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use crate::program::{LOOPBACK, code, command, output_of, signal};

/// A simulation with its lines.
pub(crate) struct Simulation {
    child: Child,
    lines: BufReader<ChildStdout>,
    seen: String,
}

impl Simulation {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = command(folder, &[&["peer", "--listen", LOOPBACK], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, lines, seen: String::new() }
    }

    /// Reads lines up to the first that has all parts.
    fn line_with(&mut self, parts: &[&str]) -> String {
        let mut line = String::new();
        while self.lines.read_line(&mut line).expect("a line") > 0 {
            self.seen.push_str(&line);
            if parts.iter().all(|part| line.contains(part)) {
                return line;
            }
            line.clear();
        }
        let _ = self.child.kill();
        let mut errors = String::new();
        let _ = self.child.stderr.take().expect("piped").read_to_string(&mut errors);
        panic!("no line with {parts:?} in {}\n{errors}", self.seen);
    }

    /// Ends it by SIGTERM, and returns all that it printed.
    fn end(self) -> String {
        signal("TERM", self.child.id());
        self.ended()
    }

    /// Waits for its end, and returns all that it printed.
    fn ended(mut self) -> String {
        let _ = self.lines.read_to_string(&mut self.seen);
        let ended = self.child.wait_with_output().expect("it ends");
        assert_eq!(code(&ended), 0, "{}{}", self.seen, output_of(&ended));
        format!("{}{}", self.seen, output_of(&ended))
    }
}
