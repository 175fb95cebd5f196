//! The platform answers with `success`, `data` and a null `error` on every route.

use serde_json::{Value, json};

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "sends-full-envelopes",
    "Answers with `success`, `data` and an `error` of null on every route.",
    |policy| {
        policy.wire.override_body = amend;
    },
);

fn amend(_: &str, body: &mut Value) {
    if body.get("data").is_some() {
        body["success"] = json!(true);
        body["error"] = Value::Null;
    }
}
