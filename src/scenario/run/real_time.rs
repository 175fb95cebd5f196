//! Waits in real time, where no method moves the target's clock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use super::super::format::{Scenario, Step};
use super::StepError;
use super::runner::ScenarioRunner;
use crate::clock::Stopwatch;
use crate::operator::OperatorMethod;
use crate::operator::platform::Advance;
use crate::peer::StepContext;
use crate::transcript::NoteKind;

/// The poll interval of the clock.
const TICK: Duration = Duration::from_secs(1);
/// The time by which the target's clock may fall behind in a wait.
const BEHIND_MAX: Duration = Duration::from_secs(10);

/// The waits in real time that a run may make.
#[derive(Clone, Default)]
pub struct RealTime {
    /// The longest time that one scenario may wait in all. Zero never waits.
    pub max_wait: Duration,
    /// The receiver of the announcement of each wait.
    pub announcer: Option<Announcer>,
}

/// A receiver of announcements.
pub type Announcer = Arc<dyn Fn(&str) + Send + Sync>;

impl RealTime {
    /// Announces a wait.
    pub(crate) fn announce(&self, text: &str) {
        if let Some(announcer) = &self.announcer {
            announcer(text);
        }
    }
}

impl fmt::Debug for RealTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealTime").field("max_wait", &self.max_wait).finish_non_exhaustive()
    }
}

impl ScenarioRunner<'_> {
    /// Returns true if the time by which a scenario moves the clock may pass in real time. A scenario that would
    /// need more in all does not begin to wait.
    pub(super) fn may_wait(&self, seconds: i64) -> bool {
        let max_wait = self.run_context.real_time.max_wait.as_secs();
        seconds > 0 && self.clock_seconds <= max_wait
    }

    /// Lets the time pass, and notes it.
    pub(super) async fn wait_in_real_time(
        &mut self,
        context: &StepContext,
        seconds: i64,
    ) -> Result<(), StepError> {
        let scenario = self.recorder.trace().scenario().to_owned();
        let message =
            format!("{scenario} waits {seconds} s in real time: no method moves the target's clock");
        self.run_context.real_time.announce(&message);
        self.until_clock_shows(SignedDuration::from_secs(seconds)).await?;
        self.note(context, NoteKind::RealTime, message, json!({"seconds": seconds}));
        self.keep(context, json!({"now": self.clock.now().to_string()}));
        Ok(())
    }

    /// Polls the clock that the scenario goes by, which is the target's if that can be read, until this much time
    /// has passed. A clock that stands still, or falls behind, shows no limit: the scenario then needs the method.
    async fn until_clock_shows(&mut self, time: SignedDuration) -> Result<(), StepError> {
        self.follow_clock().await?;
        let (begun, stopwatch) = (self.clock.now(), Stopwatch::start());
        let mut ticks = tokio::time::interval(TICK);
        let mut next_reading = Duration::ZERO;
        loop {
            let left = time.saturating_sub(self.clock.now().duration_since(begun));
            if left <= SignedDuration::ZERO {
                return Ok(());
            }
            if stopwatch.elapsed() > time.unsigned_abs() + BEHIND_MAX {
                return Err(StepError::Unsupported { method: Advance::METHOD.to_string() });
            }
            ticks.tick().await;
            // The target is asked rarely in a long wait, and often at its end: its clock may run faster than this one.
            if stopwatch.elapsed() >= next_reading {
                self.follow_clock().await?;
                let left = time.saturating_sub(self.clock.now().duration_since(begun));
                next_reading = stopwatch.elapsed() + left.unsigned_abs() / 2;
            }
        }
    }
}

/// Returns the number of seconds by which a scenario moves the clock in all.
pub(super) fn clock_seconds(scenario: &Scenario) -> u64 {
    scenario.steps.iter().map(|step| seconds_of(step.get_ref())).sum()
}

fn seconds_of(step: &Step) -> u64 {
    match step {
        Step::Advance(step) => step.seconds.unsigned_abs(),
        Step::Repeat(repeat) => u64::from(repeat.times) * repeat.step.iter().map(seconds_of).sum::<u64>(),
        _ => 0,
    }
}
