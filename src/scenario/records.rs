//! The kinds and members of records that a part of a scenario names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::fit::KINDS;

/// The kinds, and the members of their records, in a part of a scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    /// The kinds of the suite.
    pub(crate) kinds: BTreeSet<String>,
    /// The members of the records of these kinds.
    pub(crate) of_records: BTreeSet<String>,
    /// The slugs of the records, and how many records have each.
    pub(super) slugs: BTreeMap<String, usize>,
}

impl Members {
    /// Adds what a value names.
    pub(crate) fn read(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.read(item)),
            Value::Object(members) => self.read_object(members),
            _ => {}
        }
    }

    fn read_object(&mut self, members: &Map<String, Value>) {
        let kind = kind_of(members).filter(|kind| is_kind_of_suite(kind));
        self.kinds.extend(kind.map(ToOwned::to_owned));
        if kind.is_some() {
            for name in ["payload", "record"] {
                self.read_record(members.get(name));
            }
            let records = members.get("records").and_then(Value::as_array).into_iter().flatten();
            records.for_each(|record| self.read_record(record.get("payload")));
            self.of_records.extend(
                members.get("filter").and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned(),
            );
        }
        if let Some((_, after)) =
            members.get("path").and_then(Value::as_str).and_then(|path| path.split_once("/resources/"))
        {
            let kind = after.split('/').next().unwrap_or_default();
            self.kinds.extend(Some(kind).filter(|kind| is_kind_of_suite(kind)).map(ToOwned::to_owned));
        }
        members.values().for_each(|member| self.read(member));
    }

    fn read_record(&mut self, record: Option<&Value>) {
        let Some(Value::Object(record)) = record else { return };
        self.of_records.extend(record.keys().cloned());
        if let Some(slug) = record.get("slug").and_then(Value::as_str) {
            *self.slugs.entry(slug.to_owned()).or_default() += 1;
        }
    }
}

/// Returns the kind that an object is about.
pub(super) fn kind_of(members: &Map<String, Value>) -> Option<&str> {
    let names = ["resource_kind", "kind", "root_resource_kind"];
    names.iter().find_map(|name| members.get(*name)?.as_str())
}

/// Returns whether a kind is one of the suite that stands for one of the platform.
pub(super) fn is_kind_of_suite(kind: &str) -> bool {
    KINDS.contains(&kind)
}
