//! The platform adds unknown members to every response.

use serde_json::{Value, json};

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("adds-unknown-members", "Adds members that nobody knows to every answer.", |policy| {
        policy.wire.override_body = amend;
    });

fn amend(_: &str, body: &mut Value) {
    let extra = json!({"note": "of this platform's own", "nested": [1, {"deep": null}]});
    if let Some(data) = body.get_mut("data").and_then(Value::as_object_mut) {
        data.insert("x_extension".to_owned(), extra.clone());
    }
    if let Some(members) = body.as_object_mut() {
        members.insert("x_extension".to_owned(), extra);
    }
}
