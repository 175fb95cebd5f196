//! Upper limit of a peer's call rate.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Minimum interval between calls. Clones share it.
#[derive(Clone, Debug)]
pub struct Pace(Arc<Mutex<Interval>>);

impl Pace {
    /// Creates a pace of at most one call per `period`. It must be called inside a Tokio runtime.
    #[must_use]
    pub fn one_in(period: Duration) -> Self {
        let mut ticks = interval(period.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(Arc::new(Mutex::new(ticks)))
    }

    /// Waits until the next call may be made.
    pub(super) async fn wait(&self) {
        self.0.lock().await.tick().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_model::clock::Stopwatch;

    #[tokio::test]
    async fn calls_are_kept_apart_over_all_clones() {
        let pace = Pace::one_in(Duration::from_millis(20));
        let watch = Stopwatch::start();
        for _ in 0..3 {
            pace.clone().wait().await;
            pace.wait().await;
        }
        assert!(watch.elapsed() >= Duration::from_millis(100), "{:?}", watch.elapsed());
    }
}
