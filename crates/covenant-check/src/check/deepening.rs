//! Checks that deepen others: what they cannot show is left to the plain checks of the same clause.

use std::collections::BTreeSet;

use super::{Evaluation, Verdict};
use covenant_model::Blame;
use covenant_model::contract::{Aspect, Basis, ClauseId};
use covenant_model::transcript::Outcome;

/// Turns the deepening checks of a run that show nothing into `not applicable`, where a plain check of the same clause,
/// aspect and basis is part of the run: that one decides. A breach, a flaky check, and a scenario that the run itself
/// ended, stay as they are. `outcome_of` returns the outcome of a scenario.
pub fn leave_to_plain_checks<'o>(
    evaluations: &mut [&mut Evaluation],
    outcome_of: impl Fn(&str) -> Option<&'o Outcome>,
) {
    let plain: BTreeSet<_> =
        evaluations.iter().filter(|one| !one.check.deepens).map(|one| obligation(one)).collect();
    for evaluation in evaluations {
        let may_be_left = evaluation.check.deepens
            && evaluation.result.verdict == Verdict::Unproven
            && evaluation.flaky.is_none()
            && plain.contains(&obligation(evaluation))
            && outcome_of(&evaluation.check.scenario).is_some_and(lies_with_target);
        if may_be_left {
            let result = &mut evaluation.result;
            result.verdict = Verdict::NotApplicable;
            result.actual.push_str("; it is left to the other checks of the clause");
        }
    }
}

fn obligation(evaluation: &Evaluation) -> (ClauseId, Aspect, Basis) {
    (evaluation.check.clause, evaluation.check.aspect, evaluation.check.basis)
}

/// Returns whether a scenario came to an end that lies with the target and its adapter, not with the run.
fn lies_with_target(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Completed | Outcome::Unsupported { .. } | Outcome::Lacking { .. } => true,
        Outcome::Aborted(fault) => fault.blame == Blame::Target,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Flaky;
    use crate::report::sample::report;
    use Basis::{Observed, Proposed};
    use Verdict::{Broken, Kept, NotApplicable, Unproven};
    use covenant_model::Fault;

    /// Returns the verdict of a deepening check beside a plain one of this clause and basis.
    fn beside(plain: (&str, Basis), verdict: Verdict, outcome: &Outcome) -> Verdict {
        let rows = [(plain.0, plain.1, Kept), ("2.1", Observed, verdict)];
        let mut checks: Vec<Evaluation> =
            report(&rows).checks.into_iter().map(|check| check.evaluation).collect();
        checks[1].check.deepens = true;
        leave_to_plain_checks(&mut checks.iter_mut().collect::<Vec<_>>(), |_| Some(outcome));
        checks[1].result.verdict
    }

    #[test]
    fn only_a_plain_check_of_the_same_obligation_decides_for_a_deepening_one() {
        let completed = Outcome::Completed;
        assert_eq!(beside(("2.1", Observed), Unproven, &completed), NotApplicable);
        assert_eq!(beside(("2.2", Observed), Unproven, &completed), Unproven, "another clause");
        assert_eq!(beside(("2.1", Proposed), Unproven, &completed), Unproven, "another basis");
        assert_eq!(beside(("2.1", Observed), Broken, &completed), Broken);
        assert_eq!(beside(("2.1", Observed), Kept, &completed), Kept);
    }

    #[test]
    fn what_the_run_itself_ended_and_what_is_flaky_stays_unproven() {
        let plain = ("2.1", Observed);
        let unsupported = Outcome::Unsupported { method: "platform.stop".to_owned() };
        let refused = Outcome::from(Fault::target("the record is unknown"));
        for outcome in [unsupported, refused] {
            assert_eq!(beside(plain, Unproven, &outcome), NotApplicable, "{outcome:?}");
        }
        let deadline = Outcome::EndedAtDeadline { deadline: "1 s".to_owned() };
        for outcome in [Outcome::Interrupted, deadline] {
            assert_eq!(beside(plain, Unproven, &outcome), Unproven, "{outcome:?}");
        }
        let rows = [("2.1", Observed, Kept), ("2.1", Observed, Unproven)];
        let mut checks: Vec<Evaluation> =
            report(&rows).checks.into_iter().map(|check| check.evaluation).collect();
        checks[1].check.deepens = true;
        checks[1].flaky = Some(Flaky { broken: 1, plays: 2, trace: "x".to_owned() });
        leave_to_plain_checks(&mut checks.iter_mut().collect::<Vec<_>>(), |_| Some(&Outcome::Completed));
        assert_eq!(checks[1].result.verdict, Unproven);
    }
}
