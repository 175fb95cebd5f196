//! A model of a migration: the steps of a plan, applied in order to the records that existed before. It shows
//! which steps collide with a record, by the rules of `binding.md` ("Order") alone, and what became of the
//! content of each step.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::c05::mention::is_unmistakable;
use super::general::is_same_number;
use super::query::{Place, Records, mentions};
use covenant_model::wire::migration::{MigrationRequest, Step, action, operation};

/// Members that a destination rewrites or drops (`wire.md` §5).
pub(super) const OWN_MEMBERS: [&str; 3] = ["account_id", "created_at", "updated_at"];

/// Actions that the binding defines. It names `conflict` and does not define it (`binding.md`, reading 70).
const DEFINED_ACTIONS: [&str; 3] = [action::CREATE, action::LINK_LOCAL, action::SKIP];

/// One step of a plan, and whether it collides with a record.
#[derive(Clone, Debug)]
pub(super) struct PlannedStep<'a> {
    /// The step as the plan has it.
    pub(super) step: &'a Step,
    /// The place of its record.
    pub(super) place: Place,
    /// `true` if a record already exists at that place when the step is applied, provided that all steps
    /// before it succeed.
    pub(super) collides: bool,
    /// `true` if another record of the kind has the same `slug`, which a platform may or may not count as a
    /// conflict; or if an earlier step of an open action is about the place or has the `slug`.
    pub(super) may_collide: bool,
    /// `true` if the step is to link a record of the target, and there is none.
    pub(super) links_nothing: bool,
    /// `true` if the binding does not define the action: the record may be stored, left out or refused.
    pub(super) is_open: bool,
}

/// Returns the steps of a plan in `step_order`, each with its collisions.
pub(super) fn planned_steps<'a>(
    plan: &'a MigrationRequest,
    before: &Records,
    slug_of: impl Fn(&str) -> &'a str,
) -> Vec<PlannedStep<'a>> {
    let slug = |kind: &str, record: &Map<String, Value>| {
        let slug = record.get(slug_of(kind)).and_then(Value::as_str)?;
        Some((kind.to_owned(), slug.to_owned()))
    };
    let mut existing: BTreeSet<Place> = before.keys().cloned().collect();
    let mut may_exist: BTreeSet<Place> = BTreeSet::new();
    let mut slugs: BTreeSet<(String, String)> = before.iter().filter_map(|(p, r)| slug(&p.0, r)).collect();
    let mut steps: Vec<&Step> = plan.steps.iter().collect();
    steps.sort_by_key(|step| step.step_order);
    let planned_steps = steps.into_iter().map(|step| {
        let place = (step.resource_kind.clone(), step.resource_id.clone());
        let creates = step.action == action::CREATE;
        let is_open = !DEFINED_ACTIONS.contains(&step.action.as_str());
        let slug = slug(&place.0, &step.payload);
        let planned = PlannedStep {
            step,
            collides: creates && existing.contains(&place),
            may_collide: creates
                && (may_exist.contains(&place) || slug.as_ref().is_some_and(|slug| slugs.contains(slug))),
            links_nothing: step.action == action::LINK_LOCAL
                && plan.operation != operation::DELETE
                && !existing.contains(&place)
                && !may_exist.contains(&place),
            is_open,
            place: place.clone(),
        };
        if is_open {
            may_exist.insert(place);
        } else if creates {
            existing.insert(place);
        }
        if is_open || creates {
            slugs.extend(slug);
        }
        planned
    });
    planned_steps.collect()
}

/// The extent to which a stored record has the content that a step carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Preservation {
    /// All of it.
    Complete,
    /// Not all of it: a platform may have no place for the rest.
    Incomplete,
    /// Another content is in its place, and every id is the one that was sent: a platform may write it in a form of its own.
    Altered,
    /// Another id is in the place of one.
    Changed,
}

/// Returns the extent to which a stored record has the content that a step carried, apart from the members
/// that a destination may change. Additional members of the record do not count.
pub(super) fn preservation(step: &Step, stored: &Map<String, Value>) -> Preservation {
    let members = without_own(&step.payload).into_iter();
    worst(
        members
            .map(|(name, member)| preservation_of(name, member, stored.get(name), (&step.payload, stored))),
    )
}

