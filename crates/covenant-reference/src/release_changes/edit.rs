//! Edits of messages at the edge.

use serde_json::{Value, json};

use covenant_model::wire::path::Route;
use covenant_net::net::{Inbound, Outbound, Request};

/// Returns whether a call is one of the route of this name.
pub(super) fn is(call: &Inbound, route: &str) -> bool {
    Route::parse(&call.method, &call.path).is_some_and(|parsed| parsed.name() == route)
}

/// Edits the body of a successful answer on a route.
pub(super) fn answer(call: &Inbound, outbound: &mut Outbound, route: &str, edit: impl FnOnce(&mut Value)) {
    if is(call, route) && (200..300).contains(&outbound.status) {
        any_answer(outbound, edit);
    }
}

/// Edits the body of an answer.
pub(super) fn any_answer(outbound: &mut Outbound, edit: impl FnOnce(&mut Value)) {
    if let Ok(mut body) = serde_json::from_slice::<Value>(&outbound.body) {
        edit(&mut body);
        outbound.body = body.to_string().into();
    }
}

/// Edits the body of a call of this platform.
pub(super) fn request(request: &mut Request, edit: impl FnOnce(&mut Value)) {
    let Some(mut body) = request.body.as_ref().and_then(|body| serde_json::from_slice::<Value>(body).ok())
    else {
        return;
    };
    edit(&mut body);
    request.body = Some(body.to_string().into());
}

/// Removes the member at a JSON pointer.
pub(super) fn remove(body: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    if let Some(members) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
        members.remove(name);
    }
}

/// Replaces the member at a JSON pointer, if there is one.
pub(super) fn replace(body: &mut Value, pointer: &str, value: Value) {
    if let Some(member) = body.pointer_mut(pointer) {
        *member = value;
    }
}

/// Replaces one value by another, if the member has it.
pub(super) fn rename(body: &mut Value, pointer: &str, from: &str, to: &str) {
    if let Some(member) = body.pointer_mut(pointer).filter(|member| **member == json!(from)) {
        *member = json!(to);
    }
}

/// Adds a member to the object at a JSON pointer.
pub(super) fn add(body: &mut Value, pointer: &str, name: &str, value: Value) {
    if let Some(members) = body.pointer_mut(pointer).and_then(Value::as_object_mut) {
        members.insert(name.to_owned(), value);
    }
}

/// Refuses a call that lacks a member in its body.
pub(super) fn require(call: &Inbound, outbound: &mut Outbound, route: &str, name: &str) {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
    if is(call, route) && (200..300).contains(&outbound.status) && body.get(name).is_none() {
        refuse(outbound, 422, &format!("{name} required"));
    }
}

/// Makes the answer a refusal.
pub(super) fn refuse(outbound: &mut Outbound, status: u16, error: &str) {
    *outbound = Outbound::json(status, &json!({"success": false, "error": error}));
}

/// Replaces the value of a header, or removes it.
pub(super) fn header(outbound: &mut Outbound, name: &str, value: Option<&str>) {
    outbound.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    outbound.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
}
