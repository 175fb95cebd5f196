//! The pauses of the suite's own process: a process that is stopped, a machine that sleeps or has no time for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::MissedTickBehavior;

use crate::clock::{Clock, Stopwatch};
use crate::transcript::{Note, NoteKind, Recorder, What};

/// The time between two readings of the clocks.
const INTERVAL: Duration = Duration::from_millis(250);
/// The shortest time that counts as a pause. A target that calls a peer gives up after some seconds.
const SHORTEST: Duration = Duration::from_secs(3);

/// The pauses of this process, in all seconds. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Pauses(Arc<AtomicU64>);

impl Pauses {
    /// Measures the pauses for as long as it is polled.
    pub async fn watch(&self) {
        let system = Clock::system();
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (since, began) = (Stopwatch::start(), system.now());
            ticks.tick().await;
            // The time of a machine that sleeps may pass on one of the two clocks alone.
            let on_calendar = system.now().duration_since(began);
            self.add(since.elapsed().max(on_calendar.try_into().unwrap_or_default()));
        }
    }

    /// Adds the time between two readings of the clocks, if it is that of a pause.
    fn add(&self, time: Duration) {
        let pause = time.saturating_sub(INTERVAL);
        if pause >= SHORTEST {
            self.0.fetch_add(pause.as_secs(), Ordering::Relaxed);
        }
    }

    /// Returns the seconds of all pauses so far.
    pub(super) fn in_all(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes in a trace the pauses since a time at which they were this many seconds in all.
    pub(super) fn note(&self, recorder: &Recorder, before: u64) {
        let seconds = self.in_all().saturating_sub(before);
        if seconds > 0 {
            let message = format!(
                "the suite stood still for {seconds} s: its process was stopped, or its machine slept"
            );
            let note = Note { kind: NoteKind::Paused, message, facts: json!({"seconds": seconds}) };
            recorder.record(None, None, What::Note(note));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_longer_than_a_reading_that_comes_late() {
        let after = |millis: &[u64]| {
            let pauses = Pauses::default();
            for time in millis {
                pauses.add(Duration::from_millis(*time));
            }
            pauses.in_all()
        };
        assert_eq!(
            [after(&[250; 100]), after(&[3_249]), after(&[3_250]), after(&[45_250, 250, 10_000])],
            [0, 0, 3, 54]
        );
    }
}
