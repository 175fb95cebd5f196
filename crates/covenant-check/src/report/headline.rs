//! The headline of a report: the verdict, how much of the contract it covers, and on which basis it rests.

use crate::check::Verdict;
use crate::report::format::aborted;
use crate::report::{EvaluatedCheck, Report};
use crate::score::{Overall, Scope, Standing};
use covenant_model::transcript::Outcome;

impl Report {
    /// Returns the headline, in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let scope = &self.score.scope;
        match self.score.overall {
            Overall::Kept if self.partial => {
                format!("PARTIAL: {}", kept(scope, "aspects proved, none broken"))
            }
            Overall::Kept => format!("KEPT: {}", kept(scope, "aspects")),
            Overall::Broken => {
                format!("BROKEN: {}{}{}", broken(scope), known(self), flaky(self, "; flaky: "))
            }
            Overall::Unproven if self.checks.is_empty() => "UNPROVEN: nothing was evaluated".to_owned(),
            Overall::Unproven if self.counts.flaky > 0 => {
                format!(
                    "UNPROVEN{}, nothing else broken: {}",
                    flaky(self, ", flaky: "),
                    kept(scope, "aspects kept")
                )
            }
            Overall::Unproven => format!("UNPROVEN, nothing broken: {}", kept(scope, "aspects kept")),
            Overall::Void => "VOID: this run says nothing of the target".to_owned(),
        }
    }

    /// Returns what the headline leaves out: the kept aspects of a broken target, and the number of all others.
    /// `None` if the run says nothing about any aspect.
    #[must_use]
    pub fn coverage(&self) -> Option<String> {
        let rest = rest(self);
        match self.score.overall {
            Overall::Void => None,
            Overall::Unproven if self.checks.is_empty() => None,
            Overall::Broken => Some(format!("kept: {}; {rest}", kept(&self.score.scope, "aspects"))),
            Overall::Kept | Overall::Unproven => Some(format!("other aspects: {rest}")),
        }
    }
}

impl Report {
    /// Returns why the report is a partial one, in a few words; `None` if the run was played to its end.
    #[must_use]
    pub fn cut(&self) -> Option<String> {
        Some(match &self.outcome {
            Some(Outcome::Completed) => return None,
            None | Some(Outcome::Interrupted) => "interrupted".to_owned(),
            Some(Outcome::EndedAtBreach { .. }) => "ended at the first broken check".to_owned(),
            Some(Outcome::EndedAtDeadline { deadline }) => format!("ended at its deadline of {deadline}"),
            Some(_) => "cut short".to_owned(),
        })
    }

    /// Returns each reason for which the run is no success, whatever its verdicts: an end before its time, and scenarios
    /// that a fault aborted. An end that the user asked for, at a breach or at a deadline, is none.
    #[must_use]
    pub fn disturbances(&self) -> Vec<String> {
        let asked_for = self.outcome.as_ref().is_some_and(Outcome::is_early_end);
        let cut = self.cut().filter(|_| !asked_for).map(|cut| format!("the run was {cut}: a partial report"));
        cut.into_iter().chain(aborted(self)).collect()
    }
}

/// Returns the broken clauses of each basis, such as `7 clauses on the observed wire, 20 more on the proposed
/// binding`.
fn broken(scope: &Scope) -> String {
    match (scope.broken_observed.len(), scope.broken_proposed_alone.len()) {
        (0, proposed) => {
            format!("no clause on the observed wire, {proposed} on the proposed binding alone")
        }
        (observed, 0) => {
            format!("{} on the observed wire, no other on the proposed binding", clauses(observed))
        }
        (observed, proposed) => {
            format!("{} on the observed wire, {proposed} more on the proposed binding", clauses(observed))
        }
    }
}

/// Returns how much of what is broken is known; nothing if none of it is.
fn known(report: &Report) -> String {
    let is_broken = |check: &&EvaluatedCheck| check.evaluation.result.verdict == Verdict::Broken;
    match (report.known_breaches(), report.checks.iter().filter(is_broken).count()) {
        (0, _) => String::new(),
        (known, all) => format!("; known: {known} of {all} broken checks"),
    }
}

/// Returns how much is broken in some plays alone, after a text; nothing if none is.
fn flaky(report: &Report, before: &str) -> String {
    match report.counts.flaky {
        0 => String::new(),
        1 => format!("{before}1 check"),
        several => format!("{before}{several} checks"),
    }
}

fn clauses(count: usize) -> String {
    format!("{count} {}", if count == 1 { "clause" } else { "clauses" })
}

