//! Further plays of a scenario in which a check is broken (`--retries`), and what all of its plays together say.
//!
//! A further play has the seed of the first one, so that the peers make the same choices, and a fresh target and fresh
//! peers. A check that is broken in every play that shows something stays broken. One that is kept in a play is flaky, and
//! so is one that only a further play breaks: neither is ever kept.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::check::{Evaluation, Flaky, Verdict};
use crate::scenario::retry_of;
use crate::transcript::RunStart;

/// The setting with the number of further plays of a scenario.
pub(super) const RETRIES: &str = "retries";

/// The further plays of a run, as its transcript has them.
#[derive(Debug)]
pub(super) struct Retries<'a> {
    most: u64,
    planned: BTreeSet<&'a str>,
}

impl<'a> Retries<'a> {
    pub(super) fn of(start: &'a RunStart) -> Self {
        let most = start.settings.get(RETRIES).and_then(Value::as_u64).unwrap_or(0);
        let planned = start.scenarios.iter().filter(|_| most > 0).map(String::as_str).collect();
        Self { most, planned }
    }

    /// Returns the scenario that a trace is of, and the number of the play: 0 for the first one. A scenario of the user may
    /// have a name like that of a further play.
    pub(super) fn play_of<'t>(&self, trace: &'t str) -> (&'t str, u32) {
        let further = retry_of(trace).filter(|(_, retry)| u64::from(*retry) <= self.most);
        further.filter(|_| !self.planned.contains(trace)).unwrap_or((trace, 0))
    }
}

/// Results of the checks of one scenario over its plays.
#[derive(Debug)]
pub(super) struct Plays {
    first: Vec<Evaluation>,
    further: Vec<Vec<Evaluation>>,
}

impl Plays {
    pub(super) const fn new(first: Vec<Evaluation>) -> Self {
        Self { first, further: vec![] }
    }

    pub(super) fn add(&mut self, further: Vec<Evaluation>) {
        self.further.push(further);
    }

    /// Returns the number of the next play, if there is to be one: while a check is broken, and no play has kept it.
    pub(super) fn next(&self, most: u32) -> Option<u32> {
        let next = u32::try_from(self.further.len()).ok()? + 1;
        let is_broken = |check: &Evaluation| check.result.verdict == Verdict::Broken;
        (next <= most && self.merged().iter().any(is_broken)).then_some(next)
    }

    /// Returns what all plays say of each check.
    pub(super) fn merged(&self) -> Vec<Evaluation> {
        let mut merged = self.first.clone();
        for check in &mut merged {
            let same = |play: &'_ Vec<Evaluation>| play.iter().position(|other| is_same(check, other));
            let others = self.further.iter().filter_map(|play| play.get(same(play)?));
            let others: Vec<&Evaluation> = others.collect();
            if let Some(flaky) = flaky(check, &others) {
                *check = flaky;
            }
        }
        merged
    }
}

/// Returns whether two plays have the same check.
fn is_same(one: &Evaluation, other: &Evaluation) -> bool {
    let (one, other) = (&one.check, &other.check);
    let number = |id: &str, scenario: &str| id.strip_prefix(scenario).map(ToOwned::to_owned);
    number(&one.id, &one.scenario) == number(&other.id, &other.scenario)
        && (one.clause, one.aspect, &one.check) == (other.clause, other.aspect, &other.check)
}

