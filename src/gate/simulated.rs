//! The simulated way: peers at the neighbouring releases live in a federation with the release under test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use semver::Version;
use serde::Serialize;
use tokio::sync::watch;

use super::comparison::{Choice, Verdict};
use super::found::{Found, sort};
use super::neighbours::{Neighbour, Window};
use super::record::{GateError, Part, play_release, why};
use super::recording::LeftOut;
use super::rules::{CHECK_BROKEN, CLAUSE, Rule, SCENARIO_ENDED};
use super::template::Template;
use crate::check::{Evaluation, Verdict as CheckVerdict};
use crate::clock::Seed;
use crate::contract::Aspect;
use crate::report::Report;
use crate::runner::{HANDSHAKE, Observer, Plan, RunError, Selection, assess, play};
use crate::scenario::{LibraryError, Loaded};
use crate::transcript::{Outcome, Trace, read};
use crate::{Blame, Fault, Stage};

/// The scenarios of the suite that hold neighbours and outsiders.
const OF_THE_SUITE: [&str; 6] = [
    "10-backwards-compatibility/adjacent-minor-versions-are-admitted",
    "10-backwards-compatibility/adjacent-minor-versions-are-joined",
    "10-backwards-compatibility/adjacent-minor-versions-federate",
    "10-backwards-compatibility/adjacent-minor-versions-sync",
    "10-backwards-compatibility/incompatible-peers-keep-the-heartbeat",
    "10-backwards-compatibility/migrations-of-incompatible-peers-crash-nothing",
];

/// The scenarios of the stages that the peers of neighbours need.
const STAGES: [&str; 5] =
    ["00-sanity/heartbeat", "00-sanity/migrate", "00-sanity/read", "00-sanity/revoke", "00-sanity/sync"];

/// The check about peers outside the window. The other checks about them are of how they are noticed.
const OF_OUTSIDERS: &str = "incompatible-peers-crash-nothing";

/// The stages that the observed wire has: without one of them no neighbour lives in the federation.
const OBSERVED_STAGES: [Stage; 4] = [Stage::Handshake, Stage::Heartbeat, Stage::Read, Stage::Migrate];

/// A release among simulated neighbours.
#[derive(Clone, Debug, Serialize)]
pub struct Simulation {
    /// The release.
    pub release: Version,
    /// The name of the target.
    pub target: String,
    /// The result.
    pub verdict: Verdict,
    /// The simulated peers.
    pub neighbours: Vec<Neighbour>,
    /// The rules that the user left out.
    pub rules: Choice,
    /// The number of checks that were kept.
    pub kept: usize,
    /// Breaking findings.
    pub breaking: Vec<Found>,
    /// Findings of a rule that the user left out.
    pub others: Vec<Found>,
    /// Parts that could not be seen, each with the reason.
    pub not_compared: Vec<LeftOut>,
}

/// One play among the neighbours.
struct Played {
    report: Report,
    traces: BTreeMap<String, Trace>,
}

/// Plays a release among simulated neighbours. What breaks is played a second time, with nothing beside it.
pub async fn simulate(
    plan: &Plan,
    seed: Seed,
    named: Option<&Version>,
    rules: &Choice,
    observer: Arc<dyn Observer>,
) -> Result<Simulation, GateError> {
    let handshake = Part::Only(vec![HANDSHAKE.to_owned()]);
    let first = play_release(plan, seed, &handshake, observer.clone()).await?;
    let mut simulation = Simulation {
        release: Version::new(0, 0, 0),
        target: first.start.target.clone(),
        verdict: Verdict::Incomplete,
        neighbours: vec![],
        rules: rules.clone(),
        kept: 0,
        breaking: vec![],
        others: vec![],
        not_compared: vec![],
    };
    if let Some(fault) = first.unreached() {
        // A target that refuses every peer discloses nothing: the user may have named its release.
        let (Blame::Target, Some(release)) = (fault.blame, named) else {
            return Err(GateError::Unreached(fault));
        };
        simulation.release = release.clone();
        simulation.add(found(SCENARIO_ENDED, HANDSHAKE, String::new(), crate::with_causes(&fault)));
        simulation.verdict = simulation.decide(false);
        return Ok(simulation);
    }
    simulation.release = first.release(named)?;
    simulation.neighbours = Neighbour::around(&simulation.release);
    let scenarios = simulation.neighbours.iter().map(Neighbour::scenarios);
    let scenarios: Vec<Loaded> = scenarios.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let part: Vec<&str> = OF_THE_SUITE.to_vec();
    let whole = simulation.play(plan, seed, &part, scenarios.clone(), observer.clone()).await?;
    let mut found = whole.broken();
    let mut is_disturbed = false;
    if !found.is_empty() {
        let again = simulation.play_again(plan, seed, &found, scenarios, observer).await?;
        let known: BTreeSet<(String, String)> =
            again.broken().iter().map(|found| (found.route.clone(), found.at.clone())).collect();
        let (kept, lost): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| known.contains(&(found.route.clone(), found.at.clone())));
        found = kept;
        is_disturbed = !lost.is_empty();
        simulation.not_compared.extend(lost.into_iter().map(|found| LeftOut {
            id: found.scenarios.into_iter().next().unwrap_or_default(),
            why: format!("{} came once in two plays: {}", found.route, found.text),
        }));
    }
    simulation.kept = whole.evaluated(CheckVerdict::Kept).count();
    simulation.not_compared.extend(whole.left_out());
    for found in found {
        simulation.add(found);
    }
    let is_seen = simulation.all_admitted(&whole) && !is_disturbed && !whole.failed_elsewhere();
    simulation.verdict = simulation.decide(is_seen);
    Ok(simulation)
}

