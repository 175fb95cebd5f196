//! Real time that something took. It is for reports and deadlines, never for a verdict.

use std::time::{Duration, Instant};

/// Stopwatch that measures real time from its start.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts the measurement.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the real time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
