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
const EXIT_TIME_MAX: Duration = Duration::from_secs(2);
/// The time for which the standard error of an ended process is read.
const STDERR_TIME_MAX: Duration = Duration::from_millis(500);
/// The part of the standard error that an error message quotes, in bytes.
const STDERR_TAIL_BYTES_MAX: usize = 600;

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

    /// Builds a program from its name and its arguments.
    #[must_use]
    pub fn of(words: Vec<String>) -> Option<Self> {
        // No program accepts an argument with a NUL byte.
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
        let stderr_tail = StderrTail::default();
        let stderr_reader = tokio::spawn(read_stderr(errors, stderr_tail.clone(), log.clone()));
        let group = Group(child.id());
        Ok((
            Process { child, stderr_reader, stderr_tail, _group: group },
            requests,
            BufReader::new(responses),
        ))
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
    stderr_reader: JoinHandle<()>,
    stderr_tail: StderrTail,
    _group: Group,
}

impl Process {
    /// Describes how a process ended that closed its standard output.
    pub(super) async fn describe_exit(&mut self) -> String {
        let ended = match timeout(EXIT_TIME_MAX, self.child.wait()).await {
            Ok(Ok(status)) => describe_status(status),
            Ok(Err(error)) => format!("and its end can't be seen: {error}"),
            Err(_) => "closed its standard output and runs on".to_owned(),
        };
        // The last output may still be in the pipe, and a child process may hold the pipe open.
        let _ = timeout(STDERR_TIME_MAX, &mut self.stderr_reader).await;
        match self.stderr_tail.text() {
            tail if tail.is_empty() => ended,
            tail => format!("{ended}; its standard error ended with: {tail}"),
        }
    }

    /// Waits for the process to exit, and kills it after the time limit. Its standard input is closed
    /// already.
    pub(super) async fn wait_or_kill(mut self) {
        let _ = timeout(EXIT_TIME_MAX, self.child.wait()).await;
    }
}

fn describe_status(status: ExitStatus) -> String {
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
struct StderrTail(Arc<Mutex<VecDeque<u8>>>);

impl StderrTail {
    fn push(&self, piece: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(piece);
        let surplus = kept.len().saturating_sub(STDERR_TAIL_BYTES_MAX);
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
    bytes_left: usize,
}

/// The size limit of a log, in bytes. The log states that the rest is left out.
const LOG_BYTES_MAX: usize = 1 << 20;

impl Log {
    /// Creates a log in a new file.
    pub fn create(path: &std::path::Path) -> io::Result<Self> {
        let file = std::fs::File::create(path)?;
        Ok(Self(Some(Arc::new(Mutex::new(LogFile { file, bytes_left: LOG_BYTES_MAX })))))
    }

    fn write(&self, piece: &[u8]) {
        let Some(log) = &self.0 else { return };
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.bytes_left == 0 {
            return;
        }
        let fitting = piece.len().min(log.bytes_left);
        log.bytes_left -= fitting;
        // A log that cannot be written does not end a run.
        let _ = log.file.write_all(&piece[..fitting]);
        if log.bytes_left == 0 {
            let _ = log.file.write_all(b"\n(what follows is left out: this log holds 1 MiB)\n");
        }
    }
}

async fn read_stderr(mut errors: ChildStderr, stderr_tail: StderrTail, log: Log) {
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = errors.read(&mut piece).await {
        stderr_tail.push(&piece[..count]);
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
    fn only_the_end_of_the_standard_error_is_kept() {
        let tail = StderrTail::default();
        tail.push(&[b'a'; 10_000]);
        tail.push(b"the end");
        assert_eq!(tail.text().len(), STDERR_TAIL_BYTES_MAX);
        assert!(tail.text().ends_with("the end"));
    }

    #[test]
    fn a_log_states_its_size_limit() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let log = Log::create(file.path()).expect("a log");
        for _ in 0..300 {
            log.write(&[b'x'; 4096]);
        }
        let text = std::fs::read_to_string(file.path()).expect("it reads");
        assert!(text.len() < LOG_BYTES_MAX + 100 && text.contains("left out"));
    }
}
