//! A target whose clock is another one than that of the system, and that no method shows: the peers go by the time of
//! its answers.

use std::sync::Arc;

use async_trait::async_trait;
use covenant::check::Verdict;
use covenant::clock::Clock;
use covenant::operator::{
    ClockSync, Embedded, EmbeddedOptions, Lease, OperatorError, TargetRequest, Targets,
};
use covenant::runner::{ExternalTarget, Plan, Selection, Target};
use serde_json::json;

/// Scenarios with certificates of the peers' own authorities, with grants that end, and with notices of a time.
const SCENARIOS: [&str; 6] = [
    "02-reciprocity-of-grants/rejection-before-grant-expiry-is-noticed",
    "10-backwards-compatibility/adjacent-minor-versions-are-admitted",
    "11-right-of-exit/data-remains-after-revocation-by-peer",
    "11-right-of-exit/other-certificates-are-refused",
    "11-right-of-exit/certificate-of-another-peers-authority-is-refused",
    "property/leaves",
];

/// The reference platform, whose clock begins at a fixed time, with peers that know the clock of the system alone.
#[derive(Debug)]
struct OtherClock(Embedded);

#[async_trait]
impl Targets for OtherClock {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let lease = self.0.lease(request).await?;
        Ok(Lease { clock: Clock::system(), clock_sync: ClockSync::Independent, ..lease })
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_go_by_the_time_that_the_answer_to_an_accept_shows() {
    let listen = std::net::Ipv4Addr::LOCALHOST.into();
    let inner = Embedded::new(EmbeddedOptions { listen, patches: vec![], settings: json!({}) });
    let external = ExternalTarget {
        name: "another clock".to_owned(),
        arguments: vec![],
        targets: Arc::new(OtherClock(inner)),
    };
    let selection = Selection::new(&SCENARIOS.map(str::to_owned), &[]).expect("scenarios");
    let plan = Plan { target: Target::ExternalTarget(external), selection, cases: 4, ..Plan::default() };
    let report = plan.run_to_report().await.expect("a run");
    assert_eq!(report.void, None);
    let others: Vec<String> = report
        .checks
        .iter()
        .map(|evaluated| &evaluated.evaluation)
        .filter(|evaluation| evaluation.result.verdict != Verdict::Kept)
        .map(|evaluation| format!("{}: {}", evaluation.check.id, evaluation.result.actual))
        .collect();
    assert!(report.counts.kept >= 10, "{:?}", report.counts);
    assert!(others.is_empty(), "{others:#?}");
}