/// Returns the flaky check; `None` if the first play says what all of them say.
fn flaky(first: &Evaluation, further: &[&Evaluation]) -> Option<Evaluation> {
    let is = |check: &Evaluation, verdict: Verdict| check.result.verdict == verdict;
    let plays = || std::iter::once(first).chain(further.iter().copied());
    let broken = plays().filter(|check| is(check, Verdict::Broken)).count();
    let is_always = is(first, Verdict::Broken) && !further.iter().any(|check| is(check, Verdict::Kept));
    let shown = plays().find(|check| is(check, Verdict::Broken)).filter(|_| !is_always)?;
    let trace = shown.check.scenario.clone();
    let flaky = Flaky { broken: broken as u64, plays: plays().count() as u64, trace };
    let mut result = shown.result.clone();
    result.verdict = Verdict::Unproven;
    result.actual = format!("{flaky}: {}", result.actual);
    Some(Evaluation { check: first.check.clone(), result, flaky: Some(flaky) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Basis::Observed;
    use crate::sample::report;
    use Verdict::{Broken, Kept, NotApplicable, Unproven};

    /// Returns the checks of a play with these verdicts.
    fn play(retry: u32, verdicts: [Verdict; 2]) -> Vec<Evaluation> {
        let [one, other] = verdicts;
        let checks = report(&[("7.1", Observed, one), ("7.2", Observed, other)]).checks.into_iter();
        let trace = crate::scenario::trace_name("scenario", retry);
        let named = (1..).zip(checks).map(|(number, check)| {
            let mut evaluation = check.evaluation;
            evaluation.check.id = format!("{trace}#{number}");
            evaluation.check.scenario.clone_from(&trace);
            evaluation.result.evidence = vec![u64::from(retry)];
            evaluation
        });
        named.collect()
    }

    fn plays(verdicts: &[[Verdict; 2]]) -> Plays {
        let mut each = (0..).zip(verdicts).map(|(retry, verdicts)| play(retry, *verdicts));
        let mut plays = Plays::new(each.next().expect("a play"));
        each.for_each(|further| plays.add(further));
        plays
    }

    /// Returns the verdict of the first check, and in how many plays of how many it is broken, if that differs.
    fn first(verdicts: &[Verdict]) -> (Verdict, Option<(u64, u64)>) {
        let verdicts: Vec<_> = verdicts.iter().map(|verdict| [*verdict, Kept]).collect();
        let merged = plays(&verdicts).merged().remove(0);
        assert_eq!(merged.check.id, "scenario#1");
        (merged.result.verdict, merged.flaky.map(|flaky| (flaky.broken, flaky.plays)))
    }

    #[test]
    fn a_check_is_broken_where_no_play_keeps_it_and_never_kept_where_one_breaks_it() {
        for (verdicts, expected) in [
            (&[Broken][..], (Broken, None)),
            (&[Broken, Broken, Broken], (Broken, None)),
            (&[Broken, Unproven, NotApplicable], (Broken, None)),
            (&[Broken, Kept], (Unproven, Some((1, 2)))),
            (&[Broken, Broken, Kept], (Unproven, Some((2, 3)))),
            (&[Broken, Unproven, Kept], (Unproven, Some((1, 3)))),
            (&[Kept, Broken], (Unproven, Some((1, 2)))),
            (&[Unproven, Broken], (Unproven, Some((1, 2)))),
            (&[NotApplicable, Broken, Broken], (Unproven, Some((2, 3)))),
            (&[Kept, Unproven], (Kept, None)),
            (&[Kept, Kept], (Kept, None)),
            (&[Unproven, Kept], (Unproven, None)),
        ] {
            assert_eq!(first(verdicts), expected, "{verdicts:?}");
        }
    }

    #[test]
    fn the_evidence_of_a_flaky_check_is_of_the_play_that_breaks_it() {
        let late = plays(&[[Kept, Broken], [Broken, Broken]]).merged().remove(0);
        assert_eq!(late.flaky.as_ref().map(|flaky| flaky.trace.as_str()), Some("scenario retry 1"));
        assert_eq!((late.trace(), late.result.evidence.as_slice()), ("scenario retry 1", &[1][..]));
        assert_eq!(late.result.actual, "flaky: broken in 1 of 2 plays: why");
        let early = plays(&[[Broken, Kept], [Kept, Kept]]).merged().remove(0);
        assert_eq!((early.trace(), early.result.evidence.as_slice()), ("scenario", &[0][..]));
    }

    #[test]
    fn a_scenario_is_played_again_while_a_check_is_broken_that_no_play_kept() {
        assert_eq!(plays(&[[Kept, Unproven]]).next(3), None);
        assert_eq!(plays(&[[Broken, Kept]]).next(0), None);
        assert_eq!(plays(&[[Broken, Kept]]).next(1), Some(1));
        assert_eq!(plays(&[[Broken, Kept], [Broken, Kept]]).next(1), None);
        assert_eq!(plays(&[[Broken, Broken], [Kept, Broken]]).next(3), Some(2));
        assert_eq!(plays(&[[Broken, Broken], [Kept, Broken], [Broken, Kept]]).next(3), None);
    }

    #[test]
    fn only_a_run_with_retries_has_further_plays() {
        let held = crate::contract::HeldText::unknown(crate::contract::TextSource::Nothing);
        let start = crate::runner::announce(crate::clock::Seed(1), "x".to_owned(), vec![], held);
        assert_eq!(Retries::of(&start).play_of("a retry 1"), ("a retry 1", 0));
        let settings = [(RETRIES.to_owned(), serde_json::json!(2))].into();
        let start = RunStart { settings, scenarios: vec!["a".into(), "b retry 1".into()], ..start };
        let retries = Retries::of(&start);
        for (trace, expected) in [
            ("a", ("a", 0)),
            ("a retry 2", ("a", 2)),
            ("a retry 3", ("a retry 3", 0)),
            ("b retry 1", ("b retry 1", 0)),
            ("b retry 1 retry 1", ("b retry 1", 1)),
        ] {
            assert_eq!(retries.play_of(trace), expected);
        }
    }
}
