//! Finds the additions of the binding that a target speaks.

use crate::operator::Description;
use crate::transcript::{Shown, Spoken, Trace};

/// Returns the additions that the stages show, or that the adapter names in `describe`. What was seen goes
/// before what was described.
pub(super) fn find(described: &Description, stages: &[Trace]) -> Spoken {
    let mut spoken: Spoken = described.speaks.iter().map(|addition| (*addition, Shown::Described)).collect();
    for trace in stages.iter().rev() {
        spoken.extend(trace.spoken());
    }
    spoken
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
