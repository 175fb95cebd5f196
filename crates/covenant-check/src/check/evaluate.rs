//! The evaluation of one planned check.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::outcome::{Pass, Seen, Stop};
use super::{CheckResult, Evaluate, Evaluation, PlannedCheck, Verdict, check_with_id};
use covenant_model::Blame;
use covenant_model::contract::Aspect;
use covenant_model::operator::OperatorMethod;
use covenant_model::operator::resource::Put;
use covenant_model::transcript::{Outcome, ScenarioStart, Trace, kinds_lack};

/// Evaluates one planned check. If the scenario did not complete, nothing is called kept: the result is unproven, and
/// the outcome of the scenario is the reason. A final breach stands if a step failed.
#[must_use]
pub fn evaluate(check: &PlannedCheck, trace: Option<&Trace>) -> Evaluation {
    let mut result = evaluated(check, trace);
    // One entry may show several things.
    let mut cited = BTreeSet::new();
    result.evidence.retain(|n| cited.insert(*n));
    Evaluation { check: check.clone(), result, flaky: None }
}

fn evaluated(check: &PlannedCheck, trace: Option<&Trace>) -> CheckResult {
    let Some(trace) = trace.map(Trace::with_usual_ids) else {
        return CheckResult::unproven("the scenario was not run", vec![]);
    };
    let trace = &*trace;
    let last = trace.entries().last().map(|entry| entry.n).into_iter().collect();
    let reason = match trace.outcome() {
        Some(Outcome::Completed) => return completed(check, trace).naming_left_out(trace),
        None => "the scenario was cut short".to_owned(),
        Some(Outcome::Unsupported { method }) => match trace.not_placed() {
            Some(reason) if method == Put::METHOD.name() => format!("{}; {reason}", unknown_method(method)),
            _ => unknown_method(method),
        },
        Some(Outcome::Aborted(fault)) if fault.blame == Blame::Target => {
            format!("the scenario could not go on: {fault}")
        }
        Some(Outcome::Aborted(fault)) => format!("the {} failed: {fault}", fault.blame),
        Some(Outcome::Lacking { lacks }) => lacks.clone(),
        Some(Outcome::Blocked { stage, reason }) => format!("needs {stage}, which failed: {reason}"),
        Some(Outcome::Interrupted) => "the run was interrupted".to_owned(),
        Some(Outcome::EndedAtBreach { check }) => ended_at(check),
        Some(Outcome::EndedAtDeadline { deadline }) => ended_at_deadline(deadline),
    };
    if let Some(breach) = final_breach(check, trace) {
        return CheckResult { actual: format!("{}; then {reason}", breach.actual), ..breach };
    }
    CheckResult::unproven(reason, last).naming_left_out(trace)
}

/// Returns the breach that a trace shows though a step failed, if nothing that could have followed would undo or excuse it.
/// Where the run itself ended, an operation may have begun that is not recorded, and what it excuses; where the scenario, the
/// suite or the environment failed, the trace may be wrong itself.
fn final_breach(check: &PlannedCheck, trace: &Trace) -> Option<CheckResult> {
    let is_step_failed = match trace.outcome()? {
        Outcome::Unsupported { .. } => true,
        Outcome::Aborted(fault) => matches!(fault.blame, Blame::Target | Blame::Adapter),
        _ => false,
    };
    let is_left_out =
        |label: &str| trace.left_out(label).is_some() || trace.left_out_for_lack(label).is_some();
    if !is_step_failed || needs_put(check, trace) || check.with.values().flat_map(texts).any(is_left_out) {
        return None;
    }
    let definition = check_with_id(&check.check)?;
    let read = definition.read(&check.with).ok()?;
    let breach = trace.cases().iter().rev().find_map(|case| {
        let result = final_result_of(&*read, case)?;
        let result = result.unless_rejected_by_limit(definition.absent_call, &check.with, case);
        (result.verdict == Verdict::Broken).then_some(result)
    })?;
    let result = breach.given(check, trace).unless_due_to_user(check, trace).unless_not_spoken(check, trace);
    let result = result.unless_paused(trace);
    (result.verdict == Verdict::Broken).then_some(result)
}

