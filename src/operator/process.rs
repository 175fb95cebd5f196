//! The process of an adapter: started, read, and killed with everything that it started.

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

/// The time that a process has to exit after its standard input is closed.
const LEAVING_TIME_MAX: Duration = Duration::from_secs(2);
/// The time for which the standard error of an ended process is read.
const LAST_WORDS_TIME_MAX: Duration = Duration::from_millis(500);
/// The part of the standard error that an error message quotes, in bytes.
const LAST_WORDS_BYTES_MAX: usize = 600;

/// A program and its arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    name: String,
    arguments: Vec<String>,
}

/// A command line without a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no program: expected PROGRAM and its arguments, quoted as a shell does")]
pub struct NoProgram(String);

impl Program {
    /// Splits a command line like a shell. No shell is started.
    pub fn parse(line: &str) -> Result<Self, NoProgram> {
        shlex::split(line).and_then(Self::of).ok_or_else(|| NoProgram(line.to_owned()))
    }

    /// Builds a program from a list of words.
    #[must_use]
    pub fn of(words: Vec<String>) -> Option<Self> {
        // No program accepts a word with a NUL byte.
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
        // The process gets its own group: the suite handles Ctrl-C, and everything that the process starts is
        // killed with it.
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

/// A running adapter. Dropping it kills its process group.
pub(super) struct Process {
    child: Child,
    /// The task that reads its standard error.
    listener: JoinHandle<()>,
    last_words: LastWords,
    _group: Group,
}

impl Process {
    /// Describes how a process ended that closed its standard output.
    pub(super) async fn obituary(&mut self) -> String {
        let ended = match timeout(LEAVING_TIME_MAX, self.child.wait()).await {
            Ok(Ok(status)) => in_words(status),
            Ok(Err(error)) => format!("and its end can't be seen: {error}"),
            Err(_) => "closed its standard output and runs on".to_owned(),
        };
        // The last output may still be in the pipe, and a child process may hold the pipe open.
        let _ = timeout(LAST_WORDS_TIME_MAX, &mut self.listener).await;
        match self.last_words.text() {
            words if words.is_empty() => ended,
            words => format!("{ended}; its standard error ended with: {words}"),
        }
    }

    /// Waits for the process to exit, and kills it after the time limit. Its standard input is closed
    /// already.
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

/// A process group, killed on drop.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(id) = self.0.and_then(|id| i32::try_from(id).ok()) {
            use nix::sys::signal::{Signal, killpg};
            // A group that has exited already needs no kill.
            let _ = killpg(nix::unistd::Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

/// The last part of what a process wrote to its standard error.
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

/// The log of the adapters' standard errors: a file with a size limit, or nothing.
#[derive(Clone, Default)]
pub struct Log(Option<Arc<Mutex<LogFile>>>);

struct LogFile {
    file: std::fs::File,
    room_bytes: usize,
}

/// The size limit of a log, in bytes. The log states that the rest is left out.
const LOG_BYTES_MAX: usize = 1 << 20;

impl Log {
    /// Creates a log in a new file.
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
        // A log that cannot be written does not end a run.
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
