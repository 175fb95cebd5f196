//! The platform answers accept with an empty capability document, and declares its kinds from the first
//! heartbeat on.

use serde_json::{Value, json};

use crate::Patch;
use covenant_model::wire::path::Route;

pub(super) const PATCH: Patch = Patch::variant(
    "declares-capabilities-at-heartbeat",
    "Answers accept with an empty capability document, and tells what it serves from the first heartbeat on.",
    |policy| policy.wire.override_body = empty_at_accept,
);

fn empty_at_accept(route: &str, body: &mut Value) {
    if route == Route::Accept.name()
        && let Some(data) = body.get_mut("data").and_then(Value::as_object_mut)
    {
        data.insert("capabilities".to_owned(), json!({"resource_kinds": []}));
    }
}
