//! The process of an adapter: started, read, and killed with everything that it started.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::log::{Lines, Log};
use crate::secret;

/// The time that a process has to exit after its standard input is closed.
const EXIT_TIME_MAX: Duration = Duration::from_secs(2);
/// The time for which the standard error of an ended process is read.
const STDERR_TIME_MAX: Duration = Duration::from_millis(500);
/// The part of the standard error that an error message quotes, in bytes.
const STDERR_TAIL_BYTES_MAX: usize = 600;
/// The part of the standard error that is kept, in bytes: a secret that is cut in two would not be found.
const STDERR_KEPT_BYTES_MAX: usize = 64 * 1024;

/// The variables that every adapter inherits: what a program needs to start, and nothing that is secret.
const ENVIRONMENT: [&str; 16] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "TZ",
    "USER",
    "LOGNAME",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "COMSPEC",
    "PATHEXT",
    "TEMP",
    "TMP",
    "USERPROFILE",
];

/// A program and its arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    name: String,
    arguments: Vec<String>,
    /// The names of the variables that it inherits beside [`ENVIRONMENT`].
    inherits: Vec<String>,
    /// The program that starts it and ends it with the suite; `None` starts it alone.
    guard: Option<PathBuf>,
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
        Some(Self { name, arguments: words.collect(), inherits: vec![], guard: None })
    }

    /// Lets the program inherit these environment variables too.
    #[must_use]
    pub fn inheriting(self, names: &[String]) -> Self {
        Self { inherits: names.to_vec(), ..self }
    }

    /// Starts the program under a guard: the program `covenant`, which ends it and its children if the suite is killed.
    #[must_use]
    pub fn guarded_by(self, covenant: PathBuf) -> Self {
        Self { guard: Some(covenant), ..self }
    }

    /// Returns the command that starts the program.
    fn command(&self) -> io::Result<Command> {
        let mut command = match &self.guard {
            Some(covenant) => {
                // The guard could say only by its exit code that there is no program.
                is_there(&self.name)?;
                let mut command = Command::new(covenant);
                command.args(["adapter", "guard", "--", &self.name]);
                command
            }
            None => Command::new(&self.name),
        };
        let inherited = ENVIRONMENT.into_iter().chain(self.inherits.iter().map(String::as_str));
        let inherited = inherited.filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.args(&self.arguments).env_clear().envs(inherited);
        Ok(command)
    }

    pub(super) fn start(&self, log: &Log) -> io::Result<(Process, ChildStdin, BufReader<ChildStdout>)> {
        let mut command = self.command()?;
        command.kill_on_drop(true);
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
            Process { _group: group, child, stderr_reader, stderr_tail },
            requests,
            BufReader::new(responses),
        ))
    }
}

/// Returns an error if no program of this name is found.
fn is_there(name: &str) -> io::Result<()> {
    let is_path = Path::new(name).components().count() > 1;
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates: Vec<PathBuf> =
        std::env::split_paths(&folders).map(|folder| folder.join(name)).collect();
    if is_path {
        candidates = vec![PathBuf::from(name)];
    }
    candidates.retain(|path| path.is_file());
    if candidates.iter().any(|path| is_executable(path)) {
        return Ok(());
    }
    Err(io::Error::from_raw_os_error(if candidates.is_empty() { NOT_FOUND } else { PERMISSION_DENIED }))
}

/// The numbers of the errors of the system that starting a program gives.
const NOT_FOUND: i32 = 2;
const PERMISSION_DENIED: i32 = 13;

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    true
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
    /// The first field, since fields are dropped in order: a guard that is killed alone could end no one, if the suite
    /// exits at that moment.
    _group: Group,
    child: Child,
    /// The task that reads its standard error.
    stderr_reader: JoinHandle<()>,
    stderr_tail: StderrTail,
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
        let surplus = kept.len().saturating_sub(STDERR_KEPT_BYTES_MAX);
        kept.drain(..surplus);
    }

    fn text(&self) -> String {
        let kept: Vec<u8> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let text = secret::without_any(String::from_utf8_lossy(&kept).trim());
        let begin = text.len().saturating_sub(STDERR_TAIL_BYTES_MAX);
        let begin = (begin..text.len()).find(|place| text.is_char_boundary(*place)).unwrap_or(text.len());
        text[begin..].to_owned()
    }
}

async fn read_stderr(mut errors: ChildStderr, stderr_tail: StderrTail, log: Log) {
    let mut piece = [0; 4096];
    let mut lines = Lines::new(log);
    while let Ok(count @ 1..) = errors.read(&mut piece).await {
        stderr_tail.push(&piece[..count]);
        lines.push(&piece[..count]);
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
    fn a_program_that_is_not_there_is_named_before_a_guard_starts_it() {
        let kind = |name: &str| is_there(name).err().map(|error| error.kind());
        assert_eq!(kind("sh"), None);
        for missing in ["./missing", "no-such-program-anywhere", ""] {
            assert_eq!(kind(missing), Some(io::ErrorKind::NotFound), "{missing:?}");
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        #[cfg(unix)]
        assert_eq!(kind(&file.path().display().to_string()), Some(io::ErrorKind::PermissionDenied));
    }
}
