//! `listed-entries-remain`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::imported::ImportedRecords;
use super::lists::rows;
use super::row::{DELETED, PUT_AWAY, fixed_part, is_called, keeps_members, member};
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, labelled_calls};
use covenant_model::operator::{OperatorMethod, resource};
use covenant_model::transcript::Trace;

/// The members that say the state of a record.
const STATES: [&str; 2] = ["status", "state"];

/// The members that describe the action of an audit entry (5.1, 5.2), and its time.
const LOGGED: [&str; 9] = [
    "federation_peer_id",
    "remote_subject",
    "action",
    "at",
    "emitted_at",
    "occurred_at",
    "timestamp",
    "correlation_id",
    "route",
];

/// Every record that was imported and every audit entry that was listed before is listed afterwards, with the
/// same content.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ListedEntriesRemain {
    /// The operator's list before the revocation.
    pub before: Label,
    /// The same list after it.
    pub after: Label,
    /// The deletions of other records by the peers that had migrated them, before the list before: each has to have
    /// taken effect. Otherwise the target deletes nothing for a peer. With it, an id that the list before has twice is left
    /// out, and nothing is proven: each peer has its own record, and may have it deleted.
    pub deletion: Option<Label>,
    /// The migrations whose records the list before has to have, each stored. Otherwise the list shows nothing of what was migrated.
    pub migrated: Option<Labels>,
    /// The deletions that peers ask for between the lists: if one was put off, nothing is proven.
    pub asked: Option<Label>,
}

impl Check for ListedEntriesRemain {
    const ID: &'static str = "listed-entries-remain";
    const EXPECTED: &'static [&'static str] = &["every row of the list before, with the same content"];
    const CONTROL: Option<&'static str> = Some(
        "rows were listed before, none of an id that is there twice; a record that the scenario has deleted by its sender was \
         deleted, and no deletion that is asked for was put off",
    );

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let list = |label: &str| rows(trace, label).or_unproven("the lists could not be read");
        let (first, mut before) = list(&self.before)?;
        let (last, mut after) = list(&self.after)?;
        let evidence = [first, last];
        let imported = ImportedRecords::read(trace, last);
        if is_of_records(trace, &self.before) {
            // The platform may delete its own records.
            before.retain(|row| imported.members_of(row).is_some());
        }
        if before.is_empty() {
            return Err(Stop::unproven("nothing was listed before", evidence));
        }
        self.require_migrated(trace, &before)?;
        let twice = if self.deletion.is_some() { drop_doubled(&mut before) } else { None };
        let outcomes: Vec<RowOutcome> =
            before.iter().map(|row| row_outcome(&imported, row, &mut after)).collect();
        let count = |wanted: RowOutcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        let of = before.len();
        match (count(RowOutcome::Gone), count(RowOutcome::Faded)) {
            (0, 0) => {
                if let Some(id) = twice {
                    return Err(Stop::unproven(format!("the list has the record {id} twice"), evidence));
                }
                self.require_deletions(trace, first)?;
                self.require_asked(trace)?;
                Ok(Pass::new(format!("all {of} rows are still there"), evidence))
            }
            (0, faded) => {
                let actual = format!("{faded} of {of} rows say less than before, or were never migrated");
                Err(Stop::unproven(actual, evidence))
            }
            (gone, _) => Err(Stop::broken(format!("{gone} of {of} rows are gone or changed"), evidence)),
        }
    }
}

impl ListedEntriesRemain {
    /// Ends the check unless each of the migrations was applied, and its record is listed.
    fn require_migrated(&self, trace: &Trace, listed: &[&Value]) -> Result<(), Stop> {
        for migration in self.migrated.iter().flat_map(|labels| labelled_calls(trace, labels)) {
            let sent = migration.exchange.sent();
            let id = sent.and_then(|plan| plan["root_resource_id"].as_str()).unwrap_or_default();
            let is_listed = listed.iter().any(|row| member(row, "id").is_some_and(|listed| listed == id));
            if call_outcome(migration.exchange) != CallOutcome::Admitted || !is_listed {
                let actual = format!("the list lacks what was migrated: {}", migration.summary());
                return Err(Stop::unproven(actual, [migration.n()]));
            }
        }
        Ok(())
    }