impl Simulation {
    /// Plays scenarios of the suite and of the neighbours. The other peers of each are of the release under test.
    async fn play(
        &self,
        plan: &Plan,
        seed: Seed,
        of_the_suite: &[&str],
        of_neighbours: Vec<Loaded>,
        observer: Arc<dyn Observer>,
    ) -> Result<Played, GateError> {
        let ids: Vec<String> = of_the_suite.iter().chain(&STAGES).map(|id| (*id).to_owned()).collect();
        let mut plan = Plan { seed, cases: 0, second_times: false, ..plan.clone() };
        plan.selection = Selection::new(&ids, &[]).map_err(RunError::from)?;
        plan.run_context.release = Some(self.release.clone());
        plan.run_context.target_release = Some(self.release.clone());
        let folder = tempfile::tempdir().map_err(|error| RunError::Fault(Fault::of_environment(&error)))?;
        let transcript = folder.path().join("transcript.jsonl");
        let (_running, stop) = watch::channel(false);
        let mut run = plan.prepare(transcript.clone(), stop)?;
        run.start.scenarios.extend(of_neighbours.iter().map(|loaded| loaded.id.clone()));
        run.scenarios.extend(of_neighbours);
        play(run, observer).await.map_err(RunError::from)?;
        let reading = read(&transcript).map_err(RunError::from)?;
        let report = assess(&reading);
        if report.void.is_some() {
            let trace = reading.trace(HANDSHAKE);
            let fault = trace.as_ref().and_then(|trace| match trace.outcome() {
                Some(Outcome::Aborted(fault)) => Some(fault.clone()),
                _ => None,
            });
            let fault = fault.unwrap_or_else(|| Fault::environment("the handshake did not complete again"));
            return Err(GateError::Unreached(fault));
        }
        let traces = reading.traces().map(|trace| (trace.scenario().to_owned(), trace)).collect();
        Ok(Played { report, traces })
    }

    /// Plays again the scenarios that show something. Each play tries the stages.
    async fn play_again(
        &self,
        plan: &Plan,
        seed: Seed,
        found: &[Found],
        of_neighbours: Vec<Loaded>,
        observer: Arc<dyn Observer>,
    ) -> Result<Played, GateError> {
        let shown: BTreeSet<&String> = found.iter().flat_map(|found| &found.scenarios).collect();
        let is_shown = |id: &str| shown.iter().any(|shown| *shown == id);
        let of_the_suite: Vec<&str> = OF_THE_SUITE.into_iter().filter(|id| is_shown(id)).collect();
        let of_neighbours: Vec<Loaded> =
            of_neighbours.into_iter().filter(|loaded| is_shown(&loaded.id)).collect();
        let plan = Plan { jobs: 1, ..plan.clone() };
        self.play(&plan, seed, &of_the_suite, of_neighbours, observer).await
    }

    fn add(&mut self, found: Found) {
        sort(found, &self.rules, [&mut self.breaking, &mut self.others], &mut self.not_compared);
    }

    /// Returns whether each neighbour was seen to be admitted. Notes those that were not.
    fn all_admitted(&mut self, played: &Played) -> bool {
        let mut all = true;
        let inside = self.neighbours.iter().filter(|neighbour| neighbour.window == Window::Inside);
        for neighbour in inside {
            let id = neighbour.scenario_ids().swap_remove(0);
            let admission = format!("{id}#1");
            let seen = |evaluation: &&Evaluation| {
                evaluation.check.id == admission && evaluation.result.verdict != CheckVerdict::Unproven
            };
            all &= played.evaluations().any(|evaluation| seen(&evaluation));
        }
        all
    }

    fn decide(&self, is_seen: bool) -> Verdict {
        // What comes after an end that --except leaves out was not seen.
        let is_seen = is_seen && !self.others.iter().any(|found| found.rule == SCENARIO_ENDED);
        match (self.breaking.is_empty(), is_seen) {
            (false, _) => Verdict::Breaking,
            (true, false) => Verdict::Incomplete,
            (true, true) => Verdict::Compatible,
        }
    }
}

