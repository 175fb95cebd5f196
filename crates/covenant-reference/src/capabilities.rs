//! The capabilities that this platform declares and serves (commitment 3), and the meaning of a peer's
//! declaration.

use serde_json::{Map, Value, json};

use super::policy::policy;
use super::store::records::Record;
use super::store::rows::Capability;
use super::store::{StoreError, table};
use super::transaction::Transaction;

/// Returns what the store says against a record; the last argument is true if a peer migrates it here.
type Refusal = fn(&Transaction<'_>, &Record, bool) -> Result<Option<String>, StoreError>;

policy! {
    /// The policy for declared and served kinds.
    Policy {
        /// Returns the kinds that the capability document of this peer lists: those that are declared to it (3.1).
        listed: fn(&Transaction<'_>, &str) -> Result<Vec<Capability>, StoreError> = declared,
        /// Returns whether a declared kind is served on request (3.1).
        serves: fn(&Capability) -> bool = serves,
        /// Returns the schema version by which a migration is measured: the declared one (3.2).
        schema_in_force: fn(&Transaction<'_>, &Capability) -> Value = |_, row| row.schema_version.clone(),
        /// Returns whether a schema version is accepted if this one is declared (3.2).
        accepts_schema: fn(&Value, &Value) -> bool = accepts_schema,
        /// Returns whether a record passes a filter (3.3).
        passes_filter: fn(&Map<String, Value>, &Map<String, Value>) -> bool = passes_filter,
        /// Returns the declarations that the platform makes by itself, without its operator.
        own_rows: fn() -> Vec<Capability> = Vec::new,
        /// Returns the kinds that the platform names in `describe`; null if it takes any.
        kinds: fn() -> Value = || Value::Null,
        /// Returns what the store says against a record, migrated here or not.
        refusal: Refusal = |_, _, _| Ok(None),
        /// Policy hook on the record of an operator or of a peer before it is stored.
        override_record: fn(&mut Record) = |_| (),
        /// Returns whether a peer's `capabilities` claim nothing (3.4).
        claims_nothing: fn(&Value) -> bool = claims_nothing,
        /// Runs when an operator declares a kind again, with the row that is replaced (2.1). The default does nothing.
        on_replacement: fn(&Transaction<'_>, &Capability) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Policy hook on a capability document before it is sent.
        override_document: fn(&mut Value) = |_| (),
    }
}

/// Returns `true`: every declared kind is served.
pub(crate) fn serves(_: &Capability) -> bool {
    true
}

/// Returns whether `capabilities` are absent or empty, or list no kind.
pub(crate) fn claims_nothing(capabilities: &Value) -> bool {
    match capabilities {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => {
            let kinds = members.get("resource_kinds").and_then(Value::as_array);
            members.is_empty() || kinds.is_some_and(Vec::is_empty)
        }
        _ => false,
    }
}

/// Returns whether the majors are equal and the minors differ by at most one. A bare number is a major. An
/// absent version is accepted.
pub(crate) fn accepts_schema(declared: &Value, given: &Value) -> bool {
    if given.is_null() || declared.is_null() || declared == given {
        return true;
    }
    match (major_minor(declared), major_minor(given)) {
        (Some((major, minor)), Some((other, given_minor))) => {
            major == other && minor.abs_diff(given_minor) <= 1
        }
        _ => false,
    }
}

/// Returns whether the record matches every key of the filter. An array matches any of its values.
pub(crate) fn passes_filter(filter: &Map<String, Value>, record: &Map<String, Value>) -> bool {
    filter.iter().all(|(key, wanted)| {
        let found = record.get(key).unwrap_or(&Value::Null);
        match wanted {
            Value::Array(any) => any.contains(found),
            one => one == found,
        }
    })
}

/// Returns the kinds that are declared to a peer. Rows for this peer take precedence over rows for every
/// peer.
pub(crate) fn declared(tx: &Transaction<'_>, peer_id: &str) -> Result<Vec<Capability>, StoreError> {
    let mut rows: Vec<Capability> = table::all(tx.db)?;
    rows.extend((tx.policy.capabilities.own_rows)());
    rows.retain(|row| row.peer_id.as_deref().is_none_or(|id| id == peer_id));
    rows.sort_by_key(|row| (row.resource_kind.clone(), row.peer_id.is_none()));
    rows.dedup_by(|later, first| later.resource_kind == first.resource_kind);
    Ok(rows)
}

/// Returns whether any kind is declared to any peer.
pub(crate) fn has_kinds(tx: &Transaction<'_>) -> Result<bool, StoreError> {
    let rows: Vec<Capability> = table::all(tx.db)?;
    Ok(!rows.is_empty() || !(tx.policy.capabilities.own_rows)().is_empty())
}

/// Returns the declared row of one kind.
pub(crate) fn row(tx: &Transaction<'_>, peer_id: &str, kind: &str) -> Result<Option<Capability>, StoreError> {
    Ok(declared(tx, peer_id)?.into_iter().find(|row| row.resource_kind == kind))
}

/// Returns the capability document that a peer receives.
pub(crate) fn document(tx: &Transaction<'_>, peer_id: &str) -> Result<Value, StoreError> {
    let rows: Vec<Value> = (tx.policy.capabilities.listed)(tx, peer_id)?.iter().map(described).collect();
    let mut document = json!({ "resource_kinds": rows });
    (tx.policy.capabilities.override_document)(&mut document);
    Ok(document)
}

fn described(row: &Capability) -> Value {
    let mut members = json!({
        "kind": row.resource_kind, "schema_version": row.schema_version,
        "direction": row.direction, "policy": row.policy,
    });
    if let Some(filter) = &row.filter {
        members["filter"] = Value::Object(filter.clone());
    }
    if let Some(migratable) = row.migratable {
        members["migratable"] = json!(migratable);
    }
    members
}

/// Parses `1`, `"1"`, `"1.2"` and `"1.2.3"`.
fn major_minor(version: &Value) -> Option<(u64, u64)> {
    if let Some(major) = version.as_u64() {
        return Some((major, 0));
    }
    let mut parts = version.as_str()?.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().map_or(Ok(0), str::parse).ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_version_may_be_a_number_or_a_text() {
        for (declared, given, taken) in [
            (json!(1), json!(1), true),
            (json!(1), json!("1.0"), true),
            (json!("1.2.0"), json!("1.3.9"), true),
            (json!("1.2"), json!("1.4"), false),
            (json!(1), json!(2), false),
            (json!(1), json!("new"), false),
            (json!(1), Value::Null, true),
        ] {
            assert_eq!(accepts_schema(&declared, &given), taken, "{declared} {given}");
        }
    }

    #[test]
    fn a_filter_admits_records_that_match_every_key() {
        let object = |value: Value| value.as_object().expect("an object").clone();
        let filter = object(json!({"tier": ["a", "b"], "public": true}));
        assert!(passes_filter(&filter, &object(json!({"tier": "b", "public": true, "x": 1}))));
        assert!(!passes_filter(&filter, &object(json!({"tier": "c", "public": true}))));
        assert!(!passes_filter(&filter, &object(json!({"tier": "a"}))));
    }
}
