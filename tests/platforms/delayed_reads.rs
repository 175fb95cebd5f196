//! A target whose operator sees each change one read late. The poll timeout covers the delay.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use covenant::check::Verdict;
use covenant::operator::{
    Embedded, EmbeddedOptions, Lease, Method, OperatorClient, OperatorError, TargetRequest, Targets,
};
use covenant::runner::{ExternalTarget, Plan, Target};
use serde_json::{Value, json};

/// The methods whose results arrive one read late.
const DELAYED_METHODS: [&str; 3] = ["audit.list", "event.list", "governance.scan"];

/// The reference platform with delayed reads.
#[derive(Debug)]
struct DelayedTargets(Embedded);

#[async_trait]
impl Targets for DelayedTargets {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let lease = self.0.lease(request).await?;
        Ok(Lease {
            operator: Arc::new(DelayedOperator { inner: lease.operator.clone(), reads: Mutex::default() }),
            ..lease
        })
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

struct DelayedOperator {
    inner: Arc<dyn OperatorClient>,
    /// By method and parameters: the last result shown, and true if a newer one was held back.
    reads: Mutex<BTreeMap<String, (Value, bool)>>,
}

#[async_trait]
impl OperatorClient for DelayedOperator {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        let shown = (method.name() == "migration.show").then(|| format!("{method} {parameters}"));
        let key = DELAYED_METHODS.contains(&method.name()).then(|| format!("{method} {parameters}"));
        let current = self.inner.call(method, parameters).await?;
        if let Some(key) = shown {
            return Ok(self.unfinished_at_first(key, current));
        }
        let Some(key) = key else { return Ok(current) };
        let mut reads = self.reads.lock().expect("not poisoned");
        if let Some((shown, is_held_back)) = reads.get_mut(&key)
            && *shown != current
            && !*is_held_back
        {
            *is_held_back = true;
            return Ok(shown.clone());
        }
        reads.insert(key, (current.clone(), false));
        Ok(current)
    }
}

impl DelayedOperator {
    /// Shows a migration that failed as one that goes on, the first time.
    fn unfinished_at_first(&self, key: String, mut shown: Value) -> Value {
        let mut reads = self.reads.lock().expect("not poisoned");
        if reads.insert(key, (Value::Null, false)).is_none() && shown["migration"]["status"] == "failed" {
            shown["migration"]["status"] = json!("applying");
        }
        shown
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn target_with_delayed_reads_is_kept() {
    let listen = std::net::Ipv4Addr::LOCALHOST.into();
    let embedded = Embedded::new(EmbeddedOptions { listen, patches: vec![], settings: json!({}) });
    let external = ExternalTarget {
        name: "a platform with delayed reads".to_owned(),
        arguments: vec![],
        targets: Arc::new(DelayedTargets(embedded)),
    };
    let mut plan = Plan { target: Target::ExternalTarget(external), cases: 1, ..Plan::default() };
    plan.run_context.poll_timeout = Duration::from_secs(2);
    let report = plan.run_to_report().await.expect("a run");
    assert_eq!(report.void, None);
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    let not_kept: Vec<_> = evaluations
        .filter(|evaluation| matches!(evaluation.result.verdict, Verdict::Broken | Verdict::Unproven))
        .map(|evaluation| format!("{}: {}", evaluation.check.id, evaluation.result.actual))
        .collect();
    assert!(not_kept.is_empty(), "{not_kept:#?}");
}
