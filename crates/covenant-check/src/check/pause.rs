//! A pause of the suite itself: its process was stopped, or its machine slept.

use super::{CheckResult, Verdict};
use covenant_model::transcript::Trace;

impl CheckResult {
    /// Replaces a breach with `unproven` if the suite stood still in the scenario. A target may have given up a call that a
    /// peer answered afterwards, and a wait of the suite may have ended before it looked again.
    pub(super) fn unless_paused(self, trace: &Trace) -> Self {
        let (entries, seconds): (Vec<u64>, Vec<u64>) = trace.pauses().unzip();
        if self.verdict != Verdict::Broken || entries.is_empty() {
            return self;
        }
        let actual = format!(
            "the suite stood still for {} s in this scenario, so that calls may have timed out (play it again): {}",
            seconds.iter().sum::<u64>(),
            self.actual
        );
        let evidence = self.evidence.into_iter().chain(entries).collect();
        Self { verdict: Verdict::Unproven, actual, evidence, expected: self.expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_model::clock::{Clock, Seed};
    use covenant_model::transcript::{Note, NoteKind, Outcome, ScenarioStart, Transcript, What};
    use serde_json::json;

    #[test]
    fn a_breach_beside_a_pause_is_unproven_and_what_is_kept_stays_kept() {
        let trace = |pauses: &[u64]| {
            let start = ScenarioStart { source: String::new(), seed: Seed(1) };
            let recorder = Transcript::in_memory().begin("s", start, Clock::system());
            for seconds in pauses {
                let facts = json!({"seconds": seconds});
                let note = Note { kind: NoteKind::Paused, message: String::new(), facts };
                recorder.record(None, None, What::Note(note));
            }
            recorder.end(Outcome::Completed)
        };
        let broken = || CheckResult::broken("no finding", vec![1]);
        assert_eq!(broken().unless_paused(&trace(&[])), broken());
        let paused = broken().unless_paused(&trace(&[45, 4]));
        assert_eq!(paused.verdict, Verdict::Unproven);
        assert!(paused.actual.contains("49 s") && paused.actual.ends_with("no finding"), "{}", paused.actual);
        assert_eq!(paused.evidence.len(), 3);
        let kept = || CheckResult::kept("a finding", vec![1]);
        assert_eq!(kept().unless_paused(&trace(&[45])), kept());
    }
}
