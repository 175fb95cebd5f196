//! Keeps a record's own id and what it refers to by name, and rewrites the ids that stand deeper inside it.

use serde_json::{Map, Value, json};

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::act::Act;
use crate::reference::apply;
use crate::wire::migration::Step;

pub(super) const PATCH: Patch = Patch::defect(
    "remaps-nested-references",
    &[("7.4", Conduct)],
    "Keeps a record's own id and what it refers to by name, and rewrites the ids that stand deeper inside it.",
    |rules| rules.migrations.kept_body = kept_body,
)
.deep();

fn kept_body(act: &Act<'_>, step: &Step, account: &Value) -> Map<String, Value> {
    let mut body = apply::kept_body(act, step, account);
    for value in body.values_mut().filter(|value| !value.is_string()) {
        remap(act, value);
    }
    body
}

fn remap(act: &Act<'_>, value: &mut Value) {
    match value {
        Value::String(text) if uuid::Uuid::parse_str(text).is_ok() => *value = json!(act.new_id()),
        Value::Array(items) => items.iter_mut().for_each(|item| remap(act, item)),
        Value::Object(members) => members.values_mut().for_each(|member| remap(act, member)),
        _ => {}
    }
}
