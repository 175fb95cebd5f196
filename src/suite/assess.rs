//! From a transcript to its report: the same for a run that just ended and for one of last year.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::check::{Outcome, Verdict, decide};
use crate::contract::{ClauseId, REGISTER_V1};
use crate::property::{of_story, property};
use crate::report::{Counts, JudgedCheck, MissingVerb, Report, SCHEMA_VERSION, ScenarioRow};
use crate::scenario::{Library, Loaded, load};
use crate::score::{FaceScore, Overall, Score, Standing, score};
use crate::transcript::{Ending, Reading, RunStart, Story};

use super::{declared, words};

/// Judges everything that a transcript announces.
#[must_use]
pub fn assess(reading: &Reading) -> Report {
    let stories: BTreeMap<&str, &Story> =
        reading.stories.iter().map(|story| (story.scenario(), story)).collect();
    let parts: Vec<(&Story, Option<Loaded>)> =
        stories.values().map(|story| (*story, source(story))).collect();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (story, loaded) in &parts {
        let Some(loaded) = loaded else { continue };
        outcomes.extend(declared(story.scenario(), loaded).iter().map(|check| decide(check, Some(story))));
    }
    outcomes.extend(never_begun(reading, &stories));

    let void = void(&parts, &outcomes);
    let score =
        score(&REGISTER_V1, &outcomes, reading.start.partial, void.as_deref(), &attested(&reading.start));
    let counts = counts(&outcomes, &stories);
    let missing_verbs = missing_verbs(&score, &outcomes, &stories);
    let start = &reading.start;
    let checks = outcomes
        .into_iter()
        .map(|outcome| JudgedCheck { replay: replay(reading, &outcome), outcome })
        .collect();
    Report {
        schema_version: SCHEMA_VERSION,
        covenant: start.covenant.clone(),
        seed: start.seed.0,
        target: start.target.clone(),
        contract_version: start.contract_version,
        contract_digest: start.contract_digest.clone(),
        binding: start.binding.clone(),
        settings: start.settings.clone(),
        partial: start.partial,
        ending: reading.ending.clone(),
        void,
        score,
        checks,
        scenarios: stories
            .values()
            .map(|story| ScenarioRow {
                id: story.scenario().to_owned(),
                ending: story.ending().cloned(),
                entries: story.entries().len() as u64,
            })
            .collect(),
        missing_verbs,
        counts,
    }
}

/// The verbs for want of which something is unproven, those first that would prove most.
fn missing_verbs(score: &Score, outcomes: &[Outcome], stories: &BTreeMap<&str, &Story>) -> Vec<MissingVerb> {
    let mut faces: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for outcome in outcomes {
        let Some(Ending::Unsupported { verb }) =
            stories.get(outcome.check.scenario.as_str()).and_then(|story| story.ending())
        else {
            continue;
        };
        let (clause, face) = (outcome.check.clause, outcome.check.face);
        let open = |row: &&FaceScore| row.clause == clause && row.face == face;
        if score.faces.iter().find(open).is_some_and(|row| row.standing == Standing::Unproven) {
            faces.entry(verb).or_default().insert(format!("{clause} {face}"));
        }
    }
    let mut verbs: Vec<MissingVerb> = faces
        .into_iter()
        .map(|(verb, faces)| MissingVerb { verb: verb.to_owned(), faces: faces.into_iter().collect() })
        .collect();
    verbs.sort_by_key(|missing| std::cmp::Reverse(missing.faces.len()));
    verbs
}

/// What persons say of clauses, as the run's settings keep it.
fn attested(start: &RunStart) -> BTreeMap<ClauseId, String> {
    let words = start.settings.get("attested").and_then(Value::as_object);
    let words = words.into_iter().flatten();
    words.filter_map(|(clause, word)| Some((clause.parse().ok()?, word.as_str()?.to_owned()))).collect()
}

/// Whose fault it is that a run says nothing, or not all: the worst ending of its scenarios that is
/// not the target's own conduct.
#[must_use]
pub fn exit_blame(report: &Report) -> Option<&Ending> {
    let rank = |ending: &Ending| match ending {
        Ending::Suite { .. } => 0,
        Ending::Interrupted => 1,
        Ending::Environment { .. } => 2,
        Ending::Adapter { .. } => 3,
        Ending::Target { .. } if report.score.overall == Overall::Void => 4,
        Ending::Target { .. } | Ending::Unsupported { .. } | Ending::Completed => 9,
    };
    let endings = report.scenarios.iter().filter_map(|row| row.ending.as_ref()).chain(&report.ending);
    endings.min_by_key(|ending| rank(ending)).filter(|ending| rank(ending) < 9)
}

