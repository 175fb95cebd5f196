//! An adapter's process: started, listened to, and taken down with all that it started.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a process may take to end by itself, once its standard input has ended.
const LEAVING_TIME_MAX: Duration = Duration::from_secs(2);
/// How long an ended process's standard error is read on.
const LAST_WORDS_TIME_MAX: Duration = Duration::from_millis(500);
/// How much of the standard error is kept for an error's text, in bytes.
const LAST_WORDS_BYTES_MAX: usize = 600;

/// A program and its arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    name: String,
    arguments: Vec<String>,
}

/// A command line that names no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no program: expected PROGRAM and its arguments, quoted as a shell does")]
pub struct NoProgram(String);

impl Program {
    /// Splits a command line as a shell does; no shell is started.
    pub fn parse(line: &str) -> Result<Self, NoProgram> {
        shlex::split(line).and_then(Self::of).ok_or_else(|| NoProgram(line.to_owned()))
    }

    /// A program and its arguments, as words.
    #[must_use]
    pub fn of(words: Vec<String>) -> Option<Self> {
        // No program takes a word with a NUL in it.
        if words.iter().any(|word| word.contains('\0')) {
            return None;
        }
        let mut words = words.into_iter();
        let name = words.next().filter(|name| !name.is_empty())?;
        Some(Self { name, arguments: words.collect() })
    }

    pub(super) fn start(&self, log: &Log) -> io::Result<(Process, ChildStdin, BufReader<ChildStdout>)> {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C is the suite's to handle, and what it starts is taken down with it.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let (Some(requests), Some(responses), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("no pipes"));
        };
        let last_words = LastWords::default();
        let listener = tokio::spawn(listen(errors, last_words.clone(), log.clone()));
        let group = Group(child.id());
        Ok((Process { child, listener, last_words, _group: group }, requests, BufReader::new(responses)))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = std::iter::once(&self.name).chain(&self.arguments).map(String::as_str);
        f.write_str(&shlex::try_join(words).unwrap_or_default())
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A running adapter. Dropped, it is killed with all of its group.
pub(super) struct Process {
    child: Child,
    /// Reads its standard error.
    listener: JoinHandle<()>,
    last_words: LastWords,
    _group: Group,
}

impl Process {
    /// How it ended, in words, for one that closed its standard output.
    pub(super) async fn obituary(&mut self) -> String {
        let ended = match timeout(LEAVING_TIME_MAX, self.child.wait()).await {
            Ok(Ok(status)) => in_words(status),
            Ok(Err(error)) => format!("and its end can't be seen: {error}"),
            Err(_) => "closed its standard output and runs on".to_owned(),
        };
        // What it said last may still be on its way; what it started may hold that way open.
        let _ = timeout(LAST_WORDS_TIME_MAX, &mut self.listener).await;
        match self.last_words.text() {
            words if words.is_empty() => ended,
            words => format!("{ended}; its standard error ended with: {words}"),
        }
    }

    /// Lets it end by itself, and takes it down where it does not. Its standard input has ended.
    pub(super) async fn leave(mut self) {
        let _ = timeout(LEAVING_TIME_MAX, self.child.wait()).await;
    }
}

fn in_words(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended by a signal ({status})"),
    }
}

/// All that a process started: killed when this is dropped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(id) = self.0.and_then(|id| i32::try_from(id).ok()) {
            use nix::sys::signal::{Signal, killpg};
            // Where it has gone already there is nothing to kill.
            let _ = killpg(nix::unistd::Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

/// The end of what a process wrote to its standard error.
#[derive(Clone, Default)]
struct LastWords(Arc<Mutex<VecDeque<u8>>>);

impl LastWords {
    fn hear(&self, piece: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(piece);
        let surplus = kept.len().saturating_sub(LAST_WORDS_BYTES_MAX);
        kept.drain(..surplus);
    }

    fn text(&self) -> String {
        let kept: Vec<u8> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        String::from_utf8_lossy(&kept).trim().to_owned()
    }
}

/// Where the standard errors of a run's adapters go: a file with a limit, or nowhere.
#[derive(Clone, Default)]
pub struct Log(Option<Arc<Mutex<LogFile>>>);

struct LogFile {
    file: std::fs::File,
    room_bytes: usize,
}

/// A log holds this much; what comes after is left out, and it says so.
const LOG_BYTES_MAX: usize = 1 << 20;

impl Log {
    /// A log in a new file.
    pub fn create(path: &std::path::Path) -> io::Result<Self> {
        let file = std::fs::File::create(path)?;
        Ok(Self(Some(Arc::new(Mutex::new(LogFile { file, room_bytes: LOG_BYTES_MAX })))))
    }

    fn write(&self, piece: &[u8]) {
        let Some(log) = &self.0 else { return };
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.room_bytes == 0 {
            return;
        }
        let fitting = piece.len().min(log.room_bytes);
        log.room_bytes -= fitting;
        // A log that can't be written is no reason to end a run.
        let _ = log.file.write_all(&piece[..fitting]);
        if log.room_bytes == 0 {
            let _ = log.file.write_all(b"\n(what follows is left out: this log holds 1 MiB)\n");
        }
    }
}

async fn listen(mut errors: ChildStderr, last_words: LastWords, log: Log) {
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = errors.read(&mut piece).await {
        last_words.hear(&piece[..count]);
        log.write(&piece[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_split_as_a_shell_does() {
        let program = Program::parse("python3 'my adapter.py' --port 1").expect("a program");
        assert_eq!(program.arguments, ["my adapter.py", "--port", "1"]);
        assert_eq!(Program::parse(&program.to_string()), Ok(program));
        for nothing in ["", "  ", "'open", "''", "a\0b"] {
            assert!(Program::parse(nothing).is_err(), "{nothing:?}");
        }
    }

    #[test]
    fn only_the_end_of_what_was_said_is_kept() {
        let words = LastWords::default();
        words.hear(&[b'a'; 10_000]);
        words.hear(b"the end");
        assert_eq!(words.text().len(), LAST_WORDS_BYTES_MAX);
        assert!(words.text().ends_with("the end"));
    }

    #[test]
    fn a_log_has_a_limit_and_says_so() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let log = Log::create(file.path()).expect("a log");
        for _ in 0..300 {
            log.write(&[b'x'; 4096]);
        }
        let text = std::fs::read_to_string(file.path()).expect("it reads");
        assert!(text.len() < LOG_BYTES_MAX + 100 && text.contains("left out"));
    }
}
