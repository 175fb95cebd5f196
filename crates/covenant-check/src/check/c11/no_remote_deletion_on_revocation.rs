//! `no-remote-deletion-on-revocation`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::check::arguments::{Label, PeerName};
use crate::check::c04::revocation::last_before;
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, events, succeeded_operation};
use covenant_model::transcript::Trace;
use covenant_model::wire::migration::operation;
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;

/// The reason for which the check ends without a migration and a revocation.
const NOT_MIGRATED: &str = "nothing was migrated, or the peer was not revoked";

/// A target that revokes a peer does not ask it to delete what was migrated to it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct NoRemoteDeletionOnRevocation {
    /// The peer that was revoked.
    pub peer: PeerName,
    /// The operation that sent the migration.
    pub migration: Label,
    /// The operation that revokes.
    pub revoke: Label,
}

impl Check for NoRemoteDeletionOnRevocation {
    const ID: &'static str = "no-remote-deletion-on-revocation";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] = &["no deletion requested from the peer"];
    const CONTROL: Option<&'static str> =
        Some("a migration of the target to the same peer arrived by the same route");

    // Deleting is an operation of its own (11.2), which no revocation asks for.
    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (sent, _) = succeeded_operation(trace, &self.migration, NOT_MIGRATED)?;
        let (revoked, _) = succeeded_operation(trace, &self.revoke, NOT_MIGRATED)?;
        let migrations = || calls(trace).of(&self.peer).made_by_target().on(Route::Migrations);
        let later = || calls(trace).of(&self.peer).made_by_target().after(sent);
        if let Some(deletion) = later().find(asks_for_deletion) {
            let actual = format!("a deletion was requested: {}", deletion.summary());
            return Err(Stop::final_breach(actual, [sent, revoked, deletion.n()]));
        }
        // What the target also sends without a revocation does not come from it.
        let last = last_before(trace, revoked);
        let may_ask = |call: &Call<'_>| {
            may_ask_for_deletion(call, || {
                let route = |it: &Call<'_>| it.route().map(|route| route.name());
                let earlier = calls(trace).of(&self.peer).made_by_target().before(last + 1);
                let same = earlier.filter(|it| route(it) == route(call));
                same.flat_map(|it| members_of_deletion(&it)).collect()
            })
        };
        if let Some(call) = later().find(may_ask) {
            let actual = format!("a call that may ask for a deletion: {}", call.summary());
            return Err(Stop::unproven(actual, [sent, revoked, call.n()]));
        }
        let Some(migration) = migrations().before(sent).accepted().next() else {
            return Err(Stop::unproven("nothing was migrated to the peer", [sent, revoked]));
        };
        Ok(Pass::new("no deletion was requested", [migration.n(), revoked]))
    }
}

/// Returns whether a call asks the peer to delete records: by a plan, by the method, or in the notice of the revocation.
fn asks_for_deletion(call: &Call<'_>) -> bool {
    let is_plan = call.route() == Some(Route::Migrations)
        && call.exchange.sent().is_some_and(|sent| sent["operation"] == operation::DELETE);
    let is_of_record = is_delete(call) && path_of(call).contains("/resources/");
    let mut notices = events(&call.exchange.request).filter(|event| event["kind"] == kind::PEER_REVOKED);
    is_plan || is_of_record || notices.any(|event| event["payload"]["delete_data"] == true)
}

/// Returns whether a call may ask the peer to delete records, in a form that the binding does not know, and by another member
/// than those that are usual, or with another value.
fn may_ask_for_deletion(call: &Call<'_>, usual: impl Fn() -> BTreeSet<(String, String)>) -> bool {
    let is_unknown = call.route().is_none() && (is_delete(call) || names_deletion(path_of(call)));
    let members = members_of_deletion(call);
    is_unknown || (!members.is_empty() && !members.is_subset(&usual()))
}

/// Returns the members that are about a deletion, each with its value. A number may count: any one is the same as another.
fn members_of_deletion(call: &Call<'_>) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let Some(mut sent) = call.exchange.sent().cloned() else { return found };
    if call.route() == Some(Route::Sync) {
        // The members of a payload are those of the record.
        for record in sent["records"].as_array_mut().into_iter().flatten() {
            if let Some(record) = record.as_object_mut() {
                record.remove("payload");
            }
        }
    }
    collect_members_of_deletion(&sent, &mut found);
    found
}

fn is_delete(call: &Call<'_>) -> bool {
    call.exchange.request.method.as_deref() == Some("DELETE")
}

fn path_of<'a>(call: &Call<'a>) -> &'a str {
    call.exchange.request.path.as_deref().unwrap_or_default()
}

/// Collects the names of the members that are about a deletion, and that are neither empty nor false.
fn collect_members_of_deletion(value: &Value, found: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_members_of_deletion(item, found)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            let empty = [json!(null), json!(false), json!(0), json!([]), json!({}), json!("")];
            if names_deletion(name) && !empty.contains(member) {
                let value = if member.is_number() { String::new() } else { member.to_string() };
                found.insert((name.clone(), value));
            }
            collect_members_of_deletion(member, found);
        }),
        _ => {}
    }
}

