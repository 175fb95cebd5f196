//! The notice of a revocation, and whether it comes before the teardown (4.1, 4.2).

use serde_json::{Value, json};

use super::revocation::last_before;
use crate::check::arguments::Label;
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{
    Call, CallQuery, calls, events, silence, succeeded_operation, unless_lost_by_move,
};
use covenant_model::transcript::{Body, Direction, Exchange, Trace, is_same_id};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;

/// One of the two forms of the notice. Both are mandatory.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// An event in a heartbeat.
    Event,
    /// The status of a heartbeat.
    Status,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Event => "a platform.peer.revoked event",
            Self::Status => "a heartbeat whose status is revoked",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Event => Self::Status,
            Self::Status => Self::Event,
        }
    }

    fn is_in(self, exchange: &Exchange) -> bool {
        match self {
            Self::Event => has_event(exchange),
            Self::Status => has_status(exchange),
        }
    }
}

/// Returns whether a call delivers the event.
pub(super) fn has_event(exchange: &Exchange) -> bool {
    events(&exchange.request).any(|event| event["kind"] == kind::PEER_REVOKED)
}

/// Returns whether a call is a heartbeat with the status.
pub(super) fn has_status(exchange: &Exchange) -> bool {
    exchange.route() == Some(Route::Heartbeat)
        && exchange.sent().is_some_and(|body| body["status"] == "revoked")
}

/// A revocation of which the notice is due in one form before the peer is refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Teardown<'a> {
    /// The revoked peer.
    pub(super) peer: &'a str,
    /// The label of the operation that revokes.
    pub(super) revoke: &'a Label,
    /// The label of the peer's calls after it.
    pub(super) call: &'a str,
    /// `true` if the peer was offline meanwhile.
    pub(super) offline: bool,
    /// The label of the heartbeat by which the peer named another address.
    pub(super) moved: Option<&'a Label>,
    /// The form of the notice.
    pub(super) form: Form,
}

impl Teardown<'_> {
    /// Returns the expectations: `online` for a peer that was not offline.
    pub(super) fn expected(&self, online: &[&str]) -> Vec<String> {
        if self.offline {
            return vec![format!("{}, as soon as the peer is back", self.form.name())];
        }
        online.iter().map(ToString::to_string).collect()
    }

    /// Evaluates whether the notice comes before the first refused call.
    pub(super) fn evaluate(&self, trace: &Trace) -> Outcome {
        unless_lost_by_move(self.in_order(trace), trace, self.peer, self.moved, self.revoke)
    }

    fn in_order(&self, trace: &Trace) -> Outcome {
        let name = self.form.name();
        let (revoked, _) =
            succeeded_operation(trace, self.revoke, "the target's operator did not revoke the peer")?;
        let before = last_before(trace, revoked);
        let first = |form: Form| {
            let mut sent = calls(trace).of(self.peer).made_by_target().after(before);
            sent.find(|call| form.is_in(call.exchange)).map(|call| call.n())
        };
        let notice = first(self.form);
        // A peer that was not admitted before is refused as before: only the notice can be seen.
        let shows_no_order = self.offline || !was_admitted(trace, self.peer, before);
        if let Some(notice) = notice.filter(|_| shows_no_order) {
            let when = if self.offline {
                "when the peer was back"
            } else {
                "to a peer that was not admitted before"
            };
            return Ok(Pass::new(format!("{name} came {when}"), [revoked, notice]));
        }
        let refusal = calls(trace)
            .labelled(self.call)
            .find(|call| {
                call_outcome(call.exchange) == CallOutcome::Refused
                    && !is_of_a_grant_alone(trace, call, before)
            })
            .or_unproven_at("no call was refused after the revocation", &[revoked])?;
        let (refused, refusal) = (refusal.n(), refusal.summary());
        if let Some(notice) = notice.filter(|notice| *notice < refused) {
            let actual = format!("{name} came first, then {refusal}");
            return Ok(Pass::new(actual, [revoked, notice, refused]));
        }
        // The two forms of one notice need not come in one message, and no text says how far apart they may
        // be.
        let other = first(self.form.other()).filter(|other| *other < refused);
        if let (Some(notice), Some(other)) = (notice, other) {
            let actual = format!("the other form of the notice came before {refusal}; {name} came after");
            return Err(Stop::unproven(actual, [revoked, other, refused, notice]));
        }
        let unknown = notice_of_unknown_form(trace, self.peer, before);
        if let Some(unknown) = unknown.filter(|unknown| notice.is_none() || *unknown < refused) {
            let actual = format!("a notice of an unknown form came, and not {name}");
            return Err(Stop::unproven(actual, [revoked, unknown, refused]));
        }
        let other = first(self.form.other());
        let actual = match (notice, other) {
            (Some(_), _) => format!("{name} came after {refusal}"),
            (None, Some(_)) => format!("{refusal}; {} came, and not {name}", self.form.other().name()),
            (None, None) => {
                let actual = format!("{refusal}, and no notice of any form");
                return Err(silence(trace, self.peer, actual, [revoked, refused]));
            }
        };
        // A notice that did not come yet may come in a form that is not known.
        let breach = Stop::broken(actual, [revoked, refused].into_iter().chain(notice.or(other)));
        Err(breach.final_if(notice.is_some()))
    }
}

