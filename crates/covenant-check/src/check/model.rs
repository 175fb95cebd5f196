//! A model of a migration: the steps of a plan, applied in order to the records that were there before. It
//! shows which steps meet a record, by the rules of `binding.md` ("Order") and of nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::common::is_same_number;
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::migration::{MigrationRequest, Step, action};
use covenant_model::wire::path::Route;

/// The place of a record: kind and id.
pub type Place = (String, String);
/// The records by place.
pub type Records = BTreeMap<Place, Map<String, Value>>;

/// Members that a destination rewrites or drops (`wire.md` §5).
pub(super) const OWN_MEMBERS: [&str; 3] = ["account_id", "created_at", "updated_at"];

/// Returns the records that `resource.list` reported under a label, all its reads together. Returns `None` if
/// there was no read.
#[must_use]
pub fn records(trace: &Trace, label: &str) -> Option<(Vec<u64>, Records)> {
    let mut evidence = Vec::new();
    let mut records = Records::new();
    for entry in trace.labelled(label) {
        let Some(operation) = entry.operation() else { continue };
        let result = operation.result.as_ref()?;
        let listed = result.get("resources").unwrap_or(result).as_array()?;
        let asked = operation.parameters.get("kind").and_then(Value::as_str).unwrap_or_default();
        evidence.push(entry.n);
        records.extend(listed.iter().filter_map(|row| record(row, asked)));
    }
    (!evidence.is_empty()).then_some((evidence, records))
}

/// Returns the record in a row of a list: `{kind, id, record}`, or the record itself.
fn record(row: &Value, asked: &str) -> Option<(Place, Map<String, Value>)> {
    let kind = row.get("kind").and_then(Value::as_str).unwrap_or(asked);
    let id = row.get("id").and_then(Value::as_str)?;
    let record = row.get("record").and_then(Value::as_object).or_else(|| row.as_object())?;
    Some(((kind.to_owned(), id.to_owned()), record.clone()))
}

/// Returns the record that the operator last put at a place before an entry and has not deleted since.
pub(super) fn last_put<'a>(
    trace: &'a Trace,
    before: u64,
    kind: &str,
    id: &str,
) -> Option<&'a Map<String, Value>> {
    let entries = trace.entries().iter().rev().skip_while(|entry| entry.n > before);
    let mut done = entries.filter_map(|entry| entry.operation()).filter(|operation| {
        let is_there = operation.parameters["kind"] == kind && operation.parameters["id"] == id;
        is_there && matches!(operation.method.as_str(), "resource.put" | "resource.delete")
    });
    done.next().filter(|operation| operation.method == "resource.put")?.parameters["record"].as_object()
}

/// Returns whether an answer says that a record is not there, though the operator put it there.
pub(super) fn is_denied(trace: &Trace, n: u64, exchange: &Exchange) -> bool {
    let Some(Route::Resource { kind, id }) = exchange.route() else { return false };
    let says_no = exchange.data().is_some_and(|data| data["exists"] == false);
    says_no && last_put(trace, n, &kind, &id).is_some()
}

/// One step of a plan, and the records that it meets.
#[derive(Clone, Debug)]
pub struct PlannedStep<'a> {
    /// The step.
    pub step: &'a Step,
    /// The place of its record.
    pub place: Place,
    /// `true` if a record is already at that place when the step is applied, provided that all steps before
    /// it succeed.
    pub meets: bool,
    /// `true` if another record of the kind has the same `slug`: a platform may or may not count that as a
    /// conflict.
    pub may_meet: bool,
}

/// Returns the steps of a plan in `step_order`, each with the records that it meets.
#[must_use]
pub fn planned_steps<'a>(plan: &'a MigrationRequest, before: &Records) -> Vec<PlannedStep<'a>> {
    let mut there: BTreeSet<Place> = before.keys().cloned().collect();
    let mut slugs: BTreeSet<(String, String)> = before.iter().filter_map(|(p, r)| slug(&p.0, r)).collect();
    let mut steps: Vec<&Step> = plan.steps.iter().collect();
    steps.sort_by_key(|step| step.step_order);
    let planned_steps = steps.into_iter().map(|step| {
        let place = (step.resource_kind.clone(), step.resource_id.clone());
        let creates = step.action == action::CREATE;
        let slug = slug(&place.0, &step.payload);
        let planned = PlannedStep {
            step,
            meets: creates && there.contains(&place),
            may_meet: creates && slug.as_ref().is_some_and(|slug| slugs.contains(slug)),
            place: place.clone(),
        };
        if creates {
            there.insert(place);
            slugs.extend(slug);
        }
        planned
    });
    planned_steps.collect()
}

