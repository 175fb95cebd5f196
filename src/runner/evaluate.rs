//! Evaluates a transcript into a report, in the same way for a run that just ended and for an old one.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::check::{
    Evaluation, Verdict, ended_at, ended_at_deadline, evaluate_under, leave_to_plain_checks, missing_method,
};
use crate::contract::{Basis, ClauseId, HeldText, V1_2026_05};
use crate::property::{of_trace, property};
use crate::report::{
    Counts, Diagnostic, EvaluatedCheck, FailedStage, MissingMethod, REDACTED, Report, SCHEMA_VERSION,
    ScenarioRow, VerdictCounts, diagnostics,
};
use crate::scenario::{Library, Loaded, load, retry_of};
use crate::score::{AspectScore, ByBasis, Score, Standing, score};
use crate::transcript::{Direction, Exchange, Outcome, Reading, RunStart, StoredTrace, Trace};
use crate::wire::path::Route;
use crate::{Blame, Stage};

use super::command::replay;
use super::planned_with_texts;
use super::retries::{Plays, Retries};
use super::seen::Seen;

/// The status by which a target says that a token is unknown, spent or expired (`wire.md`, "Accept").
const TOKEN_REFUSED: u16 = 401;

/// Remark of a report on a check whose verdict does not follow from a redacted copy.
const HIDDEN: &str =
    "this is a redacted copy, in which what the verdict rests on is replaced; the original shows it";

/// Results of a scenario that a report needs, once its trace was evaluated.
pub(super) struct Part {
    pub(super) id: String,
    pub(super) outcome: Option<Outcome>,
    /// Number of entries.
    pub(super) entries: u64,
    pub(super) took_milliseconds: Option<u64>,
    /// Number of the play.
    pub(super) retry: u32,
    /// Stage that the scenario tries.
    pub(super) stage: Option<Stage>,
    /// `true` if the planned checks can be read.
    pub(super) is_planned: bool,
    /// Status of the answer to the accept that admits the peer.
    pub(super) admitting_accept: Option<u16>,
    /// Points of a diagnosis.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Evaluation of a check, and the method whose lack may be why it is unproven.
pub(super) type Evaluated = (Evaluation, Option<String>);

/// Evaluates every planned check of a transcript, one scenario after the other.
#[must_use]
pub fn assess(reading: &Reading) -> Report {
    let mut stored: Vec<&StoredTrace> = reading.stored().iter().collect();
    sort(&mut stored, &Retries::of(&reading.start));
    assess_each(reading, stored)
}

/// Evaluates a transcript as [`assess`] does, and frees each trace when it is evaluated. The reading keeps none.
#[must_use]
pub fn assess_and_free(reading: &mut Reading) -> Report {
    let mut stored = reading.take_stored();
    sort(&mut stored, &Retries::of(&reading.start));
    assess_each(reading, stored)
}

/// Sorts traces by their scenarios, and those of one scenario by the number of the play.
fn sort(stored: &mut [impl Borrow<StoredTrace>], retries: &Retries<'_>) {
    stored.sort_by(|one, other| {
        let [one, other] = [one, other].map(|stored| retries.play_of(stored.borrow().scenario()));
        one.cmp(&other)
    });
}

/// Returns the rank of a scenario that several partitions played: the one that speaks against the target most goes first.
/// `plays` are the traces of one partition, in order.
pub(super) fn rank(plays: impl Iterator<Item = Trace>, held: &HeldText) -> u8 {
    let mut evaluated = plays.map(|trace| of_trace_alone(&trace, held));
    let Some((part, first)) = evaluated.next() else { return u8::MAX };
    let mut plays = Played::new(first);
    evaluated.for_each(|(_, further)| plays.add(further));
    let merged = plays.merged();
    let has = |wanted: Verdict| merged.iter().any(|(one, _)| one.result.verdict == wanted);
    match part.outcome {
        Some(Outcome::Aborted(fault)) if fault.blame == Blame::Target => 0,
        // A final breach stands in a scenario that ended early.
        Some(_) if has(Verdict::Broken) => 1,
        Some(Outcome::Aborted(_)) => 2,
        Some(Outcome::Unsupported { .. } | Outcome::Lacking { .. } | Outcome::Blocked { .. }) => 3,
        Some(Outcome::Completed) if has(Verdict::Unproven) => 4,
        Some(Outcome::Completed) => 5,
        // A trace that was cut off says less than any other.
        None
        | Some(Outcome::Interrupted | Outcome::EndedAtBreach { .. } | Outcome::EndedAtDeadline { .. }) => 6,
    }
}

/// The plays of one scenario, with the methods whose lack the first one shows.
pub(super) struct Played {
    plays: Plays,
    methods: Vec<Option<String>>,
}

impl Played {
    pub(super) fn new(first: Vec<Evaluated>) -> Self {
        let (evaluations, methods) = first.into_iter().unzip();
        Self { plays: Plays::new(evaluations), methods }
    }