/// Returns the reason for which a check is unproven in a run that ended at the first broken check.
#[must_use]
pub fn ended_at(check: &str) -> String {
    format!("the run ended at the first broken check, {check}")
}

/// Returns the reason for which a check is unproven in a run that ended at its deadline.
#[must_use]
pub fn ended_at_deadline(deadline: &str) -> String {
    format!("the run ended at its deadline, after {deadline}")
}

/// Evaluates a check of a scenario that completed. A check that cites a step which was left out is unproven. So
/// is one that all played cases of a property keep, if a case was left out: it might have shown a breach.
fn completed(check: &PlannedCheck, trace: &Trace) -> CheckResult {
    let labels = || check.with.values().flat_map(texts);
    if let Some(method) = labels().find_map(|label| trace.left_out(label)) {
        return CheckResult::unproven(unknown_method(method), vec![]);
    }
    if let Some(lacks) = labels().find_map(|label| trace.left_out_for_lack(label)) {
        return CheckResult::unproven(kinds_lack(lacks), vec![]);
    }
    if needs_put(check, trace) {
        let actual = format!(
            "{}, and a record that a peer placed is not the same here",
            unknown_method(Put::METHOD.name())
        );
        return CheckResult::unproven(actual, vec![]);
    }
    let result = over_cases(check, trace).given(check, trace);
    let result = result.unless_due_to_user(check, trace).unless_not_spoken(check, trace).unless_paused(trace);
    match trace.cases_left_out() {
        Some(method) if result.verdict == Verdict::Kept => {
            let actual = format!("{}, which some cases need", unknown_method(method));
            CheckResult { verdict: Verdict::Unproven, actual, ..result }
        }
        _ => result,
    }
}

/// Returns whether a check needs a record of the operator's where a peer placed one.
fn needs_put(check: &PlannedCheck, trace: &Trace) -> bool {
    trace.is_record_placed() && check_with_id(&check.check).is_none_or(|check| !check.takes_placed)
}

fn unknown_method(method: &str) -> String {
    format!("the operator client does not know the method {method}")
}