/// Returns the kept aspects of each basis, such as `85 of 86 aspects, 50 on the observed wire, 35 on the proposed
/// binding alone`.
fn kept(scope: &Scope, noun: &str) -> String {
    let all = format!("{} of {} {noun}", scope.kept(), scope.aspects);
    match (scope.kept_observed, scope.kept_proposed_alone) {
        (0, 0) => all,
        (0, _) => format!("{all}, all on the proposed binding alone"),
        (_, 0) => format!("{all}, all on the observed wire"),
        (observed, proposed) => {
            format!("{all}, {observed} on the observed wire, {proposed} on the proposed binding alone")
        }
    }
}

/// Returns the numbers of the aspects that are not kept, by standing.
fn rest(report: &Report) -> String {
    let of = |standing: Standing| report.score.aspects.iter().filter(|row| row.standing == standing).count();
    let always = [Standing::Broken, Standing::Unproven].map(|standing| (standing, of(standing)));
    let others = [Standing::Attested, Standing::NotApplicable, Standing::NotEvaluated];
    let others = others.map(|standing| (standing, of(standing))).into_iter().filter(|(_, count)| *count > 0);
    let reported: Vec<String> =
        always.into_iter().chain(others).map(|(standing, count)| format!("{count} {standing}")).collect();
    reported.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::report::sample::{flaky, report};
    use covenant_model::contract::Basis::{self, Observed, Proposed};

    fn headline(checks: &[(&str, Basis, Verdict)]) -> String {
        report(checks).headline()
    }

    #[test]
    fn broken_clauses_are_counted_once_by_their_basis() {
        let both = [("7.1", Observed, Broken), ("7.1", Proposed, Broken), ("7.2", Observed, Broken)];
        let expected = "BROKEN: 2 clauses on the observed wire, no other on the proposed binding";
        assert_eq!(headline(&both), expected);
        let alone = [("7.1", Observed, Kept), ("7.1", Proposed, Broken)];
        let expected = "BROKEN: no clause on the observed wire, 1 on the proposed binding alone";
        assert_eq!(headline(&alone), expected);
        let each = [("7.1", Observed, Broken), ("7.2", Proposed, Broken), ("8.1", Proposed, Broken)];
        let expected = "BROKEN: 1 clause on the observed wire, 2 more on the proposed binding";
        assert_eq!(headline(&each), expected);
    }

    #[test]
    fn what_is_kept_is_counted_against_the_whole_contract() {
        let some = report(&[("7.1", Observed, Kept), ("7.1", Proposed, Kept), ("7.2", Proposed, Kept)]);
        let all = some.score.aspects.len();
        let start = format!("PARTIAL: 2 of {all} aspects proved, none broken");
        let bases = "1 on the observed wire, 1 on the proposed binding alone";
        assert_eq!(some.headline(), format!("{start}, {bases}"));
        let left = format!("other aspects: 0 broken, 0 unproven, {} not evaluated", all - 2);
        assert_eq!(some.coverage(), Some(left));
        let proposed = headline(&[("7.2", Proposed, Kept)]);
        assert!(proposed.ends_with("broken, all on the proposed binding alone"), "{proposed}");
        let observed = headline(&[("7.2", Observed, Kept)]);
        assert!(observed.ends_with("broken, all on the observed wire"), "{observed}");
    }

    #[test]
    fn a_broken_target_still_gets_its_kept_aspects_counted() {
        let broken =
            report(&[("7.1", Observed, Kept), ("7.2", Proposed, Broken), ("7.3", Observed, Unproven)]);
        let all = broken.score.aspects.len();
        let counted = format!("1 broken, 1 unproven, {} not evaluated", all - 3);
        let expected = format!("kept: 1 of {all} aspects, all on the observed wire; {counted}");
        assert_eq!(broken.coverage(), Some(expected));
    }

    #[test]
    fn what_is_broken_in_some_plays_alone_is_in_the_headline() {
        let one = flaky(&report(&[("7.1", Observed, Kept), ("7.2", Proposed, Broken)])).headline();
        assert!(one.starts_with("UNPROVEN, flaky: 1 check, nothing else broken: 1 of "), "{one}");
        let two = flaky(&report(&[("7.1", Observed, Broken), ("7.2", Proposed, Broken)])).headline();
        assert!(two.starts_with("UNPROVEN, flaky: 2 checks, nothing else broken: 0 of "), "{two}");
        let mut both = report(&[("7.1", Observed, Broken)]);
        both.counts.flaky = 1;
        assert!(both.headline().ends_with("binding; flaky: 1 check"), "{}", both.headline());
    }

    #[test]
    fn what_is_not_proved_is_never_called_kept() {
        let unproven = headline(&[("7.1", Observed, Kept), ("7.2", Proposed, Unproven)]);
        assert!(unproven.starts_with("UNPROVEN, nothing broken: 1 of "), "{unproven}");
        let nothing = report(&[]);
        assert_eq!(
            (nothing.headline().as_str(), nothing.coverage()),
            ("UNPROVEN: nothing was evaluated", None)
        );
    }
}
