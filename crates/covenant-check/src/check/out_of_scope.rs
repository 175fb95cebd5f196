//! O.1: the features that version 1 leaves out are off.

use std::collections::BTreeSet;

use serde_json::Value;

use super::CheckResult;
use super::common::reply_summary;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Body, Direction, Exchange, Message, Trace};
use covenant_model::wire::envelope::Answer;
use covenant_model::wire::path::Route;

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[LegacyCheck {
    name: "out-of-scope-requests-have-no-effect",
    about: "what the contract leaves out is refused, unknown or without effect, and the peering still works",
    parameters: &[
        LegacyParameter::required("call", "labels of the calls that ask for it"),
        LegacyParameter::required("peer", "the name of a third platform: nothing may be passed on to it"),
        LegacyParameter::required("control", "label of an ordinary migration made before"),
        LegacyParameter::required("probe", "label of a valid call made afterwards"),
        LegacyParameter::optional(
            "nonsense",
            "label of such a call for what can't be: who answers it alike grants nothing",
        ),
    ],
    evaluate: stays_out_of_scope,
}];

/// The words of an answer that grants nothing, or not yet: an operator may be asked first.
const SAYS_NO: [&str; 12] = [
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
const SIGNS_IN: [&str; 6] = ["token=", "code=", "ticket=", "session=", "assertion=", "samlresponse="];
/// The words in the address of a redirect for someone who is not signed in.
const ASKS_TO_SIGN_IN: [&str; 7] = ["login", "log_in", "log-in", "sign_in", "signin", "sign-in", "error"];

fn stays_out_of_scope(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("each refused, unknown, or taken without anything being passed on")
    };
    let calls: Vec<_> =
        with.texts("call").into_iter().flat_map(|label| trace.exchanges_labelled(label)).collect();
    let mut to_third = trace.exchanges_of(with.text("peer"), Direction::FromTarget);
    if let Some((entry, _)) = to_third.find(|(_, exchange)| is_passed_on(exchange, &calls)) {
        return expect(CheckResult::broken("a migration was passed on to a third platform", vec![entry.n]));
    }
    let nonsense = with.text_if_given("nonsense");
    let nonsense: Vec<_> = nonsense.into_iter().flat_map(|label| trace.exchanges_labelled(label)).collect();
    let is_nothing = |exchange: &Exchange| nonsense.iter().any(|(_, other)| are_alike(exchange, other));
    let granted = calls.iter().find(|(_, exchange)| is_granted(exchange) && !is_nothing(exchange));
    if let Some((n, exchange)) = granted {
        return expect(CheckResult::broken(format!("granted: {}", path(exchange)), vec![*n]));
    }
    if let Some((n, exchange)) = calls.iter().find(|(_, exchange)| is_open(exchange)) {
        let actual = format!("neither granted nor refused: {}", path(exchange));
        return expect(CheckResult::unproven(actual, vec![*n]));
    }
    let valid = [with.text("control"), with.text("probe")];
    let valid: Vec<_> = valid.into_iter().flat_map(|label| trace.exchanges_labelled(label)).collect();
    if calls.is_empty() || valid.is_empty() {
        return expect(CheckResult::unproven("nobody asked for it", vec![]));
    }
    if let Some((n, exchange)) = valid.iter().find(|(_, exchange)| !exchange.succeeded()) {
        return expect(CheckResult::unproven(
            format!("a valid call was refused too: {}", reply_summary(exchange)),
            vec![*n],
        ));
    }
    let evidence = calls.iter().chain(&valid).map(|(n, _)| *n).collect();
    expect(CheckResult::kept(format!("{} asked, none granted", calls.len()), evidence))
}

/// Returns whether a call to the third platform is a migration, or carries a record of one of these calls.
fn is_passed_on(exchange: &Exchange, calls: &[(u64, &Exchange)]) -> bool {
    let sent = exchange.sent().map(Value::to_string).unwrap_or_default();
    let mut roots = calls.iter().filter_map(|(_, call)| call.sent()?["root_resource_id"].as_str());
    exchange.route() == Some(Route::Migrations) || roots.any(|root| sent.contains(root))
}

/// Returns whether an answer grants the request: a success with content, or a way in. A migration without
/// further effect is an ordinary one.
fn is_granted(exchange: &Exchange) -> bool {
    const OK: u16 = 200;
    const CREATED: u16 = 201;
    let Some(response) = exchange.response.as_ref().filter(|_| !is_migration(exchange)) else {
        return false;
    };
    match exchange.status() {
        Some(OK | CREATED) => exchange.succeeded() && says_yes(response),
        Some(300..=399) => signs_in(response),
        _ => false,
    }
}

/// Returns whether an answer leaves the request open: it is neither a refusal nor "not implemented". The
/// caller excludes granted requests before.
fn is_open(exchange: &Exchange) -> bool {
    const NOT_IMPLEMENTED: u16 = 501;
    let is_migrated = is_migration(exchange) && exchange.succeeded();
    !is_migrated && !exchange.was_refused() && exchange.status() != Some(NOT_IMPLEMENTED)
}

fn is_migration(exchange: &Exchange) -> bool {
    exchange.route() == Some(Route::Migrations)
}

/// Returns whether a response is JSON that is not empty, in an envelope or bare, and does not say no.
fn says_yes(response: &Message) -> bool {
    let Some(body) = response.body.json() else { return false };
    let data = Answer::read(body).map_or_else(|| Some(body.clone()), Answer::data).unwrap_or_default();
    let is_empty = match &data {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        other => *other != Value::Bool(true),
    };
    !is_empty && !says_no(&data)
}

