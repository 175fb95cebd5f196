//! `originals-kept`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, Labels};
use crate::check::c11::lists::rows;
use crate::check::c11::row::{DELETED, PUT_AWAY, is_called};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, Place, Records, calls, last_put, peer_id, records};
use covenant_model::operator::{OperatorMethod, migration};
use covenant_model::transcript::{Operation, Trace};
use covenant_model::wire::migration::operation::MIGRATE;
use covenant_model::wire::path::Route;

/// As the source of a migration that failed, the target keeps its originals: the records that its operator put and
/// that no other step migrates. One that is listed and marked as deleted (`deleted`, `destroyed`, `purged`, `erased`,
/// `tombstone`) is not kept. One that was put away, or that has another value where the operator put one, is unproven.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OriginalsKept {
    /// The operation that sent the migration.
    pub migration: Label,
    /// The snapshot of the records before the migration.
    pub before: Label,
    /// The snapshots of the records after the migration.
    pub after: Labels,
    /// The operation that commits a migration that was opened. Where it failed, or the peer accepted no commit, the originals
    /// that are there show nothing.
    pub commit: Option<Label>,
}

impl Check for OriginalsKept {
    const ID: &'static str = "originals-kept";
    const EXPECTED: &'static [&'static str] = &["every original as it was before"];
    const CONTROL: Option<&'static str> = Some("the originals were listed before the migration");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        const UNREADABLE: &str = "the originals could not be read";
        let (n, sent) = trace.operation(&self.migration).or_unproven("the target sent no migration")?;
        let later: Option<Vec<(Vec<u64>, Records)>> =
            self.after.iter().map(|label| records(trace, label)).collect();
        let (seen_before, before) = records(trace, &self.before).or_unproven_at(UNREADABLE, &[n])?;
        let later = later.or_unproven_at(UNREADABLE, &[n])?;
        let seen_after = later.iter().flat_map(|(seen, _)| seen).copied();
        let evidence = seen_before.into_iter().chain([n]).chain(seen_after);
        let others = self.sent_by_others(trace);
        // On a shared target the list also has records of earlier scenarios, which may go at any time.
        let is_own = |(kind, id): &Place| {
            !others.contains(&(kind.as_str(), id.as_str())) && last_put(trace, n, kind, id).is_some()
        };
        let originals: BTreeSet<&Place> = before.keys().filter(|place| is_own(place)).collect();
        if originals.is_empty() {
            return Err(Stop::unproven("there was no original", evidence));
        }
        let is_gone = |place: &&&Place| later.iter().any(|(_, after)| !after.contains_key(**place));
        if let Some((kind, id)) = originals.iter().find(is_gone) {
            return Err(Stop::broken(format!("the original {kind} {id} is gone"), evidence));
        }
        let is_original = |place: &Place| originals.contains(place);
        if let Some((kind, id)) = self.marked(trace, &DELETED, is_original) {
            return Err(Stop::broken(format!("the original {kind} {id} is marked as deleted"), evidence));
        }
        if let Some((kind, id)) = self.marked(trace, &PUT_AWAY, is_original) {
            return Err(Stop::unproven(format!("the original {kind} {id} was put away"), evidence));
        }
        // A platform may note in a record that it was sent.
        let lost = originals.iter().find_map(|&place| {
            let record = before.get(place)?;
            let put = last_put(trace, n, &place.0, &place.1)?;
            let is_lost = |(name, member): &(&String, &Value)| {
                let differs = |(_, after): &(_, Records)| after[place].get(*name) != Some(*member);
                put.get(*name) == Some(*member) && later.iter().any(differs)
            };
            Some((place, record.iter().find(is_lost)?.0))
        });
        if let Some(((kind, id), name)) = lost {
            return Err(Stop::unproven(format!("the original {kind} {id} has another {name:?}"), evidence));
        }
        if let Some(lacking) = self.commit.as_ref().and_then(|label| lacking_commit(trace, label, n, sent)) {
            return Err(Stop::unproven(lacking, evidence));
        }
        Ok(Pass::new("the originals are there", evidence))
    }
}

/// Returns why a migration that was opened at the entry `opened` was not committed; `None` if it was.
fn lacking_commit(trace: &Trace, label: &str, opened: u64, sent: &Operation) -> Option<&'static str> {
    if trace.operation(label).is_none_or(|(_, commit)| commit.failure.is_some()) {
        return Some("the operator could not commit the migration");
    }
    let peer = sent.parameters["peer_id"].as_str();
    let accepted = calls(trace).made_by_target().after(opened).accepted();
    let mut commits = accepted.filter(|call| matches!(call.route(), Some(Route::MigrationCommit { .. })));
    let is_committed = commits.any(|call| peer_id(trace, &call.exchange.peer).as_deref() == peer);
    (!is_committed).then_some("the peer accepted no commit of the migration")
}

