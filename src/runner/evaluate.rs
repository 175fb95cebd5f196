//! Evaluates a transcript into a report, in the same way for a run that just ended and for an old one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::check::{Evaluation, Verdict, ended_at, evaluate_under, missing_method};
use crate::contract::{Basis, ClauseId, HeldText, V1_2026_05};
use crate::property::{of_trace, property};
use crate::report::{
    Counts, EvaluatedCheck, FailedStage, MissingMethod, Report, SCHEMA_VERSION, ScenarioRow, VerdictCounts,
};
use crate::scenario::{Library, Loaded, load};
use crate::score::{AspectScore, ByBasis, Score, Standing, score};
use crate::transcript::{Outcome, Reading, RunStart, Trace};
use crate::warning::warnings;
use crate::{Blame, Stage};

use super::command::replay;
use super::planned_with_texts;

/// Evaluates every planned check of a transcript.
#[must_use]
pub fn assess(reading: &Reading) -> Report {
    let held = &reading.start.contract;
    let traces: BTreeMap<&str, &Trace> =
        reading.traces.iter().map(|trace| (trace.scenario(), trace)).collect();
    let parts: Vec<(&Trace, Option<Loaded>)> = traces.values().map(|trace| (*trace, source(trace))).collect();
    let mut evaluations: Vec<Evaluation> = Vec::new();
    for (trace, loaded) in &parts {
        let Some(loaded) = loaded else { continue };
        evaluations.extend(evaluated(trace.scenario(), loaded, Some(trace), held));
    }
    evaluations.extend(never_begun(reading, &traces));

    if let Some(Outcome::EndedAtBreach { check }) = &reading.outcome {
        for evaluation in evaluations.iter_mut().filter(|evaluation| was_cut_short(evaluation, &traces)) {
            evaluation.result.actual = ended_at(check);
        }
    }
    let void = void(&parts);
    if let Some(why) = &void {
        for evaluation in &mut evaluations {
            set_aside(evaluation, why);
        }
    }
    let failed_stages = failed_stages(&parts);
    // The known texts have the same clauses and aspects. If the text is unknown, the checks say what is open.
    let register = held.register().unwrap_or(&V1_2026_05);
    let score =
        score(register, &evaluations, reading.start.partial, void.as_deref(), &attested(&reading.start));
    let counts = counts(&evaluations, &traces);
    let missing_methods = missing_methods(&score, &evaluations, &traces);
    let start = &reading.start;
    let checks = evaluations
        .into_iter()
        .map(|evaluation| EvaluatedCheck { replay: replay(start, &evaluation.check.scenario), evaluation })
        .collect();
    Report {
        schema_version: SCHEMA_VERSION,
        covenant: start.covenant.clone(),
        seed: start.seed.0,
        target: start.target.clone(),
        reference: start.reference.clone(),
        target_arguments: start.target_arguments.clone(),
        contract_text: held.register().map(|register| register.id.to_owned()),
        contract: held.clone(),
        binding: start.binding.clone(),
        settings: start.settings.clone(),
        partial: start.partial,
        outcome: reading.outcome.clone(),
        transcript_sha256: reading.sha256.clone(),
        void,
        failed_stages,
        score,
        checks,
        scenarios: traces
            .values()
            .map(|trace| ScenarioRow {
                id: trace.scenario().to_owned(),
                outcome: trace.outcome().cloned(),
                entries: trace.entries().len() as u64,
            })
            .collect(),
        missing_methods,
        warnings: warnings(traces.values().copied()),
        counts,
    }
}

/// Evaluates the planned checks of a scenario that hold for the contract text of the run.
fn evaluated(id: &str, loaded: &Loaded, trace: Option<&Trace>, held: &HeldText) -> Vec<Evaluation> {
    let checks = planned_with_texts(id, loaded).into_iter();
    checks.filter_map(|(check, texts)| evaluate_under(&check, trace, held, texts)).collect()
}

/// Returns whether the scenario of a check was not played to its end because the run ended.
fn was_cut_short(evaluation: &Evaluation, traces: &BTreeMap<&str, &Trace>) -> bool {
    let trace = traces.get(evaluation.check.scenario.as_str());
    trace.is_none_or(|trace| matches!(trace.outcome(), None | Some(Outcome::Interrupted)))
}

/// Returns the first check that a trace breaks, on one of the bases.
pub(super) fn first_broken(
    loaded: &Loaded,
    trace: &Trace,
    held: &HeldText,
    bases: &BTreeSet<Basis>,
) -> Option<String> {
    let evaluations = evaluated(trace.scenario(), loaded, Some(trace), held).into_iter();
    let mut broken = evaluations.filter(|evaluation| evaluation.result.verdict == Verdict::Broken);
    Some(broken.find(|evaluation| bases.contains(&evaluation.check.basis))?.check.id)
}

/// Sets aside a breach of a void run, which says nothing of the target: it is counted nowhere.
fn set_aside(evaluation: &mut Evaluation, why: &str) {
    let result = &mut evaluation.result;
    if result.verdict == Verdict::Broken {
        result.verdict = Verdict::Unproven;
        result.actual = format!("the run is void: {why}");
    }
}

