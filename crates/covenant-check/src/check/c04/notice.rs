//! Checks that the end of a peering is announced before it comes (4.1, 4.2).

use serde_json::{Value, json};

use super::{TRANSIENT_STATUS, begun};
use crate::check::CheckResult;
use crate::check::common::reply_summary;
use crate::check::legacy::Arguments;
use covenant_model::transcript::{Body, Direction, Exchange, Trace};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;

/// One of the two forms in which the end of a peering is announced. Both are mandatory.
struct Form {
    name: &'static str,
    is_in: fn(&Exchange) -> bool,
    /// The test for the other form in an exchange.
    control_is_in: fn(&Exchange) -> bool,
}

pub(super) fn event_before_tear_down(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let form = Form { name: "a platform.peer.revoked event", is_in: has_event, control_is_in: has_status };
    before_tear_down(trace, with, &form)
}

pub(super) fn status_before_tear_down(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let form =
        Form { name: "a heartbeat whose status is revoked", is_in: has_status, control_is_in: has_event };
    before_tear_down(trace, with, &form)
}

pub(super) fn has_event(exchange: &Exchange) -> bool {
    events(exchange).any(|event| event["kind"] == kind::PEER_REVOKED)
}

pub(super) fn has_status(exchange: &Exchange) -> bool {
    exchange.route() == Some(Route::Heartbeat)
        && exchange.sent().is_some_and(|body| body["status"] == "revoked")
}

pub(super) fn events(exchange: &Exchange) -> impl Iterator<Item = &Value> {
    exchange.sent().and_then(|body| body["events"].as_array()).into_iter().flatten()
}

fn before_tear_down(trace: &Trace, with: Arguments<'_>, form: &Form) -> CheckResult {
    let Form { name, .. } = form;
    let is_away = with.value("away").is_some_and(|away| away == true);
    let expect = |result: CheckResult| {
        let when = if is_away { "as soon as the peer is back" } else { "before the first refused call" };
        result.expecting(format!("{name}, {when}"))
    };
    let peer = with.text("peer");
    let Some((revoked, _)) = trace.operation(with.text("revoke")).filter(|(_, done)| done.failure.is_none())
    else {
        return expect(CheckResult::unproven("the target's operator did not revoke", vec![]));
    };
    let begun = begun(trace, revoked);
    // A peer that was not admitted before is refused as before: only the notice can be seen.
    let shows_no_order = is_away || !was_let_in(trace, peer, begun);
    let reported = |is_it: fn(&Exchange) -> bool| {
        let mut heard = trace.exchanges_of(peer, Direction::FromTarget).filter(|(entry, _)| entry.n > begun);
        heard.find(|(_, exchange)| is_it(exchange)).map(|(entry, _)| entry.n)
    };
    let notice = reported(form.is_in);
    if let Some(notice) = notice.filter(|_| shows_no_order) {
        let when = if is_away { "when the peer was back" } else { "to a peer that was not let in before" };
        return expect(CheckResult::kept(format!("{name} came {when}"), vec![revoked, notice]));
    }
    let mut calls = trace.exchanges_labelled(with.text("call"));
    let Some((refused, refusal)) = calls.find(|(_, call)| is_torn_down(call)) else {
        return expect(CheckResult::unproven("no call was refused after the revocation", vec![revoked]));
    };
    let refusal = reply_summary(refusal);
    if let Some(notice) = notice.filter(|notice| *notice < refused) {
        let actual = format!("{name} came first, then {refusal}");
        return expect(CheckResult::kept(actual, vec![revoked, notice, refused]));
    }
    // The two forms of one notice need not come in one message, and no text says how far apart they may be.
    let control = reported(form.control_is_in).filter(|control| *control < refused);
    if let (Some(notice), Some(control)) = (notice, control) {
        let actual = format!("the peer had been told when {refusal}; {name} only followed");
        return expect(CheckResult::unproven(actual, vec![revoked, control, refused, notice]));
    }
    let unknown = notice_of_another_form(trace, peer, begun);
    if let Some(unknown) = unknown.filter(|unknown| notice.is_none() || *unknown < refused) {
        let actual = format!("the peer was told something of it, but not {name}");
        return expect(CheckResult::unproven(actual, vec![revoked, unknown, refused]));
    }
    match notice {
        Some(notice) => expect(CheckResult::broken(
            format!("{name} came after {refusal}"),
            vec![revoked, refused, notice],
        )),
        None => expect(CheckResult::broken(
            format!("{refusal}, and no notice of any form"),
            vec![revoked, refused],
        )),
    }
}

