//! Variant of a platform with an inventory: kinds of its own, in tables with fixed columns.

use serde_json::{Map, Value, json};

use crate::Patch;
use crate::migration;
use crate::store::StoreError;
use crate::store::records::{self, Record};
use crate::store::rows::Capability;
use crate::transaction::Transaction;

/// A platform with kinds that take no migration.
pub(crate) const ONE_WAY_KINDS: Patch = Patch::variant(
    "declares-kinds-that-take-no-migration",
    "Declares by itself a kind that does not migrate and one that only flows out, and refuses migrations of both.",
    |policy| {
        policy.capabilities.own_rows =
            || vec![own_row("ledger", "bidirectional"), own_row("bulletin", OUTWARD)];
        policy.capabilities.refusal = |_, record, is_migrated| {
            let is_fixed = is_migrated && ["ledger", "bulletin"].contains(&record.kind.as_str());
            Ok(is_fixed.then(|| format!("{} takes no migration", record.kind)))
        };
    },
).deciding(&["which kinds it takes"]);

/// The direction of a kind that only flows out.
const OUTWARD: &str = "push_local_to_remote";

/// A declaration without an operator. A kind that flows in both directions does not migrate.
fn own_row(kind: &str, direction: &str) -> Capability {
    Capability {
        id: format!("own/{kind}"),
        peer_id: None,
        resource_kind: kind.to_owned(),
        schema_version: json!(1),
        direction: direction.to_owned(),
        policy: "manual".to_owned(),
        filter: None,
        conflict_resolution: None,
        dependencies: vec![],
        migratable: (direction != OUTWARD).then_some(false),
    }
}

/// Variants in the kinds of record.
pub(super) const PATCHES: &[Patch] = &[
    Patch::variant(
        "has-kinds-of-its-own",
        "Has three kinds of its own, with required members, a slug and a reference, and refuses all else.",
        |policy| {
            policy.capabilities.kinds = kinds;
            policy.capabilities.refusal = refusal;
            policy.outbound.dependencies = |record| {
                let parent = record.body.get("parent_id").and_then(Value::as_str);
                parent.map(|id| (record.kind.clone(), id.to_owned())).into_iter().collect()
            };
        },
    )
    .deciding(&["which kinds it takes"]),
    ONE_WAY_KINDS,
    Patch::variant(
        "trims-each-text",
        "Stores each text of a record without the white space at its ends, and leaves an empty one out, wherever the record comes from.",
        |policy| {
            policy.capabilities.override_record = |record| {
                for member in record.body.values_mut() {
                    if let Some(text) = member.as_str() {
                        *member = json!(text.trim());
                    }
                }
                record.body.retain(|_, member| *member != "");
            };
        },
    ),
    Patch::variant(
        "normalises-migrated-texts",
        "Stores each text of a migrated record without the white space at its ends, in composed form, and leaves an empty one out.",
        |policy| {
            policy.migration.choose_body = |tx, step, account| {
                let mut body = migration::choose_body(tx, step, account);
                body.values_mut().for_each(normalise);
                body.retain(|_, member| *member != "");
                body
            };
        },
    ),
];

/// Normalises each text of a value.
fn normalise(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.trim().replace("e\u{301}", "é"),
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(members) => members.values_mut().for_each(normalise),
        _ => {}
    }
}

/// The kinds, as `describe` names them.
fn kinds() -> Value {
    let (text, required_text) = (json!({"role": "text"}), json!({"role": "text", "required": true}));
    let fixed = json!({"required": true});
    json!([
        {"kind": "workflow", "sample": {"title": "Weaving", "state": "draft", "owner_id": OWNER}, "members": {
            "title": required_text, "state": fixed, "slug": {"role": "slug"},
            "owner_id": {"role": "reference", "required": true, "to": "member"},
            "parent_id": {"role": "reference", "to": "workflow"},
            "crew": text, "grade": text, "saying": text, "metadata": {"role": "object"},
        }},
        {"kind": "task", "sample": {"subject": "Spin", "priority": 3}, "members": {
            "subject": required_text, "priority": fixed, "tag": text,
        }},
        {"kind": "document", "sample": {"headline": "Minutes"}, "members": {
            "headline": required_text, "mood": text,
        }},
    ])
}

/// The only owner that there is.
const OWNER: &str = "01977e5a-0000-7000-8000-000000000001";

/// The members that every table has.
const COMMON: [&str; 4] = ["id", "account_id", "created_at", "updated_at"];

/// Returns what the model or the database says against a record; `None` if it is stored.
fn refusal(tx: &Transaction<'_>, record: &Record, is_migrated: bool) -> Result<Option<String>, StoreError> {
    let inventory = kinds();
    let Some(kind) = inventory.as_array().into_iter().flatten().find(|row| row["kind"] == *record.kind)
    else {
        return Ok(Some(format!("kind {:?} is not in the inventory", record.kind)));
    };
    let columns = kind["members"].as_object().cloned().unwrap_or_default();
    if let Some(name) =
        record.body.keys().find(|name| !columns.contains_key(*name) && !COMMON.contains(&&***name))
    {
        return Ok(Some(format!("unknown attribute '{name}' for {}", record.kind)));
    }
    let is_blank = |name: &str| record.body.get(name).is_none_or(|value| value.is_null() || value == "");
    if is_migrated && is_blank("account_id") {
        return Ok(Some("Account must exist".to_owned()));
    }
    if let Some((name, _)) =
        columns.iter().find(|(name, column)| column["required"] == true && is_blank(name))
    {
        return Ok(Some(format!("{name} can't be blank")));
    }
    foreign_key(tx, &record.kind, &record.body)
}

fn foreign_key(
    tx: &Transaction<'_>,
    kind: &str,
    body: &Map<String, Value>,
) -> Result<Option<String>, StoreError> {
    if body.get("owner_id").is_some_and(|owner| owner != OWNER) {
        return Ok(Some("Owner must exist".to_owned()));
    }
    let Some(parent) = body.get("parent_id").and_then(Value::as_str) else { return Ok(None) };
    let is_there = records::find(tx.db, kind, parent)?.is_some();
    Ok((!is_there).then(|| "Parent must exist".to_owned()))
}
