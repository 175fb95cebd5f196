//! The operator's lists: of records, of audit entries, of overlay addresses.

use serde_json::{Map, Value};

use covenant_model::transcript::Trace;

/// Returns the rows of a list: the list itself, or the array of an object under the default name, or else its
/// first array.
pub(in crate::check) fn rows<'a>(trace: &'a Trace, label: &str) -> Option<(u64, Vec<&'a Value>)> {
    let (n, operation) = trace.operation(label)?;
    let result = operation.result.as_ref()?;
    let members = result.as_object().into_iter().flat_map(Map::values);
    let named = ["resources", "entries", "addresses"].iter().find_map(|name| result[*name].as_array());
    let list = result.as_array().or(named).or_else(|| members.into_iter().find_map(Value::as_array))?;
    Some((n, list.iter().collect()))
}