impl OriginalsKept {
    /// Returns the kinds and ids of the records that other steps migrated, and of all that travelled along. These may be gone
    /// without a breach; the original of a copy may not.
    fn sent_by_others<'a>(&self, trace: &'a Trace) -> BTreeSet<(&'a str, &'a str)> {
        let others = trace.entries().iter().filter(|entry| entry.label.as_deref() != Some(&self.migration));
        let operations = others.filter_map(|entry| Some((entry.n, entry.operation()?)));
        let sent = operations.filter(|(_, operation)| {
            operation.is(migration::SendMigration::METHOD) && operation.parameters["operation"] == MIGRATE
        });
        let mut found = BTreeSet::new();
        for (n, operation) in sent {
            let mut next: Vec<(&str, &str)> =
                place(&operation.parameters, "root_resource_kind", "root_resource_id").into_iter().collect();
            // What travels along may lead back to a record.
            let mut travelling = BTreeSet::new();
            while let Some((kind, id)) = next.pop() {
                if travelling.insert((kind, id)) {
                    let along =
                        last_put(trace, n, kind, id).and_then(|record| record.get("depends_on")?.as_array());
                    next.extend(along.into_iter().flatten().filter_map(|other| place(other, "kind", "id")));
                }
            }
            found.extend(travelling);
        }
        found
    }

    /// Returns the place of an original that a later list shows with one of these words, and the list before without any.
    fn marked(&self, trace: &Trace, words: &[&str], is_original: impl Fn(&Place) -> bool) -> Option<Place> {
        let marked = |label: &str| -> Vec<Place> {
            let of_label = trace.labelled(label).filter_map(|entry| entry.operation());
            let kind = of_label.map(|operation| &operation.parameters["kind"]).find_map(Value::as_str);
            let listed = rows(trace, label).map(|(_, rows)| rows).unwrap_or_default();
            let marked = listed.into_iter().filter(|row| is_called(row, words));
            let place = |row: &Value| {
                let kind = row["kind"].as_str().or(kind)?;
                Some((kind.to_owned(), row["id"].as_str()?.to_owned()))
            };
            marked.filter_map(place).collect()
        };
        let before = marked(&self.before);
        let mut later = self.after.iter().flat_map(marked);
        later.find(|place| is_original(place) && !before.contains(place))
    }
}

