//! A target whose operator can store no record: a peer of the suite places it with a migration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant::check::{Verdict, check_with_id};
use covenant::operator::{
    Embedded, EmbeddedOptions, Lease, Method, OperatorClient, OperatorError, TargetRequest, Targets,
};
use covenant::reference::defect;
use covenant::report::Report;
use covenant::runner::{ExternalTarget, Plan, Selection, Target};
use serde_json::{Value, json};

const PUT: &str = "resource.put";

/// The reference platform without `resource.put`.
#[derive(Debug)]
struct WithoutPut {
    inner: Embedded,
    mistrusted: Option<&'static str>,
}

#[async_trait]
impl Targets for WithoutPut {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let lease = self.inner.lease(request).await?;
        let operator = Operator { inner: lease.operator.clone(), mistrusted: self.mistrusted };
        Ok(Lease { operator: Arc::new(operator), ..lease })
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

struct Operator {
    inner: Arc<dyn OperatorClient>,
    /// The subject of the grants whose tokens are not valid at the target.
    mistrusted: Option<&'static str>,
}

#[async_trait]
impl OperatorClient for Operator {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        if method.name() == PUT {
            return Err(OperatorError::Unsupported { method: PUT.to_owned() });
        }
        let is_mistrusted = self.mistrusted.is_some_and(|subject| parameters["remote_subject"] == subject);
        let mut result = self.inner.call(method, parameters).await?;
        if is_mistrusted {
            result["bearer_token"] = json!("fgs.none.none");
        }
        Ok(result)
    }
}

/// Scenarios in which the operator would store a record: all checks of the first two ask whether peers are served, and one check
/// of the third one does not ask for the record itself.
const SCENARIOS: [&str; 3] =
    ["02-*/revoked-grant-stops-at-once", "06-*/each-enumeration-is-rejected", "07-*/failure-leaves-nothing"];
const REVOKED: &str = "02-reciprocity-of-grants/revoked-grant-stops-at-once#1";

/// Plays scenarios against the reference with a defect, whose tokens for a subject may be not valid.
async fn run(defect_name: Option<&str>, mistrusted: Option<&'static str>, only: &[&str]) -> Report {
    let listen = std::net::Ipv4Addr::LOCALHOST.into();
    let patches = defect_name.map(|name| defect(name).expect("a defect")).into_iter().collect();
    let inner = Embedded::new(EmbeddedOptions { listen, patches, settings: json!({}) });
    let targets = Arc::new(WithoutPut { inner, mistrusted });
    let target =
        Target::ExternalTarget(ExternalTarget { name: "without put".to_owned(), arguments: vec![], targets });
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    let selection = Selection::new(&only, &[]).expect("scenarios");
    let mut plan = Plan { target, selection, cases: 0, ..Plan::default() };
    // The reference has completed all when it answers.
    plan.run_context.poll_timeout = Duration::ZERO;
    plan.run_to_report().await.expect("a run")
}

/// Returns the verdict of each check that was evaluated, and what was seen.
fn results(report: &Report) -> BTreeMap<&str, (Verdict, &str)> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    let played = evaluations.filter(|it| !it.result.actual.contains("was not run"));
    played.map(|it| (&*it.check.id, (it.result.verdict, &*it.result.actual))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_a_peer_placed_is_read_where_a_check_takes_it_and_is_of_no_use_elsewhere() {
    let report = run(None, None, &SCENARIOS).await;
    assert_eq!(report.void, None);
    let takes = |id: &str| check_with_id(id).expect("a check").takes_placed;
    for evaluation in report.checks.iter().map(|evaluated| &evaluated.evaluation) {
        let (check, actual) = (&evaluation.check, &evaluation.result.actual);
        let is_right = match evaluation.result.verdict {
            Verdict::Kept => takes(&check.check),
            Verdict::Unproven => !takes(&check.check),
            Verdict::NotApplicable => !takes(&check.check) && check.deepens,
            Verdict::Broken => false,
        };
        assert!(is_right, "{}: {actual}", check.id);
        assert_eq!(actual.contains(PUT), !takes(&check.check), "{}: {actual}", check.id);
    }
    let missing: Vec<&str> = report.missing_methods.iter().map(|missing| &*missing.method).collect();
    assert_eq!(missing, [PUT], "what is left needs it");
}

#[tokio::test(flavor = "multi_thread")]
async fn breaches_show_on_a_record_that_a_peer_placed() {
    for (name, broken) in [
        ("honours-revoked-grants", REVOKED),
        ("ignores-resource-id-of-grant", "06-no-undermining/each-enumeration-is-rejected#9"),
    ] {
        let report = run(Some(name), None, &SCENARIOS[..2]).await;
        let results = results(&report);
        assert_eq!(results[broken].0, Verdict::Broken, "{name}: {results:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_nobody_else_reads_is_not_placed() {
    for (mistrusted, reason) in [
        ("courier", "its migration was answered 401"),
        ("recipient", "recipient asked for it, and the answer was 401"),
    ] {
        let report = run(None, Some(mistrusted), &[SCENARIOS[0]]).await;
        let results = results(&report);
        let (verdict, actual) = results[REVOKED];
        assert_eq!(verdict, Verdict::Unproven, "{actual}");
        let begin =
            "the operator client does not know the method resource.put; no peer could place the record";
        assert!(actual.starts_with(begin) && actual.contains(reason), "{actual}");
    }
}
