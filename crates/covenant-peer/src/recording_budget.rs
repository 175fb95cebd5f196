//! Recording budget for the target's calls: enough for the checks, and limited to what a machine can hold.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use covenant_model::wire::path::Route;

/// Number of heartbeats after which repetitions are only counted. It is more than a flood needs
/// (`binding.md`, "Numbers": 300 in 60 s).
const HEARTBEATS_RECORDED_MAX: u64 = 400;
/// Number of heartbeats within this span that is a flood (`binding.md`, "Numbers").
const FLOOD_HEARTBEATS: usize = 300;
const FLOOD_SPAN: SignedDuration = SignedDuration::from_secs(60);
/// Number of calls that are recorded of one peer in one scenario. Conforming platforms stay far below it.
const CALLS_RECORDED_MAX: u64 = 5000;
/// Memory that the bodies of these calls take at most, in bytes.
const WEIGHT_RECORDED_MAX: usize = 64 * 1024 * 1024;
/// Members of a heartbeat that checks evaluate.
const EVALUATED_MEMBERS: [&str; 9] = [
    "status",
    "events",
    "metadata",
    "platform_version",
    "data_residency",
    "capabilities",
    "contract_version",
    "contract_digest",
    "extension_slugs",
];

/// Treatment of a call in the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recording {
    /// The call is recorded.
    Recorded,
    /// The call repeats the one before, and is only counted.
    Counted,
    /// The call is only counted, but completes a flood. The trace records a note of the flood.
    Flood,
    /// The budget is used up: the call is rejected, and the scenario can't continue.
    Rejected,
}

/// Counts of the calls of a target to one peer.
#[derive(Debug, Default)]
pub(super) struct RecordingBudget {
    recorded: u64,
    /// Memory that the bodies of the recorded calls take.
    weight: usize,
    heartbeats: u64,
    /// Content of the last heartbeat, and the status of its response.
    last: Value,
    counted: u64,
    /// Times of the last heartbeats, at most as many as a flood needs.
    recent: VecDeque<Timestamp>,
    is_flooding: bool,
    /// Limit that the target exceeded.
    overloaded: Option<String>,
}

impl RecordingBudget {
    /// Decides the treatment of a call that arrived at this time and was answered with `status`. Its body takes
    /// `weight` bytes.
    pub(super) fn take(
        &mut self,
        route: Option<&Route>,
        (body, weight): (&Value, usize),
        status: u16,
        at: Timestamp,
    ) -> Recording {
        if route == Some(&Route::Heartbeat) {
            let (is_new, begins_flood) = (self.is_new(body, status), self.begins_flood(at));
            if !is_new && self.heartbeats > HEARTBEATS_RECORDED_MAX {
                self.counted += 1;
                return if begins_flood { Recording::Flood } else { Recording::Counted };
            }
        }
        let weight = self.weight.saturating_add(weight);
        let too_much = if self.recorded >= CALLS_RECORDED_MAX {
            Some(format!("{CALLS_RECORDED_MAX} calls"))
        } else if weight > WEIGHT_RECORDED_MAX {
            Some(format!("{} MiB", WEIGHT_RECORDED_MAX >> 20))
        } else {
            None
        };
        if too_much.is_some() {
            self.overloaded = too_much;
            return Recording::Rejected;
        }
        (self.recorded, self.weight) = (self.recorded + 1, weight);
        Recording::Recorded
    }

    fn is_new(&mut self, body: &Value, status: u16) -> bool {
        let members: Vec<&Value> = EVALUATED_MEMBERS.iter().map(|name| &body[name]).collect();
        let content = json!([members, status]);
        self.heartbeats += 1;
        let is_new =
            content != self.last || body["events"].as_array().is_some_and(|events| !events.is_empty());
        self.last = content;
        is_new
    }

