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
use crate::check::query::{Place, Records, last_put, records};
use covenant_model::operator::{OperatorMethod, migration};
use covenant_model::transcript::Trace;

/// As the source of a migration that failed, the target keeps its originals.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OriginalsKept {
    /// The operation that sent the migration.
    pub migration: Label,
    /// The snapshot of the records before the migration.
    pub before: Label,
    /// The snapshots of the records after the migration.
    pub after: Labels,
}

impl Check for OriginalsKept {
    const ID: &'static str = "originals-kept";
    const EXPECTED: &'static [&'static str] = &["every original as it was before"];
    const CONTROL: Option<&'static str> = Some("the originals were listed before the migration");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        const UNREADABLE: &str = "the originals could not be read";
        let (n, _) = trace.operation(&self.migration).or_unproven("the target sent no migration")?;
        let later: Option<Vec<(Vec<u64>, Records)>> =
            self.after.iter().map(|label| records(trace, label)).collect();
        let (seen_before, before) = records(trace, &self.before).or_unproven_at(UNREADABLE, &[n])?;
        let later = later.or_unproven_at(UNREADABLE, &[n])?;
        let seen_after = later.iter().flat_map(|(seen, _)| seen).copied();
        let evidence = seen_before.into_iter().chain([n]).chain(seen_after);
        if before.is_empty() {
            return Err(Stop::unproven("there was no original", evidence));
        }
        let others = self.sent_by_others(trace);
        let is_gone = |place: &&Place| later.iter().any(|(_, after)| !after.contains_key(*place));
        let mut originals = before.keys().filter(|(_, id)| !others.contains(&id.as_str()));
        if let Some((kind, id)) = originals.find(is_gone) {
            return Err(Stop::broken(format!("the original {kind} {id} is gone"), evidence));
        }
        let is_original = |place: &Place| before.contains_key(place) && !others.contains(&place.1.as_str());
        if let Some((kind, id)) = self.marked(trace, &DELETED, is_original) {
            return Err(Stop::broken(format!("the original {kind} {id} is marked as deleted"), evidence));
        }
        if let Some((kind, id)) = self.marked(trace, &PUT_AWAY, is_original) {
            return Err(Stop::unproven(format!("the original {kind} {id} was put away"), evidence));
        }
        // A platform may note in a record that it was sent.
        let lost = before.iter().filter(|(place, _)| is_original(place)).find_map(|(place, record)| {
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
        Ok(Pass::new("the originals are there", evidence))
    }
}

impl OriginalsKept {
    /// Returns the ids of the records that other steps sent, and of those that travelled along. These may be gone without a
    /// breach.
    fn sent_by_others<'a>(&self, trace: &'a Trace) -> BTreeSet<&'a str> {
        let others = trace.entries().iter().filter(|entry| entry.label.as_deref() != Some(&self.migration));
        let operations = others.filter_map(|entry| Some((entry.n, entry.operation()?)));
        let sent = operations.filter(|(_, operation)| operation.is(migration::SendMigration::METHOD));
        let ids = sent.flat_map(|(n, operation)| {
            let named = |name: &str| operation.parameters[name].as_str().unwrap_or_default();
            let (kind, id) = (named("root_resource_kind"), named("root_resource_id"));
            let along = last_put(trace, n, kind, id).and_then(|record| record.get("depends_on")?.as_array());
            let along = along.into_iter().flatten().filter_map(|other| other["id"].as_str());
            along.chain([id])
        });
        ids.collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::c07::migration_traces::{listed, row};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    fn sent(builder: TraceBuilder, label: &str, parameters: Value) -> TraceBuilder {
        builder.operation_with(label, "migration.send", parameters, json!({}))
    }

    #[test]
    fn an_original_that_goes_later_is_gone() {
        let evaluated = |later: &Value| {
            let builder = listed(TraceBuilder::new(), "before", &json!([row("1")]));
            let builder = listed(sent(builder, "sent", json!({})), "after", &json!([row("1")]));
            let with = json!({"migration": "sent", "before": "before", "after": ["after", "later"]});
            listed(builder, "later", later).verdict::<OriginalsKept>(with)
        };
        assert_eq!((evaluated(&json!([row("1")])), evaluated(&json!([]))), (Kept, Broken));
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
        let evaluated = |root: &str| {
            let along = json!({"kind": "skill", "id": root, "record": {"depends_on": [{"kind": "skill", "id": "2"}]}});
            let builder = TraceBuilder::new().operation_with("", "resource.put", along, json!({}));
            let order = json!({"root_resource_kind": "skill", "root_resource_id": "3"});
            let builder = listed(sent(builder, "other", order), "before", &json!([row("1"), row("2")]));
            let builder = sent(builder, "sent", json!({"root_resource_id": "1"}));
            let with = json!({"migration": "sent", "before": "before", "after": "after"});
            listed(builder, "after", &json!([row("1")])).verdict::<OriginalsKept>(with)
        };
        assert_eq!((evaluated("3"), evaluated("4")), (Kept, Broken));
    }

    #[test]
    fn an_original_of_another_migration_may_go() {
        let evaluated = |other: &str| {
            let builder = sent(TraceBuilder::new(), "other", json!({"root_resource_id": other}));
            let builder = listed(builder, "before", &json!([row("1"), row("2")]));
            let builder = sent(builder, "sent", json!({"root_resource_id": "1"}));
            let with = json!({"migration": "sent", "before": "before", "after": "after"});
            listed(builder, "after", &json!([row("1")])).verdict::<OriginalsKept>(with)
        };
        assert_eq!((evaluated("2"), evaluated("3")), (Kept, Broken));
    }
}
