//! A target whose operator client lacks one method. What can't be seen without it is unproven, and nothing of it is the fault
//! of the target.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant::Blame;
use covenant::check::Verdict;
use covenant::operator::peer::PeerMethod;
use covenant::operator::{
    Embedded, EmbeddedOptions, Lease, Method, OperatorClient, OperatorError, TargetRequest, Targets,
};
use covenant::report::Report;
use covenant::runner::{ExternalTarget, Plan, Selection, Target, library};
use covenant::transcript::Outcome;
use serde_json::{Value, json};

/// Methods without which no scenario is played.
const NEEDED: [&str; 3] = ["describe", "platform.start", "peer.propose"];

/// The reference platform, whose operator client lacks a method.
#[derive(Debug)]
struct Lacking {
    inner: Embedded,
    method: Method,
}

#[async_trait]
impl Targets for Lacking {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let lease = self.inner.lease(request).await?;
        let operator = LackingOperator { inner: lease.operator.clone(), method: self.method };
        Ok(Lease { operator: Arc::new(operator), ..lease })
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

struct LackingOperator {
    inner: Arc<dyn OperatorClient>,
    method: Method,
}

#[async_trait]
impl OperatorClient for LackingOperator {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        if method == self.method {
            return Err(OperatorError::unsupported(method));
        }
        self.inner.call(method, parameters).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_method_is_no_fault_of_the_target() {
    let mut seen = vec![];
    for method in Method::all().filter(|method| !NEEDED.contains(&method.name())) {
        let scenarios = scenarios_with(method);
        if scenarios.is_empty() {
            continue;
        }
        let report = run(method, &scenarios).await;
        assert_eq!(report.void, None, "{}", method.name());
        let broken = report.checks.iter().map(|evaluated| &evaluated.evaluation);
        let broken = broken.filter(|evaluation| evaluation.result.verdict == Verdict::Broken);
        seen.extend(broken.map(|evaluation| {
            format!("{}: {}: {}", method.name(), evaluation.check.id, evaluation.result.actual)
        }));
        for row in &report.scenarios {
            if let Some(Outcome::Aborted(fault)) = &row.outcome
                && fault.blame == Blame::Target
            {
                seen.push(format!("{}: {}: {fault}", method.name(), row.id));
            }
        }
    }
    assert!(seen.is_empty(), "{seen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn step_that_expects_a_result_that_was_left_out_names_the_method() {
    let scenario = "11-right-of-exit/data-remains-after-revocation-by-peer".to_owned();
    let report = run(Method::Peer(PeerMethod::Show), &[scenario]).await;
    let of_it = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    let of_it: Vec<_> = of_it.filter(|evaluation| evaluation.check.scenario.starts_with("11-")).collect();
    assert!(!of_it.is_empty());
    for evaluation in of_it {
        let result = &evaluation.result;
        let is_left = evaluation.check.deepens && result.verdict == Verdict::NotApplicable;
        assert!(result.verdict == Verdict::Unproven || is_left, "{evaluation:?}");
        assert!(result.actual.contains("does not know the method peer.show"), "{}", result.actual);
    }
}

async fn run(method: Method, scenarios: &[String]) -> Report {
    let listen = std::net::Ipv4Addr::LOCALHOST.into();
    let inner = Embedded::new(EmbeddedOptions { listen, patches: vec![], settings: json!({}) });
    let external = ExternalTarget {
        name: format!("no {}", method.name()),
        arguments: vec![],
        targets: Arc::new(Lacking { inner, method }),
    };
    let selection = Selection::new(scenarios, &[]).expect("scenarios");
    let mut plan = Plan { target: Target::ExternalTarget(external), selection, cases: 0, ..Plan::default() };
    // The reference has completed all when it answers.
    plan.run_context.poll_timeout = Duration::ZERO;
    plan.run_to_report().await.expect("a run")
}

/// Returns scenarios with a step of the method: a limited number, at equal distances from the first one to the last one.
fn scenarios_with(method: Method) -> Vec<String> {
    let library = library(None).expect("the built-in scenarios");
    let quoted = format!("\"{}\"", method.name());
    let all = library.iter().filter(|loaded| loaded.source.contains(&quoted));
    let all: Vec<&str> = all.map(|loaded| loaded.id.as_str()).collect();
    let count = all.len().min(crate::SCENARIOS_OF_A_CHECK);
    let at = |n: usize| if count < 2 { 0 } else { n * (all.len() - 1) / (count - 1) };
    (0..count).map(|n| all[at(n)].to_owned()).collect()
}