    /// Ends the check if a deletion by a sender did not take effect before the list `first`.
    fn require_deletions(&self, trace: &Trace, first: u64) -> Result<(), Stop> {
        let Some(label) = &self.deletion else { return Ok(()) };
        let (_, listed) = rows(trace, &self.before).or_unproven("the lists could not be read")?;
        calls(trace).labelled(label).last_or("no record was deleted by its sender")?;
        for deletion in calls(trace).labelled(label) {
            let sent = deletion.exchange.sent();
            let id = sent.and_then(|plan| plan["root_resource_id"].as_str()).unwrap_or_default();
            let is_listed = |row: &&Value| {
                member(row, "id").is_some_and(|listed| listed == id) && !is_called(row, &DELETED)
            };
            let is_gone = !listed.iter().any(is_listed);
            if !is_gone || call_outcome(deletion.exchange) != CallOutcome::Admitted {
                let actual =
                    format!("the target deletes nothing for the sender either: {}", deletion.summary());
                return Err(Stop::unproven(actual, [deletion.n(), first]));
            }
        }
        Ok(())
    }

    /// Ends the check if a deletion that a peer asked for was put off.
    fn require_asked(&self, trace: &Trace) -> Result<(), Stop> {
        let Some(label) = &self.asked else { return Ok(()) };
        match calls(trace).labelled(label).find(|asked| asked.exchange.was_put_off()) {
            Some(lost) => {
                Err(Stop::unproven(format!("a deletion was not decided: {}", lost.summary()), [lost.n()]))
            }
            None => Ok(()),
        }
    }
}

/// Drops the rows of each kind and id that these rows have twice, and returns such an id. Where each peer has its own record of
/// an id, a peer may have its own deleted, and the list does not say whose is which.
fn drop_doubled(rows: &mut Vec<&Value>) -> Option<String> {
    let place = |row: &Value| Some((member(row, "kind").cloned(), member(row, "id")?.as_str()?.to_owned()));
    let places: Vec<_> = rows.iter().map(|row| place(row)).collect();
    let is_doubled = |row: &Value| {
        let own = place(row);
        own.is_some() && places.iter().filter(|other| **other == own).count() > 1
    };
    let doubled = rows.iter().find(|row| is_doubled(row)).and_then(|row| place(row));
    rows.retain(|row| !is_doubled(row));
    doubled.map(|(_, id)| id)
}

/// Returns whether a label is that of a list of records, not of audit entries.
fn is_of_records(trace: &Trace, label: &str) -> bool {
    trace.operation(label).is_some_and(|(_, operation)| operation.is(resource::List::METHOD))
}

/// The outcome of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowOutcome {
    /// It is there, with the same content.
    Unchanged,
    /// It is there in another state, or lacks a member that it had; or it was a copy that a sync keeps up to date, and no
    /// migration brought it.
    Faded,
    /// It is not there, or it has another content.
    Gone,
}

