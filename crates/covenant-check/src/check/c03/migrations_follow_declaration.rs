//! `migrations-follow-declaration`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::operator::OperatorMethod;
use covenant_model::operator::capability::{Declare, List};
use covenant_model::operator::resource::Put;
use covenant_model::transcript::{Operation, Trace};
use covenant_model::wire::capability::takes_no_migration;
use covenant_model::wire::path::Route;

/// The target applies no migration of a kind of which it declares that it does not migrate, or only flows out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct MigrationsFollowDeclaration {
    /// The call whose answer has the target's capabilities. Every `capability.list` counts too.
    pub declaration: Label,
    /// The migrations of such kinds.
    pub call: Label,
    /// A migration of another kind, which is accepted.
    pub control: Label,
}

impl Check for MigrationsFollowDeclaration {
    const ID: &'static str = "migrations-follow-declaration";
    const EXPECTED: &'static [&'static str] =
        &["4xx for the migration of a kind that is declared as one that takes none"];
    const CONTROL: Option<&'static str> = Some(
        "the operator stored a record like the refused one, and a migration of another kind is accepted",
    );

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let rows = self.rows(trace);
        let read: Vec<u64> = rows.iter().map(|(n, _)| *n).collect();
        if rows.is_empty() {
            return Err(Stop::unproven("no kind was read that the target declares", []));
        }
        // What the suite declared in the operator's name is no statement of the target's own.
        let own: Vec<&(u64, Value)> = rows
            .iter()
            .filter(|(_, row)| takes_no_migration(row) && !was_declared_by_suite(trace, kind_of(row)))
            .collect();
        if own.is_empty() {
            let actual = "the target declares no kind of its own that takes no migration";
            return Err(Stop::not_applicable(actual, read.last().copied()));
        }
        let control = calls(trace).labelled(&self.control).find(|call| is_applied(call));
        let control = control.or_unproven_at("no migration of another kind was accepted", &read)?.n();
        let mut evidence = vec![control];
        for (n, row) in own {
            let kind = kind_of(row);
            let tried = calls(trace).labelled(&self.call).rfind(|call| kind_sent(call) == Some(kind));
            let tried = tried.or_unproven_at(&format!("no {kind} was migrated"), &[*n])?;
            let seen = [*n, control, tried.n()];
            let actual = format!("{kind} is declared as {}: {}", declared_as(row), tried.summary());
            if is_applied(&tried) {
                return Err(Stop::broken(actual, seen));
            }
            let is_refused = tried.exchange.was_refused() && !tried.exchange.succeeded();
            if !is_refused || !is_storable(trace, kind) {
                return Err(Stop::unproven(format!("{actual}; no record of it is known to be valid"), seen));
            }
            evidence.extend([*n, tried.n()]);
        }
        Ok(Pass::new("each such migration was refused", evidence))
    }
}

impl MigrationsFollowDeclaration {
    /// Returns the rows of the target's declarations, each with its entry.
    fn rows(&self, trace: &Trace) -> Vec<(u64, Value)> {
        let answered = calls(trace).labelled(&self.declaration).filter_map(|call| {
            Some((call.n(), call.exchange.data()?["capabilities"]["resource_kinds"].clone()))
        });
        let listed = operations(trace, List::METHOD.name()).filter_map(|(n, operation)| {
            let listed = operation.result.clone()?;
            Some((n, listed.get("capabilities").cloned().unwrap_or(listed)))
        });
        let rows = |(n, rows): (u64, Value)| match rows {
            Value::Array(rows) => rows.into_iter().map(|row| (n, row)).collect(),
            _ => vec![],
        };
        answered.chain(listed).flat_map(rows).collect()
    }
}

/// Returns every operation of a method that succeeded.
fn operations<'a>(trace: &'a Trace, method: &str) -> impl Iterator<Item = (u64, &'a Operation)> {
    let entries = trace.entries().iter().filter_map(|entry| Some((entry.n, entry.operation()?)));
    let of_method = entries.filter(move |(_, operation)| operation.failure.is_none());
    let method = method.to_owned();
    of_method.filter(move |(_, operation)| operation.method == method)
}

