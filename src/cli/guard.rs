//! `covenant adapter guard`: starts an adapter, and ends it with its children when the suite is gone.
//!
//! The suite holds the other end of standard input. A suite that is killed cannot end its adapters, but the system
//! closes that end. An adapter need not notice: the guard does. It passes standard input on; the adapter inherits
//! standard output and standard error. The suite starts the guard in a process group of its own, in which the adapter
//! and its children are too. Once the adapter has ended, so do its children: a suite that is killed at that moment
//! could not end them.

use std::io::{Read, Write};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use clap::Args;

use super::{Exit, Failure};
use crate::clock::Stopwatch;

/// The time that an adapter has to exit after its standard input is closed.
const EXIT_TIME_MAX: Duration = Duration::from_secs(2);
/// The time between two looks whether the suite is still there.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The exit code of a program that does not start, as a shell gives it.
const DOES_NOT_START: i32 = 127;
/// Offset that a shell adds to the number of a signal.
const BY_SIGNAL: i32 = 128;

/// Arguments of `covenant adapter guard`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Command line of the adapter
    #[arg(last = true, required = true, value_name = "PROGRAM ARGS")]
    program: Vec<String>,
}

enum Event {
    /// The adapter has exited.
    Exited(ExitStatus),
    /// The suite has closed standard input, or is gone.
    Closed,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let (name, words) =
        arguments.program.split_first().ok_or_else(|| Failure::usage("no program is named"))?;
    let suite = parent();
    let mut child = match Command::new(name).args(words).stdin(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            super::message(&format!("{name} does not start: {error}\n"));
            std::process::exit(DOES_NOT_START);
        }
    };
    // The suite reads the end of the adapter's output, which must not stay open here.
    close_output();
    let (sender, events) = channel();
    if let Some(requests) = child.stdin.take() {
        let closed = sender.clone();
        thread::spawn(move || pass_on(requests, &closed));
    }
    thread::spawn(move || {
        if let Ok(status) = child.wait() {
            let _ = sender.send(Event::Exited(status));
        }
    });
    exit_as(watch(suite, &events))
}

/// Passes the requests on to the adapter until the suite closes them.
fn pass_on(mut requests: ChildStdin, closed: &Sender<Event>) {
    let mut piece = [0; 16 * 1024];
    let mut input = std::io::stdin().lock();
    while let Ok(count @ 1..) = input.read(&mut piece) {
        if requests.write_all(&piece[..count]).and_then(|()| requests.flush()).is_err() {
            // The suite has to see that the adapter reads no more.
            close_input();
            return;
        }
    }
    drop(requests);
    let _ = closed.send(Event::Closed);
}

/// Waits for the end of the adapter. Once the suite is gone, the adapter has a short time left.
fn watch(suite: u32, events: &Receiver<Event>) -> ExitStatus {
    let mut closing: Option<Stopwatch> = None;
    loop {
        let left = closing.as_ref().map(|since| EXIT_TIME_MAX.saturating_sub(since.elapsed()));
        match events.recv_timeout(left.unwrap_or(POLL_INTERVAL)) {
            Ok(Event::Exited(status)) => {
                end_children(suite);
                return status;
            }
            Ok(Event::Closed) => closing = closing.or_else(|| Some(Stopwatch::start())),
            Err(RecvTimeoutError::Timeout) if closing.is_some() => end_group(),
            Err(RecvTimeoutError::Timeout) if parent() != suite => closing = Some(Stopwatch::start()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => end_group(),
        }
    }
}

/// Exits as the adapter did, so that the suite sees how it ended.
#[cfg(unix)]
fn exit_as(status: ExitStatus) -> ! {
    use nix::sys::signal::{Signal, kill};
    use std::os::unix::process::ExitStatusExt;
    if let Some(number) = status.signal() {
        if let Ok(signal) = Signal::try_from(number) {
            let _ = kill(nix::unistd::Pid::this(), signal);
        }
        // A signal that this program ignores does not end it.
        std::process::exit(BY_SIGNAL + number);
    }
    std::process::exit(status.code().unwrap_or(DOES_NOT_START))
}

#[cfg(not(unix))]
fn exit_as(status: ExitStatus) -> ! {
    std::process::exit(status.code().unwrap_or(BY_SIGNAL))
}

/// Kills the children that an adapter leaves. This process first joins the group of the suite, to tell it how the
/// adapter ended. Where it can't, the suite is gone, and no one asks.
#[cfg(unix)]
fn end_children(suite: u32) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::{Pid, getpgid, setpgid};
    let own = Pid::this();
    let joined = i32::try_from(suite)
        .map_err(|_| nix::Error::ESRCH)
        .and_then(|suite| getpgid(Some(Pid::from_raw(suite))))
        .and_then(|group| setpgid(own, group));
    match joined {
        Ok(()) => drop(killpg(own, Signal::SIGKILL)),
        Err(_) => end_group(),
    }
}

#[cfg(not(unix))]
fn end_children(_: u32) {}

/// Kills the process group: the adapter, its children and this process. Only the leader of a group does so, since
/// another group would be that of whoever started this program by hand.
#[cfg(unix)]
fn end_group() {
    use nix::sys::signal::{Signal, killpg};
    let own = nix::unistd::Pid::this();
    let _ = killpg(own, Signal::SIGKILL);
    std::process::exit(BY_SIGNAL + Signal::SIGKILL as i32);
}

#[cfg(not(unix))]
fn end_group() {
    std::process::exit(BY_SIGNAL);
}

#[cfg(unix)]
fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

#[cfg(not(unix))]
fn parent() -> u32 {
    0
}

#[cfg(unix)]
fn close_output() {
    if let Ok(nothing) = std::fs::File::options().write(true).open("/dev/null") {
        let _ = nix::unistd::dup2_stdout(&nothing);
        let _ = nix::unistd::dup2_stderr(&nothing);
    }
}

#[cfg(unix)]
fn close_input() {
    if let Ok(nothing) = std::fs::File::open("/dev/null") {
        let _ = nix::unistd::dup2_stdin(&nothing);
    }
}

#[cfg(not(unix))]
fn close_output() {}

#[cfg(not(unix))]
fn close_input() {}