/// Returns the preservation of one member of a record; `records` holds the entire sent and the entire stored
/// record. An id whose place is empty may be elsewhere, if it occurs as often as it was sent.
fn preservation_of(
    name: &str,
    sent: &Value,
    kept: Option<&Value>,
    records: (&Map<String, Value>, &Map<String, Value>),
) -> Preservation {
    let kept = kept.filter(|kept| !kept.is_null());
    match (sent, kept) {
        (Value::Object(members), None | Some(Value::Object(_))) => {
            worst(members.iter().map(|(name, member)| {
                preservation_of(name, member, kept.and_then(|kept| kept.get(name)), records)
            }))
        }
        (Value::Array(items), None | Some(Value::Array(_))) => {
            worst((0..).zip(items).map(|(place, item)| {
                preservation_of(name, item, kept.and_then(|kept| kept.get::<usize>(place)), records)
            }))
        }
        (Value::Null, None) => Preservation::Complete,
        (sent, Some(kept)) if is_same_number(Some(sent), Some(kept)) || is_same_id(sent, kept) => {
            Preservation::Complete
        }
        (Value::String(sent), Some(Value::String(kept))) if is_id(name, sent) => {
            // A longer form of the same id may have more around it.
            if kept.contains(sent.as_str()) { Preservation::Altered } else { Preservation::Changed }
        }
        (Value::Number(_), Some(Value::Number(_))) if is_named_as_id(name) => Preservation::Changed,
        (Value::String(_), Some(Value::String(_)))
        | (Value::Number(_), Some(Value::Number(_)))
        | (Value::Bool(_), Some(Value::Bool(_))) => Preservation::Altered,
        (Value::String(id), _) if is_uuid(id) && times_in(records.1, id) >= times_in(records.0, id) => {
            Preservation::Complete
        }
        _ => Preservation::Incomplete,
    }
}

/// Returns whether a text was sent as an id: by its name, or by its form.
pub(super) fn is_id(name: &str, text: &str) -> bool {
    is_uuid(text) || is_named_as_id(name)
}

fn is_named_as_id(name: &str) -> bool {
    name == "id" || name.ends_with("_id") || name.ends_with("_ids")
}

/// Returns whether both are the same UUID, in any of its forms (`binding.md`, reading 69).
fn is_same_id(one: &Value, other: &Value) -> bool {
    let id = |value: &Value| uuid::Uuid::parse_str(value.as_str()?).ok();
    id(one).is_some_and(|one| id(other) == Some(one))
}

fn worst(parts: impl Iterator<Item = Preservation>) -> Preservation {
    parts.max().unwrap_or(Preservation::Complete)
}

fn is_uuid(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok()
}

/// Returns the number of references of a record to an id.
fn times_in(record: &Map<String, Value>, id: &str) -> usize {
    let members = record.iter().filter(|(name, _)| *name != "id");
    members.map(|(_, member)| times(member, id)).sum()
}

fn times(value: &Value, id: &str) -> usize {
    match value {
        Value::String(text) => usize::from(text == id),
        Value::Array(items) => items.iter().map(|item| times(item, id)).sum(),
        Value::Object(members) => members.values().map(|member| times(member, id)).sum(),
        _ => 0,
    }
}

/// Returns whether a record shows any member that a step carries: a list may show less.
pub(super) fn shows(step: &Step, record: &Map<String, Value>) -> bool {
    without_own(&step.payload).into_keys().any(|name| record.contains_key(name))
}

/// Returns whether a record has the content that a step carried, apart from ids and from its slug, which a platform may
/// change. A step without any content has none.
pub(super) fn has_content_of(step: &Step, record: &Map<String, Value>, slug: &str) -> bool {
    let content = content_of(step, slug);
    let (texts, others): (Vec<_>, Vec<_>) = content.into_iter().partition(|(_, member)| member.is_string());
    let has_each =
        |members: &[(&str, &Value)]| members.iter().all(|(name, sent)| record.get(*name) == Some(*sent));
    // A platform may put what it stores into a state of its own.
    let (states, texts): (Vec<_>, Vec<_>) =
        texts.into_iter().partition(|(name, _)| ["state", "status"].contains(name));
    match (texts.is_empty(), states.is_empty()) {
        (true, true) => !others.is_empty() && has_each(&others),
        (true, false) => has_each(&states),
        _ => has_each(&texts),
    }
}

