//! Edits of messages at the edge.

use serde_json::{Value, json};

use covenant_model::wire::path::Route;
use covenant_net::net::{Inbound, Outbound, Request};

/// Edits the body of the successful answers on a route: `answers!("heartbeat", |body| …)`.
macro_rules! answers {
    ($route:literal, $edit:expr) => {
        |policy| {
            policy.inbound.override_response =
                |call, sent| $crate::release_changes::edit::answer(call, sent, $route, $edit);
        }
    };
}

/// Turns the answers with a status on a route into others: `turns!("heartbeat", 200, |sent| …)`.
macro_rules! turns {
    ($route:literal, $status:literal, $turn:expr) => {
        |policy| {
            policy.inbound.override_response =
                |call, sent| $crate::release_changes::edit::turn(call, sent, ($route, $status), $turn);
        }
    };
}

/// Refuses the calls on a route that lack a member: `requires!("heartbeat", "node_name")`.
macro_rules! requires {
    ($route:literal, $member:literal) => {
        |policy| {
            policy.inbound.override_response =
                |call, sent| $crate::release_changes::edit::require(call, sent, $route, $member);
        }
    };
}

/// Edits the body of the calls of this platform on a route: `calls!(Heartbeat, |body| …)`.
macro_rules! calls {
    ($route:ident, $edit:expr) => {
        |policy| {
            policy.outbound.override_request = |route, sent| {
                if *route == covenant_model::wire::path::Route::$route {
                    $crate::release_changes::edit::request(sent, $edit);
                }
            };
        }
    };
}

pub(super) use {answers, calls, requires, turns};

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

/// Turns the answer with a status on a route into another.
pub(super) fn turn(
    call: &Inbound,
    outbound: &mut Outbound,
    (route, status): (&str, u16),
    turn: impl FnOnce(&mut Outbound),
) {
    if is(call, route) && outbound.status == status {
        turn(outbound);
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

/// Edits the list at a JSON pointer.
pub(super) fn list(body: &mut Value, pointer: &str, edit: impl FnOnce(&mut Vec<Value>)) {
    if let Some(items) = body.pointer_mut(pointer).and_then(Value::as_array_mut) {
        edit(items);
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
