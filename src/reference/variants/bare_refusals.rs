//! Refuses with `error` alone, on every route.

use serde_json::{Value, json};

use crate::net::{Inbound, Outbound};
use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("bare-refusals", "Refuses with `error` alone, on every route.", |rules| {
        rules.wire.amend_outbound = amend
    });

fn amend(_: &Inbound, outbound: &mut Outbound) {
    if outbound.status < 400 {
        return;
    }
    if let Ok(Value::Object(members)) = serde_json::from_slice(&outbound.body) {
        outbound.body = json!({"error": members.get("error")}).to_string().into();
    }
}
