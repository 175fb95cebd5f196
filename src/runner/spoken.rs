//! Finds the additions of the binding that a target speaks.

use super::{Run, property_case};
use crate::operator::Description;
use crate::scenario::{RunContext, load, play_scenario};
use crate::transcript::{Addition, Shown, Spoken, Trace, Transcript};

/// The scenario that waits for a heartbeat of the target's own, and its name.
const LISTENING: &str = include_str!("../../audits/spoken.toml");
const LISTENING_ID: &str = "spoken/heartbeat";

/// Returns the additions that the stages show, or that the adapter names in `describe`. What was seen goes
/// before what was described.
pub(super) fn find(described: &Description, stages: &[Trace]) -> Spoken {
    let mut spoken: Spoken = described.speaks.iter().map(|addition| (*addition, Shown::Described)).collect();
    for trace in stages.iter().rev() {
        spoken.extend(trace.spoken());
    }
    spoken
}

/// Waits for a heartbeat of the target's own, and returns the trace: a target may disclose and declare there alone, at times of
/// its own. `None` if nothing that a check of the run rests on is left to be shown.
pub(super) async fn listen(run: &Run, run_context: &RunContext, transcript: &Transcript) -> Option<Trace> {
    let of_properties = run.properties.iter().filter_map(|(property, _)| property_case(&property.trace()));
    let of_properties: Vec<_> = of_properties.collect();
    let is_open = |addition: Addition| {
        let mut planned = run.scenarios.iter().chain(&of_properties);
        !matches!(addition, Addition::Notices | Addition::Status)
            && !run_context.spoken.contains_key(&addition)
            && planned.any(|loaded| loaded.scenario.rests_on(addition))
    };
    if !Addition::ALL.into_iter().any(is_open) {
        return None;
    }
    let loaded = load(LISTENING_ID, "spoken.toml", LISTENING).ok()?;
    Some(play_scenario(&loaded, run.targets.as_ref(), transcript, run.start.seed, run_context).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::transcript::{Addition, Exchange, Recorder, What};
    use serde_json::json;

    #[test]
    fn what_was_seen_goes_before_what_was_described() {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let beat = Exchange::to_target("alice").on("POST", "heartbeat");
        let beat = beat.answered_with(200, json!({"data": {"contract_digest": "ab"}}));
        recorder.record(None, None, What::Exchange(beat));
        let described = Description {
            speaks: vec![Addition::ContractDigest, Addition::Notices],
            ..Description::default()
        };
        let spoken = find(&described, &[recorder.trace()]);
        assert!(matches!(spoken[&Addition::ContractDigest], Shown::Seen(_)));
        assert_eq!(spoken[&Addition::Notices], Shown::Described);
        assert_eq!(spoken.len(), 2);
    }
}