/// Returns whether the last call of the peer before the revocation was admitted.
fn was_let_in(trace: &Trace, peer: &str, begun: u64) -> bool {
    let mut calls = trace.exchanges_of(peer, Direction::ToTarget);
    let last = calls.rfind(|(entry, _)| entry.n <= begun);
    last.is_none_or(|(_, call)| call.succeeded())
}

/// Returns whether a call shows that the peering is over. A limit, a timeout or a fault of the target does
/// not show it.
fn is_torn_down(call: &Exchange) -> bool {
    let ran_out = call.failure.as_ref().is_some_and(|failure| failure.kind == "timeout");
    let is_fault = call.status().is_some_and(|status| status >= 500 || TRANSIENT_STATUS.contains(&status));
    !call.succeeded() && !ran_out && !is_fault
}

/// Returns the entry of a notice in another form. Silence is evaluated by the contract and not by the
/// binding, so a notice in an unknown form is not silence. It may be in a call of the target, on any path, or
/// in an answer.
fn notice_of_another_form(trace: &Trace, peer: &str, begun: u64) -> Option<u64> {
    let (before, after): (Vec<_>, Vec<_>) = trace
        .exchanges()
        .filter(|(_, exchange)| exchange.peer == peer)
        .partition(|(entry, _)| entry.n <= begun);
    let is_new = |exchange: &Exchange| {
        let is_there = |known: &Exchange| known.request.path == exchange.request.path;
        exchange.route().is_none() && !before.iter().any(|(_, known)| is_there(known))
    };
    let found = after.iter().find(|(_, exchange)| match exchange.direction {
        Direction::FromTarget => is_new(exchange) || tells_the_end(exchange),
        Direction::ToTarget => answers_with_the_end(exchange),
    });
    found.map(|(entry, _)| entry.n)
}

/// Returns whether a call of the target is about the end, apart from content in a known form.
fn tells_the_end(exchange: &Exchange) -> bool {
    let in_path = exchange.request.path.as_deref().is_some_and(means_the_end);
    in_path
        || match &exchange.request.body {
            Body::Json(body) => speaks_of_the_end(&without_known_forms(exchange, body)),
            Body::Text(text) | Body::Cut { beginning: text, .. } => means_the_end(text),
            Body::Empty => false,
        }
}

/// Returns whether the answer to a call of the peer is a notice: a plain refusal is not.
fn answers_with_the_end(exchange: &Exchange) -> bool {
    let Some(body) = exchange.response.as_ref().and_then(|answer| answer.body.json()) else { return false };
    if exchange.succeeded() { speaks_of_the_end(body) } else { body.to_string().contains(kind::PEER_REVOKED) }
}

fn without_known_forms(exchange: &Exchange, body: &Value) -> Value {
    let mut rest = body.clone();
    if let Some(events) = rest.get_mut("events").and_then(Value::as_array_mut) {
        events.retain(|event| event["kind"] != kind::PEER_REVOKED && event["kind"] != kind::GRANT_REVOKED);
    }
    if let Some(members) = rest.as_object_mut().filter(|_| has_status(exchange)) {
        members.remove("status");
    }
    rest
}

/// Returns whether a value mentions the end in a text, or in the name of a member whose value is neither
/// empty nor false.
fn speaks_of_the_end(value: &Value) -> bool {
    match value {
        Value::String(text) => means_the_end(text),
        Value::Array(items) => items.iter().any(speaks_of_the_end),
        Value::Object(members) => members.iter().any(|(name, member)| {
            let says_no = [json!(null), json!(false), json!(0), json!([]), json!({}), json!("")];
            speaks_of_the_end(member) || (means_the_end(name) && !says_no.contains(member))
        }),
        _ => false,
    }
}

fn means_the_end(text: &str) -> bool {
    const WORDS: [&str; 9] =
        ["revok", "revoc", "terminat", "unbind", "dissol", "goodbye", "leaving", "disconnect", "defederat"];
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}
