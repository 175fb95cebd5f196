//! 3.2: declared schema versions are run.

use crate::check::CheckResult;
use crate::check::common::{RETRYABLE_STATUS, is_same_number, reply_summary};
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Exchange, Trace};
use covenant_model::wire::capability::CapabilityDocument;

pub(super) const DECLARED_SCHEMA_IS_RUN: LegacyCheck = LegacyCheck {
    name: "declared-schema-is-accepted",
    about: "a migration that carries the declared schema version is taken, as one that carries none is",
    parameters: &[
        LegacyParameter::required("call", "label of the migration that carries the declared version"),
        LegacyParameter::required("control", "label of the same migration that carries none"),
    ],
    evaluate: declared_schema_is_run,
};

fn declared_schema_is_run(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("2xx for the migration, as for its control");
    let call = trace.exchanges_labelled(with.text("call")).next();
    let control = trace.exchanges_labelled(with.text("control")).next();
    let (Some((n, call)), Some((control_n, control))) = (call, control) else {
        return expect(CheckResult::unproven("the two migrations were not sent", vec![]));
    };
    let evidence = vec![control_n, n];
    match (call.succeeded(), control.succeeded()) {
        (true, _) => expect(CheckResult::kept(reply_summary(call), evidence)),
        (false, true) if !is_declared(trace, call) => {
            let actual = "the version was refused, which is not the one that the target told the peer of";
            expect(CheckResult::unproven(actual, evidence))
        }
        (false, true) if call.status().is_some_and(|status| !RETRYABLE_STATUS.contains(&status)) => {
            let actual =
                format!("the declared version: {}; none: {}", reply_summary(call), reply_summary(control));
            expect(CheckResult::broken(actual, evidence))
        }
        _ => {
            expect(CheckResult::unproven(format!("neither was taken: {}", reply_summary(control)), evidence))
        }
    }
}

/// Returns whether a migration carries the schema version that the target last reported to the peer, in the
/// form in which it was reported: a version may be stored in another form than the one in which it was given.
fn is_declared(trace: &Trace, migration: &Exchange) -> bool {
    let recorded = trace
        .exchanges_of(&migration.peer, Direction::ToTarget)
        .filter_map(|(_, exchange)| CapabilityDocument::read(exchange.data()?.get("capabilities")?));
    let Some(plan) = migration.sent() else { return false };
    let version = &plan["plan_summary"]["schema_version"];
    let kind = plan["root_resource_kind"].as_str().unwrap_or_default();
    let recorded =
        recorded.filter_map(|document| Some(document.row(kind)?.schema_version.clone())).next_back();
    recorded.is_some_and(|recorded| is_same_number(Some(&recorded), Some(version)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Recorder, What};
    use serde_json::{Value, json};

    /// Returns the verdict on a target that reports this schema version, and gives this answer to version 2.
    fn verdict(recorded: &Value, status: u16) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let record = |label: &str, sent: &Value, status: u16, body: &Value| {
            let exchange =
                Exchange::to_target("alice").sending(sent.clone()).answered_with(status, body.clone());
            recorder.record(None, Some(label), What::Exchange(exchange));
        };
        let rows = json!([{"kind": "skill", "schema_version": recorded}]);
        record("told", &json!({}), 200, &json!({"data": {"capabilities": {"resource_kinds": rows}}}));
        let plan = |summary: Value| json!({"root_resource_kind": "skill", "plan_summary": summary});
        record("plain", &plan(json!({})), 201, &json!({"data": {}}));
        record("versioned", &plan(json!({"schema_version": 2})), status, &json!({}));
        let with = [("call", "versioned"), ("control", "plain")]
            .map(|(name, label)| (name.to_owned(), json!(label)))
            .into();
        declared_schema_is_run(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn the_version_that_was_reported_has_to_be_taken_and_no_other() {
        assert_eq!(verdict(&json!(2), 201), Kept);
        assert_eq!(verdict(&json!(2.0), 422), Broken);
        assert_eq!(verdict(&json!("2.0.0"), 422), Unproven, "that is what it would have taken");
        assert_eq!(verdict(&json!(2), 429), Unproven);
    }
}
