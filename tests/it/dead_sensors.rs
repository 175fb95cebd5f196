//! A target of which one sensor is dead: what an operator reads is empty or unreadable, or a call that serves as a
//! positive control does nothing. A check that passes by absence, or that reads by that sensor, is unproven there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant::check::Verdict;
use covenant::operator::{
    Embedded, EmbeddedOptions, Lease, Method, OperatorClient, OperatorError, TargetRequest, Targets,
};
use covenant::report::Report;
use covenant::runner::{ExternalTarget, Plan, Selection, Target, library, planned};
use covenant::scenario::Loaded;
use serde_json::{Value, json};

/// A dead sensor, and the checks that can't see without it.
struct DeadSensor {
    /// The kind of absence, in words.
    name: &'static str,
    method: &'static str,
    /// Returns what the method gives instead of its result; `None` if the platform refuses it.
    instead: fn() -> Option<Value>,
    /// The checks that are unproven in each scenario, neither kept nor broken.
    blind: &'static [&'static str],
}

/// One row for each kind of positive control in `docs/checks.md` that an operator client can take away.
const DEAD_SENSORS: &[DeadSensor] = &[
    DeadSensor {
        name: "the audit lists nothing",
        method: "audit.list",
        instead: || Some(json!({"entries": []})),
        blind: &["foreign-entries-are-not-stored"],
    },
    DeadSensor {
        name: "no record is listed",
        method: "resource.list",
        instead: || Some(json!({"resources": []})),
        blind: &["originals-kept", "other-records-are-unchanged", "rejected-records-are-not-stored"],
    },
    DeadSensor {
        name: "records are listed in an unknown form",
        method: "resource.list",
        instead: || Some(json!({"resources": "see the table"})),
        blind: &[
            "ids-are-preserved",
            "migration-claims-match-records",
            "migration-is-atomic",
            "originals-kept",
            "other-records-are-unchanged",
            "rejected-records-are-not-stored",
            "steps-apply-in-order",
        ],
    },
    DeadSensor {
        name: "no overlay address is listed",
        method: "overlay.list",
        instead: || Some(json!({"addresses": []})),
        blind: &["overlay-unmounted"],
    },
    DeadSensor {
        name: "no grant is listed",
        method: "grant.list",
        instead: || Some(json!({"grants": []})),
        blind: &["no-grants-by-program"],
    },
    DeadSensor {
        name: "no peer is listed",
        method: "peer.list",
        instead: || Some(json!({"peers": []})),
        blind: &["anonymous-peer-is-not-joined", "joins-same-version-only"],
    },
    DeadSensor {
        name: "no peer is shown",
        method: "peer.show",
        instead: || Some(json!({"peer": {}})),
        blind: &["anonymous-peer-is-not-enrolled", "no-acknowledgement-recorded", "suspended-until-resumed"],
    },
    DeadSensor {
        name: "nothing is synced, of any kind",
        method: "sync.run",
        instead: || Some(json!({})),
        blind: &["no-sync-after-migration"],
    },
    DeadSensor {
        name: "no join succeeds",
        method: "peer.join",
        instead: || None,
        blind: &["anonymous-peer-is-not-joined", "join-avoids-deprecated-version", "joins-same-version-only"],
    },
    DeadSensor {
        name: "no grant is honoured",
        method: "grant.issue",
        instead: || {
            Some(json!({"grant_id": "g", "bearer_token": "fgs.g.none", "expires_at": "2030-01-01T00:00:00Z"}))
        },
        blind: &["ended-grant-is-rejected", "rejections-leak-no-records"],
    },
    DeadSensor {
        name: "events are in an unknown form",
        method: "event.list",
        instead: || Some(json!({"events": "see the log"})),
        blind: &["crossing-is-reported"],
    },
    DeadSensor {
        name: "findings are in an unknown form",
        method: "governance.scan",
        instead: || Some(json!({"findings": "see the dashboard"})),
        blind: &["drift-is-reported", "finding-raised", "flood-reported", "short-notice-is-reported"],
    },
];