/// The scenario that a story was played from; where it can't be read from the story, the one of that
/// name that comes with the program.
fn source(story: &Story) -> Option<Loaded> {
    let told = story.start().map(|start| load(story.scenario(), story.scenario(), &start.source, &words()));
    told.and_then(Result::ok).or_else(|| announced(&super::library(None).ok()?, story.scenario()))
}

fn announced(library: &Library, id: &str) -> Option<Loaded> {
    library.scenario(id).cloned().or_else(|| property_case(id))
}

/// What was announced of scenarios that never began: a run that was cut short. Their sources are
/// those that come with the program, where it has them.
fn never_begun(reading: &Reading, stories: &BTreeMap<&str, &Story>) -> Vec<Outcome> {
    let Ok(library) = super::library(None) else { return vec![] };
    let missing = reading.start.scenarios.iter().filter(|id| !stories.contains_key(id.as_str()));
    missing
        .filter_map(|id| announced(&library, id))
        .flat_map(|loaded| declared(&loaded.id, &loaded))
        .map(|check| decide(&check, None))
        .collect()
}

/// A case of a property, by its story's name: what it announces, every case announces.
#[must_use]
pub fn property_case(id: &str) -> Option<Loaded> {
    let source = property(of_story(id)?)?.sample()?;
    load(id, id, &source, &words()).ok()
}

/// Why the run says nothing of the target, if it does not.
fn void(parts: &[(&Story, Option<Loaded>)], outcomes: &[Outcome]) -> Option<String> {
    if let Some((story, _)) = parts.iter().find(|(_, loaded)| loaded.is_none()) {
        return Some(format!("what {} announces can't be read", story.scenario()));
    }
    let sanity = parts.iter().filter(|(_, loaded)| loaded.as_ref().is_some_and(|l| l.scenario.sanity));
    for (story, _) in sanity {
        let which = format!("the sanity scenario ({})", story.scenario());
        match story.ending() {
            Some(Ending::Completed) => {}
            Some(Ending::Interrupted) | None => continue,
            Some(Ending::Unsupported { verb }) => return Some(format!("{which} needs the verb {verb}")),
            Some(
                Ending::Target { reason }
                | Ending::Adapter { reason }
                | Ending::Environment { reason }
                | Ending::Suite { reason },
            ) => return Some(format!("{which} failed: {reason}")),
        }
        let failed = outcomes.iter().find(|outcome| {
            outcome.check.scenario == story.scenario() && outcome.judgement.verdict != Verdict::Kept
        });
        if let Some(failed) = failed {
            return Some(format!(
                "{which} failed: {}: {}",
                failed.check.requirement, failed.judgement.actual
            ));
        }
    }
    None
}

fn counts(outcomes: &[Outcome], stories: &BTreeMap<&str, &Story>) -> Counts {
    let with = |verdict: Verdict| outcomes.iter().filter(|o| o.judgement.verdict == verdict).count() as u64;
    let ended = |outcome: &&Outcome| {
        let story = stories.get(outcome.check.scenario.as_str());
        story.is_some_and(|story| story.ending() == Some(&Ending::Completed))
    };
    Counts {
        declared: outcomes.len() as u64,
        emitted: outcomes.iter().filter(ended).count() as u64,
        kept: with(Verdict::Kept),
        broken: with(Verdict::Broken),
        unproven: with(Verdict::Unproven),
        not_applicable: with(Verdict::NotApplicable),
    }
}

/// A command that plays just this scenario again, against the same target and with the same seed.
fn replay(reading: &Reading, outcome: &Outcome) -> String {
    let start = &reading.start;
    if start.settings.get("audit").is_some_and(|audit| audit == true) {
        // It needs another token: the one that there was is used up.
        return format!(
            "covenant audit {} --token-file FILE --seed {}",
            start.target_arguments.join(" "),
            start.seed
        );
    }
    let scenario = outcome.check.scenario.trim_end_matches(" again");
    let what = match of_story(scenario) {
        Some(property) => format!("--property {property} --cases {}", start.settings["cases"]),
        None => format!("--only {scenario}"),
    };
    let mut words = vec![format!("covenant run {what} --seed {}", start.seed)];
    words.extend(start.target_arguments.iter().cloned());
    words.join(" ")
}