fn was_declared_by_suite(trace: &Trace, kind: &str) -> bool {
    operations(trace, Declare::METHOD.name())
        .any(|(_, operation)| operation.parameters["resource_kind"] == *kind)
}

/// Returns whether the operator stored a record of the kind: a migrated one like it is refused for what it is.
fn is_storable(trace: &Trace, kind: &str) -> bool {
    operations(trace, Put::METHOD.name()).any(|(_, operation)| operation.parameters["kind"] == *kind)
}

/// Returns whether the answer to a plan claims that it was applied.
fn is_applied(call: &Call<'_>) -> bool {
    call.route() == Some(Route::Migrations)
        && call.exchange.succeeded()
        && call.exchange.data().is_some_and(|data| data["status"] == "completed")
}

fn kind_sent<'a>(call: &Call<'a>) -> Option<&'a str> {
    call.exchange.sent()?["root_resource_kind"].as_str()
}

fn kind_of(row: &Value) -> &str {
    row["kind"].as_str().or_else(|| row["resource_kind"].as_str()).unwrap_or_default()
}

fn declared_as(row: &Value) -> String {
    match row["direction"].as_str() {
        Some(direction) if row["migratable"] != false => direction.to_owned(),
        _ => "not migratable".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, NotApplicable, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    fn migration(kind: &str, status: u16) -> Exchange {
        let state = if status == 201 { "completed" } else { "failed" };
        Exchange::to_target("alice")
            .on("POST", "migrations")
            .sending(json!({"root_resource_kind": kind}))
            .answered_with(status, json!({"data": {"status": state}}))
    }

    /// Returns the verdict on a target that declares the row, and answers a migration of the kind like this.
    fn verdict(row: &Value, status: u16, control: u16, is_stored: bool) -> Verdict {
        let declared = json!({"data": {"capabilities": {"resource_kinds": [row]}}});
        let heartbeat = Exchange::to_target("alice").on("POST", "heartbeat").answered_with(200, declared);
        let builder = TraceBuilder::new()
            .operation_with("", "capability.declare", json!({"resource_kind": "skill"}), json!({}))
            .call("declared", heartbeat)
            .call("control", migration("skill", control));
        let put = json!({"kind": "ledger", "id": "1"});
        let builder =
            if is_stored { builder.operation_with("", "resource.put", put, json!({})) } else { builder };
        builder.call("tried", migration("ledger", status)).verdict::<MigrationsFollowDeclaration>(
            json!({"declaration": "declared", "call": "tried", "control": "control"}),
        )
    }

    #[test]
    fn a_kind_that_does_not_migrate_is_refused() {
        let fixed = json!({"kind": "ledger", "direction": "bidirectional", "migratable": false});
        let in_metadata = json!({"resource_kind": "ledger", "metadata": {"migratable": false}});
        let outward = json!({"kind": "ledger", "direction": "push_local_to_remote"});
        for row in [fixed, in_metadata, outward] {
            assert_eq!(verdict(&row, 201, 201, true), Broken, "{row}");
            assert_eq!(verdict(&row, 422, 201, true), Kept, "{row}");
            assert_eq!(verdict(&row, 422, 422, true), Unproven, "no migration is taken at all");
            assert_eq!(verdict(&row, 422, 201, false), Unproven, "the record may be refused");
            assert_eq!(verdict(&row, 503, 201, true), Unproven, "{row}");
        }
    }

    #[test]
    fn a_target_whose_declaration_was_not_read_is_unproven() {
        let builder = TraceBuilder::new().call("control", migration("skill", 201));
        let arguments = json!({"declaration": "declared", "call": "tried", "control": "control"});
        assert_eq!(builder.verdict::<MigrationsFollowDeclaration>(arguments), Unproven);
    }

    #[test]
    fn a_target_that_declares_no_such_kind_is_not_evaluated() {
        let open = json!({"kind": "ledger", "direction": "bidirectional", "migratable": true});
        let only = json!({"kind": "ledger", "direction": "migration_only"});
        let of_suite = json!({"kind": "skill", "direction": "push_local_to_remote"});
        let unstated = json!({"kind": "ledger"});
        for row in [open, only, of_suite, unstated] {
            assert_eq!(verdict(&row, 201, 201, true), NotApplicable, "{row}");
        }
    }
}
