//! A running target that all scenarios share, without a reset between them.

use std::sync::Arc;
use std::time::Duration;

use crate::adapter_server::{AdapterServer, TOKEN, serve};
use covenant::check::Verdict;
use covenant::operator::{Address, At, Http};
use covenant::runner::{ExternalTarget, Plan, Target};
use covenant::wire::generation::CallerForm;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn shared_target_without_reset_gets_the_verdicts_of_fresh_targets() {
    let adapter = AdapterServer::start(false).await;
    let started = adapter.call(&json!({"jsonrpc": "2.0", "id": 1, "method": "platform.start"})).await;
    let started = &started["result"];
    let address = Address {
        base_url: started["base_url"].as_str().and_then(|url| url.parse().ok()).expect("a URL"),
        ca_bundle_pem: started["ca_bundle_pem"].as_str().map(ToOwned::to_owned),
        caller: CallerForm::Tls,
    };
    let (_server, url) = serve(Arc::new(adapter)).await;
    let operator = Http::new(url, None, Some(TOKEN.to_owned()), Duration::from_mins(1));
    let targets = Arc::new(At::new(address, Arc::new(operator)));
    let target =
        Target::ExternalTarget(ExternalTarget { name: "shared".to_owned(), arguments: vec![], targets });
    let mut plan = Plan { target, cases: 1, ..Plan::default() };
    // This platform has completed its work when it responds, so a short timeout is enough.
    plan.run_context.poll_timeout = Duration::from_secs(2);
    let report = plan.run_to_report().await.expect("a run");
    assert_eq!(report.void, None);
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    // A scenario that leaves lasting changes needs a target with a reset.
    let needs_reset = "the operator client does not know the method platform.reset";
    let not_kept: Vec<String> = evaluations
        .filter(|evaluation| matches!(evaluation.result.verdict, Verdict::Broken | Verdict::Unproven))
        .filter(|evaluation| evaluation.result.actual != needs_reset)
        .map(|o| format!("{:?} {} {}: {}", o.result.verdict, o.check.clause, o.check.id, o.result.actual))
        .collect();
    assert!(not_kept.is_empty(), "{not_kept:#?}");
    assert!(report.counts.kept > 140, "{:?}", report.counts);
}