/// Returns whether a record has a text that a step carried, that nobody else writes, and that no record had before.
pub(super) fn has_text_of(step: &Step, record: &Map<String, Value>, slug: &str, before: &Records) -> bool {
    let is_particular = |text: &str| {
        is_unmistakable(text)
            && text.contains(|c: char| c.is_ascii_digit())
            && text.matches(char::is_alphabetic).nth(1).is_some()
            && text.parse::<Timestamp>().is_err()
    };
    let is_known = |text: &str| before.values().flat_map(Map::values).any(|member| mentions(member, text));
    let content = content_of(step, slug);
    let mut texts = content.values().filter_map(|member| member.as_str()).filter(|text| is_particular(text));
    texts.any(|text| record.values().any(|member| mentions(member, text)) && !is_known(text))
}

/// Returns the members that a step carries, apart from those of the destination, from ids and from its slug.
pub(super) fn content_of<'a>(step: &'a Step, slug: &str) -> BTreeMap<&'a str, &'a Value> {
    let mut content = without_own(&step.payload);
    content.retain(|name, member| *name != slug && !member.as_str().is_some_and(|text| is_id(name, text)));
    content
}

/// Returns whether a record differs from before in any member that a step carries. Additional members of the
/// record do not count.
pub(super) fn was_changed(step: &Step, before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    without_own(&step.payload).into_keys().any(|name| before.get(name) != after.get(name))
}

