//! A target whose operator says now and then that it cannot read the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use covenant::check::Verdict;
use covenant::clock::Clock;
use covenant::operator::{
    ClockSync, Embedded, EmbeddedOptions, Lease, Method, OperatorClient, OperatorError, TargetRequest,
    Targets,
};
use covenant::report::Report;
use covenant::runner::{ExternalTarget, Plan, Selection, Target};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The reference platform with a clock of its own, which is read at the given calls of `clock.now` only.
#[derive(Debug)]
struct BusyTargets {
    embedded: Embedded,
    answers: fn(usize) -> bool,
}

#[async_trait]
impl Targets for BusyTargets {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let lease = self.embedded.lease(request).await?;
        let (inner, answers) = (lease.operator.clone(), self.answers);
        Ok(Lease {
            operator: Arc::new(BusyOperator { inner, answers, asked: AtomicUsize::new(0) }),
            clock: Clock::manual(Timestamp::UNIX_EPOCH),
            clock_sync: ClockSync::Follow,
            ..lease
        })
    }

    async fn close(&self) {
        self.embedded.close().await;
    }
}

struct BusyOperator {
    inner: Arc<dyn OperatorClient>,
    answers: fn(usize) -> bool,
    asked: AtomicUsize,
}

#[async_trait]
impl OperatorClient for BusyOperator {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        let is_busy =
            method.name() == "clock.now" && !(self.answers)(self.asked.fetch_add(1, Ordering::Relaxed));
        if is_busy {
            Err(OperatorError::refused(method, -32000, "busy"))
        } else {
            self.inner.call(method, parameters).await
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_that_is_busy_once_is_asked_again() {
    let report = run(|call| call % 2 == 1).await;
    assert_eq!(report.void, None);
    let not_kept = of_verdicts(&report, &[Verdict::Broken, Verdict::Unproven]);
    assert!(not_kept.is_empty(), "{not_kept:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_that_is_never_read_leaves_the_checks_unproven() {
    let report = run(|call| call < 10).await;
    let broken = of_verdicts(&report, &[Verdict::Broken]);
    assert!(broken.is_empty(), "{broken:#?}");
    let unproven = of_verdicts(&report, &[Verdict::Unproven]);
    assert!(unproven.iter().any(|line| line.contains("clock.now: busy")), "{unproven:#?}");
}

async fn run(answers: fn(usize) -> bool) -> Report {
    let listen = std::net::Ipv4Addr::LOCALHOST.into();
    let embedded = Embedded::new(EmbeddedOptions { listen, patches: vec![], settings: json!({}) });
    let targets = Arc::new(BusyTargets { embedded, answers });
    let target = Target::ExternalTarget(ExternalTarget {
        name: "a busy platform".to_owned(),
        arguments: vec![],
        targets,
    });
    let selection = Selection::new(&["02-*/*".to_owned()], &[]).expect("a pattern");
    Plan { target, selection, cases: 1, ..Plan::default() }.run_to_report().await.expect("a run")
}

fn of_verdicts(report: &Report, verdicts: &[Verdict]) -> Vec<String> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    evaluations
        .filter(|evaluation| verdicts.contains(&evaluation.result.verdict))
        .map(|evaluation| format!("{}: {}", evaluation.check.id, evaluation.result.actual))
        .collect()
}
