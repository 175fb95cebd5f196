//! The platform keeps a record's own id and its top-level references, but rewrites the ids nested in it.

use serde_json::{Map, Value, json};

use crate::Patch;
use crate::apply;
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::Step;

pub(super) const PATCH: Patch = Patch::defect(
    "remaps-nested-references",
    &[("7.4", Conduct)],
    "Keeps a record's own id and what it refers to by name, and rewrites the ids that stand deeper inside it.",
    |policy| policy.migrations.kept_body = kept_body,
)
.hard_to_reach();

fn kept_body(tx: &Transaction<'_>, step: &Step, account: &Value) -> Map<String, Value> {
    let mut body = apply::kept_body(tx, step, account);
    for value in body.values_mut().filter(|value| !value.is_string()) {
        remap(tx, value);
    }
    body
}

fn remap(tx: &Transaction<'_>, value: &mut Value) {
    match value {
        Value::String(text) if uuid::Uuid::parse_str(text).is_ok() => *value = json!(tx.new_id()),
        Value::Array(items) => items.iter_mut().for_each(|item| remap(tx, item)),
        Value::Object(members) => members.values_mut().for_each(|member| remap(tx, member)),
        _ => {}
    }
}
