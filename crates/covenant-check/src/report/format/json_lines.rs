//! The events of a run for a program, one JSON object a line. A run writes each line as its event happens; of a
//! finished run, the same lines are made from the report.

use std::collections::BTreeSet;

use serde::Serialize;

use super::json::SCHEMA_VERSION;
use crate::check::{Evaluation, Flaky, Verdict};
use crate::report::{Counts, KnownFault, Report};
use crate::score::Overall;
use covenant_model::contract::{Aspect, Basis, ClauseId};
use covenant_model::transcript::Outcome;
use covenant_model::wire::harmless::harmless_json;

/// An event of a run.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent<'a> {
    /// The run begins.
    RunStarted {
        /// The version of the report format.
        schema_version: u32,
        /// The seed of the run.
        seed: u64,
        /// The target, as the run recorded it.
        target: &'a str,
        /// The number of scenarios that are to be played, or that were. The handshake counts twice.
        scenarios: u64,
    },
    /// A scenario ended. Until the run has ended its verdicts are provisional: a handshake that fails later voids them.
    ScenarioEnded {
        /// The id of the scenario.
        scenario: &'a str,
        /// The outcome; `None` if it was not played.
        outcome: Option<&'a Outcome>,
        /// The real time that it took.
        took_milliseconds: Option<u64>,
        /// Its checks.
        checks: Vec<CheckLine<'a>>,
    },
    /// The run ended. This line has the final word on it.
    RunEnded {
        /// The outcome of the run; `None` if the transcript has no end.
        outcome: Option<&'a Outcome>,
        /// The overall result.
        overall: Overall,
        /// The reason why the run is void.
        void: Option<&'a str>,
        /// The headline of the report.
        headline: String,
        /// The numbers of checks.
        counts: Counts,
        /// The ids of the broken checks that are known.
        known: Vec<&'a str>,
        /// The entries of known breaches that fail the run.
        known_faults: &'a [KnownFault],
    },
}

/// A check that was evaluated, in short.
#[derive(Debug, Serialize)]
pub struct CheckLine<'a> {
    /// The id of the check.
    pub id: &'a str,
    /// The clause.
    pub clause: ClauseId,
    /// The aspect.
    pub aspect: Aspect,
    /// The basis.
    pub basis: Basis,
    /// The verdict.
    pub verdict: Verdict,
    /// The observed answer.
    pub actual: &'a str,
    /// The numbers of the entries that show it.
    pub evidence: &'a [u64],
    /// Results of several plays, if it is broken in some of them alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flaky: Option<&'a Flaky>,
}

impl<'a> CheckLine<'a> {
    /// Returns the line of an evaluation.
    #[must_use]
    pub fn of(evaluation: &'a Evaluation) -> Self {
        let Evaluation { check, result, flaky } = evaluation;
        Self {
            id: &check.id,
            clause: check.clause,
            aspect: check.aspect,
            basis: check.basis,
            verdict: result.verdict,
            actual: &result.actual,
            evidence: &result.evidence,
            flaky: flaky.as_ref(),
        }
    }
}

impl<'a> RunEvent<'a> {
    /// Returns the event of the start of a run.
    #[must_use]
    pub const fn started(seed: u64, target: &'a str, scenarios: u64) -> Self {
        Self::RunStarted { schema_version: SCHEMA_VERSION, seed, target, scenarios }
    }

    /// Returns the event of the end of a run.
    #[must_use]
    pub fn ended(report: &'a Report) -> Self {
        let known = report.checks.iter().filter(|check| check.known.is_some());
        Self::RunEnded {
            outcome: report.outcome.as_ref(),
            overall: report.score.overall,
            void: report.void.as_deref(),
            headline: report.headline(),
            counts: report.counts,
            known: known.map(|check| check.evaluation.check.id.as_str()).collect(),
            known_faults: &report.known_faults,
        }
    }

    /// Returns the line, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        let text = serde_json::to_string(self).expect("an event has text keys only");
        harmless_json(&text) + "\n"
    }
}

/// Returns the report as the events of its run.
#[must_use]
pub(super) fn json_lines(report: &Report) -> String {
    let mut lines =
        RunEvent::started(report.seed, &report.target, report.scenarios_once().count() as u64).line();
    let checks_of = |scenario: &str| {
        let checks = report.checks.iter().map(|check| &check.evaluation);
        checks.filter(|one| one.check.scenario == scenario).map(CheckLine::of).collect::<Vec<_>>()
    };
    for row in report.scenarios_once() {
        let event = RunEvent::ScenarioEnded {
            scenario: &row.id,
            outcome: row.outcome.as_ref(),
            took_milliseconds: row.took_milliseconds,
            checks: checks_of(&row.id),
        };
        lines.push_str(&event.line());
    }
    let planned: BTreeSet<&str> =
        report.checks.iter().map(|check| check.evaluation.check.scenario.as_str()).collect();
    let was_begun = |scenario: &str| report.scenarios.iter().any(|row| row.id == scenario);
    for scenario in planned.into_iter().filter(|scenario| !was_begun(scenario)) {
        let checks = checks_of(scenario);
        let event = RunEvent::ScenarioEnded { scenario, outcome: None, took_milliseconds: None, checks };
        lines.push_str(&event.line());
    }
    lines + &RunEvent::ended(report).line()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ScenarioRow;
    use crate::report::sample::{flaky, report};
    use serde_json::Value;

    #[test]
    fn a_flaky_check_says_in_how_many_plays_it_is_broken() {
        let text = json_lines(&flaky(&report(&[("7.1", Basis::Observed, Verdict::Broken)])));
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let check = &lines[1]["checks"][0];
        let plays = serde_json::json!({"broken": 1, "plays": 2, "trace": "scenario retry 1"});
        assert_eq!((&check["verdict"], &check["flaky"]), (&"unproven".into(), &plays));
        assert_eq!(lines[2]["counts"]["flaky"], 1);
    }

    #[test]
    fn a_report_gives_the_lines_of_its_run() {
        let mut of_two =
            report(&[("7.1", Basis::Observed, Verdict::Broken), ("7.2", Basis::Observed, Verdict::Unproven)]);
        of_two.checks[1].evaluation.check.scenario = "not begun".to_owned();
        let outcome = Some(Outcome::Completed);
        of_two.scenarios =
            vec![ScenarioRow { took_milliseconds: Some(12), ..ScenarioRow::new("scenario", outcome, 3) }];
        let text = json_lines(&of_two);
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
        assert_eq!(events, ["run_started", "scenario_ended", "scenario_ended", "run_ended"]);
        assert_eq!(lines[0]["seed"], 7);
        assert_eq!(lines[1]["checks"][0]["verdict"], "broken");
        assert_eq!((&lines[1]["outcome"], &lines[1]["took_milliseconds"]), (&"completed".into(), &12.into()));
        assert_eq!((&lines[2]["scenario"], &lines[2]["outcome"]), (&"not begun".into(), &Value::Null));
        assert_eq!((&lines[3]["overall"], &lines[3]["counts"]["broken"]), (&"broken".into(), &1.into()));
    }
}
