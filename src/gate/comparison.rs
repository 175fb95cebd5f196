//! Compares a release with the recording of the release before, and decides.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde::{Serialize, Serializer};

use super::bump::{Bump, Notice};
use super::compare::Difference;
use super::exchanges::{Compared, compare_scenario};
use super::numbers::Settings;
use super::record::{Play, why};
use super::recording::{LeftOut, Recorded, Recording};
use super::rules::{
    ANSWER_FAILED, ANSWER_GONE, CLAUSE, NUMBER_CHANGED, RULES, Rule, SCENARIO_ENDED, UNIT_CHANGED, Weight,
};
use super::template::Template;
use crate::Blame;
use crate::transcript::{Direction, Outcome};

/// The choice of the rules that break.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Choice {
    /// Optional rules that break too.
    pub also: BTreeSet<String>,
    /// Rules that do not break.
    pub except: BTreeSet<String>,
}

impl Choice {
    /// Returns whether a difference of this rule is breaking.
    #[must_use]
    pub fn breaks(&self, rule: &Rule) -> bool {
        let chosen = match rule.weight {
            Weight::Breaking => true,
            Weight::Optional => self.also.contains(rule.id),
            Weight::Addition => false,
        };
        chosen && !self.except.contains(rule.id)
    }
}

/// The result of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing that was compared breaks.
    Compatible,
    /// Something breaks.
    Breaking,
    /// Something breaks, across a major bump and after a notice that is old enough.
    Announced,
    /// Nothing breaks, but a recorded scenario could not be compared.
    Incomplete,
    /// The two releases are no neighbours.
    NoNeighbours,
}

/// The way in which a release is held to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A recording stands for the release before.
    Recorded,
    /// The release before runs, and federates with the new one.
    Paired,
}

/// What was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The number of scenarios.
    pub scenarios: usize,
    /// The number of answers of the target.
    pub answers: usize,
    /// The number of calls of the target.
    pub calls: usize,
    /// The routes of the answers.
    pub answered_routes: BTreeSet<String>,
    /// The routes of the calls.
    pub called_routes: BTreeSet<String>,
    /// The checks of 10.1 that were kept, of two platforms that run.
    pub checks: usize,
}

/// A difference, with the first exchange that shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The id of the rule.
    #[serde(serialize_with = "rule_id")]
    pub rule: &'static Rule,
    /// The clause that it breaks; `None` if it does not break.
    pub clause: Option<&'static str>,
    /// The direction of the call; `None` if no exchange is concerned.
    pub direction: Option<Direction>,
    /// The route of the call.
    pub route: String,
    /// The path of the member.
    pub at: String,
    /// What differs.
    pub text: String,
    /// The number of exchanges that show it.
    pub exchanges: usize,
    /// The scenarios that show it.
    pub scenarios: BTreeSet<String>,
    /// The first recorded exchange.
    pub recorded: Option<Template>,
    /// The exchange now.
    pub now: Option<Template>,
}

impl Found {
    /// Takes a number in another unit for another number, where the recording shows no setting.
    fn settle(&mut self, settings: &Settings) {
        let is_call = self.direction == Some(Direction::FromTarget);
        let place = (is_call, self.route.clone(), self.at.clone());
        if self.rule == UNIT_CHANGED && !settings.is_unit(&place, self.exchanges) {
            self.rule = NUMBER_CHANGED;
        }
    }
}

fn rule_id<S: Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.id)
}

/// A release compared with the recording of the release before.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The way.
    pub way: Way,
    /// The recorded release, or the old one of a pair.
    pub recorded_release: Version,
    /// The new release.
    pub release: Version,
    /// The name of the target.
    pub target: String,
    /// The step between the two.
    pub bump: Bump,
    /// The result.
    pub verdict: Verdict,
    /// The deprecation notice of the recorded release, if one is known.
    pub notice: Option<Notice>,
    /// The rules that the user added and left out.
    pub rules: Choice,
    /// What was compared.
    pub compared: Counts,
    /// The breaking differences.
    pub breaking: Vec<Found>,
    /// The other differences.
    pub others: Vec<Found>,
    /// The recorded scenarios that were not compared.
    pub not_compared: Vec<LeftOut>,
    /// The scenarios that the recording lacks.
    pub not_recorded: Vec<LeftOut>,
    /// The steps of a pair that no method does, each with what was done instead.
    pub skipped: Vec<LeftOut>,
}

/// Compares a play of a release with a recording.
#[must_use]
pub fn compare_release(
    recording: &Recording,
    play: &Play,
    release: Version,
    rules: Choice,
    notice: Option<Notice>,
) -> Comparison {
    let bump = Bump::between(&recording.release, &release);
    let mut comparison = Comparison {
        way: Way::Recorded,
        recorded_release: recording.release.clone(),
        release,
        target: play.start.target.clone(),
        bump,
        verdict: Verdict::NoNeighbours,
        notice,
        rules,
        compared: Counts::default(),
        breaking: vec![],
        others: vec![],
        not_compared: vec![],
        not_recorded: recording.left_out.clone(),
        skipped: vec![],
    };
    let mut found = Gathered::default();
    for recorded in &recording.scenarios {
        comparison.compare(recorded, play, &mut found);
    }
    let is_played = |recorded: &&Recorded| play.scenarios.iter().any(|scene| scene.id == recorded.id);
    let recorded = recording.scenarios.iter().filter(is_played);
    let settings = Settings::of(recorded.flat_map(|recorded| &recorded.exchanges));
    for mut one in found.0.into_values() {
        one.settle(&settings);
        let breaks = comparison.rules.breaks(one.rule);
        if !breaks && one.rule == SCENARIO_ENDED {
            let why =
                "it ended early, which --except leaves out, and what comes after was not seen".to_owned();
            let scenarios = one.scenarios.iter();
            comparison.not_compared.extend(scenarios.map(|id| LeftOut { id: id.clone(), why: why.clone() }));
        }
        let one = Found { clause: breaks.then_some(CLAUSE), ..one };
        if breaks { &mut comparison.breaking } else { &mut comparison.others }.push(one);
    }
    comparison.verdict = comparison.decide();
    comparison
}

