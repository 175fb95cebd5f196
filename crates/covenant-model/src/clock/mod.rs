//! Time, ids and random choices as parameters. No other module asks the system for any of them.
//!
//! Limits of five minutes, 24 hours, 72 hours and 30 days are tested to the second on both sides by moving a
//! [`Clock`] explicitly. The same [`Seed`] repeats a run.

mod ids;
mod moment;
mod seed;
mod stopwatch;

pub use ids::Ids;
pub use moment::{deserialize_moment, read_moment};
pub use seed::{Seed, fresh_token};
pub use stopwatch::Stopwatch;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// Source of time, passed to each part that needs one. Clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Source>);

/// First and last second that a clock shows, in the years 0 and 9000. Times computed from it stay within the
/// range of a timestamp.
const FIRST_AND_LAST_SECOND: (i64, i64) = (-62_167_219_200, 221_845_392_000);

/// Value of `runs_since_milliseconds` for a clock that does not run.
const STOPPED: i64 = i64::MIN;

#[derive(Debug)]
enum Source {
    /// System time, moved by `offset_seconds`.
    System { offset_seconds: AtomicI64 },
    /// Manual time. It does not move by itself, or runs on from the set time with the system.
    Manual { now_milliseconds: AtomicI64, runs_since_milliseconds: AtomicI64 },
}

impl Clock {
    /// Creates a clock that follows the system clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Source::System { offset_seconds: AtomicI64::new(0) }))
    }

    /// Creates a clock that shows `start` until it is moved.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Arc::new(Source::Manual {
            now_milliseconds: AtomicI64::new(start.as_millisecond()),
            runs_since_milliseconds: AtomicI64::new(STOPPED),
        }))
    }

    /// Returns the current time of this clock, to the millisecond. The time stays within the years 0 and
    /// 9000, however far the clock is moved.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let milliseconds = match &*self.0 {
            Source::System { offset_seconds } => {
                let offset = offset_seconds.load(Ordering::SeqCst).saturating_mul(1000);
                system_now().as_millisecond().saturating_add(offset)
            }
            Source::Manual { now_milliseconds, runs_since_milliseconds } => {
                let since = runs_since_milliseconds.load(Ordering::SeqCst);
                let elapsed = if since == STOPPED { 0 } else { system_now().as_millisecond() - since };
                now_milliseconds.load(Ordering::SeqCst).saturating_add(elapsed)
            }
        };
        let (first, last) = FIRST_AND_LAST_SECOND;
        Timestamp::from_millisecond(milliseconds.clamp(first * 1000, last * 1000)).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock by whole seconds: forward, or back for a skewed clock.
    pub fn advance_seconds(&self, seconds: i64) {
        let (time, by) = match &*self.0 {
            Source::System { offset_seconds } => (offset_seconds, seconds),
            Source::Manual { now_milliseconds, .. } => (now_milliseconds, seconds.saturating_mul(1000)),
        };
        let _ = time.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add(by)));
    }

    /// Sets a manual clock. If `runs` is true, the clock runs on from `now` with the system. A
    /// system clock is not changed.
    pub fn set(&self, now: Timestamp, runs: bool) {
        if let Source::Manual { now_milliseconds, runs_since_milliseconds } = &*self.0 {
            let since = if runs { system_now().as_millisecond() } else { STOPPED };
            now_milliseconds.store(now.as_millisecond(), Ordering::SeqCst);
            runs_since_milliseconds.store(since, Ordering::SeqCst);
        }
    }

    /// Returns whether the clock is manual.
    #[must_use]
    pub fn is_manual(&self) -> bool {
        matches!(*self.0, Source::Manual { .. })
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
    use jiff::SignedDuration;

    #[test]
    fn a_clock_that_is_moved_too_far_stops_at_the_limit() {
        for clock in [Clock::system(), Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"))] {
            for (seconds, year) in
                [(i64::MAX, "9000-01-01"), (i64::MIN, "0000-01-01"), (i64::MIN, "0000-01-01")]
            {
                clock.advance_seconds(seconds);
                clock.advance_seconds(seconds);
                assert!(clock.now().to_string().starts_with(year), "{}", clock.now());
            }
        }
    }

    #[test]
    fn a_manual_clock_moves_only_when_advanced_and_its_clones_follow() {
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let clock = Clock::manual(start);
        let clone = clock.clone();
        assert_eq!(clone.now(), start);
        clock.advance_seconds(299);
        assert_eq!(clone.now().to_string(), "2026-06-01T00:04:59Z");
    }

    #[test]
    fn a_clock_that_is_set_stops_or_runs_on() {
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        clock.set(start, false);
        assert_eq!(clock.now(), start);
        clock.set(start, true);
        let watch = Stopwatch::start();
        while clock.now() == start {
            assert!(watch.elapsed() < std::time::Duration::from_secs(5), "it does not run");
        }
        assert!(clock.now() > start);
    }

    #[test]
    fn a_system_clock_keeps_its_offset() {
        let clock = Clock::system();
        let before = clock.now();
        clock.advance_seconds(3600);
        assert!(clock.now().duration_since(before) >= SignedDuration::from_secs(3600));
    }
}
