//! Reads what the answer to a request grants.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::check::general::{CallOutcome, call_outcome};
use covenant_model::transcript::{Body, Exchange, Message};
use covenant_model::wire::envelope::Answer;
use covenant_model::wire::path::Route;

/// The words of an answer that grants nothing, or not yet: an operator may be asked first.
const DENIALS: [&str; 12] = [
    "not ",
    "not_",
    "unsupported",
    "unknown",
    "unavailable",
    "disabled",
    "refused",
    "rejected",
    "denied",
    "forbidden",
    "ignored",
    "pending",
];
/// The parameters of a redirect that signs someone in.
const SIGN_IN_PARAMETERS: [&str; 6] =
    ["token=", "code=", "ticket=", "session=", "assertion=", "samlresponse="];
/// The words in the address of a redirect for someone who is not signed in.
const SIGN_IN_PAGES: [&str; 7] = ["login", "log_in", "log-in", "sign_in", "signin", "sign-in", "error"];

/// Returns whether an answer grants the request: a success with content, or a way in. A migration without
/// further effect is an ordinary one.
pub(super) fn is_granted(exchange: &Exchange) -> bool {
    const OK: u16 = 200;
    const CREATED: u16 = 201;
    let Some(response) = exchange.response.as_ref().filter(|_| !is_migration(exchange)) else {
        return false;
    };
    match exchange.status() {
        Some(OK | CREATED) => exchange.succeeded() && grants(response),
        Some(300..=399) => signs_in(response),
        _ => false,
    }
}

/// Returns whether an answer leaves the request open: it is neither a refusal nor "not implemented". The
/// caller excludes granted requests before.
pub(super) fn is_open(exchange: &Exchange) -> bool {
    const NOT_IMPLEMENTED: u16 = 501;
    let is_migrated = is_migration(exchange) && exchange.succeeded();
    !is_migrated
        && call_outcome(exchange) != CallOutcome::Refused
        && exchange.status() != Some(NOT_IMPLEMENTED)
}

fn is_migration(exchange: &Exchange) -> bool {
    exchange.route() == Some(Route::Migrations)
}

/// Returns whether a response is JSON that is not empty, in an envelope or bare, and does not deny the request.
fn grants(response: &Message) -> bool {
    let Some(body) = response.body.json() else { return false };
    let data = Answer::read(body).map_or_else(|| Some(body.clone()), Answer::data).unwrap_or_default();
    let is_empty = match &data {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        other => *other != Value::Bool(true),
    };
    !is_empty && !denies(&data)
}

fn denies(data: &Value) -> bool {
    match data {
        Value::Bool(yes) => !yes,
        Value::String(text) => {
            let text = text.to_lowercase();
            DENIALS.iter().any(|word| text.contains(word))
        }
        Value::Array(items) => items.iter().any(denies),
        Value::Object(members) => members.values().any(denies),
        Value::Null | Value::Number(_) => false,
    }
}

/// Returns whether a response is a redirect with a token, or with a session and a target other than a sign-in
/// page.
fn signs_in(response: &Message) -> bool {
    let location = header(response, "location").unwrap_or_default().to_lowercase();
    let leads_to = |words: &[&str]| words.iter().any(|word| location.contains(word));
    let has_session = header(response, "set-cookie").is_some();
    leads_to(&SIGN_IN_PARAMETERS) || (has_session && !location.is_empty() && !leads_to(&SIGN_IN_PAGES))
}

fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    let mut headers = message.headers.iter();
    headers.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Returns whether two calls were answered in the same way, except for content that refers to the call
/// itself.
pub(super) fn are_alike(one: &Exchange, other: &Exchange) -> bool {
    let members = |exchange: &Exchange| -> BTreeSet<String> {
        let body = exchange.response.as_ref().and_then(|response| response.body.json());
        let objects = [body, body.and_then(|body| body.get("data"))];
        objects.into_iter().flatten().filter_map(Value::as_object).flat_map(|o| o.keys().cloned()).collect()
    };
    let is_text = |exchange: &Exchange| {
        exchange.response.as_ref().is_some_and(|response| matches!(response.body, Body::Text(_)))
    };
    let location = |exchange: &Exchange| {
        exchange.response.as_ref().and_then(|response| header(response, "location").map(ToOwned::to_owned))
    };
    one.status() == other.status()
        && members(one) == members(other)
        && is_text(one) == is_text(other)
        && location(one) == location(other)
}
