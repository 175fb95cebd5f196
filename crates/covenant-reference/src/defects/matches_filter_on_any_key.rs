//! The platform admits a record that matches only one key of its filter.

use serde_json::{Map, Value};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "matches-filter-on-any-key",
    &[("3.3", Conduct)],
    "Lets a record through its filter that matches one key of several.",
    |policy| {
        policy.capabilities.passes_filter = passes;
        policy.out.passes_filter = passes;
    },
);

fn passes(filter: &Map<String, Value>, record: &Map<String, Value>) -> bool {
    filter.iter().any(|(key, wanted)| {
        let found = record.get(key).unwrap_or(&Value::Null);
        wanted == found || wanted.as_array().is_some_and(|any| any.contains(found))
    })
}