/// Returns the migration shown under a label: to its source, or to the operator.
pub(super) fn record_shown(trace: &Trace, label: &str) -> Option<(u64, Value)> {
    let exchange = trace.exchanges_labelled(label).find_map(|(n, exchange)| Some((n, exchange.data()?)));
    exchange.or_else(|| {
        let (n, operation) = trace.operation(label)?;
        let result = operation.result.clone()?;
        Some((n, result.get("migration").cloned().unwrap_or(result)))
    })
}

/// The extent to which a stored record has the content that a step carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Preservation {
    /// All of it.
    Whole,
    /// Not all of it: a platform may have no place for the rest.
    Lacking,
    /// Something else is in its place.
    Changed,
}

/// Returns to which extent a stored record has the content that a step carried, apart from the members that a
/// destination may change. Additional members of the record do not count.
#[must_use]
pub fn carried(step: &Step, stored: &Map<String, Value>) -> Preservation {
    let members = without_own(&step.payload).into_iter();
    worst(members.map(|(name, member)| kept_of(member, stored.get(name), (&step.payload, stored))))
}

/// Returns the preservation of one member, given the whole of the sent and of the stored record. An id whose
/// place is empty may be elsewhere, if it occurs as often as it was sent.
fn kept_of(
    sent: &Value,
    kept: Option<&Value>,
    whole: (&Map<String, Value>, &Map<String, Value>),
) -> Preservation {
    let kept = kept.filter(|kept| !kept.is_null());
    match (sent, kept) {
        (Value::Object(members), None | Some(Value::Object(_))) => worst(
            members.iter().map(|(name, member)| kept_of(member, kept.and_then(|kept| kept.get(name)), whole)),
        ),
        (Value::Array(items), None | Some(Value::Array(_))) => worst(
            (0..)
                .zip(items)
                .map(|(place, item)| kept_of(item, kept.and_then(|kept| kept.get::<usize>(place)), whole)),
        ),
        (Value::Null, None) => Preservation::Whole,
        (sent, Some(kept)) if is_same_number(Some(sent), Some(kept)) => Preservation::Whole,
        (Value::String(_), Some(Value::String(_)))
        | (Value::Number(_), Some(Value::Number(_)))
        | (Value::Bool(_), Some(Value::Bool(_))) => Preservation::Changed,
        (Value::String(id), _) if is_uuid(id) && times_in(whole.1, id) >= times_in(whole.0, id) => {
            Preservation::Whole
        }
        _ => Preservation::Lacking,
    }
}

fn worst(parts: impl Iterator<Item = Preservation>) -> Preservation {
    parts.max().unwrap_or(Preservation::Whole)
}

fn is_uuid(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok()
}

/// Returns the number of references of a record to an id.
fn times_in(record: &Map<String, Value>, id: &str) -> usize {
    let members = record.iter().filter(|(name, _)| *name != "id");
    members.map(|(_, member)| times(member, id)).sum()
}

fn times(said: &Value, id: &str) -> usize {
    match said {
        Value::String(text) => usize::from(text == id),
        Value::Array(items) => items.iter().map(|item| times(item, id)).sum(),
        Value::Object(members) => members.values().map(|member| times(member, id)).sum(),
        _ => 0,
    }
}

/// Returns whether an id occurs anywhere in a value.
pub(super) fn mentions(said: &Value, id: &str) -> bool {
    match said {
        Value::String(text) => text == id,
        Value::Array(items) => items.iter().any(|item| mentions(item, id)),
        Value::Object(members) => members.values().any(|member| mentions(member, id)),
        _ => false,
    }
}

/// Returns whether a record shows any member that a step carries: a list may show less.
#[must_use]
pub fn shows(step: &Step, record: &Map<String, Value>) -> bool {
    without_own(&step.payload).into_keys().any(|name| record.contains_key(name))
}

/// Returns whether a record differs from before in any member that a step carries. Additional members of the
/// record do not count.
#[must_use]
pub fn was_touched(step: &Step, before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    without_own(&step.payload).into_keys().any(|name| before.get(name) != after.get(name))
}

/// Returns a record without the members that belong to the destination, and without those that only the list
/// of records has.
fn without_own(record: &Map<String, Value>) -> BTreeMap<&str, &Value> {
    let members = record.iter().map(|(name, member)| (name.as_str(), member));
    members.filter(|(name, _)| !OWN_MEMBERS.contains(name) && *name != "id").collect()
}

