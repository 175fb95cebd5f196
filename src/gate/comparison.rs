//! Compares a release with the recording of the release before, and decides.

use std::collections::BTreeSet;

use semver::Version;
use serde::Serialize;

use super::bump::{Bump, Notice};
use super::compare::Difference;
use super::exchanges::{Compared, compare_scenario};
use super::found::{Found, Gathered, sort};
use super::numbers::Settings;
use super::record::{Play, why};
use super::recording::{LeftOut, Recorded, Recording};
use super::rules::{ANSWER_FAILED, ANSWER_GONE, Rule, SCENARIO_ENDED, Weight};
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
        self.may_break(rule) && !self.except.contains(rule.id)
    }

    /// Returns whether a difference of this rule would break, and the user leaves the rule out.
    pub(super) fn leaves_out(&self, rule: &Rule) -> bool {
        self.may_break(rule) && self.except.contains(rule.id)
    }

    fn may_break(&self, rule: &Rule) -> bool {
        match rule.weight {
            Weight::Breaking => true,
            Weight::Optional => self.also.contains(rule.id),
            Weight::Addition => false,
        }
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
    /// Not all could be compared, and nothing breaks that was not announced.
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

/// Number of things that were compared.
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

/// A release compared with the recording of the release before.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The way.
    pub way: Way,
    /// The recorded release, or the old one of a pair.
    pub recorded_release: Version,
    /// The new release; null if it discloses none and nobody names it.
    pub release: Option<Version>,
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
    /// Number of things that were compared.
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

/// Compares a play of a release with a recording. A release that refuses every peer discloses nothing: what it refuses is
/// compared all the same.
#[must_use]
pub fn compare_release(
    recording: &Recording,
    play: &Play,
    release: Option<Version>,
    rules: Choice,
    notice: Option<Notice>,
) -> Comparison {
    let between = |release| Bump::between(&recording.release, release);
    let bump = release.as_ref().map_or(Bump::Unknown, between);
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
    for found in found.settled(&settings) {
        comparison.add(found);
    }
    comparison.verdict = comparison.decide();
    comparison
}

impl Comparison {
    /// Returns the new release, for a person.
    pub(super) fn release_name(&self) -> String {
        self.release.as_ref().map_or_else(|| "a release that discloses none".to_owned(), ToString::to_string)
    }

    /// Adds a difference.
    pub(super) fn add(&mut self, found: Found) {
        // The contract asks nothing of two releases that are no neighbours.
        if [Bump::Outside, Bump::Back].contains(&self.bump) {
            return self.others.push(found);
        }
        sort(found, &self.rules, [&mut self.breaking, &mut self.others], &mut self.not_compared);
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{HeldText, TextSource};
    use crate::gate::record::Scene;
    use crate::gate::rules::{NUMBER_CHANGED, UNIT_CHANGED};
    use crate::gate::template::Variable;
    use crate::runner::announce;
    use serde_json::{Value, json};

    fn answer(n: u64, body: &Value) -> Template {
        Template {
            n,
            direction: Direction::ToTarget,
            peer: "alice".to_owned(),
            route: "heartbeat".to_owned(),
            step: u32::try_from(n).ok(),
            label: None,
            request: json!({"method": "POST", "path": "/heartbeat"}),
            response: json!({"status": 200, "body": body}),
            failure: None,
            many: false,
            varies: vec![],
        }
    }

    fn compared(old: Vec<Template>, new: Vec<Template>) -> Comparison {
        as_release(Version::new(1, 5, 0), old, new)
    }

    fn as_release(release: Version, old: Vec<Template>, new: Vec<Template>) -> Comparison {
        let nothing = || HeldText::unknown(TextSource::Nothing);
        let recording = Recording {
            format: 2,
            suite: String::new(),
            scenarios_sha256: String::new(),
            release: Version::new(1, 4, 2),
            contract: nothing(),
            target: String::new(),
            recorded_at: "2026-06-01T00:00:00Z".parse().expect("a timestamp"),
            scenarios: vec![Recorded { id: "x".to_owned(), exchanges: old }],
            left_out: vec![],
            sha256: String::new(),
        };
        let scene = Scene { id: "x".to_owned(), outcome: Outcome::Completed, exchanges: new };
        let start = announce(crate::clock::Seed(1), String::new(), vec![], nothing());
        let play = Play { start, release: None, handshake: None, scenarios: vec![scene] };
        compare_release(&recording, &play, Some(release), Choice::default(), None)
    }

    /// Returns the rules of what differs, each with the number of exchanges that show it.
    fn rules(comparison: &Comparison) -> Vec<(&'static str, usize)> {
        let all = comparison.breaking.iter().chain(&comparison.others);
        all.map(|found| (found.rule.id, found.exchanges)).collect()
    }

    #[test]
    fn an_exchange_counts_once_however_many_of_its_items_differ() {
        let rows = |numbers: &[u64]| {
            let row = |(kind, ttl): (&str, &u64)| json!({"kind": kind, "ttl": ttl});
            let rows: Vec<Value> = ["a", "b"].into_iter().zip(numbers).map(row).collect();
            json!({"rows": rows})
        };
        let old = vec![answer(1, &rows(&[60, 120])), answer(2, &rows(&[240]))];
        // One exchange of two differs: its lifetimes are longer, and no unit changed.
        let new = vec![answer(1, &rows(&[3600, 7200])), answer(2, &rows(&[240]))];
        assert_eq!(rules(&compared(old.clone(), new)), [("number-changed", 1)]);
        let new = vec![answer(1, &rows(&[60_000, 120_000])), answer(2, &rows(&[240_000]))];
        assert_eq!(rules(&compared(old, new)), [("unit-changed", 2)]);
    }

    #[test]
    fn a_place_that_varies_in_one_exchange_hides_no_unit_in_the_others() {
        let ttl = |n: u64, ttl: u64| answer(n, &json!({"ttl": ttl}));
        let varying = |mut template: Template| {
            let variable =
                |rule: &Rule| Variable { rule: rule.id.to_owned(), at: "response.body.ttl".to_owned() };
            template.varies = vec![variable(NUMBER_CHANGED), variable(UNIT_CHANGED)];
            template
        };
        let old = vec![ttl(1, 60), ttl(2, 120), varying(ttl(3, 7))];
        let new = vec![ttl(1, 60_000), ttl(2, 120_000), ttl(3, 7000)];
        assert_eq!(rules(&compared(old, new)), [("unit-changed", 2)]);
    }

    #[test]
    fn nothing_breaks_between_releases_that_are_no_neighbours() {
        let both = || (vec![answer(1, &json!({"ttl": 60}))], vec![answer(1, &json!({}))]);
        let (old, new) = both();
        assert_eq!(compared(old, new).breaking[0].clause, Some("10.1"));
        for release in [Version::new(1, 6, 0), Version::new(1, 3, 0)] {
            let (old, new) = both();
            let found = as_release(release, old, new);
            assert_eq!((found.verdict, found.breaking.len()), (Verdict::NoNeighbours, 0));
            assert_eq!((found.others.len(), found.others[0].clause), (1, None));
        }
    }
}
