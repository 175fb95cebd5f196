//! A breach that a trace shows stands, if a later step fails: where nothing that could have followed would undo or excuse it.

use std::sync::Arc;

use covenant::Fault;
use covenant::check::{CheckResult, PlannedCheck, Verdict, evaluate};
use covenant::clock::{Clock, Seed};
use covenant::reference::defect;
use covenant::runner::{NoObserver, Plan, Selection, Target, planned, play};
use covenant::scenario::load;
use covenant::transcript::{Outcome, Recorder, Trace, What, read};

/// The most prefixes of one trace that are evaluated.
const PREFIXES_MAX: usize = 60;

/// Plays scenarios against the reference with a defect, and returns the traces that completed.
async fn played(defect_name: Option<&str>, only: &[&str]) -> Vec<Trace> {
    let folder = tempfile::tempdir().expect("a folder");
    let transcript = folder.path().join("transcript.jsonl");
    let patches = defect_name.map(|name| defect(name).expect("a defect")).into_iter().collect();
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    let plan = Plan {
        seed: Seed(7),
        target: Target::Embedded(patches),
        selection: Selection::new(&only, &[]).expect("patterns"),
        cases: 2,
        ..Plan::default()
    };
    let (_running, stop) = tokio::sync::watch::channel(false);
    let run = plan.prepare(transcript.clone(), stop).expect("a run");
    play(run, Arc::new(NoObserver)).await.expect("it ends");
    let reading = read(&transcript).expect("a transcript");
    let traces = reading.traces();
    traces.filter(|trace| trace.outcome() == Some(&Outcome::Completed)).collect()
}

/// Returns the beginning of a trace, after which a step failed.
fn cut(trace: &Trace, entries: usize, end: &What) -> Trace {
    let recorder = Recorder::in_memory(trace.scenario(), Clock::system());
    recorder.record(None, None, end.clone());
    let mut kept = trace.entries()[..entries].to_vec();
    kept.extend(recorder.trace().entries().last().cloned());
    Trace::new(trace.scenario().to_owned(), kept)
}

fn checks_of(trace: &Trace) -> Vec<PlannedCheck> {
    let source = &trace.start().expect("a start").source;
    planned(trace.scenario(), &load(trace.scenario(), trace.scenario(), source).expect("a scenario"))
}

/// Returns each breach that a beginning of the trace shows, with the result over the whole trace.
fn breaches(trace: &Trace) -> Vec<(PlannedCheck, usize, CheckResult, CheckResult)> {
    let end = What::End(Fault::target("a step failed").into());
    let all = trace.entries().len();
    let mut found = vec![];
    for check in checks_of(trace) {
        let whole = evaluate(&check, Some(trace)).result;
        for entries in (1..all).step_by(all.div_ceil(PREFIXES_MAX)) {
            let result = evaluate(&check, Some(&cut(trace, entries, &end))).result;
            assert_ne!(result.verdict, Verdict::Kept, "{} after {entries} entries", check.id);
            if result.verdict == Verdict::Broken {
                found.push((check.clone(), entries, result, whole.clone()));
            }
        }
    }
    found
}

/// Asserts that the whole trace shows each breach that a beginning shows, and returns how many breaches beginnings show of a
/// check.
fn shown_early(traces: &[Trace], id: &str) -> usize {
    let mut early = 0;
    for trace in traces {
        for (check, entries, result, whole) in breaches(trace) {
            let beginning = format!("{} after {entries} entries: {result:?}", check.id);
            assert_eq!(whole.verdict, Verdict::Broken, "{beginning}, and the whole: {whole:?}");
            assert!(
                result.actual.ends_with("; then the scenario could not go on: a step failed"),
                "{beginning}"
            );
            early += usize::from(check.check == id);
        }
    }
    early
}

#[tokio::test(flavor = "multi_thread")]
async fn no_beginning_of_what_a_conforming_platform_does_shows_a_breach() {
    let traces = played(None, &[]).await;
    assert!(traces.len() > 200, "{} scenarios completed", traces.len());
    let found: Vec<_> =
        traces.iter().flat_map(breaches).map(|(check, entries, ..)| (check.id, entries)).collect();
    assert_eq!(found, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_shows_a_final_breach_and_the_whole_shows_it_too() {
    for (name, scenario, check) in [
        ("discloses-two-part-version", "01-*/target-discloses-itself", "disclosure-member-is-sent"),
        (
            "accepts-white-space-as-last-good-release",
            "01-*/blank-disclosure-*",
            "anonymous-peer-is-not-enrolled",
        ),
        ("syncs-what-left-its-filter", "03-*/record-that-leaves-*", "records-leave-a-filter"),
        ("sends-promised-excerpt-to-anyone", "05-*/promised-*", "promised-excerpt-is-for-its-peer"),
        ("alters-records-after-digest", "06-*/sync-streams-are-intact", "sync-streams-are-intact"),
        ("accepts-forged-tokens", "property/grants", "out-of-grant-requests-are-rejected"),
        ("leaks-record-in-error-details", "06-*/enumeration-is-rejected", "rejections-leak-no-records"),
        ("accepts-any-batch-digest", "06-*/bit-flipped-*", "refused"),
        ("syncs-migration-only-on-auto-policy", "07-*/no-policy-syncs-*", "no-sync-after-migration"),
        ("serves-revoked-peer", "11-*/each-route-refuses-*", "revoked-peers-are-rejected"),
    ] {
        let traces = played(Some(name), &[scenario]).await;
        assert!(shown_early(&traces, check) > 0, "{name}: no beginning shows what {check} finds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breach_by_absence_or_by_a_refusal_is_never_final() {
    for (name, scenario) in [
        ("serves-half-of-declared-kinds", "03-*/declared-kinds-are-served"),
        ("discloses-no-residency", "08-*/target-declares-residency"),
        ("discloses-no-operator-contact", "01-*/target-discloses-itself"),
    ] {
        let traces = played(Some(name), &[scenario]).await;
        let is_broken =
            |check: &PlannedCheck, trace| evaluate(check, Some(trace)).result.verdict == Verdict::Broken;
        assert!(
            traces.iter().any(|trace| checks_of(trace).iter().any(|check| is_broken(check, trace))),
            "{name}"
        );
        assert_eq!(traces.iter().map(|trace| breaches(trace).len()).sum::<usize>(), 0, "{name}");
    }
}
