//! The clock of a scenario's peers, beside that of the target.

use jiff::Timestamp;
use serde_json::json;

use super::runner::ScenarioRunner;
use super::{POLL_INTERVAL, StepError};
use crate::clock::read_moment;
use crate::operator::platform::{Kill, Now, Start, Stop};
use crate::operator::{ClockSync, Method, OperatorError, OperatorMethod};
use crate::peer::StepContext;
use crate::transcript::{Entry, NoteKind};
use crate::wire::path::Route;

/// The number of times that an operator is asked for the time, at the poll interval.
const QUESTIONS_MAX: u32 = 20;
/// The methods after which a target runs, or does not.
const PROCESS: [Method; 3] = [Start::METHOD, Stop::METHOD, Kill::METHOD];
/// The setting that ends the target in the middle of a plan.
const CRASH_SETTING: &str = "crash_at_step";
/// The years that a target's clock may show. Dates are derived from it.
const YEARS: std::ops::Range<i32> = 2000..2200;
/// Members of the answer to an accept that show the time.
const ACCEPT_TIMES: [&str; 2] = ["accepted_at", "handshake_at"];
/// Seconds from which the clock of a target is another one than that of the system.
const OTHER_CLOCK_SECONDS: i64 = 24 * 60 * 60;

/// Returns whether a time is of this century or the next.
fn is_plausible(time: &Timestamp) -> bool {
    YEARS.contains(&time.strftime("%Y").to_string().parse().unwrap_or(0))
}

impl ScenarioRunner<'_> {
    /// Sets the peers' clock by the target's if the clock sync is `Follow`. The transcript records no entry
    /// for it, since each entry has its time.
    pub(super) async fn follow_clock(&mut self) -> Result<(), StepError> {
        match self.clock_sync {
            ClockSync::Shared => return Ok(()),
            ClockSync::Independent => {
                self.follow_accept();
                return Ok(());
            }
            ClockSync::Follow => {}
        }
        // A target that is not running may have no time until it runs again.
        let Some(now) = self.target_time().await? else { return Ok(()) };
        if !self.runs && self.reported.is_none_or(|reported| reported == now) {
            self.runs = self.target_time().await?.is_some_and(|again| again != now);
        }
        self.runs |= self.reported.is_some_and(|reported| reported != now);
        self.reported = Some(now);
        self.clock.set(now, self.runs);
        Ok(())
    }

    /// Sets the peers' clock by the time in the answer to the first accept, if it is a day or more from theirs: no time zone and
    /// no drift explains that, and the grants and notices of the peers would be of another time than the target's. Later answers
    /// do not count: they may show the time of an earlier call.
    fn follow_accept(&mut self) {
        if self.has_seen_accept {
            return;
        }
        let trace = self.recorder.trace();
        let mut accepts =
            trace.exchanges().filter(|(_, it)| it.route() == Some(Route::Accept) && it.succeeded());
        let Some((entry, accept)) = accepts.next() else { return };
        self.has_seen_accept = true;
        let data = accept.data().unwrap_or_default();
        let shown = ACCEPT_TIMES.iter().find_map(|name| read_moment(data[*name].as_str()?));
        let Some(shown) = shown.filter(is_plausible) else { return };
        let behind = shown.duration_since(entry.at).as_secs();
        if behind.abs() < OTHER_CLOCK_SECONDS {
            return;
        }
        self.clock.advance_seconds(behind);
        let message = format!("the target shows the time {shown}, so the peers go on by that");
        self.note(
            &StepContext::default(),
            NoteKind::ClockFollowed,
            message,
            json!({"behind_seconds": behind}),
        );
    }

    /// Returns the time of the target, or `None` if the target may be down. An operator that cannot answer now is asked
    /// again: with another time than the target's, the peers would carry certificates that are not valid there.
    async fn target_time(&self) -> Result<Option<Timestamp>, StepError> {
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        let mut questions_left = QUESTIONS_MAX;
        let reported = loop {
            ticks.tick().await;
            questions_left -= 1;
            match self.operator.call(Now::METHOD, json!({})).await {
                Ok(reported) => break reported,
                Err(OperatorError::Unsupported { .. }) => return Ok(None),
                Err(_) if self.may_be_down() => return Ok(None),
                Err(error) if questions_left == 0 => return Err(error.into()),
                Err(_) => {}
            }
        };
        let now = reported["now"].as_str().and_then(read_moment);
        now.filter(is_plausible).map(Some).ok_or_else(|| {
            let message = format!(
                "now: a time as in RFC 3339, of this century or the next, was expected, found {}",
                reported["now"]
            );
            OperatorError::adapter(Now::METHOD, message).into()
        })
    }

    /// Returns whether the target was stopped, or was set to end itself.
    fn may_be_down(&self) -> bool {
        let trace = self.recorder.trace();
        let of_entry = |entry: &Entry| {
            PROCESS.into_iter().find(|method| entry.operation().is_some_and(|made| made.is(*method)))
        };
        let last = trace.entries().iter().rev().find_map(of_entry);
        last.is_some_and(|last| last != Start::METHOD) || self.settings.get(CRASH_SETTING).is_some()
    }

    /// Discards the last known time after the target's clock was moved.
    pub(super) fn forget_time(&mut self) {
        self.reported = None;
    }
}
