//! The platform sends errors with `error` alone, without `success` and `code`, on every route.

use serde_json::Value;

use crate::Patch;
use covenant_net::net::{Inbound, Outbound};

pub(super) const PATCH: Patch = Patch::variant(
    "sends-errors-without-code",
    "Refuses with `error`, and neither `success` nor `code`, on every route.",
    |policy| policy.wire.override_outbound = amend,
);

fn amend(_: &Inbound, outbound: &mut Outbound) {
    if outbound.status < 400 {
        return;
    }
    if let Ok(Value::Object(mut members)) = serde_json::from_slice(&outbound.body) {
        members.remove("success");
        members.remove("code");
        outbound.body = Value::Object(members).to_string().into();
    }
}
