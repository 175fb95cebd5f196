//! Defects against 7.4: identities survive a migration.

use serde_json::{Map, Value, json};

use crate::Patch;
use crate::migration::{self, Plan};
use crate::store::records;
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::{Step, operation, policy};

/// Defects in the ids under which migrated records are stored.
pub(in crate::defects) const PATCHES: &[Patch] = &[
    Patch::defect(
        "remaps-ids-of-non-root-records",
        &[("7.2", Conduct), ("7.3", Conduct), ("7.4", Conduct)],
        "Stores records that were migrated along with a root under new ids.",
        |policy| policy.migration.choose_id = fresh_id_below_root,
    ),
    Patch::defect(
        "remaps-ids-of-duplicates",
        &[("7.2", Conduct), ("7.4", Conduct)],
        "Stores a duplicate under a new id.",
        |policy| policy.migration.choose_id = fresh_id_of_duplicate,
    ),
    Patch::defect(
        "remaps-id-on-id-conflict",
        &[("7.2", Conduct), ("7.3", Conduct), ("7.4", Conduct)],
        "Gives a record to be renamed a new id if its id is taken, and reports no conflict.",
        |policy| policy.migration.choose_id = fresh_id_on_id_conflict,
    ),
    Patch::defect(
        "remaps-id-on-slug-conflict",
        &[("7.4", Conduct)],
        "Gives a record whose slug is taken both another slug and a new id.",
        |policy| policy.migration.choose_id = fresh_id_on_slug_conflict,
    ),
    Patch::defect(
        "remaps-ids-of-other-kinds-than-the-root",
        &[("7.2", Conduct), ("7.4", Conduct)],
        "Stores records of each kind other than that of the root under new ids.",
        |policy| {
            policy.migration.choose_id = |plan, step| {
                let is_of_root = step.resource_kind == plan.request.root_resource_kind;
                let existing = records::find(plan.tx.db, &step.resource_kind, &step.resource_id);
                if is_of_root || existing.is_ok_and(|existing| existing.is_some()) {
                    return migration::choose_id(plan, step);
                }
                plan.tx.new_id()
            };
        },
    ),
    Patch::defect(
        "remaps-nested-references",
        &[("7.4", Conduct)],
        "Keeps a record's own id and its top-level references, but rewrites the ids nested in it.",
        |policy| policy.migration.choose_body = body_with_remapped_references,
    )
    .hard_to_reach(),
    Patch::defect(
        "remaps-references-in-metadata",
        &[("7.4", Conduct)],
        "Rewrites each id that the `metadata` of a record names in a member `…_id`.",
        |policy| {
            policy.migration.choose_body = |tx, step, account| {
                let mut body = migration::choose_body(tx, step, account);
                let metadata = body.get_mut("metadata").and_then(Value::as_object_mut);
                for (_, member) in metadata.into_iter().flatten().filter(|(name, _)| name.ends_with("_id")) {
                    remap_ids(tx, member);
                }
                body
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "replaces-references-to-absent-records",
        &[("7.4", Conduct)],
        "Replaces each reference of a new record to one that it does not have by an id of its own.",
        |policy| policy.migration.choose_body = body_without_absent_references,
    )
    .hard_to_reach(),
    Patch::defect(
        "empties-references-to-absent-records",
        &[("7.4", Conduct)],
        "Stores null for each reference of a new record to one that it does not have.",
        |policy| policy.migration.choose_body = body_with_empty_references,
    )
    .hard_to_reach(),
    Patch::defect(
        "accepts-mismatched-payload-ids",
        &[("7.4", Conduct)],
        "Accepts a step whose payload has the id of another record.",
        |policy| policy.migration.ids_match = |_| true,
    ),
    Patch::defect(
        "stores-step-by-payload-id",
        &[("7.4", Conduct)],
        "Accepts a step whose payload has the id of another record, and stores it under that id.",
        |policy| {
            policy.migration.ids_match = |_| true;
            policy.migration.choose_id = payload_id;
        },
    ),
];

fn fresh_id_below_root(plan: &Plan<'_>, step: &Step) -> String {
    let is_root = step.resource_id == plan.request.root_resource_id;
    let existing = records::find(plan.tx.db, &step.resource_kind, &step.resource_id);
    if is_root || existing.is_ok_and(|existing| existing.is_some()) {
        return migration::choose_id(plan, step);
    }
    plan.tx.new_id()
}

fn fresh_id_of_duplicate(plan: &Plan<'_>, step: &Step) -> String {
    if plan.request.operation == operation::DUPLICATE {
        return plan.tx.new_id();
    }
    migration::choose_id(plan, step)
}

fn fresh_id_on_id_conflict(plan: &Plan<'_>, step: &Step) -> String {
    let renames = step.conflict_policy.as_deref() == Some(policy::RENAME_WITH_SUFFIX);
    let existing = records::find(plan.tx.db, &step.resource_kind, &step.resource_id);
    if renames && existing.is_ok_and(|existing| existing.is_some()) {
        return plan.tx.new_id();
    }
    migration::choose_id(plan, step)
}

fn fresh_id_on_slug_conflict(plan: &Plan<'_>, step: &Step) -> String {
    let renames = step.conflict_policy.as_deref() == Some(policy::RENAME_WITH_SUFFIX);
    let slug = step.payload.get("slug").and_then(|slug| slug.as_str());
    let is_taken =
        |slug| records::with_slug(plan.tx.db, &step.resource_kind, slug).is_ok_and(|s| s.is_some());
    if renames && slug.is_some_and(is_taken) { plan.tx.new_id() } else { migration::choose_id(plan, step) }
}

fn body_with_remapped_references(tx: &Transaction<'_>, step: &Step, account: &Value) -> Map<String, Value> {
    let mut body = migration::choose_body(tx, step, account);
    for value in body.values_mut().filter(|value| !value.is_string()) {
        remap_ids(tx, value);
    }
    body
}

fn remap_ids(tx: &Transaction<'_>, value: &mut Value) {
    match value {
        Value::String(text) if uuid::Uuid::parse_str(text).is_ok() => *value = json!(tx.new_id()),
        Value::Array(items) => items.iter_mut().for_each(|item| remap_ids(tx, item)),
        Value::Object(members) => members.values_mut().for_each(|member| remap_ids(tx, member)),
        _ => {}
    }
}

fn body_without_absent_references(tx: &Transaction<'_>, step: &Step, account: &Value) -> Map<String, Value> {
    let mut body = migration::choose_body(tx, step, account);
    let existing = records::find(tx.db, &step.resource_kind, &step.resource_id);
    if existing.is_ok_and(|existing| existing.is_none()) {
        replace_absent(tx, &mut body, |tx| json!(tx.new_id()));
    }
    body
}

fn body_with_empty_references(tx: &Transaction<'_>, step: &Step, account: &Value) -> Map<String, Value> {
    let mut body = migration::choose_body(tx, step, account);
    let existing = records::find(tx.db, &step.resource_kind, &step.resource_id);
    if existing.is_ok_and(|existing| existing.is_none()) {
        replace_absent(tx, &mut body, |_| Value::Null);
    }
    body
}

fn replace_absent(tx: &Transaction<'_>, members: &mut Map<String, Value>, by: fn(&Transaction<'_>) -> Value) {
    let is_known = |id: &str| {
        records::list(tx.db, None).is_ok_and(|records| records.iter().any(|record| record.id == id))
    };
    for (name, value) in members {
        match value {
            Value::String(id) if name.ends_with("_id") && name != "account_id" && !is_known(id) => {
                *value = by(tx);
            }
            Value::Array(items) => items
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(|members| replace_absent(tx, members, by)),
            Value::Object(members) => replace_absent(tx, members, by),
            _ => {}
        }
    }
}

fn payload_id(_: &Plan<'_>, step: &Step) -> String {
    step.payload.get("id").and_then(|id| id.as_str()).unwrap_or(&step.resource_id).to_owned()
}
