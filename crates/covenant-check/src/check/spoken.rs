//! A breach that rests on an addition of the binding which the target does not speak.

use super::{CheckResult, PlannedCheck, Verdict};
use covenant_model::transcript::{Addition, Trace};

impl CheckResult {
    /// Replaces a breach with `unproven` if it rests on an addition that nothing shows the target to speak. A
    /// platform of the observed wire alone does not know the member, so it proves nothing that it ignores it.
    pub(super) fn unless_not_spoken(self, check: &PlannedCheck, trace: &Trace) -> Self {
        if self.verdict != Verdict::Broken {
            return self;
        }
        let is_spoken = |addition: Addition| trace.speaks(addition) || trace.refuses_deviation(addition);
        let Some(addition) = check.rests_on.iter().find(|addition| !is_spoken(**addition)) else {
            return self;
        };
        let actual = format!("{}: {}", not_spoken(*addition), self.actual);
        Self { verdict: Verdict::Unproven, actual, ..self }
    }
}

fn not_spoken(addition: Addition) -> String {
    format!(
        "the target does not speak {}, an addition of the binding: it stands in no handshake, no heartbeat and no \
         view of the operator's (if the platform reads it, let describe list {addition} in speaks)",
        addition.members()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::contract::{Aspect, Basis};
    use covenant_model::transcript::{Shown, Spoken, What, spoken_note};

    fn resting_on(verdict: Verdict, rests_on: &[Addition], trace: &Trace) -> Verdict {
        let check = PlannedCheck {
            id: "x#1".to_owned(),
            scenario: "x".to_owned(),
            clause: "1.1".parse().expect("a clause"),
            aspect: Aspect::Detection,
            check: "finding-raised".to_owned(),
            basis: Basis::Proposed,
            rests_on: rests_on.to_vec(),
            deepens: false,
            requirement: String::new(),
            with: BTreeMap::new(),
        };
        let result = CheckResult { verdict, ..CheckResult::broken("no finding was raised", vec![3]) };
        let result = result.unless_not_spoken(&check, trace);
        assert_eq!(result.evidence, [3]);
        assert!(result.actual.ends_with("no finding was raised"), "{}", result.actual);
        result.verdict
    }

    #[test]
    fn a_breach_needs_every_addition_that_it_rests_on() {
        let silent = TraceBuilder::new().trace();
        let both = [Addition::Metadata, Addition::Notices];
        assert_eq!(resting_on(Broken, &[], &silent), Broken);
        assert_eq!(resting_on(Broken, &both, &silent), Unproven);
        assert_eq!(resting_on(Kept, &both, &silent), Kept);
        let mut spoken: Spoken = [(Addition::Metadata, Shown::Described)].into();
        let noted = |spoken: &Spoken| TraceBuilder::new().unlabelled(What::Note(spoken_note(spoken))).trace();
        assert_eq!(resting_on(Broken, &both, &noted(&spoken)), Unproven);
        spoken.insert(Addition::Notices, Shown::Described);
        assert_eq!(resting_on(Broken, &both, &noted(&spoken)), Broken);
    }
}
