//! A platform that shows its operator everything a look too late: what is due has its time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use covenant::check::Verdict;
use covenant::operator::{
    Embedded, EmbeddedOptions, Lease, OperatorClient, OperatorError, TargetRequest, Targets,
};
use covenant::suite::{ExternalTarget, Plan, Target};
use serde_json::{Value, json};

/// What an operator looks at, and may see change a little later.
const LOOKS: [&str; 3] = ["audit.list", "event.list", "governance.scan"];

/// The reference platform, its operator's looks always one behind.
#[derive(Debug)]
struct Late(Embedded);

#[async_trait]
impl Targets for Late {
    async fn lease(&self, wish: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let lease = self.0.lease(wish).await?;
        Ok(Lease {
            operator: Arc::new(LateOperator { inner: lease.operator.clone(), seen: Mutex::default() }),
            ..lease
        })
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

struct LateOperator {
    inner: Arc<dyn OperatorClient>,
    /// By method and parameters: what was shown last, and whether something newer was held back.
    seen: Mutex<BTreeMap<String, (Value, bool)>>,
}

#[async_trait]
impl OperatorClient for LateOperator {
    async fn call(&self, method: &str, parameters: Value) -> Result<Value, OperatorError> {
        let look = LOOKS.contains(&method).then(|| format!("{method} {parameters}"));
        let truth = self.inner.call(method, parameters).await?;
        let Some(look) = look else { return Ok(truth) };
        let mut seen = self.seen.lock().expect("no look panics");
        if let Some((shown, is_held_back)) = seen.get_mut(&look)
            && *shown != truth
            && !*is_held_back
        {
            *is_held_back = true;
            return Ok(shown.clone());
        }
        seen.insert(look, (truth.clone(), false));
        Ok(truth)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_a_little_late_is_no_breach() {
    let listen = std::net::Ipv4Addr::LOCALHOST.into();
    let embedded = Embedded::new(EmbeddedOptions { listen, patches: vec![], settings: json!({}) });
    let external = ExternalTarget {
        name: "a late platform".to_owned(),
        arguments: vec![],
        targets: Arc::new(Late(embedded)),
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
