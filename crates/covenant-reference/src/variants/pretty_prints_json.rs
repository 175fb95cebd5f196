//! The platform writes its JSON with line breaks and indentation.

use serde_json::Value;

use crate::Patch;
use covenant_net::net::{Inbound, Outbound};

pub(super) const PATCH: Patch =
    Patch::variant("pretty-prints-json", "Writes its JSON with line breaks and indents.", |policy| {
        policy.wire.override_outbound = amend;
    });

fn amend(_: &Inbound, outbound: &mut Outbound) {
    let pretty = serde_json::from_slice::<Value>(&outbound.body);
    if let Some(text) = pretty.ok().and_then(|value| serde_json::to_string_pretty(&value).ok()) {
        outbound.body = text.into();
    }
}