impl Played {
    /// Returns whether a scenario ended by a failure that is not the target's: what it would have shown is unknown.
    fn failed_elsewhere(&self) -> bool {
        let is_elsewhere = |outcome: Option<&Outcome>| matches!(outcome, Some(Outcome::Aborted(fault)) if fault.blame != Blame::Target);
        self.traces.values().any(|trace| is_elsewhere(trace.outcome()))
    }

    /// Returns the checks that count here: whether compatible peers federate, and whether others crash something.
    fn evaluations(&self) -> impl Iterator<Item = &Evaluation> {
        let all = self.report.checks.iter().map(|check| &check.evaluation);
        all.filter(|evaluation| {
            let check = &evaluation.check;
            let is_of_window = check.aspect == Aspect::Conduct || check.check == OF_OUTSIDERS;
            check.clause.to_string() == CLAUSE && is_of_window
        })
    }

    fn evaluated(&self, verdict: CheckVerdict) -> impl Iterator<Item = &Evaluation> {
        self.evaluations().filter(move |evaluation| evaluation.result.verdict == verdict)
    }

    /// Returns what breaks: checks, stages, and scenarios that the target ended.
    fn broken(&self) -> Vec<Found> {
        let checks = self.evaluated(CheckVerdict::Broken).map(|evaluation| self.of_check(evaluation));
        let stages = self.report.failed_stages.iter();
        let stages = stages.filter(|failed| OBSERVED_STAGES.contains(&failed.stage)).map(|failed| {
            let at = format!("stage {}", failed.stage);
            found(SCENARIO_ENDED, &failed.scenario, at, crate::with_causes(&failed.fault))
        });
        let ended = self.report.scenarios.iter().filter_map(|row| match &row.outcome {
            Some(Outcome::Aborted(fault)) if fault.blame == Blame::Target && !self.is_stage(&row.id) => {
                Some(found(SCENARIO_ENDED, &row.id, String::new(), crate::with_causes(fault)))
            }
            _ => None,
        });
        checks.chain(stages).chain(ended).collect()
    }

    fn is_stage(&self, id: &str) -> bool {
        let id = id.trim_end_matches(" again");
        id == HANDSHAKE || self.report.failed_stages.iter().any(|failed| failed.scenario == id)
    }

    fn of_check(&self, evaluation: &Evaluation) -> Found {
        let (check, result) = (&evaluation.check, &evaluation.result);
        let text = format!(
            "{}; expected {}; found {}",
            check.requirement,
            result.expected.join(" or "),
            result.actual
        );
        let templates = self.traces.get(&check.scenario).map(Template::all).unwrap_or_default();
        let mut shown = result.evidence.iter().rev();
        let now = shown.find_map(|n| templates.iter().find(|template| template.n == *n));
        Found {
            direction: now.map(|template| template.direction),
            now: now.cloned(),
            ..found(CHECK_BROKEN, &check.scenario, check.id.clone(), text)
        }
    }

    /// Returns what could not be seen, once for each reason.
    fn left_out(&self) -> Vec<LeftOut> {
        let mut reasons: BTreeMap<(String, String), usize> = BTreeMap::new();
        let not_played = self.report.scenarios.iter().filter_map(|row| {
            let outcome = row.outcome.as_ref().unwrap_or(&Outcome::Interrupted);
            let is_found = matches!(outcome, Outcome::Aborted(fault) if fault.blame == Blame::Target);
            (*outcome != Outcome::Completed && !is_found).then(|| (row.id.clone(), why(outcome)))
        });
        let not_played: BTreeMap<String, String> = not_played.collect();
        for evaluation in self.evaluated(CheckVerdict::Unproven) {
            let (scenario, result) = (&evaluation.check.scenario, &evaluation.result);
            let is_permitted = evaluation.check.check == OF_OUTSIDERS;
            if !not_played.contains_key(scenario) && !is_permitted {
                let about = evaluation.check.requirement.clone();
                *reasons.entry((about, result.actual.clone())).or_default() += 1;
            }
        }
        let unproven = reasons.into_keys().map(|(id, why)| LeftOut { id, why });
        not_played.into_iter().map(|(id, why)| LeftOut { id, why }).chain(unproven).collect()
    }
}

fn found(rule: &'static Rule, scenario: &str, at: String, text: String) -> Found {
    Found { route: scenario.to_owned(), at, ..Found::new(rule, scenario, text) }
}

impl From<crate::scenario::LoadError> for GateError {
    fn from(error: crate::scenario::LoadError) -> Self {
        Self::Library(LibraryError::from(error))
    }
}