/// Returns whether the last call of the peer until this entry was admitted. One that was put off says nothing.
fn was_admitted(trace: &Trace, peer: &str, until: u64) -> bool {
    let mut made = calls(trace).of(peer).made_by_peer().before(until + 1);
    let last = made.rfind(|call| !call.exchange.was_put_off());
    last.is_none_or(|call| call.exchange.succeeded())
}

/// Returns whether a refused call is a read that shows nothing of the peering: one that was never served before the revocation,
/// or whose grant ended with a notice of its own, or that is refused for another reason.
fn is_of_a_grant_alone(trace: &Trace, call: &Call<'_>, before: u64) -> bool {
    if !matches!(call.route(), Some(Route::Resource { .. })) {
        return false;
    }
    let peer = call.exchange.peer.as_str();
    let is_same = |other: &Call<'_>| other.exchange.request.path == call.exchange.request.path;
    let served: Vec<Call<'_>> =
        calls(trace).of(peer).made_by_peer().before(before + 1).accepted().filter(is_same).collect();
    let was_served = !served.is_empty();
    let grants: Vec<Value> = served
        .iter()
        .filter_map(|it| Some(it.exchange.data()?["grant_id"].clone()))
        .filter(|id| !id.is_null())
        .collect();
    let is_of_grant = |event: &Value| {
        let id = &event["payload"]["grant_id"];
        id.is_null() || grants.is_empty() || grants.iter().any(|grant| is_same_value(grant, id))
    };
    let announces = |it: &Call<'_>| {
        let mut ends = events(&it.exchange.request).filter(|event| event["kind"] == kind::GRANT_REVOKED);
        ends.any(is_of_grant)
    };
    // What comes after the end of the peering is known announces nothing. Its two forms need not come in one message.
    let sent = || calls(trace).of(peer).made_by_target().after(before);
    let first = |has: fn(&Exchange) -> bool| sent().find(|it| has(it.exchange)).map(|it| it.n());
    let notified = first(has_event).max(first(has_status));
    let ends_by_itself =
        sent().filter(|it| notified.is_none_or(|notice| it.n() <= notice)).any(|it| announces(&it));
    let is_shut_out = call.exchange.status().is_none_or(|status| [401, 403].contains(&status));
    !was_served || ends_by_itself || !is_shut_out
}

/// Returns whether two ids are the same: a number is the same as its text, and a UUID in either case (reading 69).
fn is_same_value(one: &Value, other: &Value) -> bool {
    let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), ToOwned::to_owned);
    is_same_id(&text(one), &text(other))
}

/// Returns the entry of a notice in an unknown form, after this entry. Silence is evaluated by the contract
/// and not by the binding, so a notice in an unknown form is not silence. It may be in a call of the target,
/// on any path, or in a response.
fn notice_of_unknown_form(trace: &Trace, peer: &str, before: u64) -> Option<u64> {
    let (earlier, later): (Vec<Call<'_>>, Vec<Call<'_>>) =
        calls(trace).of(peer).partition(|call| call.n() <= before);
    let is_new_path = |exchange: &Exchange| {
        let is_known = |call: &Call<'_>| call.exchange.request.path == exchange.request.path;
        exchange.route().is_none() && !earlier.iter().any(is_known)
    };
    let found = later.iter().find(|call| match call.exchange.direction {
        Direction::FromTarget => is_new_path(call.exchange) || announces_the_end(call.exchange),
        Direction::ToTarget => answers_with_the_end(call.exchange),
    });
    found.map(Call::n)
}

/// Returns whether a call of the target is about the end, apart from content in a known form.
fn announces_the_end(exchange: &Exchange) -> bool {
    let in_path = exchange.request.path.as_deref().is_some_and(means_the_end);
    in_path
        || match &exchange.request.body {
            Body::Json(body) => mentions_the_end(&without_known_forms(exchange, body)),
            Body::Text(text) | Body::Cut { beginning: text, .. } => means_the_end(text),
            Body::Empty => false,
        }
}

/// Returns whether the response to a call of the peer is a notice: a plain refusal is not.
fn answers_with_the_end(exchange: &Exchange) -> bool {
    let Some(body) = exchange.response.as_ref().and_then(|answer| answer.body.json()) else { return false };
    if exchange.succeeded() { mentions_the_end(body) } else { body.to_string().contains(kind::PEER_REVOKED) }
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
fn mentions_the_end(value: &Value) -> bool {
    match value {
        Value::String(text) => means_the_end(text),
        Value::Array(items) => items.iter().any(mentions_the_end),
        Value::Object(members) => members.iter().any(|(name, member)| {
            let empty = [json!(null), json!(false), json!(0), json!([]), json!({}), json!("")];
            mentions_the_end(member) || (means_the_end(name) && !empty.contains(member))
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