/// Returns the outcome of a row, and removes the matching row from `after`. The row may be at another place in
/// the list, and the members that the platform adds to it may change.
fn row_outcome(imported: &ImportedRecords, row: &Value, after: &mut Vec<&Value>) -> RowOutcome {
    let members = imported.members_of(row);
    let names: Vec<&str> =
        members.map_or(LOGGED.to_vec(), |names| names.iter().map(String::as_str).collect());
    let is_same = |other: &&Value| fixed_part(other, &names) == fixed_part(row, &names);
    // An imported record may be shown in a form that has none of its members.
    let is_complete = |other: &&Value| match members {
        Some(names) => row == *other || names.iter().any(|name| member(row, name).is_some()),
        None => keeps_members(row, other),
    };
    let complete = after.iter().position(|other| is_same(other) && is_complete(other));
    // A record may have come with a state of its own, which the platform then changes.
    let content: Vec<&str> = names.iter().copied().filter(|name| !STATES.contains(name)).collect();
    let is_same_but_state =
        |other: &&Value| members.is_some() && fixed_part(other, &content) == fixed_part(row, &content);
    let place = complete.or_else(|| after.iter().position(is_same));
    let Some(place) = place.or_else(|| after.iter().position(is_same_but_state)) else {
        return if imported.was_only_synced(row) { RowOutcome::Faded } else { RowOutcome::Gone };
    };
    let found = after.swap_remove(place);
    let has_become = |words: &[&str]| is_called(found, words) && !is_called(row, words);
    match members {
        _ if has_become(&DELETED) => RowOutcome::Gone,
        Some(_) if has_become(&PUT_AWAY) => RowOutcome::Faded,
        _ if complete.is_some() => RowOutcome::Unchanged,
        _ => RowOutcome::Faded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Exchange, What};
    use serde_json::json;

    /// Returns the verdict on two audit lists.
    fn listed(before: Value, after: Value) -> Verdict {
        TraceBuilder::new()
            .operation("before", "x", before)
            .operation("after", "x", after)
            .verdict::<ListedEntriesRemain>(json!({"before": "before", "after": "after"}))
    }

    fn remain(before: &Value, after: &Value) -> Verdict {
        listed(json!({ "entries": before }), json!({ "entries": after }))
    }

    #[test]
    fn a_row_that_is_gone_or_changed_is_broken() {
        for (before, after, expected) in [
            (json!([1, 2]), json!([2, 1, 3]), Kept),
            (json!([1, 2]), json!([2]), Broken),
            (json!([1, 1]), json!([1]), Broken),
            (json!([{"a": 1}]), json!([{"a": 2}]), Broken),
            (json!([{"id": "1", "action": "heartbeat"}]), json!([{"id": "1", "action": "none"}]), Broken),
            (
                json!([{"id": "1", "action": "heartbeat"}]),
                json!([{"id": "2", "action": "heartbeat"}]),
                Broken,
            ),
            (
                json!([{"action": "heartbeat", "emitted_at": "1"}]),
                json!([{"action": "heartbeat", "emitted_at": "2"}]),
                Broken,
            ),
            (json!([]), json!([]), Unproven),
        ] {
            assert_eq!(remain(&before, &after), expected, "{before} {after}");
        }
    }

    #[test]
    fn the_list_is_the_one_with_the_default_name() {
        let list = |entries: Value| json!({"columns": ["id", "action"], "entries": entries});
        let verdict = |after| listed(list(json!([{"id": "1"}])), list(after));
        assert_eq!((verdict(json!([{"id": "1"}])), verdict(json!([]))), (Kept, Broken));
    }

    #[test]
    fn a_platform_may_change_what_it_adds_to_an_entry_and_may_not_blank_the_rest() {
        let entry =
            |more: Value| json!([{"id": "1", "payload": {"action": "x", "more": more}, "updated_at": 1}]);
        let touched =
            json!([{"id": "1", "payload": {"action": "x", "more": "b"}, "updated_at": 2, "sealed": true}]);
        assert_eq!(remain(&entry(json!("a")), &touched), Kept);
        assert_eq!(remain(&entry(json!("a")), &entry(json!(""))), Unproven);
        assert_eq!(
            remain(&entry(json!("a")), &json!([{"id": "1", "payload": {"action": "x"}, "updated_at": 1}])),
            Unproven
        );
    }

    /// Returns the verdict on records of which the operator put "own" there and a peer synced "copy".
    fn records_remain(before: &Value, after: &Value) -> Verdict {
        let own = json!({"id": "own", "record": {"name": "a"}});
        let batch = json!({"records": [{"id": "copy", "payload": {"name": "b"}}]});
        TraceBuilder::new()
            .operation_with("", "resource.put", own, json!({}))
            .unlabelled(What::Exchange(Exchange::to_target("alice").sending(batch)))
            .operation("before", "resource.list", json!({ "resources": before }))
            .operation("after", "resource.list", json!({ "resources": after }))
            .verdict::<ListedEntriesRemain>(json!({"before": "before", "after": "after"}))
    }

    #[test]
    fn an_imported_record_remains_and_one_of_the_platform_may_go() {
        let row = |id: &str, name: &str, state: &str| {
            let record = json!({"id": id, "name": name, "state": state});
            json!({"kind": "skill", "id": id, "record": record})
        };
        let (own, copy) = (row("own", "a", "live"), row("copy", "b", "live"));
        assert_eq!(
            records_remain(&json!([own, row("seed", "c", "live")]), &json!([row("own", "a", "orphaned")])),
            Kept
        );
        assert_eq!(records_remain(&json!([own]), &json!([row("own", "x", "live")])), Broken);
        assert_eq!(records_remain(&json!([own, copy]), &json!([copy])), Broken);
        let other_form = |name: &str| json!([{"kind": "skill", "id": "own", "attributes": {"name": name}}]);
        assert_eq!(records_remain(&other_form("a"), &other_form("a")), Kept);
        assert_eq!(records_remain(&other_form("a"), &other_form("")), Unproven);
        assert_eq!(records_remain(&json!([own, copy]), &json!([own])), Unproven);
        assert_eq!(records_remain(&json!([row("seed", "c", "live")]), &json!([])), Unproven);
    }

    #[test]
    fn a_state_that_came_with_a_record_may_change_and_may_not_say_that_it_is_deleted() {
        let row = |name: &str, state: &str| json!({"kind": "skill", "id": "own", "record": {"id": "own", "name": name, "status": state}});
        let verdict = |after: Value| {
            let own = json!({"id": "own", "record": {"name": "a", "status": "active"}});
            TraceBuilder::new()
                .operation_with("", "resource.put", own, json!({}))
                .operation("before", "resource.list", json!({"resources": [row("a", "active")]}))
                .operation("after", "resource.list", json!({ "resources": after }))
                .verdict::<ListedEntriesRemain>(json!({"before": "before", "after": "after"}))
        };
        assert_eq!(verdict(json!([row("a", "active")])), Kept);
        assert_eq!(verdict(json!([row("a", "archived")])), Unproven);
        assert_eq!(verdict(json!([row("a", "orphaned")])), Unproven);
        assert_eq!(verdict(json!([row("a", "deleted")])), Broken);
        assert_eq!(verdict(json!([row("", "archived")])), Broken);
    }

    /// Returns the verdict where the operator put "own" and "more", and alice had "other" deleted and asks for more.
    fn after_deletion(status: u16, before: &[&str], asked: u16, after: &[&str]) -> Verdict {
        let put = |id: &str| json!({"kind": "skill", "id": id, "record": {"id": id, "name": "a"}});
        let rows = |ids: &[&str]| json!({"resources": ids.iter().map(|id| put(id)).collect::<Vec<Value>>()});
        let deletion = |id: &str, status: u16| {
            let plan = json!({"operation": "delete", "root_resource_id": id, "steps": []});
            Exchange::to_target("alice").sending(plan).answered_with(status, json!({"data": {}}))
        };
        TraceBuilder::new()
            .operation_with("", "resource.put", put("own"), json!({}))
            .operation_with("", "resource.put", put("more"), json!({}))
            .call("deleted", deletion("other", status))
            .operation("before", "resource.list", rows(before))
            .call("asked", deletion("own", asked))
            .operation("after", "resource.list", rows(after))
            .verdict::<ListedEntriesRemain>(
                json!({"before": "before", "after": "after", "deletion": "deleted", "asked": "asked"}),
            )
    }

    #[test]
    fn a_target_that_deletes_nothing_for_anyone_proves_nothing() {
        let verdict = |status: u16, listed: &[&str]| after_deletion(status, listed, 422, &["own"]);
        assert_eq!(verdict(201, &["own"]), Kept);
        assert_eq!(verdict(422, &["own", "other"]), Unproven);
        assert_eq!(verdict(201, &["own", "other"]), Unproven, "accepted without effect");
        assert_eq!(verdict(422, &["own"]), Unproven);
    }

    #[test]
    fn each_sender_has_to_have_its_own_record_deleted() {
        let verdict = |status: u16| {
            let row = |id: &str| json!({"kind": "skill", "id": id, "record": {"id": id, "name": "a"}});
            let deletion = |peer: &str, id: &str, status: u16| {
                let plan = json!({"operation": "delete", "root_resource_id": id, "steps": []});
                Exchange::to_target(peer).sending(plan).answered_with(status, json!({"data": {}}))
            };
            let rows = json!({"resources": [row("own")]});
            TraceBuilder::new()
                .operation_with("", "resource.put", row("own"), json!({}))
                .call("deleted", deletion("alice", "one", status))
                .call("deleted", deletion("mallory", "other", 201))
                .operation("before", "resource.list", rows.clone())
                .operation("after", "resource.list", rows)
                .verdict::<ListedEntriesRemain>(
                    json!({"before": "before", "after": "after", "deletion": "deleted"}),
                )
        };
        assert_eq!((verdict(201), verdict(422)), (Kept, Unproven));
    }

    #[test]
    fn a_deletion_that_was_put_off_proves_nothing() {
        let verdict = |status: u16, after: &[&str]| after_deletion(201, &["own"], status, after);
        assert_eq!((verdict(422, &["own"]), verdict(403, &["own"])), (Kept, Kept));
        assert_eq!((verdict(429, &["own"]), verdict(503, &["own"])), (Unproven, Unproven));
        assert_eq!(verdict(429, &[]), Broken, "deleted all the same");
    }

    #[test]
    fn what_each_peer_has_for_itself_may_go_and_the_rest_may_not() {
        let verdict = |before: &[&str], after: &[&str]| after_deletion(201, before, 201, after);
        assert_eq!(verdict(&["own", "own"], &["own"]), Unproven, "a peer may have one of its own deleted");
        assert_eq!(verdict(&["own", "own", "more"], &["own", "more"]), Unproven);
        assert_eq!(verdict(&["own", "own", "more"], &["own"]), Broken);
        assert_eq!(
            verdict(&["seed", "seed", "more"], &["more"]),
            Kept,
            "the platform's own rows are not looked at"
        );
    }

    #[test]
    fn a_record_that_is_marked_as_deleted_is_gone_and_one_that_is_put_away_may_be() {
        let row = |more: Value| {
            let mut row = json!({"kind": "skill", "id": "own", "record": {"id": "own", "name": "a"}});
            if let (Some(members), Value::Object(more)) = (row.as_object_mut(), more) {
                members.extend(more);
            }
            row
        };
        let plain = row(json!({}));
        for (more, expected) in [
            (json!({"deleted_at": null, "exists": true, "deleted": false}), Kept),
            (json!({"status": "orphaned", "revoked_at": "2026-06-01T00:00:00Z"}), Kept),
            (json!({"deleted_at": "2026-06-01T00:00:00Z"}), Broken),
            (json!({"record": {"id": "own", "name": "a", "status": "Deleted"}}), Broken),
            (json!({"exists": false}), Broken),
            (json!({"tombstone": true}), Broken),
            (json!({"is_deleted": true}), Broken),
            (json!({"archived_at": "2026-06-01T00:00:00Z"}), Unproven),
            (json!({"state": "removed"}), Unproven),
        ] {
            assert_eq!(records_remain(&json!([plain]), &json!([row(more.clone())])), expected, "{more}");
        }
        let marked = row(json!({"status": "deleted"}));
        assert_eq!(records_remain(&json!([marked]), &json!([marked])), Kept, "it was so before");
        let entry = |more: &str| json!([{"id": "1", "action": "heartbeat", "status": more}]);
        assert_eq!(remain(&entry("sealed"), &entry("archived")), Kept, "no audit entry is put away");
        assert_eq!(remain(&entry("sealed"), &entry("deleted")), Broken);
    }
}
