//! The steps of a play beside those of two platforms of the old release: which of them are compared.

use std::collections::BTreeSet;

use super::play::{PairPlay, View};
use super::restart::restarted_alone;
use super::steps::{IS_CUT, StepOutcome};
use crate::gate::template::Template;

/// The steps of a play beside those of the old release with itself.
#[derive(Default)]
pub(super) struct Steps {
    /// The steps that each play has, so that their calls are compared.
    pub(super) in_all: BTreeSet<u32>,
    /// The steps that were done before and are refused now, with the reason.
    pub(super) refused: Vec<(String, String)>,
    /// Parts that two platforms of the old release do not show, each with the reason.
    pub(super) not_recorded: Vec<String>,
    /// Parts that the new release does not show, each with the reason.
    pub(super) not_compared: Vec<String>,
}

impl Steps {
    /// Holds the steps of a play against two plays of the old release. What comes after a failure of an adapter or of the
    /// machine is not the platform's.
    pub(super) fn of(control: &[PairPlay; 2], play: &PairPlay) -> Self {
        let mut steps = Self::default();
        let alone = restarted_alone(Some(control), play);
        for ((first, second), now) in control[0].steps.iter().zip(&control[1].steps).zip(&play.steps) {
            if let Some((_, why)) = alone.filter(|(from, _)| now.number >= *from) {
                steps.not_recorded.push(format!("{}: {why}", now.name));
                steps.not_compared.extend(play.why_failed());
                break;
            }
            if now.name.contains(IS_CUT) {
                if let StepOutcome::Failed(_) = &now.outcome {
                    steps
                        .not_compared
                        .extend(now.outcome.why_not().map(|why| format!("{}: {why}", now.name)));
                    break;
                }
                continue;
            }
            let before = [first, second].map(|step| &step.outcome);
            if let Some(lack) = before.iter().find(|outcome| !outcome.is_of_platform()) {
                let reason = lack.why_not().map(|why| format!("{}: {why}", now.name));
                // A failure is none that the old release always has.
                if matches!(lack, StepOutcome::Failed(_)) {
                    steps.not_compared.extend(reason);
                    break;
                }
                steps.not_recorded.extend(reason);
                continue;
            }
            match &now.outcome {
                outcome if outcome.is_of_platform() => {
                    steps.in_all.insert(now.number);
                    if let StepOutcome::Refused(why) = outcome
                        && before.iter().all(|outcome| **outcome == StepOutcome::Done)
                    {
                        steps.refused.push((now.name.clone(), why.clone()));
                    }
                }
                // The step before was done, and gave less than this one needs.
                StepOutcome::Skipped(why)
                    if steps.not_compared.is_empty()
                        && steps.refused.is_empty()
                        && before.iter().all(|outcome| **outcome == StepOutcome::Done) =>
                {
                    steps.not_compared.push(format!("{}: {why}", now.name));
                }
                other => steps.not_compared.extend(other.why_not().map(|why| format!("{}: {why}", now.name))),
            }
            if matches!(now.outcome, StepOutcome::Failed(_)) {
                break;
            }
        }
        steps
    }

    /// Returns the exchanges of the steps that each play has.
    pub(super) fn templates(&self, view: &View) -> Vec<Template> {
        let in_all = view.passed.iter().filter(|(step, _)| self.in_all.contains(step));
        in_all.map(|(_, template)| template.clone()).collect()
    }
}
