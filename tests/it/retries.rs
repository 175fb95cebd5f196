//! `--retries`: a scenario with a broken check is played again, and a check that differs from play to play is flaky.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use covenant::check::Verdict;
use covenant::clock::Seed;
use covenant::contract::Basis;
use covenant::operator::{Embedded, EmbeddedOptions, Lease, OperatorError, TargetRequest, Targets};
use covenant::reference::defect;
use covenant::report::{EvaluatedCheck, Report};
use covenant::runner::{ExternalTarget, NoObserver, Partition, Plan, Selection, Target, assess, merge, play};
use covenant::transcript::{Outcome, Reading, read};
use serde_json::json;

use crate::program::{DEFECT, SHORT};

const PROPERTY: &str = "property/declarations";

/// The reference, which breaks the contract in the first leases of some scenarios alone.
#[derive(Debug)]
struct Flaky {
    broken: Embedded,
    whole: Embedded,
    /// The scenario, or the folder of those scenarios.
    scenarios: &'static str,
    /// The number of their leases that break it.
    breaking: usize,
    leases: Mutex<usize>,
}

impl Flaky {
    fn new(defect_name: &str, scenarios: &'static str, breaking: usize) -> Arc<Self> {
        let embedded = |patches| {
            let listen = std::net::Ipv4Addr::LOCALHOST.into();
            Embedded::new(EmbeddedOptions { listen, patches, settings: json!({}) })
        };
        let patch = defect(defect_name).expect("a defect");
        let (broken, whole) = (embedded(vec![patch]), embedded(vec![]));
        Arc::new(Self { broken, whole, scenarios, breaking, leases: Mutex::default() })
    }

    /// Returns the number of leases of the scenarios that it breaks.
    fn leased(&self) -> usize {
        *self.leases.lock().expect("no panic")
    }
}

#[async_trait]
impl Targets for Flaky {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let is_all = self.scenarios.ends_with('/') && request.scenario.starts_with(self.scenarios);
        let breaks = (is_all || request.scenario == self.scenarios) && {
            let mut leases = self.leases.lock().expect("no panic");
            *leases += 1;
            *leases <= self.breaking
        };
        if breaks { self.broken.lease(request).await } else { self.whole.lease(request).await }
    }
}

fn plan(targets: &Arc<Flaky>, only: &str, retries: u32) -> Plan {
    let target = ExternalTarget { name: "flaky".to_owned(), arguments: vec![], targets: targets.clone() };
    Plan {
        seed: Seed(7),
        target: Target::ExternalTarget(target),
        selection: Selection::new(&[only.to_owned()], &[]).expect("a pattern"),
        cases: 2,
        retries,
        ..Plan::default()
    }
}

async fn played(plan: &Plan) -> Reading {
    let folder = tempfile::tempdir().expect("a folder");
    let transcript = folder.path().join("transcript.jsonl");
    let (_running, stop) = tokio::sync::watch::channel(false);
    let run = plan.prepare(transcript.clone(), stop).expect("a run");
    play(run, Arc::new(NoObserver)).await.expect("it ends");
    read(&transcript).expect("a transcript")
}

/// Returns the only check that is not kept.
fn open(report: &Report) -> &EvaluatedCheck {
    let open: Vec<&EvaluatedCheck> = report
        .checks
        .iter()
        .filter(|check| !matches!(check.evaluation.result.verdict, Verdict::Kept | Verdict::NotApplicable))
        .collect();
    assert_eq!(open.len(), 1, "{open:?}");
    open[0]
}