fn says_no(data: &Value) -> bool {
    match data {
        Value::Bool(yes) => !yes,
        Value::String(text) => {
            let text = text.to_lowercase();
            SAYS_NO.iter().any(|word| text.contains(word))
        }
        Value::Array(items) => items.iter().any(says_no),
        Value::Object(members) => members.values().any(says_no),
        Value::Null | Value::Number(_) => false,
    }
}

/// Returns whether a response is a redirect with a token, or with a session and a target other than a sign-in
/// page.
fn signs_in(response: &Message) -> bool {
    let location = header(response, "location").unwrap_or_default().to_lowercase();
    let stands = |words: &[&str]| words.iter().any(|word| location.contains(word));
    let has_session = header(response, "set-cookie").is_some();
    stands(&SIGNS_IN) || (has_session && !location.is_empty() && !stands(&ASKS_TO_SIGN_IN))
}

fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    let mut headers = message.headers.iter();
    headers.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Returns whether two calls were answered in the same way, except for content that refers to the call
/// itself.
fn are_alike(one: &Exchange, other: &Exchange) -> bool {
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

fn path(exchange: &Exchange) -> String {
    let status = exchange.status().map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    format!("{} answered {status}", exchange.request.path.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Recorder, What};
    use serde_json::json;

    fn call(path: &str, sent: &Value, status: u16, headers: &[(&str, &str)], answer: &Value) -> Exchange {
        Exchange::to_target("alice")
            .on("POST", path)
            .sending(sent.clone())
            .answered_with(status, answer.clone())
            .heading(headers)
    }

    fn asked(status: u16, headers: &[(&str, &str)], answer: &Value) -> Exchange {
        call("federated_sign_in", &json!({}), status, headers, answer)
    }

    /// Returns the verdict if a migration by way of a third platform was accepted, and this request was made.
    fn verdict_of(ask: Exchange, to_third: Option<Exchange>) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let done = json!({"data": {"status": "completed"}});
        let migration = call("migrations", &json!({"root_resource_id": "b"}), 201, &[], &done);
        let heartbeat = call("heartbeat", &json!({}), 200, &[], &done);
        let nonsense = call("square_the_circle", &json!({}), 200, &[], &json!({"ok": true, "at": 1}));
        for (label, exchange) in
            [("control", migration.clone()), ("call", migration), ("nonsense", nonsense), ("call", ask)]
        {
            recorder.record(None, Some(label), What::Exchange(exchange));
        }
        if let Some(exchange) = to_third {
            recorder.record(None, None, What::Exchange(exchange));
        }
        recorder.record(None, Some("probe"), What::Exchange(heartbeat));
        let with = ["call", "control", "probe", "nonsense"].map(|name| (name.to_owned(), json!(name)));
        let mut with: std::collections::BTreeMap<_, _> = with.into();
        with.insert("peer".to_owned(), json!("carol"));
        stays_out_of_scope(&recorder.trace(), Arguments::new(&with)).verdict
    }

    fn verdict(status: u16, headers: &[(&str, &str)], answer: &Value) -> Verdict {
        verdict_of(asked(status, headers, answer), None)
    }

    #[test]
    fn each_ask_is_evaluated_for_itself_whatever_became_of_a_migration() {
        let none = &[];
        assert_eq!(verdict(404, none, &json!({"error": "not found"})), Kept);
        assert_eq!(verdict(501, none, &json!({})), Kept);
        assert_eq!(verdict(500, none, &json!({})), Unproven);
        assert_eq!(verdict(200, none, &json!({})), Unproven);
        assert_eq!(verdict(200, none, &json!({"data": {"session": "open"}})), Broken);
        assert_eq!(verdict(200, none, &json!({"session": "open"})), Broken);
        assert_eq!(verdict(201, none, &json!({"data": "eyJhbGciOi"})), Broken);
    }

    #[test]
    fn an_answer_that_says_no_or_is_given_to_anything_grants_nothing() {
        let none = &[];
        assert_eq!(verdict(200, none, &json!({"ok": true, "at": 2})), Unproven);
        assert_eq!(verdict(200, none, &json!({"data": {"status": "unsupported"}})), Unproven);
        assert_eq!(verdict(200, none, &json!({"enabled": false, "mode": "federated"})), Unproven);
        assert_eq!(verdict(202, none, &json!({"data": {"approval": "asked for"}})), Unproven);
    }

    #[test]
    fn a_redirect_with_a_session_or_a_token_signs_in_and_one_to_the_door_does_not() {
        let cookie = ("set-cookie", "<header_secret:1>");
        assert_eq!(verdict(302, &[("Location", "/dashboard"), cookie], &json!({})), Broken);
        assert_eq!(verdict(303, &[("location", "/in?access_token=x")], &json!({})), Broken);
        assert_eq!(verdict(302, &[("location", "/users/sign_in"), cookie], &json!({})), Unproven);
        assert_eq!(verdict(302, &[("location", "/dashboard")], &json!({})), Unproven);
    }

    #[test]
    fn a_record_that_reaches_a_third_platform_by_any_route_was_passed_on() {
        let to_third = |path: &str, sent: Value| {
            let ask = asked(404, &[], &json!({"error": "not found"}));
            let sent = call(path, &sent, 200, &[], &json!({}));
            let sent = Exchange { peer: "carol".into(), direction: Direction::FromTarget, ..sent };
            verdict_of(ask, Some(sent))
        };
        assert_eq!(to_third("heartbeat", json!({"status": "active"})), Kept);
        assert_eq!(to_third("sync", json!({"records": [{"id": "c"}]})), Kept);
        assert_eq!(to_third("sync", json!({"records": [{"id": "b"}]})), Broken);
        assert_eq!(to_third("migrations", json!({})), Broken);
    }
}
