//! A UUID is a value: a platform that writes its ids in upper case, in braces or as URNs to its operator keeps what it
//! kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant::check::Verdict;
use covenant::operator::{
    Embedded, EmbeddedOptions, Lease, Method, OperatorClient, OperatorError, TargetRequest, Targets,
};
use covenant::report::Report;
use covenant::runner::{ExternalTarget, Plan, Target};
use covenant::transcript::usual_text;
use serde_json::{Value, json};

/// A way to write a UUID.
type Form = fn(&str) -> String;

/// The reference platform behind an operator client that writes ids in a form of its own.
#[derive(Debug)]
struct Writing {
    inner: Embedded,
    form: Form,
}

#[async_trait]
impl Targets for Writing {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let lease = self.inner.lease(request).await?;
        let operator = WritingOperator { inner: lease.operator.clone(), form: self.form };
        Ok(Lease { operator: Arc::new(operator), ..lease })
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

struct WritingOperator {
    inner: Arc<dyn OperatorClient>,
    form: Form,
}

#[async_trait]
impl OperatorClient for WritingOperator {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        let parameters = each_text(parameters, &|text| usual_text(text).unwrap_or_else(|| text.to_owned()));
        let result = self.inner.call(method, parameters).await?;
        // What is stored for the user comes back as it was stored.
        let is_content = ["audit.list", "resource.get", "resource.list"].contains(&method.name());
        let write = |text: &str| {
            let is_usual = text.len() == 36 && uuid::Uuid::try_parse(text).is_ok();
            if is_usual && !is_content { (self.form)(text) } else { text.to_owned() }
        };
        Ok(each_text(result, &write))
    }

    fn settles_at_once(&self) -> bool {
        self.inner.settles_at_once()
    }
}

fn each_text(value: Value, write: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(write(&text)),
        Value::Array(items) => items.into_iter().map(|item| each_text(item, write)).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, member)| (name, each_text(member, write)));
            Value::Object(members.collect())
        }
        other => other,
    }
}

async fn run(form: Form) -> Report {
    let listen = std::net::Ipv4Addr::LOCALHOST.into();
    let inner = Embedded::new(EmbeddedOptions { listen, patches: vec![], settings: json!({}) });
    let targets = Arc::new(Writing { inner, form });
    let external = ExternalTarget { name: "writing".to_owned(), arguments: vec![], targets };
    let mut plan = Plan { target: Target::ExternalTarget(external), cases: 1, ..Plan::default() };
    plan.run_context.poll_timeout = Duration::from_secs(2);
    plan.run_to_report().await.expect("a run")
}

fn verdicts(report: &Report) -> BTreeMap<String, (Verdict, String)> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    let row = |result: &covenant::check::CheckResult| (result.verdict, result.actual.clone());
    evaluations.map(|evaluation| (evaluation.check.id.clone(), row(&evaluation.result))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_an_id_changes_no_verdict() {
    let usual = verdicts(&run(str::to_owned).await);
    for form in [str::to_uppercase as Form, |id| format!("urn:uuid:{id}"), |id| format!("{{{id}}}")] {
        let report = run(form).await;
        assert_eq!(report.void, None);
        let changed = verdicts(&report).into_iter().filter(|(id, (verdict, _))| usual[id].0 != *verdict);
        let changed: Vec<_> = changed.collect();
        assert!(changed.is_empty(), "{}: {changed:#?}", form("x"));
    }
}