    pub(super) fn add(&mut self, further: Vec<Evaluated>) {
        self.plays.add(further.into_iter().map(|(evaluation, _)| evaluation).collect());
    }

    fn merged(self) -> Vec<Evaluated> {
        self.plays.merged().into_iter().zip(self.methods).collect()
    }
}

/// Evaluates traces, which are in the order of their scenarios and plays.
fn assess_each(reading: &Reading, traces: Vec<impl Borrow<StoredTrace> + Send>) -> Report {
    let start = &reading.start;
    let held = &start.contract;
    let retries = Retries::of(start);
    let Seen { mut parts, played, mut shown, warnings, platform } = Seen::of(traces, start, &retries);
    let mut evaluated: Vec<Evaluated> = played.into_iter().flat_map(|(_, plays)| plays.merged()).collect();
    evaluated.extend(never_begun(start, &parts).into_iter().map(|evaluation| (evaluation, None)));

    let void = settle(&mut evaluated, reading, &parts);
    if void.is_some() {
        shown.clear();
    }
    let (evaluations, methods): (Vec<Evaluation>, Vec<Option<String>>) = evaluated.into_iter().unzip();
    // The known texts have the same clauses and aspects. If the text is unknown, the checks say what is open.
    let register = held.register().unwrap_or(&V1_2026_05);
    let score = score(register, &evaluations, start.partial, void.as_deref(), &attested(start));
    let counts = counts(&evaluations, &parts);
    let missing_methods = missing_methods(&score, &evaluations, &methods);
    let checks = evaluations
        .into_iter()
        .map(|evaluation| EvaluatedCheck {
            replay: replay(start, &evaluation.check.scenario),
            evaluation,
            known: None,
        })
        .collect();
    Report {
        schema_version: SCHEMA_VERSION,
        covenant: start.covenant.clone(),
        seed: start.seed.0,
        target: start.target.clone(),
        reference: start.reference.clone(),
        target_arguments: start.target_arguments.clone(),
        platform: platform.facts(&start.target, start.reference.is_some()),
        began: Some(reading.began),
        took_milliseconds: reading.ended.map(|ended| milliseconds(reading.began, ended)),
        contract_text: held.register().map(|register| register.id.to_owned()),
        contract: held.clone(),
        binding: start.binding.clone(),
        settings: start.settings.clone(),
        partial: start.partial,
        outcome: reading.outcome.clone(),
        transcript_sha256: reading.sha256.clone(),
        void,
        failed_stages: failed_stages(&parts),
        score,
        checks,
        shown,
        diagnostics: parts.iter_mut().flat_map(|part| std::mem::take(&mut part.diagnostics)).collect(),
        scenarios: parts.into_iter().map(row).collect(),
        missing_methods,
        warnings: warnings.all(),
        counts,
        known_faults: vec![],
    }
}

/// Settles what the checks alone can't tell: which ones other checks decide for, what the end of the run cut short, and
/// whether the run is void. Returns why it is.
fn settle(evaluated: &mut [Evaluated], reading: &Reading, parts: &[Part]) -> Option<String> {
    let start = &reading.start;
    let outcome_of = |id: &str| parts.iter().find(|part| part.id == id)?.outcome.as_ref();
    leave_to_plain_checks(
        &mut evaluated.iter_mut().map(|(evaluation, _)| evaluation).collect::<Vec<_>>(),
        outcome_of,
    );
    hide(evaluated, start);
    if let Some(why) = why_early(reading.outcome.as_ref()) {
        for (evaluation, _) in evaluated.iter_mut().filter(|(evaluation, _)| was_cut_short(evaluation, parts))
        {
            evaluation.result.actual.clone_from(&why);
        }
    }
    let void = void(parts).or_else(|| refused_token(start, parts))?;
    for (evaluation, _) in evaluated {
        set_aside(evaluation, &void);
    }
    Some(void)
}

fn row(part: Part) -> ScenarioRow {
    let Part { id, outcome, entries, took_milliseconds, retry, .. } = part;
    ScenarioRow { id, outcome, entries, took_milliseconds, retry }
}

/// Returns the time between two moments; none if the clock of the machine was set back meanwhile.
fn milliseconds(began: Timestamp, ended: Timestamp) -> u64 {
    u64::try_from(ended.as_millisecond() - began.as_millisecond()).unwrap_or(0)
}

/// Evaluates the checks of one trace.
pub(super) fn of_trace_alone(trace: &Trace, held: &HeldText) -> (Part, Vec<Evaluated>) {
    let loaded = source(trace);
    let part = Part {
        id: trace.scenario().to_owned(),
        outcome: trace.outcome().cloned(),
        entries: trace.entries().len() as u64,
        took_milliseconds: trace.took_milliseconds(),
        retry: 0,
        stage: loaded.as_ref().and_then(|loaded| loaded.scenario.stage),
        is_planned: loaded.is_some(),
        admitting_accept: admitting_accept(trace),
        diagnostics: diagnostics(trace),
    };
    let Some(loaded) = loaded else { return (part, vec![]) };
    let evaluations = evaluated(trace.scenario(), &loaded, Some(trace), held).into_iter();
    let with_method = |evaluation: Evaluation| {
        // A breach that is set aside is unproven, too.
        let mut open = evaluation.clone();
        if open.result.verdict == Verdict::Broken {
            open.result.verdict = Verdict::Unproven;
        }
        let method = missing_method(&open, trace).map(ToOwned::to_owned);
        (evaluation, method)
    };
    (part, evaluations.map(with_method).collect())
}

/// Evaluates the checks of one trace, under the name of the trace.
pub(super) fn evaluations(loaded: &Loaded, trace: &Trace, held: &HeldText) -> Vec<Evaluation> {
    evaluated(trace.scenario(), loaded, Some(trace), held)
}

/// Evaluates the planned checks of a scenario that hold for the contract text of the run.
fn evaluated(id: &str, loaded: &Loaded, trace: Option<&Trace>, held: &HeldText) -> Vec<Evaluation> {
    let checks = planned_with_texts(id, loaded).into_iter();
    checks.filter_map(|(check, texts)| evaluate_under(&check, trace, held, texts)).collect()
}

/// Returns why a run that was asked to end early left checks unproven; `None` for another outcome.
fn why_early(outcome: Option<&Outcome>) -> Option<String> {
    match outcome? {
        Outcome::EndedAtBreach { check } => Some(ended_at(check)),
        Outcome::EndedAtDeadline { deadline } => Some(ended_at_deadline(deadline)),
        _ => None,
    }
}

/// Returns whether the scenario of a check was not played to its end because the run ended.
fn was_cut_short(evaluation: &Evaluation, parts: &[Part]) -> bool {
    let part = parts.iter().find(|part| part.id == evaluation.check.scenario);
    part.is_none_or(|part| matches!(part.outcome, None | Some(Outcome::Interrupted)))
}

/// Sets aside a breach of a void run, which says nothing of the target: it is counted nowhere.
fn set_aside(evaluation: &mut Evaluation, why: &str) {
    let is_flaky = evaluation.flaky.take().is_some();
    let result = &mut evaluation.result;
    if is_flaky {
        // The evidence is of a further play, which nothing names now.
        result.evidence.clear();
    }
    if result.verdict == Verdict::Broken || is_flaky {
        result.verdict = Verdict::Unproven;
        result.actual = format!("the run is void: {why}");
    }
}

/// Returns the missing methods that leave checks unproven, the most useful method first.
fn missing_methods(
    score: &Score,
    evaluations: &[Evaluation],
    methods: &[Option<String>],
) -> Vec<MissingMethod> {
    let mut aspects: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (evaluation, method) in evaluations.iter().zip(methods) {
        let is_open = evaluation.result.verdict == Verdict::Unproven && evaluation.flaky.is_none();
        let Some(method) = method.as_deref().filter(|_| is_open) else {
            continue;
        };
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

/// Leaves unproven what does not follow from a redacted copy.
fn hide(evaluated: &mut [Evaluated], start: &RunStart) {
    let checks = start.settings.get(REDACTED).and_then(|redacted| redacted["unproven"].as_array());
    let hidden: BTreeSet<&str> = checks.into_iter().flatten().filter_map(Value::as_str).collect();
    for (evaluation, _) in evaluated.iter_mut().filter(|(one, _)| hidden.contains(one.check.id.as_str())) {
        evaluation.result.verdict = Verdict::Unproven;
        HIDDEN.clone_into(&mut evaluation.result.actual);
        evaluation.result.evidence.clear();
        evaluation.flaky = None;
    }
}

/// Returns the attestations in the settings of the run.
pub(super) fn attested(start: &RunStart) -> BTreeMap<ClauseId, String> {
    let statements = start.settings.get("attested").and_then(Value::as_object).into_iter().flatten();
    statements.filter_map(|(clause, text)| Some((clause.parse().ok()?, text.as_str()?.to_owned()))).collect()
}

/// Returns the scenario of a trace. If the trace holds none that can be read, returns the built-in scenario
/// of that name, also for a further play of it.
fn source(trace: &Trace) -> Option<Loaded> {
    let name = trace.scenario();
    let reported = trace.start().map(|start| load(name, name, &start.source));
    reported.and_then(Result::ok).or_else(|| {
        let library = super::library(None).ok()?;
        planned_of(&library, name).or_else(|| planned_of(&library, retry_of(name)?.0))
    })
}

fn planned_of(library: &Library, id: &str) -> Option<Loaded> {
    library.scenario(id).cloned().or_else(|| property_case(id))
}

/// Returns the planned checks of scenarios that never began because the run was interrupted. Their sources
/// are the built-in scenarios, if there are any of that name.
fn never_begun(start: &RunStart, parts: &[Part]) -> Vec<Evaluation> {
    let begun: BTreeSet<&str> = parts.iter().map(|part| part.id.as_str()).collect();
    let missing: Vec<&String> = start.scenarios.iter().filter(|id| !begun.contains(id.as_str())).collect();
    // Reading them all costs more than the rest of a short evaluation.
    if missing.is_empty() {
        return vec![];
    }
    let Ok(library) = super::library(None) else { return vec![] };
    missing
        .into_iter()
        .filter_map(|id| planned_of(&library, id))
        .flat_map(|loaded| evaluated(&loaded.id, &loaded, None, &start.contract))
        .collect()
}

/// Returns a case of the property with this trace name. All cases plan the same checks.
#[must_use]
pub fn property_case(id: &str) -> Option<Loaded> {
    let source = property(of_trace(id)?)?.sample()?;
    load(id, id, &source).ok()
}

/// Returns the reason why the run is void, or `None` if it is not.
fn void(parts: &[Part]) -> Option<String> {
    if let Some(part) = parts.iter().find(|part| !part.is_planned) {
        return Some(format!("the planned checks of {} can't be read", part.id));
    }
    parts.iter().filter(|part| part.stage == Some(Stage::Handshake)).find_map(|part| {
        let which = format!("the handshake ({})", part.id);
        match part.outcome.as_ref()? {
            Outcome::Completed
            | Outcome::Interrupted
            | Outcome::EndedAtBreach { .. }
            | Outcome::EndedAtDeadline { .. }
            | Outcome::Lacking { .. }
            | Outcome::Blocked { .. } => None,
            Outcome::Unsupported { method } => Some(format!("{which} needs the method {method}")),
            Outcome::Aborted(fault) => Some(format!("{which} failed: {fault}")),
        }
    })
}

/// Returns why an audit evaluated nothing, if the target refused its token; `None` if it did not. An anonymous client shows a
/// token that was never issued.
fn refused_token(start: &RunStart, parts: &[Part]) -> Option<String> {
    let has = |setting: &str| start.settings.get(setting) == Some(&Value::Bool(true));
    let status = parts.first().filter(|_| has("audit") && !has("anonymous"))?.admitting_accept;
    let status = status.filter(|status| *status == TOKEN_REFUSED)?;
    Some(format!(
        "nothing was evaluated: the target refused the acceptance token ({status}): it is wrong, spent or expired; ask the \
         operator of the target for another"
    ))
}

/// Returns the status by which the target answered the accept that admits the peer: the last of the calls that bear the
/// label of the first accept. A watch that was killed sends it again.
fn admitting_accept(trace: &Trace) -> Option<u16> {
    let is_accept = |exchange: &Exchange| {
        exchange.direction == Direction::ToTarget && exchange.route() == Some(Route::Accept)
    };
    let accepts: Vec<_> = trace.exchanges().filter(|(_, exchange)| is_accept(exchange)).collect();
    let (first, _) = accepts.first()?;
    accepts.iter().rfind(|(entry, _)| entry.label == first.label)?.1.status()
}

/// Returns the stages that failed on this target, with what they cost. A failed handshake makes the run void.
fn failed_stages(parts: &[Part]) -> Vec<FailedStage> {
    let mut failed = Vec::new();
    for part in parts {
        let Some(stage) = part.stage.filter(|stage| *stage != Stage::Handshake) else { continue };
        let Some(Outcome::Aborted(fault)) = &part.outcome else { continue };
        if fault.blame != Blame::Target {
            continue;
        }
        let needs_it = |part: &&Part| matches!(&part.outcome, Some(Outcome::Blocked { stage: blocker, .. }) if *blocker == stage);
        let blocked = parts.iter().filter(needs_it).count() as u64;
        failed.push(FailedStage { stage, scenario: part.id.clone(), fault: fault.clone(), blocked });
    }
    failed
}

fn counts(evaluations: &[Evaluation], parts: &[Part]) -> Counts {
    let is_completed = |part: &&Part| part.outcome == Some(Outcome::Completed);
    let completed: BTreeSet<&str> = parts.iter().filter(is_completed).map(|part| part.id.as_str()).collect();
    // A final breach is the answer of a check in a scenario that ended early.
    let ended = |evaluation: &&Evaluation| {
        completed.contains(evaluation.check.scenario.as_str()) || evaluation.result.verdict == Verdict::Broken
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
        flaky: evaluations.iter().filter(|evaluation| evaluation.flaky.is_some()).count() as u64,
        by_basis: ByBasis::of(|basis| verdicts(Some(basis))),
    }
}
