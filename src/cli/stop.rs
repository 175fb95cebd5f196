//! The signals that end a command in order: Ctrl-C, SIGTERM and SIGHUP.

use std::time::Duration;

/// Returns a future that waits for a signal to stop. A run then writes its report, and its adapters end. The signals are
/// held from the call on, not only once the future is polled: the work beside it may go far before that.
#[cfg(unix)]
pub(super) fn stopped() -> impl Future<Output = ()> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn received(signals: Option<Signal>) {
        match signals {
            Some(mut signals) => drop(signals.recv().await),
            // Without a handler the signal ends the process at once, or is ignored.
            None => std::future::pending().await,
        }
    }
    let interrupt = signal(SignalKind::interrupt()).ok();
    let terminate = signal(SignalKind::terminate()).ok();
    let hangup = SignalKind::hangup();
    let hangup = if is_ignored(hangup) { None } else { signal(hangup).ok() };
    async {
        tokio::select! {
            () = received(interrupt) => {}
            () = received(terminate) => {}
            () = received(hangup) => {}
        }
    }
}

#[cfg(not(unix))]
pub(super) fn stopped() -> impl Future<Output = ()> {
    async { drop(tokio::signal::ctrl_c().await) }
}

/// The time that dropped tasks have to give back what they hold.
const DROP_TIME_MAX: Duration = Duration::from_secs(1);
/// The interval at which the tasks are counted.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Waits until the tasks that a dropped future had started have ended, within a limit.
pub(super) async fn tasks_ended() {
    let tasks = tokio::runtime::Handle::current().metrics();
    let ended = async {
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        while tasks.num_alive_tasks() > 0 {
            ticks.tick().await;
        }
    };
    // An adapter that does not exit is killed with this process.
    let _ = tokio::time::timeout(DROP_TIME_MAX, ended).await;
}

/// Returns whether whoever started this process wants it to ignore a signal, as `nohup` does. Where the system does
/// not say so, it is not ignored.
#[cfg(unix)]
fn is_ignored(kind: tokio::signal::unix::SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_in_mask(&status, kind.as_raw_value())
}

#[cfg(unix)]
fn is_in_mask(status: &str, number: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(number - 1).is_ok_and(|bit| mask >> bit & 1 == 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::is_in_mask;

    #[test]
    fn an_ignored_signal_is_read_from_the_mask() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
        assert!(is_in_mask(status, 1) && is_in_mask(status, 13));
        assert!(!is_in_mask(status, 2) && !is_in_mask("", 1));
    }
}