/// Returns the kind and the id that two members name.
fn place<'a>(value: &'a Value, kind: &str, id: &str) -> Option<(&'a str, &'a str)> {
    Some((value[kind].as_str()?, value[id].as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c07::migration_traces::{listed, row};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Direction, Exchange, OperationFailure};
    use serde_json::json;

    fn sent(builder: TraceBuilder, label: &str, parameters: Value) -> TraceBuilder {
        builder.operation_with(label, "migration.send", parameters, json!({}))
    }

    /// Returns a trace in which the operator put these records, each with what it depends on.
    fn put(records: &[(&str, &[&str])]) -> TraceBuilder {
        records.iter().fold(TraceBuilder::new(), |builder, (id, along)| {
            let along: Vec<Value> = along.iter().map(|id| json!({"kind": "skill", "id": id})).collect();
            let parameters = json!({"kind": "skill", "id": id, "record": {"depends_on": along}});
            builder.operation_with("", "resource.put", parameters, json!({}))
        })
    }

    /// Returns the parameters of a migration of this record.
    fn order(operation: &str, id: &str) -> Value {
        json!({"operation": operation, "root_resource_kind": "skill", "root_resource_id": id, "peer_id": "p"})
    }

    /// Returns the verdict on a migration of "1", with a list of these records before it and of those after it.
    fn evaluated(builder: TraceBuilder, before: &[&str], after: &[&str]) -> Verdict {
        let rows = |ids: &[&str]| json!(ids.iter().map(|id| row(id)).collect::<Vec<_>>());
        let builder = sent(listed(builder, "before", &rows(before)), "sent", order("migrate", "1"));
        let with = json!({"migration": "sent", "before": "before", "after": "after"});
        listed(builder, "after", &rows(after)).verdict::<OriginalsKept>(with)
    }

    #[test]
    fn an_original_that_goes_later_is_gone() {
        let evaluated = |later: &Value| {
            let builder = listed(put(&[("1", &[])]), "before", &json!([row("1")]));
            let builder = listed(sent(builder, "sent", json!({})), "after", &json!([row("1")]));
            let with = json!({"migration": "sent", "before": "before", "after": ["after", "later"]});
            listed(builder, "later", later).verdict::<OriginalsKept>(with)
        };
        assert_eq!((evaluated(&json!([row("1")])), evaluated(&json!([]))), (Kept, Broken));
    }

    #[test]
    fn a_record_of_an_earlier_scenario_may_go() {
        assert_eq!(evaluated(put(&[("1", &[])]), &["1", "earlier"], &["1"]), Kept);
        assert_eq!(evaluated(put(&[("1", &[])]), &["1", "earlier"], &["earlier"]), Broken);
        assert_eq!(evaluated(put(&[]), &["earlier"], &["earlier"]), Unproven, "nothing of this scenario");
    }

    #[test]
    fn an_original_that_is_hidden_or_blanked_is_not_kept() {
        let put = json!({"kind": "skill", "id": "1", "record": {"name": "a"}});
        let row = |more: Value| {
            let mut row = json!({"kind": "skill", "id": "1", "record": {"id": "1", "name": "a"}});
            let members = more.as_object().into_iter().flatten();
            members.for_each(|(name, member)| row["record"][name] = member.clone());
            row
        };
        let evaluated = |before: Value, after: Value| {
            let builder = TraceBuilder::new().operation_with("", "resource.put", put.clone(), json!({}));
            let builder = listed(builder, "before", &json!([row(before)]));
            let builder = sent(builder, "sent", json!({"root_resource_id": "1"}));
            let with = json!({"migration": "sent", "before": "before", "after": "after"});
            listed(builder, "after", &json!([row(after)])).verdict::<OriginalsKept>(with)
        };
        let plain = || json!({});
        assert_eq!(evaluated(plain(), json!({"migrated_at": "today"})), Kept);
        assert_eq!(evaluated(plain(), json!({"deleted_at": null})), Kept);
        assert_eq!(evaluated(plain(), json!({"deleted_at": "today"})), Broken);
        assert_eq!(evaluated(plain(), json!({"status": "deleted"})), Broken);
        assert_eq!(evaluated(json!({"deleted": true}), json!({"deleted": true})), Kept);
        assert_eq!(evaluated(plain(), json!({"status": "archived"})), Unproven);
        assert_eq!(evaluated(plain(), json!({"name": null})), Unproven);
        assert_eq!(evaluated(plain(), json!({"name": ""})), Unproven);
    }

    #[test]
    fn what_travels_along_with_another_record_may_go() {
        let verdict = |root: &str, operation: &str| {
            let builder = put(&[("1", &[]), ("2", &[]), ("3", &["4"]), ("4", &["2", "3"]), ("5", &[])]);
            evaluated(sent(builder, "other", order(operation, root)), &["1", "2"], &["1"])
        };
        assert_eq!((verdict("4", "migrate"), verdict("5", "migrate")), (Kept, Broken));
        assert_eq!(verdict("3", "migrate"), Kept, "by way of another record, which leads back");
        assert_eq!(verdict("4", "duplicate"), Broken, "the original of a copy stays");
    }

    #[test]
    fn an_original_of_another_migration_may_go() {
        let verdict = |other: &str, operation: &str| {
            let builder = sent(put(&[("1", &[]), ("2", &[])]), "other", order(operation, other));
            evaluated(builder, &["1", "2"], &["1"])
        };
        assert_eq!((verdict("2", "migrate"), verdict("3", "migrate")), (Kept, Broken));
        assert_eq!(verdict("2", "duplicate"), Broken, "the original of a copy stays");
    }

    #[test]
    fn originals_of_a_migration_that_was_not_committed_show_nothing() {
        let verdict = |by: &str, status: u16, fails: bool, after: &Value| {
            let accept = |peer: &str, id: &str| {
                let accept = Exchange::to_target(peer).on("POST", &Route::Accept.to_string());
                accept.answered_with(200, json!({"data": {"peer_id": id}}))
            };
            let builder = put(&[("1", &[])]).call("", accept("alice", "p")).call("", accept("bob", "q"));
            let builder =
                sent(listed(builder, "before", &json!([row("1")])), "opened", order("migrate", "1"));
            let route = Route::MigrationCommit { id: "m".to_owned() };
            let commit = Exchange::made(by, Direction::FromTarget).on("POST", &route.to_string());
            let done = json!({"data": {"status": "completed"}});
            let builder = builder.call_from_target(commit.sending(json!({})).answered_with(status, done));
            let failure = OperationFailure::Refused { code: -32002, message: "no".to_owned() };
            let builder = if fails {
                builder.failed_operation("committed", "migration.commit", json!({}), failure)
            } else {
                builder.operation("committed", "migration.commit", json!({}))
            };
            let with =
                json!({"migration": "opened", "before": "before", "after": "after", "commit": "committed"});
            listed(builder, "after", after).verdict::<OriginalsKept>(with)
        };
        let there = json!([row("1")]);
        assert_eq!(verdict("alice", 200, false, &there), Kept);
        assert_eq!(verdict("alice", 200, true, &there), Unproven, "the operation failed");
        assert_eq!(verdict("alice", 422, false, &there), Unproven, "the peer refused");
        assert_eq!(verdict("bob", 200, false, &there), Unproven, "another peer accepted");
        assert_eq!(verdict("bob", 422, true, &json!([])), Broken, "gone all the same");
    }
}
