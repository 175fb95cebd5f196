//! Variants of the members and envelopes of messages.

use serde_json::{Value, json};

use crate::Patch;
use covenant_model::wire::path::Route;
use covenant_net::net::{Inbound, Outbound};

/// Variants in the members and envelopes of messages.
pub(super) const PATCHES: &[Patch] = &[
    Patch::variant(
        "declares-capabilities-at-heartbeat",
        "Answers accept with an empty capability document, and declares its kinds at heartbeats.",
        |policy| policy.inbound.override_body = empty_capabilities_at_accept,
    )
    .deciding(&["the body of a response"]),
    Patch::variant("adds-unknown-members", "Adds unknown members to every response.", |policy| {
        policy.inbound.override_body = add_unknown_members;
    })
    .deciding(&["the body of a response"]),
    Patch::variant("sends-null-members", "Sends null for absent members.", |policy| {
        policy.inbound.override_body = add_null_members;
    })
    .deciding(&["the body of a response"]),
    Patch::variant(
        "omits-success-member",
        "Answers with `data` alone, without `success`, on every route.",
        |policy| policy.inbound.override_body = omit_success,
    )
    .deciding(&["the body of a response"]),
    Patch::variant(
        "sends-full-envelopes",
        "Answers with `success`, `data` and a null `error` on every route.",
        |policy| {
            policy.inbound.override_body = complete_envelope;
        },
    )
    .deciding(&["the body of a response"]),
    Patch::variant(
        "sends-errors-without-code",
        "Sends errors with `error` alone, without `success` and `code`, on every route.",
        |policy| policy.inbound.override_response = reduce_to_error,
    )
    .deciding(&["the form of a response"]),
    Patch::variant(
        "discloses-in-own-heartbeats-alone",
        "Answers accept and heartbeats without its disclosure and its capabilities, and sends both in its own heartbeats.",
        |policy| policy.inbound.override_body = disclose_nothing,
    )
    .deciding(&["the body of a response"]),
    Patch::variant(
        "answers-batches-without-a-body",
        "Answers an accepted batch with 204, without a body.",
        |policy| policy.inbound.override_response = empty_answer_to_a_batch,
    )
    .deciding(&["the form of a response"]),
];

fn empty_capabilities_at_accept(route: &str, body: &mut Value) {
    if route == Route::Accept.name()
        && let Some(data) = body.get_mut("data").and_then(Value::as_object_mut)
    {
        data.insert("capabilities".to_owned(), json!({"resource_kinds": []}));
    }
}

fn add_unknown_members(_: &str, body: &mut Value) {
    let extra = json!({"note": "of this platform's own", "nested": [1, {"deep": null}]});
    if let Some(data) = body.get_mut("data").and_then(Value::as_object_mut) {
        data.insert("x_extension".to_owned(), extra.clone());
    }
    if let Some(members) = body.as_object_mut() {
        members.insert("x_extension".to_owned(), extra);
    }
}

fn add_null_members(_: &str, body: &mut Value) {
    if let Some(data) = body.get_mut("data").and_then(Value::as_object_mut) {
        for name in ["warnings", "extension_slugs", "expires_at"] {
            data.entry(name).or_insert(Value::Null);
        }
    }
}

fn omit_success(_: &str, body: &mut Value) {
    if body.get("data").is_some()
        && let Some(members) = body.as_object_mut()
    {
        members.remove("success");
    }
}

fn complete_envelope(_: &str, body: &mut Value) {
    if body.get("data").is_some() {
        body["success"] = json!(true);
        body["error"] = Value::Null;
    }
}

fn disclose_nothing(route: &str, body: &mut Value) {
    const DISCLOSED: [&str; 4] = ["capabilities", "metadata", "platform_version", "data_residency"];
    let introduces =
        [Route::Accept, Route::Heartbeat].iter().any(|introduction| introduction.name() == route);
    if let Some(data) = body.get_mut("data").and_then(Value::as_object_mut).filter(|_| introduces) {
        data.retain(|name, _| !DISCLOSED.contains(&name.as_str()));
    }
}

fn empty_answer_to_a_batch(inbound: &Inbound, outbound: &mut Outbound) {
    const OK: u16 = 200;
    const NO_CONTENT: u16 = 204;
    if outbound.status == OK && inbound.path == Route::Sync.path() {
        outbound.status = NO_CONTENT;
        outbound.body = Vec::new().into();
    }
}

fn reduce_to_error(_: &Inbound, outbound: &mut Outbound) {
    if outbound.status < 400 {
        return;
    }
    if let Ok(Value::Object(mut members)) = serde_json::from_slice(&outbound.body) {
        members.remove("success");
        members.remove("code");
        outbound.body = Value::Object(members).to_string().into();
    }
}
