//! The platform writes the members of every object in reverse order, and non-ASCII characters as escapes.

use serde_json::Value;

use crate::Patch;
use covenant_net::net::{Inbound, Outbound};

pub(super) const PATCH: Patch = Patch::variant(
    "reverses-json-members",
    "Writes the members of every object in reverse, and what is not ASCII as escapes.",
    |policy| policy.wire.override_outbound = amend,
);

fn amend(_: &Inbound, outbound: &mut Outbound) {
    if let Ok(value) = serde_json::from_slice::<Value>(&outbound.body) {
        outbound.body = written(&value).into();
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().rev();
            let members: Vec<String> = members
                .map(|(name, member)| format!("{}:{}", written(&name.as_str().into()), written(member)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(",")),
        other => escaped(&other.to_string()),
    }
}

fn escaped(json: &str) -> String {
    let escape = |unit: u16| {
        char::from_u32(u32::from(unit))
            .filter(char::is_ascii)
            .map_or_else(|| format!("\\u{unit:04X}"), String::from)
    };
    json.encode_utf16().map(escape).collect()
}
