//! `no-sync-after-migration`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, PeerName};
use crate::check::c04::revocation::last_before;
use crate::check::definition::{AbsentCall, Check};
use crate::check::general::{CallOutcome, call_outcome, is_undone};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, mentions, peer_id};
use covenant_model::operator::OperatorMethod;
use covenant_model::operator::migration::SendMigration;
use covenant_model::transcript::{Entry, Exchange, Operation, Trace};
use covenant_model::wire::migration::operation;
use covenant_model::wire::path::Route;

/// After a migration, the target sends the peer no record of its own accord, be it the peer of the migration or another one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct NoSyncAfterMigration {
    /// The peer that is sent no record: that of the migration, or another one.
    pub peer: PeerName,
    /// The migration. Calls before it do not count.
    pub migration: Label,
    /// The operation that changed the record.
    pub change: Label,
    /// The operation that lets records of the kind be synced again. Calls during it and after it break nothing.
    pub until: Option<Label>,
    /// `true` if the peer alone declares the kind for migration: a plan with a record is then what it asks for, and only a batch is a
    /// breach.
    #[serde(default)]
    pub takes_plans: bool,
    /// Valid calls made afterwards, of which the last has to be accepted.
    pub probe: Label,
}

impl Check for NoSyncAfterMigration {
    const ID: &'static str = "no-sync-after-migration";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] = &["no sync and no migration from the target"];
    const CONTROL: Option<&'static str> = Some(
        "after the change, records that the declarations share arrived at the same peer, as a sync or as a migration that the target was not asked for, and the peering works",
    );

    fn evaluate(&self, trace: &Trace) -> Outcome {
        const NOTHING_CHANGED: &str = "nothing was migrated and then changed";
        let migrated = trace.labelled(&self.migration).find(|entry| was_migrated(entry));
        let migrated = migrated.or_unproven(NOTHING_CHANGED)?.n;
        let (changed, change) = trace.operation(&self.change).or_unproven(NOTHING_CHANGED)?;
        let record = ChangedRecord::of(change);
        let until = self.until.as_ref().map(|label| trace.operation(label).map(|(n, _)| n));
        let until = until.map(|until| until.or_unproven("the kind was not declared again")).transpose()?;
        // An operation is recorded after what the target sends within it.
        let last = until.map(|until| last_before(trace, until));
        let is_within = |n: u64| n > migrated && last.is_none_or(|last| n <= last);
        let sent = calls(trace).of(&self.peer).made_by_target().find(|call| {
            is_within(call.n()) && record.is_sent_in(call) && flows_by_itself(trace, &self.peer, call)
        });
        if let Some(call) = sent {
            let actual = format!("the target sent the record: {}", call.summary());
            // A later order of the operator may be one for a plan that left before.
            let is_batch = call.route() == Some(Route::Sync);
            if self.takes_plans && !is_batch {
                return Err(Stop::unproven(format!("{actual}, as the peer declares"), [changed, call.n()]));
            }
            return Err(Stop::broken(actual, [changed, call.n()]).final_if(is_batch));
        }
        let mut syncs = calls(trace).of(&self.peer).made_by_target().on(Route::Sync).after(migrated);
        if let Some(sync) = syncs.find(|sync| is_unreadable(sync.exchange)) {
            return Err(Stop::unproven("a sync of another form", [changed, sync.n()]));
        }
        // A peer that is cut off gets nothing in any case.
        let probe = calls(trace).labelled(&self.probe).next_back();
        let probe = probe.filter(|probe| probe.n() > changed && probe.exchange.succeeded());
        let probe = probe.or_unproven_at("the peering did not work afterwards", &[changed])?;
        // A target that syncs nothing after the change proves nothing about what it does not sync.
        let mut flowed = calls(trace).of(&self.peer).made_by_target().after(changed).accepted();
        let synced = flowed.rfind(|call| flows_by_itself(trace, &self.peer, call));
        let synced =
            synced.or_unproven_at("the target synced nothing after the change, of any kind", &[changed])?;
        Ok(Pass::new("the target sent no record", [synced.n(), migrated, changed, probe.n()]))
    }
}

/// Returns whether a migration was applied: the peer's, which the target accepted, or the target's own.
fn was_migrated(entry: &Entry) -> bool {
    let is_applied = |data: Option<&Value>| data.is_none_or(|data| !is_undone(&data["status"]));
    let was_sent =
        |operation: &Operation| operation.failure.is_none() && is_applied(operation.result.as_ref());
    let was_applied = |exchange: &Exchange| call_outcome(exchange) == CallOutcome::Admitted;
    entry.exchange().is_some_and(was_applied) || entry.operation().is_some_and(was_sent)
}

