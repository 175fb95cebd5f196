//! The diagnosis of an operator client.

use serde_json::{Value, json};
use url::Url;

use super::Points;
use crate::Blame;
use crate::clock::Seed;
use crate::operator::platform::{Advance, Describe, Start};
use crate::operator::{
    Description, Lease, Method, OperatorClient, OperatorError, OperatorMethod, TargetRequest, Targets,
};

/// Leases a target.
pub(super) async fn lease(points: &mut Points<'_>, targets: &dyn Targets) -> Option<Lease> {
    let request = TargetRequest { scenario: "doctor", seed: Seed(1), alone: true, durable: false };
    match targets.lease(request).await {
        Ok(lease) => Some(lease),
        Err(error) => {
            let hint = "`covenant adapter check` calls it method by method";
            points.failed("operator", error.to_string(), hint, Blame::Adapter);
            None
        }
    }
}

/// Examines the description and the abilities of the operator client, and returns the description and the result of
/// `platform.start`.
pub(super) async fn examine(points: &mut Points<'_>, lease: &Lease) -> (Description, Value) {
    let operator = &*lease.operator;
    let mut description = Description::default();
    if let Ok(reported) = operator.call(Describe::METHOD, json!({})).await {
        description = Description::read(&reported).unwrap_or_default();
        let had = Method::all().filter(|method| description.has(*method)).count();
        let all = Method::all().count();
        let found = format!("{} {}: {had} of {all} methods", description.name, description.version);
        points.fine("operator", found);
        for remark in &description.remarks {
            points.note("describe", remark);
        }
    } else {
        points.note("operator", "does not describe itself");
    }
    match operator.call_nonexistent().await {
        Err(OperatorError::Unsupported { .. }) => {
            points.fine("unsupported", "rejects a method that does not exist");
        }
        other => {
            let found = format!("a method that does not exist was answered: {other:?}");
            let hint = "answer an unknown method with the error -32601";
            points.failed("unsupported", found, hint, Blame::Adapter);
        }
    }
    // A platform that does not run has no clock.
    let started = start(points, operator).await;
    examine_clock(points, operator).await;
    (description, started)
}

async fn examine_clock(points: &mut Points<'_>, operator: &dyn OperatorClient) {
    match operator.call(Advance::METHOD, json!({"seconds": 0})).await {
        Ok(reported) => points.fine("clock", format!("can be moved, and shows {}", reported["now"])),
        Err(OperatorError::Unsupported { .. }) => {
            points.note("clock", "can't be moved: what takes hours or days stays unproven (clock.advance)");
        }
        Err(error) => {
            points.failed("clock", error.to_string(), "fix clock.advance in the adapter", Blame::Adapter);
        }
    }
}

/// Returns the URL of the federation plane in the result of `platform.start`; `None` if it is none.
pub(super) fn base_url(started: &Value) -> Option<Url> {
    let url: Url = started["base_url"].as_str()?.parse().ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

async fn start(points: &mut Points<'_>, operator: &dyn OperatorClient) -> Value {
    match operator.call(Start::METHOD, json!({})).await {
        Ok(started) => {
            if let Some(url) = base_url(&started) {
                points.fine("start", format!("the platform is at {url}"));
            } else {
                let found =
                    format!("base_url: an http or https URL was expected, found {}", started["base_url"]);
                let hint = "fix the result of platform.start in the adapter";
                points.failed("start", found, hint, Blame::Adapter);
            }
            started
        }
        Err(error) => {
            let hint = "see the adapter's log, or name a running platform with --target URL";
            points.failed("start", error.to_string(), hint, Blame::Target);
            Value::Null
        }
    }
}
