//! Variants of HTTP, TLS, JSON and statuses.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Patch;
use crate::handshake::contract;
use covenant_model::wire::path::Route;
use covenant_model::wire::sync::SyncBatch;
use covenant_net::net::{Inbound, Outbound};

/// Variants in HTTP, TLS, JSON and statuses.
pub(super) const PATCHES: &[Patch] = &[
    Patch::variant("http1-only", "Speaks HTTP/1.1 only.", |policy| {
        policy.inbound.speaks_http2 = false;
    })
    .deciding(&["the versions of HTTP"]),
    Patch::variant("http2-only", "Speaks HTTP/2 only.", |policy| {
        policy.inbound.speaks_http1 = false;
    })
    .deciding(&["the versions of HTTP"]),
    Patch::variant("ipv6", "Listens on IPv6.", |policy| policy.inbound.listens_on_ipv6 = true),
    Patch::variant("tls12-only", "Speaks TLS 1.2 at most.", |policy| {
        policy.inbound.speaks_tls13 = false;
    }),
    Patch::variant("sends-chunked-bodies", "Sends every body in chunks, without a length.", |policy| {
        policy.inbound.override_response = |_, outbound| outbound.chunked = true;
    })
    .deciding(&["the form of a response"]),
    Patch::variant("pretty-prints-json", "Writes its JSON with line breaks and indentation.", |policy| {
        policy.inbound.override_response = pretty_print;
    })
    .deciding(&["the form of a response"]),
    Patch::variant(
        "accepts-integral-float-versions",
        "Accepts the contract version 1.0 as 1, as in a language with only one number type.",
        |policy| policy.handshake.read_version = float_as_version,
    ),
    Patch::variant(
        "syncs-integers-as-floats",
        "Syncs 2 as 2.0, as in a language with only one number type.",
        |policy| policy.outbound.override_batch = write_floats,
    ),
    Patch::variant(
        "reverses-json-members",
        "Writes the members of every object in reverse order, and non-ASCII characters as escapes.",
        |policy| policy.inbound.override_response = reverse_members,
    )
    .deciding(&["the form of a response"]),
    Patch::variant(
        "closes-connection-after-each-response",
        "Closes every HTTP/1.1 connection after one response.",
        |policy| {
            policy.inbound.override_response = close_connection;
        },
    )
    .deciding(&["the form of a response"]),
    Patch::variant("delays-responses", "Delays every response by a twentieth of a second.", |policy| {
        policy.inbound.response_delay = Duration::from_millis(50);
    }),
    Patch::variant("blocks-inbound-during-outbound-calls", "Answers no call while it makes one.", |policy| {
        policy.inbound.serializes_calls = true;
    }),
    Patch::variant("returns-403-for-401", "Returns 403 in place of 401.", |policy| {
        policy.inbound.override_response = |_, outbound| {
            if outbound.status == 401 {
                outbound.status = 403;
            }
        }
    })
    .deciding(&["the form of a response"]),
    Patch::variant("returns-400-for-422", "Returns 400 in place of 422.", |policy| {
        policy.inbound.override_response = |_, outbound| {
            if outbound.status == 422 {
                outbound.status = 400;
            }
        }
    })
    .deciding(&["the form of a response"]),
    Patch::variant(
        "returns-200-for-failed-plans",
        "Accepts every plan that it can parse, and answers 200 and `failed` if the plan fails.",
        |policy| policy.inbound.override_response = succeed_with_failed_status,
    )
    .deciding(&["the form of a response"]),
];

fn pretty_print(_: &Inbound, outbound: &mut Outbound) {
    let pretty = serde_json::from_slice::<Value>(&outbound.body);
    if let Some(text) = pretty.ok().and_then(|value| serde_json::to_string_pretty(&value).ok()) {
        outbound.body = text.into();
    }
}

fn float_as_version(value: Option<&Value>) -> Option<u64> {
    let mut versions = 1..=99_u32;
    let given = value?.as_f64()?;
    versions
        .find(|version| f64::from(*version).total_cmp(&given).is_eq())
        .map(u64::from)
        .or_else(|| contract::read_version(value))
}

fn write_floats(batch: &mut SyncBatch) {
    for member in batch.records.iter_mut().flat_map(|record| record.payload.values_mut()) {
        if let Some(number) = member.as_f64().filter(|_| member.is_i64()) {
            *member = json!(number);
        }
    }
    batch.sha256 = SyncBatch::digest(&batch.records);
}

fn reverse_members(_: &Inbound, outbound: &mut Outbound) {
    if let Ok(value) = serde_json::from_slice::<Value>(&outbound.body) {
        outbound.body = reversed(&value).into();
    }
}

fn reversed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().rev();
            let members: Vec<String> = members
                .map(|(name, member)| format!("{}:{}", reversed(&name.as_str().into()), reversed(member)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(reversed).collect::<Vec<_>>().join(",")),
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

fn close_connection(call: &Inbound, outbound: &mut Outbound) {
    if call.protocol == "HTTP/1.1" {
        outbound.headers.push(("connection".to_owned(), "close".to_owned()));
    }
}

fn succeed_with_failed_status(call: &Inbound, outbound: &mut Outbound) {
    let is_plan = matches!(
        Route::parse(&call.method, &call.path),
        Some(Route::Migrations | Route::MigrationCommit { .. })
    );
    if !is_plan || outbound.status != 422 {
        return;
    }
    if let Ok(Value::Object(refusal)) = serde_json::from_slice(&outbound.body) {
        let mut data = json!({"status": "failed", "applied_count": 0, "skipped_count": 0});
        for name in ["migration_id", "conflict_log"] {
            data[name] = refusal.get(name).cloned().unwrap_or_default();
        }
        data["message"] = refusal.get("error").cloned().unwrap_or_default();
        *outbound =
            Outbound { headers: outbound.headers.clone(), ..Outbound::json(200, &json!({"data": data})) };
    }
}