/// Returns the missing methods that leave checks unproven, the most useful method first.
fn missing_methods(
    score: &Score,
    evaluations: &[Evaluation],
    traces: &BTreeMap<&str, &Trace>,
) -> Vec<MissingMethod> {
    let mut aspects: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for evaluation in evaluations {
        let trace = traces.get(evaluation.check.scenario.as_str());
        let Some(method) = trace.and_then(|trace| missing_method(evaluation, trace)) else { continue };
        let (clause, aspect) = (evaluation.check.clause, evaluation.check.aspect);
        let open = |row: &&AspectScore| row.clause == clause && row.aspect == aspect;
        if score.aspects.iter().find(open).is_some_and(|row| row.standing == Standing::Unproven) {
            aspects.entry(method).or_default().insert(format!("{clause} {aspect}"));
        }
    }
    let mut methods: Vec<MissingMethod> = aspects
        .into_iter()
        .map(|(method, aspects)| MissingMethod {
            method: method.to_owned(),
            aspects: aspects.into_iter().collect(),
        })
        .collect();
    methods.sort_by_key(|missing| std::cmp::Reverse(missing.aspects.len()));
    methods
}

/// Returns the attestations in the settings of the run.
pub(super) fn attested(start: &RunStart) -> BTreeMap<ClauseId, String> {
    let statements = start.settings.get("attested").and_then(Value::as_object).into_iter().flatten();
    statements.filter_map(|(clause, text)| Some((clause.parse().ok()?, text.as_str()?.to_owned()))).collect()
}

/// Returns the scenario of a trace. If the trace holds none that can be read, returns the built-in scenario
/// of that name.
fn source(trace: &Trace) -> Option<Loaded> {
    let reported = trace.start().map(|start| load(trace.scenario(), trace.scenario(), &start.source));
    reported.and_then(Result::ok).or_else(|| planned_of(&super::library(None).ok()?, trace.scenario()))
}

fn planned_of(library: &Library, id: &str) -> Option<Loaded> {
    library.scenario(id).cloned().or_else(|| property_case(id))
}

/// Returns the planned checks of scenarios that never began because the run was interrupted. Their sources
/// are the built-in scenarios, if there are any of that name.
fn never_begun(reading: &Reading, traces: &BTreeMap<&str, &Trace>) -> Vec<Evaluation> {
    let Ok(library) = super::library(None) else { return vec![] };
    let missing = reading.start.scenarios.iter().filter(|id| !traces.contains_key(id.as_str()));
    missing
        .filter_map(|id| planned_of(&library, id))
        .flat_map(|loaded| evaluated(&loaded.id, &loaded, None, &reading.start.contract))
        .collect()
}

/// Returns a case of the property with this trace name. All cases plan the same checks.
#[must_use]
pub fn property_case(id: &str) -> Option<Loaded> {
    let source = property(of_trace(id)?)?.sample()?;
    load(id, id, &source).ok()
}

/// Returns the reason why the run is void, or `None` if it is not.
fn void(parts: &[(&Trace, Option<Loaded>)]) -> Option<String> {
    if let Some((trace, _)) = parts.iter().find(|(_, loaded)| loaded.is_none()) {
        return Some(format!("the planned checks of {} can't be read", trace.scenario()));
    }
    of_stages(parts).filter(|(stage, _)| *stage == Stage::Handshake).find_map(|(_, trace)| {
        let which = format!("the handshake ({})", trace.scenario());
        match trace.outcome()? {
            Outcome::Completed
            | Outcome::Interrupted
            | Outcome::EndedAtBreach { .. }
            | Outcome::Lacking { .. }
            | Outcome::Blocked { .. } => None,
            Outcome::Unsupported { method } => Some(format!("{which} needs the method {method}")),
            Outcome::Aborted(fault) => Some(format!("{which} failed: {fault}")),
        }
    })
}

/// Iterates over the traces of the stages.
fn of_stages<'a>(
    parts: &'a [(&'a Trace, Option<Loaded>)],
) -> impl Iterator<Item = (Stage, &'a Trace)> + use<'a> {
    parts.iter().filter_map(|(trace, loaded)| Some((loaded.as_ref()?.scenario.stage?, *trace)))
}

/// Returns the stages that failed on this target, with what they cost. A failed handshake makes the run void.
fn failed_stages(parts: &[(&Trace, Option<Loaded>)]) -> Vec<FailedStage> {
    let mut failed = Vec::new();
    for (stage, trace) in of_stages(parts) {
        let Some(Outcome::Aborted(fault)) = trace.outcome().filter(|_| stage != Stage::Handshake) else {
            continue;
        };
        if fault.blame != Blame::Target {
            continue;
        }
        let needs_it = |trace: &Trace| matches!(trace.outcome(), Some(Outcome::Blocked { stage: blocker, .. }) if *blocker == stage);
        let blocked = parts.iter().filter(|(trace, _)| needs_it(trace)).count() as u64;
        failed.push(FailedStage {
            stage,
            scenario: trace.scenario().to_owned(),
            fault: fault.clone(),
            blocked,
        });
    }
    failed
}

fn counts(evaluations: &[Evaluation], traces: &BTreeMap<&str, &Trace>) -> Counts {
    let ended = |evaluation: &&Evaluation| {
        let trace = traces.get(evaluation.check.scenario.as_str());
        trace.is_some_and(|trace| trace.outcome() == Some(&Outcome::Completed))
    };
    let verdicts = |basis: Option<Basis>| {
        let of_basis = evaluations.iter().filter(move |one| basis.is_none_or(|of| one.check.basis == of));
        VerdictCounts::of(of_basis.map(|evaluation| evaluation.result.verdict))
    };
    let VerdictCounts { kept, broken, unproven, not_applicable } = verdicts(None);
    Counts {
        planned: evaluations.len() as u64,
        emitted: evaluations.iter().filter(ended).count() as u64,
        kept,
        broken,
        unproven,
        not_applicable,
        by_basis: ByBasis::of(|basis| verdicts(Some(basis))),
    }
}
