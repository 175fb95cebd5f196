//! The platform answers with `data` alone, without `success`, on every route.

use serde_json::Value;

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "omits-success-member",
    "Answers in `data` alone, without `success`, on every route.",
    |policy| policy.wire.override_body = amend,
);

fn amend(_: &str, body: &mut Value) {
    if body.get("data").is_some()
        && let Some(members) = body.as_object_mut()
    {
        members.remove("success");
    }
}