/// Returns whether a call carries records that the declarations share: a batch, or a plan beyond those that the operator
/// asked for. A plan that was asked for may leave later than the operator's method ends, and again if it was refused.
fn flows_by_itself(trace: &Trace, peer: &str, call: &Call<'_>) -> bool {
    match call.route() {
        Some(Route::Sync) => true,
        Some(Route::Migrations) => {
            let plan = call.exchange.sent().unwrap_or(&Value::Null);
            let asked: Vec<&Operation> =
                trace.operations([SendMigration::METHOD]).map(|(_, order)| order).collect();
            let asked: Vec<&Operation> = asked
                .into_iter()
                .filter(|order| !is_for_another(trace, order, peer) && is_order_of(order, plan))
                .collect();
            let mut earlier: Vec<Call<'_>> = calls(trace)
                .of(peer)
                .made_by_target()
                .on(Route::Migrations)
                .before(call.n())
                .accepted()
                .collect();
            earlier.retain(|other| {
                let sent = other.exchange.sent().unwrap_or(&Value::Null);
                asked.iter().any(|order| is_order_of(order, sent))
            });
            earlier.len() >= asked.len()
        }
        _ => false,
    }
}

/// Returns whether an order is for another peer than this one: it has the id that the target gave that one. The operator plane
/// may have an id of its own for a peer, which says nothing here.
fn is_for_another(trace: &Trace, order: &Operation, peer: &str) -> bool {
    let Some(named) = order.parameters["peer_id"].as_str() else { return false };
    let accepts = calls(trace).made_by_peer().on(Route::Accept);
    let mut others = accepts.filter(|call| call.exchange.peer != peer);
    peer_id(trace, peer).is_none_or(|id| id != named)
        && others.any(|call| call.exchange.data().is_some_and(|data| data["peer_id"] == named))
}

/// Returns whether a plan is what an order asks for: its root, or a copy of it. A copy names its original, or is of its kind.
fn is_order_of(order: &Operation, plan: &Value) -> bool {
    let (root, kind) = (&order.parameters["root_resource_id"], &order.parameters["root_resource_kind"]);
    let is_copy = |sent: &Value| sent["operation"] == operation::DUPLICATE;
    if *root == plan["root_resource_id"] {
        return true;
    }
    if !is_copy(&order.parameters) || !is_copy(plan) {
        return false;
    }
    let steps = plan["steps"].as_array().into_iter().flatten();
    let mut originals = steps.map(|step| &step["payload"]["metadata"]["duplicated_from"]);
    let names_originals = originals.clone().any(Value::is_string);
    if names_originals {
        originals.any(|original| original == root)
    } else {
        *kind == plan["root_resource_kind"]
    }
}

/// Returns whether the content of a sync can't be read.
fn is_unreadable(sync: &Exchange) -> bool {
    let sent = sync.sent();
    sent.is_none_or(|sent| !sent["resource_kind"].is_string() || !sent["records"].is_array())
}

/// The record that was changed.
struct ChangedRecord<'a> {
    kind: &'a str,
    id: &'a str,
}

impl<'a> ChangedRecord<'a> {
    fn of(change: &'a Operation) -> Self {
        let text = |name: &str| change.parameters.get(name).and_then(Value::as_str).unwrap_or_default();
        Self { kind: text("kind"), id: text("id") }
    }