fn names_deletion(text: &str) -> bool {
    let text = text.to_lowercase();
    ["delet", "purge", "erase", "wipe"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use covenant_model::wire::path::PREFIX;

    #[test]
    fn a_deletion_that_a_revocation_asks_for_is_broken() {
        let verdict = |operations: &[&str]| {
            let mut builder = TraceBuilder::new();
            for (place, operation) in operations.iter().enumerate() {
                let migration = Exchange::from_target("alice")
                    .on("POST", "migrations")
                    .sending(json!({ "operation": operation }))
                    .answered(201);
                builder = builder.call_from_target(migration);
                if place == 0 {
                    builder = builder.operation("sent", "x", json!({}));
                }
            }
            builder.operation("revoked", "x", json!({})).verdict::<NoRemoteDeletionOnRevocation>(
                json!({"peer": "alice", "migration": "sent", "revoke": "revoked"}),
            )
        };
        assert_eq!(verdict(&["duplicate"]), Kept);
        assert_eq!(verdict(&["duplicate", "delete"]), Broken);
        assert_eq!(verdict(&[]), Unproven);
    }

    #[test]
    fn a_deletion_is_asked_for_in_any_form() {
        let verdict = |method: &str, path: &str, body: Value| {
            let migration = Exchange::from_target("alice")
                .on("POST", "migrations")
                .sending(json!({"operation": "migrate"}));
            let mut call = Exchange::from_target("alice").sending(body).answered(200);
            call.request.method = Some(method.to_owned());
            call.request.path = Some(format!("{PREFIX}/{path}"));
            TraceBuilder::new()
                .call_from_target(migration.answered(201))
                .operation("sent", "x", json!({}))
                .call_from_target(call)
                .operation("revoked", "x", json!({}))
                .verdict::<NoRemoteDeletionOnRevocation>(
                    json!({"peer": "alice", "migration": "sent", "revoke": "revoked"}),
                )
        };
        let notice = |more: Value| {
            let mut payload = json!({"reason": "we leave", "grace_until": "x"});
            payload.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            json!({"events": [{"kind": kind::PEER_REVOKED, "payload": payload}]})
        };
        assert_eq!(verdict("POST", "heartbeat", notice(json!({}))), Kept);
        assert_eq!(verdict("POST", "heartbeat", notice(json!({"delete_data": false}))), Kept);
        assert_eq!(verdict("POST", "heartbeat", notice(json!({"delete_data": true}))), Broken);
        assert_eq!(verdict("POST", "heartbeat", notice(json!({"purge_after": "30d"}))), Unproven);
        assert_eq!(verdict("DELETE", "resources/skill/1", Value::Null), Broken);
        assert_eq!(verdict("DELETE", "migrations/1", Value::Null), Unproven, "the record of the migration");
        assert_eq!(verdict("POST", "resources/skill/1/erase", json!({})), Unproven);
        assert_eq!(verdict("DELETE", "subscriptions/1", Value::Null), Kept);
        let sync = |record: Value| verdict("POST", "sync", json!({ "records": [record] }));
        assert_eq!(sync(json!({"id": "1", "payload": {"deleted_at": "2026-05-01"}})), Kept);
        assert_eq!(sync(json!({"id": "1", "deleted": true})), Unproven, "a mark beside the payload");
        assert_eq!(verdict("POST", "sync", json!({"records": [], "deleted_ids": ["1"]})), Unproven);
    }

    #[test]
    fn a_member_that_is_sent_in_any_case_asks_for_nothing() {
        let verdict = |usual: Value, later: Value| {
            let beat = |body: Value| Exchange::from_target("alice").on("POST", "heartbeat").sending(body);
            let migration = Exchange::from_target("alice").on("POST", "migrations");
            TraceBuilder::new()
                .call_from_target(beat(usual).answered(200))
                .call_from_target(migration.sending(json!({"operation": "migrate"})).answered(201))
                .operation("sent", "x", json!({}))
                .call_from_target(beat(later).answered(200))
                .operation("revoked", "x", json!({}))
                .verdict::<NoRemoteDeletionOnRevocation>(
                    json!({"peer": "alice", "migration": "sent", "revoke": "revoked"}),
                )
        };
        let counted = |count: u64| json!({ "deleted_records": count });
        assert_eq!(verdict(counted(1), counted(2)), Kept);
        assert_eq!(verdict(json!({}), counted(2)), Unproven);
        assert_eq!(verdict(counted(1), json!({"purge": "all"})), Unproven);
        let deletion = |state: &str| json!({ "data_deletion": state });
        assert_eq!(verdict(deletion("not_requested"), deletion("not_requested")), Kept);
        assert_eq!(verdict(deletion("not_requested"), deletion("requested")), Unproven);
    }
}
