//! A platform that shows its operator everything a look too late: what is due has its time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use covenant::check::Verdict;
use covenant::operator::{Embedded, EmbeddedOptions, Hands, HandsError, Lease, Targets, Wish};
use covenant::suite::{Plan, Plugged, Target};
use serde_json::{Value, json};

/// What an operator looks at, and may see change a little later.
const LOOKS: [&str; 3] = ["audit.list", "event.list", "governance.scan"];

/// The reference platform, its operator's looks always one behind.
#[derive(Debug)]
struct Late(Embedded);

#[async_trait]
impl Targets for Late {
    async fn lease(&self, wish: Wish<'_>) -> Result<Lease, HandsError> {
        let lease = self.0.lease(wish).await?;
        Ok(Lease {
            hands: Arc::new(LateHands { inner: lease.hands.clone(), seen: Mutex::default() }),
            ..lease
        })
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

struct LateHands {
    inner: Arc<dyn Hands>,
    /// By verb and parameters: what was shown last, and whether something newer was held back.
    seen: Mutex<BTreeMap<String, (Value, bool)>>,
}

#[async_trait]
impl Hands for LateHands {
    async fn perform(&self, verb: &str, parameters: Value) -> Result<Value, HandsError> {
        let look = LOOKS.contains(&verb).then(|| format!("{verb} {parameters}"));
        let truth = self.inner.perform(verb, parameters).await?;
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
    let plugged =
        Plugged { name: "a late platform".to_owned(), arguments: vec![], targets: Arc::new(Late(embedded)) };
    let mut plan = Plan { target: Target::Plugged(plugged), cases: 1, ..Plan::default() };
    plan.surroundings.patience = Duration::from_secs(2);
    let report = plan.judge().await.expect("a run");
    assert_eq!(report.void, None);
    let outcomes = report.checks.iter().map(|judged| &judged.outcome);
    let not_kept: Vec<_> = outcomes
        .filter(|outcome| matches!(outcome.judgement.verdict, Verdict::Broken | Verdict::Unproven))
        .map(|outcome| format!("{}: {}", outcome.check.id, outcome.judgement.actual))
        .collect();
    assert!(not_kept.is_empty(), "{not_kept:#?}");
}
