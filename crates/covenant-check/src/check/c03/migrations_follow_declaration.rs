//! `migrations-follow-declaration`.

use std::collections::BTreeSet;

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
use covenant_model::wire::capability::{kind_of, rows_for, takes_no_migration};
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
        let own = own_fixed_kinds(trace, &rows);
        let tried: Vec<(u64, &str, Call<'_>)> = own
            .iter()
            .filter_map(|(n, kind)| {
                let call = calls(trace).labelled(&self.call).rfind(|call| kind_sent(call) == Some(kind))?;
                Some((*n, *kind, call))
            })
            .collect();
        if let Some((n, kind, call)) = tried.iter().find(|(_, _, call)| is_applied(call)) {
            let actual = format!("{kind} is declared as one that takes none: {}", call.summary());
            return Err(Stop::broken(actual, [*n, call.n()]));
        }
        if operations(trace, List::METHOD.name()).next().is_none() || rows.is_empty() {
            return Err(Stop::unproven("the inventory of the target was not read", read));
        }
        if own.is_empty() {
            let actual = "the target declares no kind of its own that takes no migration";
            return Err(Stop::not_applicable(actual, read.last().copied()));
        }
        let control = calls(trace).labelled(&self.control).find(|call| is_applied(call));
        let control = control.or_unproven_at("no migration of another kind was accepted", &read)?.n();
        let mut evidence = vec![control];
        for (n, kind, call) in &tried {
            if !is_refused_for_its_kind(call) {
                let actual = format!("{kind}: {}, which refuses no kind", call.summary());
                return Err(Stop::unproven(actual, [*n, call.n()]));
            }
            if !is_storable(trace, kind) {
                let actual = format!("{kind}: {}; no record of it is known to be valid", call.summary());
                return Err(Stop::unproven(actual, [*n, call.n()]));
            }
            evidence.extend([*n, call.n()]);
        }
        if tried.is_empty() {
            return Err(Stop::unproven("no record of such a kind was migrated", read));
        }
        Ok(Pass::new(
            format!("migrations of {} of {} such kinds were refused", tried.len(), own.len()),
            evidence,
        ))
    }
}

impl MigrationsFollowDeclaration {
    /// Returns the rows of the target's declarations to the peer, each with its entry.
    fn rows<'a>(&self, trace: &'a Trace) -> Vec<(u64, Value)> {
        let answered = calls(trace).labelled(&self.declaration).filter_map(|call| {
            Some((call.n(), call.exchange.data()?["capabilities"]["resource_kinds"].clone(), None))
        });
        let listed = operations(trace, List::METHOD.name()).filter_map(|(n, operation)| {
            Some((n, operation.result.clone()?, operation.parameters["peer_id"].as_str()))
        });
        let peer = calls(trace).labelled(&self.declaration).next().map(|call| call.exchange.peer.as_str());
        let own = peer.into_iter().flat_map(|peer| calls(trace).of(peer).made_by_target());
        let of_own_accord = own.filter_map(|call| {
            Some((call.n(), call.exchange.capabilities_of_target()?["resource_kinds"].clone(), None))
        });
        let all: Vec<(u64, Value, Option<&'a str>)> = answered.chain(of_own_accord).chain(listed).collect();
        all.iter()
            .flat_map(|(n, rows, peer_id)| rows_for(rows, *peer_id).map(|row| (*n, row.clone())))
            .collect()
    }
}

/// Returns the kinds of which each row says that they take no migration, with the first such row. What the suite
/// declared in the operator's name is no statement of the target's own.
fn own_fixed_kinds<'a>(trace: &Trace, rows: &'a [(u64, Value)]) -> Vec<(u64, &'a str)> {
    let kinds: BTreeSet<&str> = rows.iter().filter_map(|(_, row)| kind_of(row)).collect();
    kinds
        .into_iter()
        .filter(|kind| !was_declared_by_suite(trace, kind))
        .filter_map(|kind| {
            let mut of_kind = rows.iter().filter(|(_, row)| kind_of(row) == Some(kind));
            let first = of_kind.next()?;
            (takes_no_migration(&first.1) && of_kind.all(|(_, row)| takes_no_migration(row)))
                .then_some((first.0, kind))
        })
        .collect()
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

/// Returns whether the status of a refusal may be about the kind, and not about a token, a limit or a route.
fn is_refused_for_its_kind(call: &Call<'_>) -> bool {
    const STATUSES: [u16; 3] = [400, 409, 422];
    call.exchange.status().is_some_and(|status| STATUSES.contains(&status))
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
            .operation_with(
                "listed",
                "capability.list",
                json!({"peer_id": "p"}),
                json!({"capabilities": [row]}),
            )
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
            for status in [401, 404, 429, 503] {
                assert_eq!(verdict(&row, status, 201, true), Unproven, "{row}");
            }
        }
    }

    #[test]
    fn a_kind_that_another_row_opens_and_one_of_another_peer_do_not_count() {
        let fixed = json!({"kind": "ledger", "migratable": false, "peer_id": "other"});
        assert_eq!(verdict(&fixed, 201, 201, true), Unproven, "no row for this peer was read");
        let rows = json!([{"kind": "ledger", "migratable": false}, {"kind": "ledger", "direction": "bidirectional"}]);
        let builder = TraceBuilder::new()
            .operation_with("listed", "capability.list", json!({}), json!({"capabilities": rows}))
            .call("tried", migration("ledger", 201));
        let arguments = json!({"declaration": "declared", "call": "tried", "control": "control"});
        assert_eq!(builder.verdict::<MigrationsFollowDeclaration>(arguments), NotApplicable);
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