    /// Returns whether a call carries the record: records of its kind, as a stream does, or the record
    /// itself, as a plan does. Records of other kinds, which a platform declared, may be synced.
    fn is_sent_in(&self, call: &Call<'_>) -> bool {
        let Some(sent) = call.exchange.sent() else { return false };
        let items = |name: &str| sent[name].as_array().map(Vec::as_slice).unwrap_or_default();
        match call.route() {
            Some(Route::Sync) => sent["resource_kind"] == self.kind && !items("records").is_empty(),
            Some(Route::Migrations) => items("steps")
                .iter()
                .any(|step| step["resource_kind"] == self.kind && mentions(step, self.id)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c07::migration_traces::{call, plan, step, transfer};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Direction;
    use serde_json::json;

    /// Builds a trace in which alice migrates a record, with this answer, and the operator changes it.
    fn changed(status: u16, answer: &Value) -> TraceBuilder {
        let record = json!({"kind": "skill", "id": "1"});
        transfer(TraceBuilder::new(), "plan", plan(&json!([step(1, "1")])), status, answer).operation_with(
            "changed",
            "resource.put",
            record,
            json!({}),
        )
    }

    /// Adds a sync of another kind.
    fn synced(builder: TraceBuilder) -> TraceBuilder {
        let batch = json!({"resource_kind": "note", "records": [{"id": "9"}]});
        builder.call_from_target(call(Direction::FromTarget, &Route::Sync, batch, 200, &json!({})))
    }

    fn probed(builder: TraceBuilder, status: u16) -> TraceBuilder {
        let answer = json!({"data": {}});
        builder.call("probe", call(Direction::ToTarget, &Route::Heartbeat, json!({}), status, &answer))
    }

    fn verdict(builder: &TraceBuilder) -> Verdict {
        let with = json!({"peer": "alice", "migration": "plan", "change": "changed", "probe": "probe"});
        builder.verdict::<NoSyncAfterMigration>(with)
    }

    #[test]
    fn only_the_migrated_kind_may_not_be_synced() {
        let evaluated = |route: &Route, sent: Value| {
            let sent = call(Direction::FromTarget, route, sent, 200, &json!({}));
            verdict(&probed(synced(changed(201, &json!({}))).call_from_target(sent), 200))
        };
        let batch = |kind: &str, records: Value| json!({"resource_kind": kind, "records": records});
        let other = plan(&json!([step(1, "2")]));
        assert_eq!(evaluated(&Route::Sync, batch("skill", json!([{"id": "2"}]))), Broken);
        assert_eq!(evaluated(&Route::Sync, batch("skill", json!([]))), Kept);
        assert_eq!(evaluated(&Route::Sync, batch("memory", json!([{"id": "2"}]))), Kept);
        assert_eq!(evaluated(&Route::Migrations, plan(&json!([step(1, "1")]))), Broken);
        assert_eq!(evaluated(&Route::Migrations, other), Kept);
        assert_eq!(evaluated(&Route::Sync, json!({"kind": "skill", "items": [{"id": "1"}]})), Unproven);
    }

    #[test]
    fn a_plan_to_a_peer_that_asks_for_migrations_is_no_sync() {
        let verdict = |route: &Route, sent: Value, takes_plans: bool| {
            let sent = call(Direction::FromTarget, route, sent, 200, &json!({}));
            let builder = probed(synced(changed(201, &json!({}))).call_from_target(sent), 200);
            builder.verdict::<NoSyncAfterMigration>(json!({
                "peer": "alice", "migration": "plan", "change": "changed", "probe": "probe", "takes_plans": takes_plans,
            }))
        };
        let batch = || json!({"resource_kind": "skill", "records": [{"id": "1"}]});
        assert_eq!([false, true].map(|takes| verdict(&Route::Sync, batch(), takes)), [Broken; 2]);
        let sent = || plan(&json!([step(1, "1")]));
        assert_eq!([false, true].map(|takes| verdict(&Route::Migrations, sent(), takes)), [Broken, Unproven]);
    }

    #[test]
    fn a_target_that_syncs_nothing_at_all_proves_nothing() {
        let builder = probed(changed(201, &json!({})), 200);
        assert_eq!(verdict(&builder), Unproven);
        let other = |asked: bool| {
            let plan = plan(&json!([{"step_order": 1, "resource_kind": "note", "resource_id": "9"}]));
            let root = plan["root_resource_id"].clone();
            let builder = probed(changed(201, &json!({})), 200);
            let builder = if asked {
                let order = json!({"operation": "migrate", "root_resource_id": root});
                builder.operation_with("sent", "migration.send", order, json!({}))
            } else {
                builder
            };
            verdict(&builder.call_from_target(call(
                Direction::FromTarget,
                &Route::Migrations,
                plan,
                201,
                &json!({}),
            )))
        };
        assert_eq!((other(false), other(true)), (Kept, Unproven), "an order of the operator is no sync");
        assert_eq!(verdict(&synced(builder)), Kept);
    }

    #[test]
    fn a_failed_migration_and_a_peer_that_is_cut_off_prove_nothing() {
        let evaluated = |migrated: u16, status: &str, probes: &[u16], is_synced: bool| {
            let builder = changed(migrated, &json!({"data": {"status": status}}));
            let builder = probes.iter().fold(builder, |builder, status| probed(builder, *status));
            if !is_synced {
                return verdict(&synced(builder));
            }
            let batch = json!({"resource_kind": "skill", "records": [{"id": "1"}]});
            let sync = call(Direction::FromTarget, &Route::Sync, batch, 401, &json!({"error": "no"}));
            verdict(&builder.call_from_target(sync))
        };
        assert_eq!(evaluated(201, "completed", &[200, 200], false), Kept);
        assert_eq!(evaluated(422, "failed", &[200], false), Unproven);
        assert_eq!(evaluated(200, "failed", &[200], false), Unproven);
        assert_eq!(evaluated(202, "validating", &[200], true), Unproven, "its end is to come");
        assert_eq!(evaluated(201, "completed", &[200, 401], false), Unproven);
        assert_eq!(evaluated(201, "completed", &[], false), Unproven);
        assert_eq!(evaluated(201, "completed", &[200, 401], true), Broken);
    }

    #[test]
    fn a_target_that_synced_before_the_change_alone_proves_nothing() {
        let batch = json!({"resource_kind": "note", "records": [{"id": "9"}]});
        let sync = |builder: TraceBuilder| {
            let batch = call(Direction::FromTarget, &Route::Sync, batch.clone(), 200, &json!({}));
            builder.call_from_target(batch)
        };
        let record = json!({"kind": "skill", "id": "1"});
        let migrated =
            || transfer(TraceBuilder::new(), "plan", plan(&json!([step(1, "1")])), 201, &json!({}));
        let changed = |builder: TraceBuilder| {
            builder.operation_with("changed", "resource.put", record.clone(), json!({}))
        };
        assert_eq!(verdict(&probed(changed(sync(migrated())), 200)), Unproven);
        assert_eq!(verdict(&probed(sync(changed(migrated())), 200)), Kept);
    }

    #[test]
    fn what_is_synced_once_the_kind_is_declared_again_breaks_nothing() {
        let batch = json!({"resource_kind": "skill", "records": [{"id": "1"}]});
        let sync = |builder: TraceBuilder| {
            let batch = call(Direction::FromTarget, &Route::Sync, batch.clone(), 200, &json!({}));
            builder.call_from_target(batch)
        };
        let until = |builder: TraceBuilder| {
            let with = json!({
                "peer": "alice", "migration": "plan", "change": "changed", "probe": "probe", "until": "declared",
            });
            builder.verdict::<NoSyncAfterMigration>(with)
        };
        let declared = |builder: TraceBuilder| builder.operation("declared", "capability.declare", json!({}));
        let begun = || probed(changed(201, &json!({})), 200);
        assert_eq!(until(sync(declared(begun()))), Kept);
        assert_eq!(until(sync(declared(probed(sync(begun()), 200)))), Broken);
        assert_eq!(until(declared(sync(begun()))), Kept, "it was sent while the kind was declared");
        assert_eq!(until(sync(begun())), Unproven, "it was not declared again");
        assert_eq!(until(declared(begun())), Unproven, "nothing was synced then either");
    }

    #[test]
    fn a_plan_that_was_asked_for_may_leave_late_and_leaves_once() {
        let copy = || {
            let mut plan = plan(&json!([step(1, "7")]));
            plan["operation"] = json!("duplicate");
            plan["root_resource_id"] = json!("7");
            plan["steps"][0]["payload"]["metadata"] = json!({"duplicated_from": "1"});
            plan
        };
        let late = |answers: &[u16]| {
            let order =
                json!({"operation": "duplicate", "root_resource_kind": "skill", "root_resource_id": "1"});
            let record = json!({"kind": "skill", "id": "1"});
            let builder = TraceBuilder::new()
                .operation_with("plan", "migration.send", order, json!({"status": "planned"}))
                .operation_with("changed", "resource.put", record, json!({}));
            let builder = answers.iter().fold(builder, |builder, status| {
                let sent = call(Direction::FromTarget, &Route::Migrations, copy(), *status, &json!({}));
                builder.call_from_target(sent)
            });
            verdict(&probed(synced(builder), 200))
        };
        assert_eq!(late(&[]), Kept);
        assert_eq!(late(&[201]), Kept);
        assert_eq!(late(&[503, 201]), Kept, "it was sent again");
        assert_eq!(late(&[201, 201]), Broken);
    }

    #[test]
    fn an_order_for_one_peer_excuses_no_plan_to_another() {
        let late = |accepted: &[&str]| {
            let order = json!({"peer_id": "7", "root_resource_kind": "skill", "root_resource_id": "1"});
            let record = json!({"kind": "skill", "id": "1"});
            let builder = accepted.iter().fold(TraceBuilder::new(), |builder, name| {
                let id = if *name == "alice" { "8" } else { "7" };
                let mut accept = call(
                    Direction::ToTarget,
                    &Route::Accept,
                    json!({}),
                    200,
                    &json!({"data": {"peer_id": id}}),
                );
                (*name).clone_into(&mut accept.peer);
                builder.call("accepted", accept)
            });
            let builder = builder
                .operation_with("plan", "migration.send", order, json!({"status": "completed"}))
                .operation_with("changed", "resource.put", record, json!({}));
            let sent = plan(&json!([step(1, "1")]));
            let sent = call(Direction::FromTarget, &Route::Migrations, sent, 201, &json!({}));
            verdict(&probed(synced(builder.call_from_target(sent)), 200))
        };
        assert_eq!(late(&["alice", "bob"]), Broken);
        assert_eq!(late(&["alice"]), Kept, "the operator's id of alice may be another one");
        assert_eq!(late(&[]), Kept);
    }
}