fn rows<'a>(report: &'a Report, scenario: &str) -> Vec<&'a str> {
    let ids = report.scenarios.iter().map(|row| row.id.as_str());
    ids.filter(|id| id.starts_with(scenario)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_a_further_play_keeps_is_flaky_and_never_kept() {
    let report = assess(&played(&plan(&Flaky::new(DEFECT, SHORT, 2), SHORT, 5)).await);
    let check = open(&report);
    assert_eq!(check.evaluation.check.id, format!("{SHORT}#1"));
    assert_eq!(check.evaluation.result.verdict, Verdict::Unproven);
    let flaky = check.evaluation.flaky.as_ref().expect("it is flaky");
    assert_eq!((flaky.broken, flaky.plays, flaky.trace.as_str()), (2, 3, SHORT));
    assert!(check.evaluation.result.actual.starts_with("flaky: broken in 2 of 3 plays: "), "{check:?}");
    assert!(!check.evaluation.result.evidence.is_empty());
    assert_eq!((report.counts.flaky, report.counts.broken, report.counts.unproven), (1, 0, 1));
    let again = [SHORT.to_owned(), format!("{SHORT} retry 1"), format!("{SHORT} retry 2")];
    assert_eq!(rows(&report, SHORT), again, "it is played until a play keeps the check");
    assert!(report.headline().starts_with("UNPROVEN, flaky: 1 check"), "{}", report.headline());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_every_play_breaks_is_broken_and_one_play_is_the_default() {
    for (retries, breaking, played_rows) in [(2, usize::MAX, 3), (1, 2, 2), (0, 1, 1)] {
        let report = assess(&played(&plan(&Flaky::new(DEFECT, SHORT, breaking), SHORT, retries)).await);
        let check = open(&report);
        assert_eq!((check.evaluation.result.verdict, &check.evaluation.flaky), (Verdict::Broken, &None));
        assert_eq!(report.counts.flaky, 0);
        assert_eq!(rows(&report, SHORT).len(), played_rows, "{retries} retries");
    }
    let whole = assess(&played(&plan(&Flaky::new(DEFECT, SHORT, 0), SHORT, 3)).await);
    assert_eq!(rows(&whole, SHORT), [SHORT], "nothing is broken, so nothing is played again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_is_played_again_with_the_same_cases() {
    let always = Flaky::new(DEFECT, "property/", usize::MAX);
    let report = assess(&played(&plan(&always, PROPERTY, 0)).await);
    assert!(report.counts.broken > 0, "{}", report.headline());
    let first_play = always.leased();
    let report = assess(&played(&plan(&Flaky::new(DEFECT, "property/", first_play), PROPERTY, 3)).await);
    assert_eq!(rows(&report, PROPERTY), [PROPERTY, &format!("{PROPERTY} retry 1")]);
    assert_eq!(report.counts.broken, 0, "{}", report.headline());
    assert!(report.flaky().all(|(_, flaky)| (flaky.broken, flaky.plays) == (1, 2)));
    assert!(report.counts.flaky > 0);
    let report = assess(&played(&plan(&always, PROPERTY, 1)).await);
    assert!(report.counts.broken > 0 && report.counts.flaky == 0, "{}", report.headline());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_breach_in_every_play_ends_a_run_with_fail_fast() {
    let all = [Basis::Observed, Basis::Proposed];
    for (breaking, ends) in [(1, false), (usize::MAX, true)] {
        let plan = plan(&Flaky::new(DEFECT, SHORT, breaking), SHORT, 1);
        let reading = played(&Plan { fail_fast: all.into(), ..plan }).await;
        let is_early = matches!(reading.outcome, Some(Outcome::EndedAtBreach { .. }));
        assert_eq!(is_early, ends, "{:?}", reading.outcome);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_with_retries_merge_into_the_whole() {
    let all = "03-*/*";
    // Each partition has a target of its own, as each of several machines has.
    let whole = assess(&played(&plan(&Flaky::new(DEFECT, SHORT, 1), all, 2)).await);
    let mut parts = Vec::new();
    for part in 1..=3 {
        let partition: Partition = format!("hash:{part}/3").parse().expect("a partition");
        let plan = Plan { partition: Some(partition), ..plan(&Flaky::new(DEFECT, SHORT, 1), all, 2) };
        parts.push((partition.to_string(), played(&plan).await));
    }
    let merged = merge(parts).expect("it merges");
    assert_eq!((merged.counts, whole.counts.flaky), (whole.counts, 1));
    assert_eq!(merged.score, whole.score);
    assert_eq!(rows(&merged, "03-"), rows(&whole, "03-"));
}