/// Returns a record without the members that belong to the destination, and without those that only the list
/// of records has.
fn without_own(record: &Map<String, Value>) -> BTreeMap<&str, &Value> {
    let members = record.iter().map(|(name, member)| (name.as_str(), member));
    members.filter(|(name, _)| !OWN_MEMBERS.contains(name) && *name != "id").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    fn plan(steps: &Value) -> MigrationRequest {
        MigrationRequest::deserialize(json!({
            "operation": "migrate", "root_resource_kind": "a", "root_resource_id": "1", "steps": steps,
        }))
        .expect("a plan")
    }

    #[test]
    fn steps_in_order_collide_with_records_that_existed_or_came_before() {
        let step = |order: i64, id: &str| json!({"step_order": order, "resource_kind": "a", "resource_id": id, "action": "create"});
        let plan = plan(&json!([step(2, "x"), step(1, "x"), step(3, "y"), step(4, "z")]));
        let before = Records::from([(("a".into(), "z".into()), Map::new())]);
        let collides: Vec<bool> =
            planned_steps(&plan, &before, |_| "slug").iter().map(|planned| planned.collides).collect();
        assert_eq!(collides, [false, true, false, true]);
    }

    #[test]
    fn a_record_of_an_action_that_is_not_defined_may_be_there() {
        let step = |order: i64, id: &str, action: &str| json!({"step_order": order, "resource_kind": "a", "resource_id": id, "action": action});
        let plan = plan(&json!([step(1, "x", "conflict"), step(2, "x", "create"), step(3, "y", "skip")]));
        let steps = planned_steps(&plan, &Records::new(), |_| "slug");
        let found = steps.iter().map(|planned| (planned.is_open, planned.collides, planned.may_collide));
        let expected = [(true, false, false), (false, false, true), (false, false, false)];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_record_of_a_step_is_known_by_its_texts() {
        let plan = plan(
            &json!([{"step_order": 1, "resource_kind": "a", "resource_id": "1", "action": "create",
            "payload": {"id": "1", "name": "A title 4711-x", "team": "red", "state": "draft", "at": "2026-06-01T00:00:00Z"}}]),
        );
        let object = |value: Value| value.as_object().expect("an object").clone();
        let step = &plan.steps[0];
        let known = |record: Value| {
            let (record, before) = (object(record), Records::new());
            (has_content_of(step, &record, "slug"), has_text_of(step, &record, "slug", &before))
        };
        let at = "2026-06-01T00:00:00Z";
        let in_review = json!({"name": "A title 4711-x", "team": "red", "state": "in review", "at": at});
        assert_eq!(known(in_review), (true, true));
        assert_eq!(known(json!({"title": {"en": "A title 4711-x"}})), (false, true));
        assert_eq!(known(json!({"name": "own", "team": "red", "state": "draft", "at": at})), (false, false));
        let before = Records::from([(("a".into(), "z".into()), object(json!({"name": "A title 4711-x"})))]);
        assert!(!has_text_of(step, &object(json!({"name": "A title 4711-x"})), "slug", &before));
    }

    #[test]
    fn the_destinations_own_members_do_not_count() {
        let plan =
            plan(&json!([{"step_order": 1, "resource_kind": "a", "resource_id": "1", "action": "create",
            "payload": {"id": "1", "account_id": "x", "created_at": "t", "deep": {"parent_id": "2"}}}]));
        let stored = |parent: &str| json!({"account_id": "y", "deep": {"parent_id": parent}});
        let kept =
            |parent: &str| preservation(&plan.steps[0], stored(parent).as_object().expect("an object"));
        assert_eq!((kept("2"), kept("3")), (Preservation::Complete, Preservation::Changed));
    }

    #[test]
    fn only_another_id_is_a_changed_one() {
        const PARENT: &str = "01a20000-0000-7000-8000-00000000000a";
        let plan = plan(
            &json!([{"step_order": 1, "resource_kind": "a", "resource_id": "1", "action": "create",
            "payload": {"id": "1", "state": "draft", "price": 1, "seen": true, "author_id": "x", "parent": PARENT}}]),
        );
        let kept = |name: &str, value: Value| {
            let mut stored = plan.steps[0].payload.clone();
            stored.insert(name.to_owned(), value);
            preservation(&plan.steps[0], &stored)
        };
        assert_eq!(kept("state", json!("draft")), Preservation::Complete);
        assert_eq!(kept("state", json!("pending_review")), Preservation::Altered);
        assert_eq!(kept("price", json!(1.5)), Preservation::Altered);
        assert_eq!(kept("seen", json!(false)), Preservation::Altered);
        assert_eq!(kept("author_id", json!("y")), Preservation::Changed);
        assert_eq!(kept("parent", json!("another text")), Preservation::Changed);
        assert_eq!(kept("parent", json!(PARENT.to_uppercase())), Preservation::Complete);
        assert_eq!(kept("parent", json!(format!("urn:uuid:{PARENT}"))), Preservation::Complete);
        assert_eq!(kept("parent", json!(format!("skill/{PARENT}"))), Preservation::Altered);
    }

    #[test]
    fn a_reference_may_be_elsewhere_and_no_other_may_be_in_its_place() {
        const PARENT: &str = "01a20000-0000-7000-8000-000000000001";
        const OTHER: &str = "01a20000-0000-7000-8000-000000000002";
        let plan = plan(
            &json!([{"step_order": 1, "resource_kind": "a", "resource_id": "1", "action": "create",
            "payload": {"id": "1", "parent_id": PARENT, "deep": {"list": [{"note_id": PARENT}], "count": 1}}}]),
        );
        let deep = |id: &str| json!({"list": [{"note_id": id, "seen": true}], "count": 1.0});
        for (stored, expected) in [
            (json!({"parent_id": PARENT, "deep": deep(PARENT)}), Preservation::Complete),
            (json!({"parent": {"id": PARENT}, "deep": deep(PARENT)}), Preservation::Complete),
            (json!({"parent_id": PARENT, "deep": deep(OTHER)}), Preservation::Changed),
            (json!({"parent_id": OTHER, "came_with": PARENT, "deep": deep(PARENT)}), Preservation::Changed),
            (json!({"parent_id": PARENT}), Preservation::Incomplete),
            (json!({"parent_id": null, "deep": deep(PARENT)}), Preservation::Incomplete),
            (json!({"parent_id": PARENT, "deep": {"list": [{}], "count": 1}}), Preservation::Incomplete),
            (json!({}), Preservation::Incomplete),
        ] {
            assert_eq!(
                preservation(&plan.steps[0], stored.as_object().expect("an object")),
                expected,
                "{stored}"
            );
        }
    }

    #[test]
    fn a_member_that_the_platform_adds_does_not_count_as_a_change() {
        let plan =
            plan(&json!([{"step_order": 1, "resource_kind": "a", "resource_id": "1", "action": "create",
            "payload": {"id": "1", "name": "new", "updated_at": "t"}}]));
        let changed = |after: &Value| {
            let before = json!({"id": "1", "name": "old", "updated_at": "1"});
            let object = |value: &Value| value.as_object().expect("an object").clone();
            was_changed(&plan.steps[0], &object(&before), &object(after))
        };
        assert!(!changed(&json!({"name": "old", "updated_at": "2", "read_at": 3})));
        assert!(changed(&json!({"name": "new", "updated_at": "1"})));
        assert!(changed(&json!({"name": "old (2)", "updated_at": "1"})));
    }
}
