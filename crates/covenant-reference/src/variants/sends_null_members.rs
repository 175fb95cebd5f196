//! The platform sends null for absent members.

use serde_json::Value;

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("sends-null-members", "Says null for what it has nothing to say of.", |policy| {
        policy.wire.override_body = amend;
    });

fn amend(_: &str, body: &mut Value) {
    if let Some(data) = body.get_mut("data").and_then(Value::as_object_mut) {
        for name in ["warnings", "extension_slugs", "expires_at"] {
            data.entry(name).or_insert(Value::Null);
        }
    }
}
