//! `declared-schema-is-accepted`.

use schemars::JsonSchema;
use serde::Deserialize;

use serde_json::Value;

use super::declaration::last_declared;
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome, is_rejected, is_same_number};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;

/// A migration that carries the declared schema version is accepted, as one that carries none is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct DeclaredSchemaIsAccepted {
    /// The migration that carries the declared version.
    pub call: Label,
    /// The same migration without a version.
    pub control: Label,
}

impl Check for DeclaredSchemaIsAccepted {
    const ID: &'static str = "declared-schema-is-accepted";
    const EXPECTED: &'static [&'static str] = &["2xx for the migration, as for its control"];
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let first = |label| calls(trace).labelled(label).first_or("the two migrations were not sent");
        let (call, control) = (first(&self.call)?, first(&self.control)?);
        let evidence = [control.n(), call.n()];
        let outcome = call_outcome(call.exchange);
        if outcome == CallOutcome::Admitted {
            // A target that does not read versions accepts this one as any other.
            let declared = declared_version(trace, call)
                .filter(|declared| is_same_schema(declared, &version_in(call)))
                .or_unproven_at("the target did not declare the version that it accepted", &evidence)?;
            return Ok(Pass::new(format!("{declared} is declared; {}", call.summary()), evidence));
        }
        if call_outcome(control.exchange) != CallOutcome::Admitted {
            return Err(Stop::unproven(format!("neither was accepted: {}", control.summary()), evidence));
        }
        if !is_rejected(call.exchange) {
            return Err(Stop::unproven(
                format!("neither accepted nor refused: {}", call.summary()),
                evidence,
            ));
        }
        if !is_declared(trace, call) {
            let actual = "the version that was refused is not the one that the target declared to the peer";
            return Err(Stop::unproven(actual, evidence));
        }
        let actual = format!("the declared version: {}; none: {}", call.summary(), control.summary());
        Err(Stop::broken(actual, evidence))
    }
}

/// Returns whether a migration carries the schema version that the target last declared to the peer, in the
/// form in which it was declared: a version may be stored in another form than the one in which it was given.
fn is_declared(trace: &Trace, migration: Call<'_>) -> bool {
    let declared = declared_version(trace, migration);
    declared.is_some_and(|declared| is_same_number(Some(&declared), Some(&version_in(migration))))
}

/// Returns the schema version that the target last declared to the peer of a migration, of the kind of its root.
fn declared_version(trace: &Trace, migration: Call<'_>) -> Option<Value> {
    let kind = migration.exchange.sent()?["root_resource_kind"].as_str()?;
    let document = last_declared(trace, &migration.exchange.peer)?;
    Some(document.row(kind)?.schema_version.clone()).filter(|version| !version.is_null())
}

/// Returns the schema version that a plan carries.
fn version_in(migration: Call<'_>) -> Value {
    let sent = migration.exchange.sent();
    sent.map(|plan| plan["plan_summary"]["schema_version"].clone()).unwrap_or_default()
}

/// Returns whether two values are the same schema version: `2`, `2.0`, `"2"` and `"2.0.0"` are.
fn is_same_schema(one: &Value, other: &Value) -> bool {
    let parts = |version: &Value| {
        let text = version.as_str().map_or_else(|| version.to_string(), ToOwned::to_owned);
        let parts = text.trim().split('.').map(str::parse).collect::<Result<Vec<u64>, _>>();
        parts.map(|mut parts| {
            let length = parts.iter().rposition(|part| *part > 0).map_or(1, |last| last + 1);
            parts.truncate(length);
            parts
        })
    };
    one == other || parts(one).is_ok_and(|one| parts(other).is_ok_and(|other| one == other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on a target that declares this schema version, and gives this answer to version 2.
    fn verdict(declared: &Value, status: u16) -> Verdict {
        let done = json!({"data": {"status": "completed"}});
        answered(declared, &done, status, &if status < 300 { done.clone() } else { json!({}) })
    }

    /// Returns the same, if the plan without a version gets the data `plain`, and the other one this status and body.
    fn answered(declared: &Value, plain: &Value, status: u16, body: &Value) -> Verdict {
        let call = |sent: Value, status: u16, body: Value| {
            Exchange::to_target("alice").on("POST", "migrations").sending(sent).answered_with(status, body)
        };
        let rows = json!([{"kind": "skill", "schema_version": declared}]);
        let plan = |summary: Value| json!({"root_resource_kind": "skill", "plan_summary": summary});
        TraceBuilder::new()
            .call(
                "declared",
                call(json!({}), 200, json!({"data": {"capabilities": {"resource_kinds": rows}}})),
            )
            .call("plain", call(plan(json!({})), 201, plain.clone()))
            .call("versioned", call(plan(json!({"schema_version": 2})), status, body.clone()))
            .verdict::<DeclaredSchemaIsAccepted>(json!({"call": "versioned", "control": "plain"}))
    }

    #[test]
    fn the_declared_version_has_to_be_accepted_and_no_other() {
        for same in [json!(2), json!(2.0), json!("2"), json!("2.0.0")] {
            assert_eq!(verdict(&same, 201), Kept, "{same}");
        }
        for other in [json!(null), json!(1), json!("2.1"), json!("two")] {
            assert_eq!(verdict(&other, 201), Unproven, "it declared {other}");
        }
        assert_eq!(verdict(&json!(2.0), 422), Broken);
        assert_eq!(verdict(&json!("2.0.0"), 422), Unproven, "that is what it would have accepted");
        assert_eq!(verdict(&json!(2), 429), Unproven);
    }

    #[test]
    fn a_plan_that_fails_under_a_2xx_is_not_accepted() {
        let with = |status: &str| json!({"data": {"status": status}});
        let (done, failed) = (with("completed"), with("failed"));
        assert_eq!(answered(&json!(2), &done, 201, &failed), Broken);
        assert_eq!(answered(&json!(2), &failed, 201, &failed), Unproven, "no plan is applied");
        assert_eq!(answered(&json!(2), &failed, 422, &failed), Unproven, "the control failed too");
        assert_eq!(answered(&json!(2), &done, 202, &with("validating")), Unproven, "its end is to come");
        assert_eq!(answered(&json!(2), &done, 503, &json!({})), Unproven);
    }
}
