//! A platform that runs already: one for all scenarios, and nothing is reset between them.

use std::sync::Arc;
use std::time::Duration;

use crate::desk::{Desk, TOKEN, serve};
use covenant::check::Verdict;
use covenant::operator::{Address, At, Http};
use covenant::suite::{ExternalTarget, Plan, Target};
use covenant::wire::header::CallerForm;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn one_platform_for_all_scenarios_gets_the_verdicts_of_fresh_ones() {
    let desk = Desk::open(false).await;
    let started = desk.call(&json!({"jsonrpc": "2.0", "id": 1, "method": "platform.start"})).await;
    let started = &started["result"];
    let address = Address {
        base_url: started["base_url"].as_str().and_then(|url| url.parse().ok()).expect("a URL"),
        ca_bundle_pem: started["ca_bundle_pem"].as_str().map(ToOwned::to_owned),
        caller: CallerForm::Tls,
    };
    let (_server, url) = serve(Arc::new(desk)).await;
    let operator = Http::new(url, None, Some(TOKEN.to_owned()), Duration::from_mins(1));
    let targets = Arc::new(At::new(address, Arc::new(operator)));
    let target =
        Target::ExternalTarget(ExternalTarget { name: "shared".to_owned(), arguments: vec![], targets });
    let mut plan = Plan { target, cases: 1, ..Plan::default() };
    // What this platform does it has done when it answers: there is nothing to wait long for.
    plan.run_context.poll_timeout = Duration::from_secs(2);
    let report = plan.run_to_report().await.expect("a run");
    assert_eq!(report.void, None);
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    // What a scenario can't leave as it found it needs a platform that can be made again.
    let for_want_of_a_reset = "the adapter does not know the method platform.reset";
    let not_kept: Vec<String> = evaluations
        .filter(|evaluation| evaluation.result.verdict != Verdict::Kept)
        .filter(|evaluation| evaluation.result.actual != for_want_of_a_reset)
        .map(|o| format!("{:?} {} {}: {}", o.result.verdict, o.check.clause, o.check.id, o.result.actual))
        .collect();
    assert!(not_kept.is_empty(), "{not_kept:#?}");
    assert!(report.counts.kept > 140, "{:?}", report.counts);
}
