//! Records of the target, as its operator lists, puts and deletes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use covenant_model::operator::{OperatorMethod, resource};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::path::Route;

/// The place of a record: kind and id.
pub(in crate::check) type Place = (String, String);
/// The records by place.
pub(in crate::check) type Records = BTreeMap<Place, Map<String, Value>>;

/// Returns the records in the snapshots with this label, the results of `resource.list`, all together.
/// Returns `None` if there is none.
pub(in crate::check) fn records(trace: &Trace, label: &str) -> Option<(Vec<u64>, Records)> {
    let mut evidence = Vec::new();
    let mut records = Records::new();
    for entry in trace.labelled(label) {
        let Some(operation) = entry.operation() else { continue };
        let result = operation.result.as_ref()?;
        let listed = result.get("resources").unwrap_or(result).as_array()?;
        let kind = operation.parameters.get("kind").and_then(Value::as_str).unwrap_or_default();
        evidence.push(entry.n);
        records.extend(listed.iter().filter_map(|row| record(row, kind)));
    }
    (!evidence.is_empty()).then_some((evidence, records))
}

/// Returns a place that occurs twice in one of the snapshots with this label: a platform may keep a record for each peer that
/// brings it.
pub(in crate::check) fn listed_twice(trace: &Trace, label: &str) -> Option<Place> {
    trace.labelled(label).filter_map(|entry| entry.operation()).find_map(|operation| {
        let result = operation.result.as_ref()?;
        let listed = result.get("resources").unwrap_or(result).as_array()?;
        let kind = operation.parameters.get("kind").and_then(Value::as_str).unwrap_or_default();
        let mut known = BTreeSet::new();
        let mut places = listed.iter().filter_map(|row| Some(record(row, kind)?.0));
        places.find(|place| !known.insert(place.clone()))
    })
}

/// Returns the record in a row of a list of this kind: `{kind, id, record}`, or the record itself.
fn record(row: &Value, kind: &str) -> Option<(Place, Map<String, Value>)> {
    let kind = row.get("kind").and_then(Value::as_str).unwrap_or(kind);
    let id = row.get("id").and_then(Value::as_str)?;
    let record = row.get("record").and_then(Value::as_object).or_else(|| row.as_object())?;
    Some(((kind.to_owned(), id.to_owned()), record.clone()))
}

/// Returns the record that the operator last put at a place before an entry and has not deleted since.
pub(in crate::check) fn last_put<'a>(
    trace: &'a Trace,
    before: u64,
    kind: &str,
    id: &str,
) -> Option<&'a Map<String, Value>> {
    let done = trace.operations([resource::Put::METHOD, resource::Delete::METHOD]).rev();
    let mut done = done.skip_while(|(n, _)| *n > before).map(|(_, operation)| operation);
    let last = done.find(|made| made.parameters["kind"] == kind && made.parameters["id"] == id);
    last.filter(|operation| operation.is(resource::Put::METHOD))?.parameters["record"].as_object()
}

/// Returns whether an answer denies that a record exists, though the operator put it.
pub(in crate::check) fn is_denied(trace: &Trace, n: u64, exchange: &Exchange) -> bool {
    let Some(Route::Resource { kind, id }) = exchange.route() else { return false };
    let is_denied = exchange.data().is_some_and(|data| data["exists"] == false);
    is_denied && last_put(trace, n, &kind, &id).is_some()
}

/// Returns whether an id occurs anywhere in a value.
pub(in crate::check) fn mentions(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Array(items) => items.iter().any(|item| mentions(item, id)),
        Value::Object(members) => members.values().any(|member| mentions(member, id)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    #[test]
    fn a_list_may_come_without_a_name() {
        let listed = |builder: TraceBuilder, label: &str, result: Value| {
            builder.operation_with(label, "resource.list", json!({"kind": "a"}), result)
        };
        let builder = listed(TraceBuilder::new(), "alone", json!([{"id": "1"}]));
        let trace = listed(builder, "named", json!({"resources": [{"id": "1"}]})).trace();
        let found = |label| records(&trace, label).map(|(_, records)| records);
        assert!(found("alone").is_some_and(|records| records.len() == 1));
        assert_eq!(found("alone"), found("named"));
    }
}