/// The reference platform with a dead sensor.
#[derive(Debug)]
struct BlindTargets {
    inner: Embedded,
    method: &'static str,
    instead: fn() -> Option<Value>,
}

#[async_trait]
impl Targets for BlindTargets {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let lease = self.inner.lease(request).await?;
        let operator =
            BlindOperator { inner: lease.operator.clone(), method: self.method, instead: self.instead };
        Ok(Lease { operator: Arc::new(operator), ..lease })
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

struct BlindOperator {
    inner: Arc<dyn OperatorClient>,
    method: &'static str,
    instead: fn() -> Option<Value>,
}

#[async_trait]
impl OperatorClient for BlindOperator {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        if method.name() != self.method {
            return self.inner.call(method, parameters).await;
        }
        let refused = || OperatorError::Refused {
            method: self.method.to_owned(),
            code: -32009,
            message: "not now".to_owned(),
        };
        (self.instead)().ok_or_else(refused)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_sensor_would_show_is_unproven() {
    let mut seen = vec![];
    for sensor in DEAD_SENSORS {
        let report = run(sensor).await;
        assert_eq!(report.void, None, "{}", sensor.name);
        let mut verdicts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for evaluated in &report.checks {
            let (check, result) = (&evaluated.evaluation.check, &evaluated.evaluation.result);
            let found = verdicts.entry(&check.check).or_default();
            // What a deepening check cannot show is not applicable in place of unproven: it keeps nothing.
            let is_left = check.deepens && result.verdict == Verdict::NotApplicable;
            if result.verdict != Verdict::Unproven && !is_left {
                found.push(format!(
                    "{}: {} is {:?}: {}",
                    sensor.name, check.id, result.verdict, result.actual
                ));
            }
        }
        for check in sensor.blind {
            match verdicts.get(check) {
                Some(found) => seen.extend(found.iter().cloned()),
                None => seen.push(format!("{}: {check} was not evaluated", sensor.name)),
            }
        }
    }
    assert!(seen.is_empty(), "{seen:#?}");
}

async fn run(sensor: &DeadSensor) -> Report {
    let listen = std::net::Ipv4Addr::LOCALHOST.into();
    let inner = Embedded::new(EmbeddedOptions { listen, patches: vec![], settings: json!({}) });
    let external = ExternalTarget {
        name: sensor.name.to_owned(),
        arguments: vec![],
        targets: Arc::new(BlindTargets { inner, method: sensor.method, instead: sensor.instead }),
    };
    let selection = Selection::new(&scenarios_of(sensor.blind), &[]).expect("scenarios");
    let mut plan = Plan { target: Target::ExternalTarget(external), selection, cases: 0, ..Plan::default() };
    // The reference has completed all when it answers.
    plan.run_context.poll_timeout = Duration::ZERO;
    plan.run_to_report().await.expect("a run")
}

/// Returns scenarios that evaluate the checks. Of the scenarios of one check it returns a limited number, at equal distances
/// from the first one to the last one.
fn scenarios_of(checks: &[&str]) -> Vec<String> {
    let library = library(None).expect("the built-in scenarios");
    let mut chosen = BTreeSet::new();
    for check in checks {
        let evaluates =
            |loaded: &&Loaded| planned(&loaded.id, loaded).iter().any(|planned| planned.check == *check);
        let all: Vec<&str> = library.iter().filter(evaluates).map(|loaded| loaded.id.as_str()).collect();
        let count = all.len().min(crate::SCENARIOS_OF_A_CHECK);
        let at = |n: usize| if count < 2 { 0 } else { n * (all.len() - 1) / (count - 1) };
        chosen.extend((0..count).map(|n| all[at(n)].to_owned()));
    }
    chosen.into_iter().collect()
}