fn slug(kind: &str, record: &Map<String, Value>) -> Option<(String, String)> {
    let slug = record.get("slug").and_then(Value::as_str)?;
    Some((kind.to_owned(), slug.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Operation, Recorder, What};
    use serde::Deserialize;
    use serde_json::json;

    fn plan(steps: &Value) -> MigrationRequest {
        MigrationRequest::deserialize(json!({
            "operation": "migrate", "root_resource_kind": "a", "root_resource_id": "1", "steps": steps,
        }))
        .expect("a plan")
    }

    #[test]
    fn a_list_may_stand_alone() {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        for (label, result) in
            [("alone", json!([{"id": "1"}])), ("named", json!({"resources": [{"id": "1"}]}))]
        {
            let (method, parameters) = ("resource.list".to_owned(), json!({"kind": "a"}));
            let operation = Operation { method, parameters, result: Some(result), failure: None };
            recorder.record(None, Some(label), What::Operation(operation));
        }
        let trace = recorder.trace();
        let seen = |label| records(&trace, label).map(|(_, records)| records);
        assert!(seen("alone").is_some_and(|records| records.len() == 1));
        assert_eq!(seen("alone"), seen("named"));
    }

    #[test]
    fn order_rules_and_a_step_meets_what_was_there_or_came_before() {
        let step = |order: i64, id: &str| json!({"step_order": order, "resource_kind": "a", "resource_id": id, "action": "create"});
        let plan = plan(&json!([step(2, "x"), step(1, "x"), step(3, "y"), step(4, "z")]));
        let before = Records::from([(("a".into(), "z".into()), Map::new())]);
        let meets: Vec<bool> = planned_steps(&plan, &before).iter().map(|planned| planned.meets).collect();
        assert_eq!(meets, [false, true, false, true]);
    }

    #[test]
    fn the_destinations_own_members_do_not_count() {
        let plan =
            plan(&json!([{"step_order": 1, "resource_kind": "a", "resource_id": "1", "action": "create",
            "payload": {"id": "1", "account_id": "x", "created_at": "t", "deep": {"parent_id": "2"}}}]));
        let stored = |parent: &str| json!({"account_id": "y", "deep": {"parent_id": parent}});
        let kept = |parent: &str| carried(&plan.steps[0], stored(parent).as_object().expect("an object"));
        assert_eq!((kept("2"), kept("3")), (Preservation::Whole, Preservation::Changed));
    }

    #[test]
    fn a_reference_may_stand_elsewhere_and_none_may_stand_in_its_place() {
        const PARENT: &str = "01a20000-0000-7000-8000-000000000001";
        const OTHER: &str = "01a20000-0000-7000-8000-000000000002";
        let plan = plan(
            &json!([{"step_order": 1, "resource_kind": "a", "resource_id": "1", "action": "create",
            "payload": {"id": "1", "parent_id": PARENT, "deep": {"list": [{"note_id": PARENT}], "count": 1}}}]),
        );
        let deep = |id: &str| json!({"list": [{"note_id": id, "seen": true}], "count": 1.0});
        for (stored, expected) in [
            (json!({"parent_id": PARENT, "deep": deep(PARENT)}), Preservation::Whole),
            (json!({"parent": {"id": PARENT}, "deep": deep(PARENT)}), Preservation::Whole),
            (json!({"parent_id": PARENT, "deep": deep(OTHER)}), Preservation::Changed),
            (json!({"parent_id": OTHER, "came_with": PARENT, "deep": deep(PARENT)}), Preservation::Changed),
            (json!({"parent_id": PARENT}), Preservation::Lacking),
            (json!({"parent_id": null, "deep": deep(PARENT)}), Preservation::Lacking),
            (json!({"parent_id": PARENT, "deep": {"list": [{}], "count": 1}}), Preservation::Lacking),
            (json!({}), Preservation::Lacking),
        ] {
            assert_eq!(carried(&plan.steps[0], stored.as_object().expect("an object")), expected, "{stored}");
        }
    }

    #[test]
    fn what_a_platform_notes_beside_a_record_does_not_touch_it() {
        let plan =
            plan(&json!([{"step_order": 1, "resource_kind": "a", "resource_id": "1", "action": "create",
            "payload": {"id": "1", "name": "new", "updated_at": "t"}}]));
        let touched = |after: &Value| {
            let before = json!({"id": "1", "name": "old", "updated_at": "1"});
            let object = |value: &Value| value.as_object().expect("an object").clone();
            was_touched(&plan.steps[0], &object(&before), &object(after))
        };
        assert!(!touched(&json!({"name": "old", "updated_at": "2", "looked_at": 3})));
        assert!(touched(&json!({"name": "new", "updated_at": "1"})));
        assert!(touched(&json!({"name": "old (2)", "updated_at": "1"})));
    }
}
