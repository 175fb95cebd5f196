//! Records that came to the target from outside: by its operator, by a migration, by a sync.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::row::member;
use crate::check::migration_model::OWN_MEMBERS;
use crate::check::query::{CallQuery, calls};
use covenant_model::operator::{OperatorMethod, resource};
use covenant_model::transcript::{Exchange, Trace};

/// The names of members, by the id of the record that came with them.
type MembersById = BTreeMap<String, BTreeSet<String>>;

/// The records that came to the target, by id, each with the members that came with it.
#[derive(Default)]
pub(super) struct ImportedRecords {
    migrated: MembersById,
    synced: MembersById,
}

impl ImportedRecords {
    /// Reads the records that came before an entry of a trace.
    pub(super) fn read(trace: &Trace, until: u64) -> Self {
        let mut imported = Self::default();
        for (_, put) in trace.operations([resource::Put::METHOD]).take_while(|(n, _)| *n < until) {
            add(&mut imported.migrated, &put.parameters["id"], &put.parameters["record"]);
        }
        let calls = calls(trace).made_by_peer().before(until);
        for sent in calls.filter_map(|call| Exchange::sent(call.exchange)) {
            for step in items(&sent["steps"]) {
                add(&mut imported.migrated, &step["resource_id"], &step["payload"]);
            }
            for record in items(&sent["records"]) {
                add(&mut imported.synced, &record["id"], &record["payload"]);
            }
        }
        imported
    }

    /// Returns the members that came with the record of a row; `None` if it did not come from outside.
    pub(super) fn members_of(&self, row: &Value) -> Option<&BTreeSet<String>> {
        let id = member(row, "id")?.as_str()?;
        self.migrated.get(id).or_else(|| self.synced.get(id))
    }

    /// Returns whether the record of a row was synced and never migrated.
    pub(super) fn was_only_synced(&self, row: &Value) -> bool {
        let id = member(row, "id").and_then(Value::as_str).unwrap_or_default();
        self.synced.contains_key(id) && !self.migrated.contains_key(id)
    }
}

fn add(records: &mut MembersById, id: &Value, payload: &Value) {
    let Some(id) = id.as_str() else { return };
    let names = payload.as_object().into_iter().flat_map(|members| members.keys());
    let names = names.filter(|name| !OWN_MEMBERS.contains(&name.as_str()));
    records.entry(id.to_owned()).or_default().extend(names.cloned());
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}