/// Returns the texts of an argument: a label, a list of labels, or another text.
fn texts(argument: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match argument {
        Value::String(text) => Box::new(std::iter::once(text.as_str())),
        Value::Array(items) => Box::new(items.iter().flat_map(texts)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Returns whether a trace that goes on breaks a check which cites this label, as far as it shows now.
#[must_use]
pub fn breaks_so_far(check: &PlannedCheck, trace: &Trace, label: &str) -> bool {
    let is_cited = check.with.values().flat_map(texts).any(|text| text == label);
    is_cited && completed(check, &trace.with_usual_ids()).verdict == Verdict::Broken
}

/// Returns the method whose lack may be why a check is unproven; `None` if it is not unproven, or no method is
/// missing.
#[must_use]
pub fn missing_method<'a>(evaluation: &Evaluation, trace: &'a Trace) -> Option<&'a str> {
    let Evaluation { check, result, .. } = evaluation;
    match trace.outcome()? {
        _ if result.verdict != Verdict::Unproven => None,
        Outcome::Unsupported { method } => Some(method),
        Outcome::Completed => {
            let cited = check.with.values().flat_map(texts).find_map(|label| trace.left_out(label));
            let put = || needs_put(check, trace).then_some(Put::METHOD.name());
            cited.or_else(put).or_else(|| trace.cases_left_out()).or_else(|| trace.any_left_out())
        }
        Outcome::Aborted(fault) if fault.blame == Blame::Target => trace.any_left_out(),
        _ => None,
    }
}

/// Evaluates a check over each case of a property; a plain scenario is its only case. Broken in one case is
/// broken. Kept in one case and broken in none is kept: most cases say nothing about most clauses.
fn over_cases(check: &PlannedCheck, trace: &Trace) -> CheckResult {
    let Some(definition) = check_with_id(&check.check) else {
        return CheckResult::unproven(format!("no check is called {:?}", check.check), vec![]);
    };
    let read = match definition.read(&check.with) {
        Ok(read) => read,
        Err(error) => return CheckResult::unproven(error.to_string(), vec![]),
    };
    let cases = trace.cases();
    let mut kept: Option<(usize, CheckResult)> = None;
    let mut open = None;
    // The last case is the shrunk one, if one breaks.
    for case in cases.iter().rev() {
        let result = result_of(&*read, case);
        let result = result.unless_rejected_by_limit(definition.absent_call, &check.with, case);
        match result.verdict {
            Verdict::Broken => return result,
            Verdict::Kept => {
                let count = kept.as_ref().map_or(0, |(count, _)| *count);
                kept = Some((count + 1, result));
            }
            Verdict::Unproven | Verdict::NotApplicable => open = Some(result),
        }
    }
    match (kept, open) {
        (Some((_, result)), _) if !trace.is_property() => result,
        (Some((count, result)), _) => {
            let (all, last) = (cases.len(), &result.actual);
            let actual = format!("kept in {count} of {all} cases, broken in none; the last: {last}");
            CheckResult { actual, ..result }
        }
        (None, Some(open)) => open,
        (None, None) => CheckResult::unproven("there was no case", vec![]),
    }
}

/// Evaluates a check over one case, and pairs the outcome with what the check expects.
pub(super) fn result_of(check: &dyn Evaluate, trace: &Trace) -> CheckResult {
    trace.forget_reads();
    let (verdict, Seen { actual, evidence, .. }) = match check.evaluate(trace) {
        Ok(Pass(seen)) => (Verdict::Kept, seen),
        Err(Stop::Broken(seen)) => (Verdict::Broken, seen),
        Err(Stop::Unproven(seen)) => (Verdict::Unproven, seen),
        Err(Stop::NotApplicable(seen)) => (Verdict::NotApplicable, seen),
    };
    CheckResult { verdict, expected: check.expected(), actual, evidence }.unless_cut(trace)
}

/// Returns the result of a check over a case that ended early, if it is a final breach.
fn final_result_of(check: &dyn Evaluate, trace: &Trace) -> Option<CheckResult> {
    trace.forget_reads();
    match check.evaluate(trace) {
        Err(Stop::Broken(Seen { actual, evidence, is_final: true })) => {
            let verdict = Verdict::Broken;
            Some(CheckResult { verdict, expected: check.expected(), actual, evidence }.unless_cut(trace))
        }
        _ => None,
    }
}

impl CheckResult {
    /// Names the missing method in an `unproven`: the step that was left out may be the reason.
    fn naming_left_out(self, trace: &Trace) -> Self {
        let Some(method) = trace.any_left_out().filter(|_| self.verdict == Verdict::Unproven) else {
            return self;
        };
        let missing = unknown_method(method);
        if self.actual.starts_with("the operator client does not know the method") {
            return self;
        }
        Self { actual: format!("{}; {missing}, and its step was left out", self.actual), ..self }
    }

    /// Replaces the result with `unproven` if no peer misbehaved. The reaction of a target to a misbehaviour
    /// that never happened says nothing about the clause: a target that gave its peer no occasion is neither
    /// `kept` nor a false `broken`.
    fn given(self, check: &PlannedCheck, trace: &Trace) -> Self {
        let evaluated = matches!(self.verdict, Verdict::Kept | Verdict::Broken);
        if !evaluated || check.aspect != Aspect::Detection || misbehaved(trace, &check.with) {
            return self;
        }
        Self {
            verdict: Verdict::Unproven,
            actual: "the target gave the peer no occasion to misbehave".to_owned(),
            ..self
        }
    }
}

/// Returns whether a peer did what its behaviours make it do: the peer that the check is about, if its
/// argument `peer` names one. In a scenario without such peers the steps themselves are the misbehaviour.
fn misbehaved(trace: &Trace, with: &BTreeMap<String, Value>) -> bool {
    let mut behaviours = trace.start().map(ScenarioStart::behaviours).unwrap_or_default();
    let peer = with.get("peer").and_then(Value::as_str);
    if let Some(peer) = peer.filter(|peer| behaviours.contains_key(*peer)) {
        behaviours.retain(|name, _| name == peer);
    }
    behaviours.retain(|_, names| !names.is_empty());
    behaviours.is_empty()
        || trace.exchanges().any(|(_, exchange)| {
            let names = behaviours.get(&exchange.peer);
            names.is_some_and(|names| exchange.injected.iter().any(|injected| names.contains(injected)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::clock::{Clock, Seed};
    use covenant_model::transcript::{Exchange, Note, NoteKind, Operation, Transcript, What};
    use covenant_model::wire::canonical::{canonical_json, sha256_hex};
    use covenant_model::{Fault, Stage};
    use serde_json::json;

    const SOURCE: &str = r#"
        title = "mallory misbehaves"
        [[peer]]
        name = "mallory"
        behaviours = ["remapped-ids"]
        [[peer]]
        name = "eve"
        behaviours = ["remapped-ids"]
    "#;

    /// Returns the verdict on a target that reports nothing about mallory, who deviated as `injected`; eve
    /// misbehaved.
    fn evaluated(aspect: Aspect, injected: &[&str]) -> Verdict {
        let transcript = Transcript::in_memory();
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let start = ScenarioStart { source: SOURCE.to_owned(), seed: Seed(1) };
        let recorder = transcript.begin("x", start, clock);
        for (peer, injected) in [("mallory", injected), ("eve", &["remapped-ids"])] {
            recorder.record(None, None, What::Exchange(accept(peer, injected)));
        }
        for label in ["before", "after"] {
            let result = Some(json!({"findings": []}));
            let scan =
                Operation { method: "governance.scan".into(), parameters: json!({}), result, failure: None };
            recorder.record(None, Some(label), What::Operation(scan));
        }
        recorder.record(None, None, What::End(Outcome::Completed));
        let with = [("peer", "mallory"), ("before", "before"), ("after", "after")];
        let check = PlannedCheck {
            id: "x#1".to_owned(),
            scenario: "x".to_owned(),
            clause: "7.4".parse().expect("a clause"),
            aspect,
            check: "finding-raised".to_owned(),
            basis: covenant_model::contract::Basis::Proposed,
            rests_on: vec![],
            deepens: false,
            requirement: String::new(),
            with: with.map(|(name, label)| (name.to_owned(), label.into())).into(),
        };
        evaluate(&check, Some(&recorder.trace())).result.verdict
    }

    fn accept(peer: &str, injected: &[&str]) -> Exchange {
        Exchange {
            injected: injected.iter().map(ToString::to_string).collect(),
            ..Exchange::to_target(peer)
                .on("POST", "accept")
                .answered_with(200, json!({"data": {"peer_id": peer}}))
        }
    }

    #[test]
    fn only_what_a_peer_did_can_go_unnoticed() {
        assert_eq!(evaluated(Aspect::Detection, &["remapped-ids"]), Broken);
        assert_eq!(evaluated(Aspect::Detection, &[]), Unproven);
        assert_eq!(evaluated(Aspect::Detection, &["hidden-conflict"]), Unproven);
        assert_eq!(evaluated(Aspect::Conduct, &[]), Broken);
    }

    /// Returns the check of one call, and a trace that ends like this. `granted` is answered with 200.
    fn call_and_trace(notes: Vec<(Option<&str>, Note)>, outcome: Outcome) -> (PlannedCheck, Trace) {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder =
            Transcript::in_memory().begin("x", ScenarioStart { source: String::new(), seed: Seed(1) }, clock);
        recorder.record(None, Some("granted"), What::Exchange(accept("alice", &[])));
        for (label, note) in notes {
            recorder.record(None, label, What::Note(note));
        }
        recorder.record(None, None, What::End(outcome));
        let check = PlannedCheck {
            id: "x#1".to_owned(),
            scenario: "x".to_owned(),
            clause: "2.1".parse().expect("a clause"),
            aspect: Aspect::Conduct,
            check: "accepted".to_owned(),
            basis: covenant_model::contract::Basis::Observed,
            rests_on: vec![],
            deepens: false,
            requirement: String::new(),
            with: [("call".to_owned(), json!(["granted", "listed"]))].into(),
        };
        (check, recorder.trace())
    }

    #[test]
    fn an_entry_is_cited_once() {
        let (mut check, trace) = call_and_trace(vec![], Outcome::Completed);
        check.with = [("call".to_owned(), json!(["granted", "granted"]))].into();
        let result = evaluate(&check, Some(&trace)).result;
        assert_eq!((result.verdict, result.evidence.len()), (Kept, 1), "{}", result.actual);
    }

    fn lacks(kind: NoteKind) -> Note {
        Note { kind, message: String::new(), facts: json!({"method": "peer.list"}) }
    }

    #[test]
    fn a_check_that_cites_a_step_which_was_left_out_is_unproven_and_no_other() {
        let notes = vec![(Some("listed"), lacks(NoteKind::LeftOut))];
        let (check, trace) = call_and_trace(notes, Outcome::Completed);
        let result = evaluate(&check, Some(&trace)).result;
        assert_eq!(
            (result.verdict, &*result.actual),
            (Unproven, "the operator client does not know the method peer.list")
        );
        assert_eq!(missing_method(&evaluate(&check, Some(&trace)), &trace), Some("peer.list"));
        // In a property each label has the number of its case.
        let notes = vec![(Some("listed@3"), lacks(NoteKind::LeftOut))];
        let (_, property) = call_and_trace(notes, Outcome::Completed);
        assert_eq!(evaluate(&check, Some(&property)).result.verdict, Unproven);
        assert_eq!(missing_method(&evaluate(&check, Some(&property)), &property), Some("peer.list"));
        // What is unproven for another reason may be so for this one.
        let without = vec![(None, lacks(NoteKind::LeftOut))];
        let fault = Fault::target("the record is unknown");
        let (_, aborted) = call_and_trace(without, fault.into());
        let result = evaluate(&check, Some(&aborted));
        assert_eq!(missing_method(&result, &aborted), Some("peer.list"));
        let actual = "could not go on: the record is unknown; the operator client does not know the method peer.list, and \
                      its step was left out";
        assert!(result.result.actual.ends_with(actual), "{}", result.result.actual);
        let other = PlannedCheck { with: [("call".to_owned(), json!("granted"))].into(), ..check };
        assert_eq!(evaluate(&other, Some(&trace)).result.verdict, Kept);
        assert_eq!(missing_method(&evaluate(&other, Some(&trace)), &trace), None);
    }

    #[test]
    fn nothing_is_kept_if_a_case_was_left_out_and_a_breach_is_broken_all_the_same() {
        let notes = vec![(None, lacks(NoteKind::CasesLeftOut))];
        let (check, trace) = call_and_trace(notes, Outcome::Completed);
        let kept = PlannedCheck { with: [("call".to_owned(), json!("granted"))].into(), ..check };
        let result = evaluate(&kept, Some(&trace)).result;
        assert_eq!(
            (result.verdict, &*result.actual),
            (Unproven, "the operator client does not know the method peer.list, which some cases need")
        );
        assert_eq!(missing_method(&evaluate(&kept, Some(&trace)), &trace), Some("peer.list"));
        let broken = PlannedCheck {
            check: "refused".to_owned(),
            with: ["call", "control", "probe"].map(|name| (name.to_owned(), json!("granted"))).into(),
            ..kept
        };
        assert_eq!(evaluate(&broken, Some(&trace)).result.verdict, Broken);
    }

    #[test]
    fn a_scenario_that_needs_a_failed_stage_leaves_its_checks_unproven() {
        let blocked = Outcome::Blocked { stage: Stage::Migrate, reason: "step 4: expected 200".to_owned() };
        let (check, trace) = call_and_trace(vec![], blocked);
        let result = evaluate(&check, Some(&trace)).result;
        assert_eq!(
            (result.verdict, &*result.actual),
            (Unproven, "needs migrate, which failed: step 4: expected 200")
        );
        assert_eq!(missing_method(&evaluate(&check, Some(&trace)), &trace), None);
    }

    #[test]
    fn a_final_breach_stands_if_a_step_failed_and_no_other_does() {
        let batch = |digest: &str, name: &str| {
            let records = json!([{"id": "a", "updated_at": "2026-06-01T00:00:00Z", "payload": {"id": "a", "name": name}}]);
            let cursor = json!({"from": "0", "to": "1"});
            let batch =
                json!({"resource_kind": "skill", "cursor": cursor, "records": records, "sha256": digest});
            Exchange::from_target("alice").on("POST", "sync").sending(batch).answered(422)
        };
        let verdict = |batch: Exchange, outcome: &Outcome| {
            let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
            let start = ScenarioStart { source: String::new(), seed: Seed(1) };
            let recorder = Transcript::in_memory().begin("x", start, clock);
            let parameters = json!({"kind": "skill", "id": "a", "record": {"id": "a", "name": "a"}});
            let put = Operation { method: "resource.put".into(), parameters, result: None, failure: None };
            recorder.record(None, None, What::Operation(put));
            recorder.record(None, None, What::Exchange(batch));
            recorder.record(None, None, What::End(outcome.clone()));
            let check = PlannedCheck {
                id: "x#1".to_owned(),
                scenario: "x".to_owned(),
                clause: "6.3".parse().expect("a clause"),
                aspect: Aspect::Conduct,
                check: "sync-streams-are-intact".to_owned(),
                basis: covenant_model::contract::Basis::Proposed,
                rests_on: vec![],
                deepens: false,
                requirement: String::new(),
                with: [("peer".to_owned(), json!("alice"))].into(),
            };
            let result = evaluate(&check, Some(&recorder.trace())).result;
            (result.verdict, result.actual)
        };
        let refused = Outcome::from(Fault::target("sync.run: no such peer"));
        let (broken, actual) = verdict(batch("00", "a"), &refused);
        let wanted = "the digest is not that of the records; then the scenario could not go on: sync.run: no such peer";
        assert_eq!((broken, actual.ends_with(wanted)), (Broken, true), "{actual}");
        for ended in
            [Fault::adapter("it ended").into(), Outcome::Unsupported { method: "sync.run".to_owned() }]
        {
            assert_eq!(verdict(batch("00", "a"), &ended).0, Broken, "{ended:?}");
        }
        // An operation that had begun is not recorded, or the trace is wrong itself.
        for ended in [
            Outcome::Interrupted,
            Outcome::EndedAtDeadline { deadline: "1 s".to_owned() },
            Outcome::EndedAtBreach { check: "y#1".to_owned() },
            Outcome::Lacking { lacks: "a kind".to_owned() },
            Fault::scenario("no such label").into(),
            Fault::suite("it panicked").into(),
            Fault::environment("no space").into(),
        ] {
            assert_eq!(verdict(batch("00", "a"), &ended).0, Unproven, "{ended:?}");
        }
        // The operator may still read a record that the target stores otherwise.
        let records =
            json!([{"id": "a", "updated_at": "2026-06-01T00:00:00Z", "payload": {"id": "a", "name": "b"}}]);
        let right = sha256_hex(canonical_json(&records));
        assert_eq!(verdict(batch(&right, "b"), &Outcome::Completed).0, Broken);
        assert_eq!(verdict(batch(&right, "b"), &refused).0, Unproven);
    }

    #[test]
    fn a_trace_that_goes_on_breaks_a_check_that_cites_the_label() {
        let (check, _) = call_and_trace(vec![], Outcome::Completed);
        let call = |status: u16| Exchange::to_target("alice").on("GET", "resources/x/1").answered(status);
        let trace =
            |status: u16| TraceBuilder::new().call("granted", call(204)).call("listed", call(status)).trace();
        assert!(breaks_so_far(&check, &trace(403), "listed"));
        assert!(!breaks_so_far(&check, &trace(204), "listed"));
        assert!(!breaks_so_far(&check, &trace(403), "another"));
    }
}