/// The differences, by rule, direction, route and place.
#[derive(Default)]
struct Gathered(BTreeMap<(usize, Option<bool>, String, String), Found>);

impl Gathered {
    fn add(
        &mut self,
        scenario: &str,
        difference: Difference,
        old: Option<&Template>,
        new: Option<&Template>,
    ) {
        let either = old.or(new);
        let direction = either.map(|template| template.direction);
        let route = either.map(|template| template.route.clone()).unwrap_or_default();
        let order = RULES.iter().position(|rule| *rule == difference.rule).unwrap_or_default();
        let is_call = direction.map(|direction| direction == Direction::FromTarget);
        // The end of one scenario is not that of another.
        let place = if direction.is_some() { route.clone() } else { scenario.to_owned() };
        let key = (order, is_call, place, difference.at.clone());
        let found = self.0.entry(key).or_insert_with(|| Found {
            rule: difference.rule,
            clause: None,
            direction,
            route,
            at: difference.at,
            text: difference.text,
            exchanges: 0,
            scenarios: BTreeSet::new(),
            recorded: old.cloned(),
            now: new.cloned(),
        });
        found.exchanges += usize::from(direction.is_some());
        found.scenarios.insert(scenario.to_owned());
    }
}

impl Comparison {
    fn compare(&mut self, recorded: &Recorded, play: &Play, found: &mut Gathered) {
        let left_out = |why: String| LeftOut { id: recorded.id.clone(), why };
        let Some(scene) = play.scenarios.iter().find(|scene| scene.id == recorded.id) else {
            self.not_compared.push(left_out("it was not played: the handshake failed".to_owned()));
            return;
        };
        // A scenario that the adapter or the machine cut short has calls of its own, and lacks some for that reason.
        let is_whole = match &scene.outcome {
            Outcome::Completed => true,
            Outcome::Aborted(fault) => fault.blame == Blame::Target,
            _ => false,
        };
        let mut unanswered = vec![];
        let has_ended = scene.outcome == Outcome::Completed;
        for one in compare_scenario(&recorded.exchanges, &scene.exchanges, has_ended) {
            if one.is_unanswered() {
                unanswered.extend(one.old.map(Template::in_words));
                continue;
            }
            if !is_whole && one.old.is_none_or(|old| old.direction == Direction::FromTarget) {
                continue;
            }
            self.count(&one);
            for difference in one.differences {
                found.add(&recorded.id, difference, one.old, one.new);
            }
        }
        match &scene.outcome {
            Outcome::Completed => {
                self.compared.scenarios += 1;
                if let [first, more @ ..] = unanswered.as_slice() {
                    let more =
                        if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
                    self.not_compared.push(left_out(format!("{first} has no counterpart now{more}")));
                }
            }
            Outcome::Aborted(fault) if fault.blame == Blame::Target => {
                let text = crate::with_causes(fault);
                let difference = Difference { rule: SCENARIO_ENDED, at: String::new(), text };
                found.add(&recorded.id, difference, None, None);
                self.compared.scenarios += 1;
            }
            other => self.not_compared.push(left_out(why(other))),
        }
    }

    fn count(&mut self, one: &Compared<'_>) {
        let Some(old) = one.old else { return };
        let (number, routes) = match old.direction {
            Direction::ToTarget => (&mut self.compared.answers, &mut self.compared.answered_routes),
            Direction::FromTarget => (&mut self.compared.calls, &mut self.compared.called_routes),
        };
        *number += 1;
        routes.insert(old.route.clone());
    }

    /// Returns the result of what is found.
    pub(super) fn decide(&self) -> Verdict {
        let has_notice = self.notice.as_ref().is_some_and(|notice| notice.old_enough);
        // No notice announces a crash.
        let is_crash = |found: &Found| [ANSWER_FAILED, ANSWER_GONE].contains(&found.rule);
        let may_break = self.bump == Bump::Major && has_notice && !self.breaking.iter().any(is_crash);
        // What a new major version does otherwise has no counterpart; what comes after an end that the user leaves out was
        // not seen at all.
        let is_seen = !self.others.iter().any(|found| found.rule == SCENARIO_ENDED);
        let is_whole = self.not_compared.is_empty() && self.compared.answers + self.compared.calls > 0;
        match self.bump {
            Bump::Outside | Bump::Back => Verdict::NoNeighbours,
            _ if !self.breaking.is_empty() && !may_break => Verdict::Breaking,
            _ if !self.breaking.is_empty() && is_seen => Verdict::Announced,
            _ if is_whole => Verdict::Compatible,
            _ => Verdict::Incomplete,
        }
    }
}
