//! Time, ids and chance as parameters. No other room asks the system for any of them.
//!
//! Five minutes, 24 hours, 72 hours and 30 days are tested on both sides of the second by moving
//! a [`Clock`] by hand; a run is repeated by giving its [`Seed`] again.

mod ids;
mod seed;
mod stopwatch;

pub use ids::Ids;
pub use seed::Seed;
pub use stopwatch::Stopwatch;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// A source of time that is handed to whoever needs one. Clones share the same hands.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Hands>);

/// In place of the moment since which a clock runs: it stands.
const STANDS: i64 = i64::MIN;

#[derive(Debug)]
enum Hands {
    /// Runs with the system; `offset_seconds` is what it was moved by since.
    System { offset_seconds: AtomicI64 },
    /// Shows what it was set to; stands still between moves, or goes on from there with the system.
    Manual { now_milliseconds: AtomicI64, runs_since_milliseconds: AtomicI64 },
}

impl Clock {
    /// A clock that runs with the system's.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Hands::System { offset_seconds: AtomicI64::new(0) }))
    }

    /// A clock that stands at `start` until it is moved.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Arc::new(Hands::Manual {
            now_milliseconds: AtomicI64::new(start.as_millisecond()),
            runs_since_milliseconds: AtomicI64::new(STANDS),
        }))
    }

    /// The moment this clock shows, to the millisecond.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Hands::System { offset_seconds } => {
                let offset = SignedDuration::from_secs(offset_seconds.load(Ordering::SeqCst));
                system_now().saturating_add(offset).unwrap_or(Timestamp::MAX)
            }
            Hands::Manual { now_milliseconds, runs_since_milliseconds } => {
                let since = runs_since_milliseconds.load(Ordering::SeqCst);
                let gone = if since == STANDS { 0 } else { system_now().as_millisecond() - since };
                let now = now_milliseconds.load(Ordering::SeqCst).saturating_add(gone);
                Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Moves the hands forward (or back, for a skewed clock) by whole seconds.
    pub fn advance_seconds(&self, seconds: i64) {
        match &*self.0 {
            Hands::System { offset_seconds } => {
                offset_seconds.fetch_add(seconds, Ordering::SeqCst);
            }
            Hands::Manual { now_milliseconds, .. } => {
                now_milliseconds.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
            }
        }
    }

    /// Sets a clock that is moved by hand; where it `runs`, it goes on from there with the system. One that
    /// is the system's own goes its own way.
    pub fn set(&self, now: Timestamp, runs: bool) {
        if let Hands::Manual { now_milliseconds, runs_since_milliseconds } = &*self.0 {
            let since = if runs { system_now().as_millisecond() } else { STANDS };
            now_milliseconds.store(now.as_millisecond(), Ordering::SeqCst);
            runs_since_milliseconds.store(since, Ordering::SeqCst);
        }
    }

    /// Whether the hands stand still between moves.
    #[must_use]
    pub fn is_manual(&self) -> bool {
        matches!(*self.0, Hands::Manual { .. })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
fn system_now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand_and_in_all_its_clones() {
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let clock = Clock::manual(start);
        let clone = clock.clone();
        assert_eq!(clone.now(), start);
        clock.advance_seconds(299);
        assert_eq!(clone.now().to_string(), "2026-06-01T00:04:59Z");
    }

    #[test]
    fn a_clock_that_is_set_stands_or_runs_on() {
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        clock.set(start, false);
        assert_eq!(clock.now(), start);
        clock.set(start, true);
        let watch = Stopwatch::start();
        while clock.now() == start {
            assert!(watch.elapsed() < std::time::Duration::from_secs(5), "it stands");
        }
        assert!(clock.now() > start);
    }

    #[test]
    fn a_system_clock_keeps_what_it_was_moved_by() {
        let clock = Clock::system();
        let before = clock.now();
        clock.advance_seconds(3600);
        assert!(clock.now().duration_since(before) >= SignedDuration::from_secs(3600));
    }
}