    fn begins_flood(&mut self, at: Timestamp) -> bool {
        self.recent.push_back(at);
        if self.recent.len() > FLOOD_HEARTBEATS {
            self.recent.pop_front();
        }
        let first = self.recent.front().copied().unwrap_or(at);
        let was_flooding = self.is_flooding;
        self.is_flooding = self.recent.len() == FLOOD_HEARTBEATS && at.duration_since(first) < FLOOD_SPAN;
        self.is_flooding && !was_flooding
    }

    /// Returns the number of heartbeats that were only counted; `None` if there were none.
    pub(super) fn counted(&self) -> Option<u64> {
        (self.counted > 0).then_some(self.counted)
    }

    /// Returns the limit that a call exceeded, for a person; `None` if none did.
    pub(super) fn exceeded(&self) -> Option<String> {
        self.overloaded.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: u64) -> Timestamp {
        Timestamp::from_second(i64::try_from(1_780_000_000 + second).expect("a second")).expect("a time")
    }

    #[test]
    fn repeated_heartbeats_are_only_counted_and_changed_ones_are_recorded() {
        let mut recording_budget = RecordingBudget::default();
        let mut beat =
            |body: Value| recording_budget.take(Some(&Route::Heartbeat), (&body, 0), 200, second(0));
        let plain = |n: u64| json!({"status": "active", "sent_at": n});
        assert!((0..HEARTBEATS_RECORDED_MAX).all(|n| beat(plain(n)) == Recording::Recorded));
        assert_eq!(beat(plain(HEARTBEATS_RECORDED_MAX)), Recording::Counted);
        let events = json!({"status": "active", "events": [{"kind": "platform.peer.revoked"}]});
        assert_eq!([beat(events.clone()), beat(events)], [Recording::Recorded, Recording::Recorded]);
        assert_eq!(beat(json!({"status": "revoked"})), Recording::Recorded);
        assert_eq!(beat(json!({"status": "revoked"})), Recording::Counted);
        assert_eq!((recording_budget.counted(), recording_budget.exceeded()), (Some(2), None));
    }

    #[test]
    fn a_flood_after_many_quiet_hours_is_reported_once() {
        let mut recording_budget = RecordingBudget::default();
        let mut beat =
            |at: u64| recording_budget.take(Some(&Route::Heartbeat), (&json!({}), 0), 200, second(at));
        let quiet =
            (0..1000).map(|minute| beat(60 * minute)).filter(|recording| *recording == Recording::Flood);
        assert_eq!(quiet.count(), 0);
        let hour = 3600 * 100;
        let flood: Vec<Recording> = (0..400).map(|n| beat(hour + n / 10)).collect();
        assert_eq!(
            flood.iter().position(|recording| *recording == Recording::Flood),
            Some(FLOOD_HEARTBEATS - 1)
        );
        assert_eq!(flood.iter().filter(|recording| **recording == Recording::Flood).count(), 1);
        let slower =
            (0..400).map(|n| beat(2 * hour + n / 4)).filter(|recording| *recording == Recording::Flood);
        assert_eq!(slower.count(), 0);
    }

    #[test]
    fn calls_beyond_the_budget_are_rejected() {
        let mut recording_budget = RecordingBudget::default();
        let mut beat = |n: u64| {
            recording_budget.take(Some(&Route::Heartbeat), (&json!({ "metadata": n }), 0), 200, second(0))
        };
        assert!((0..CALLS_RECORDED_MAX).all(|n| beat(n) == Recording::Recorded));
        assert_eq!(beat(CALLS_RECORDED_MAX), Recording::Rejected);
        assert_eq!(recording_budget.exceeded().as_deref(), Some("5000 calls"));
    }

    #[test]
    fn bodies_beyond_the_budget_are_rejected() {
        let mut recording_budget = RecordingBudget::default();
        let mut call =
            || recording_budget.take(None, (&Value::Null, WEIGHT_RECORDED_MAX / 2), 200, second(0));
        assert_eq!([call(), call(), call()], [Recording::Recorded, Recording::Recorded, Recording::Rejected]);
        assert_eq!(recording_budget.exceeded().as_deref(), Some("64 MiB"));
    }
}
