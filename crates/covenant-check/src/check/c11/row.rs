//! The state and the content of a row of a list.

use serde_json::{Map, Value};

/// The words for a record that was deleted and is still listed.
pub(in crate::check) const DELETED: [&str; 5] = ["deleted", "destroyed", "purged", "erased", "tombstone"];

/// The words for a record that was put away: the trace does not show whether it can still be read.
pub(in crate::check) const PUT_AWAY: [&str; 6] =
    ["archived", "removed", "discarded", "trashed", "hidden", "inactive"];

/// Returns whether a row has one of these words: as its state, as a member that is true, or as a time.
pub(in crate::check) fn is_called(row: &Value, words: &[&str]) -> bool {
    let says = |name: &str, value: &Value| match value {
        Value::String(text) if matches!(name, "status" | "state") => {
            words.contains(&text.trim().to_lowercase().as_str())
        }
        Value::Bool(yes) => words.contains(&name.trim_start_matches("is_")) && *yes,
        Value::String(_) | Value::Number(_) => {
            name.strip_suffix("_at").is_some_and(|word| words.contains(&word))
        }
        _ => false,
    };
    let is_absent = words.contains(&"deleted") && row["exists"] == false;
    let mut members = places(row).into_iter().filter_map(Value::as_object).flatten();
    is_absent || members.any(|(name, value)| says(name, value))
}

/// Returns the part of a row that has to remain unchanged: its id, its kind and these members, or the entire
/// row if it has none of them.
pub(super) fn fixed_part(row: &Value, names: &[&str]) -> Value {
    let named = ["id", "kind"].iter().chain(names);
    let members: Map<String, Value> =
        named.filter_map(|name| Some(((*name).to_owned(), member(row, name)?.clone()))).collect();
    if members.is_empty() { row.clone() } else { Value::Object(members) }
}

/// Returns a member of a row, or of the record or the payload in it.
pub(super) fn member<'a>(row: &'a Value, name: &str) -> Option<&'a Value> {
    places(row).into_iter().find_map(|place| place.get(name))
}

/// Returns the places of a row that hold members.
fn places(row: &Value) -> [&Value; 3] {
    [row, &row["record"], &row["payload"]]
}

/// Returns whether each non-empty member of one row is also non-empty in the other.
pub(super) fn keeps_members(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(members), _) => members
            .iter()
            .all(|(name, member)| keeps_members(member, other.get(name).unwrap_or(&Value::Null))),
        (Value::Null, _) => true,
        (Value::Array(items), _) if items.is_empty() => true,
        (Value::String(text), _) if text.is_empty() => true,
        (_, Value::Null) => false,
        (_, Value::String(text)) => !text.is_empty(),
        _ => true,
    }
}
