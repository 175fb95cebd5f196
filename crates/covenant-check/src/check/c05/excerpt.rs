//! Requests for an audit excerpt, and what was delivered.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::check::arguments::Labels;
use crate::check::query::{Call, calls};
use covenant_model::clock::read_moment;
use covenant_model::transcript::{Exchange, Trace};

/// The maximum time until an excerpt is delivered (5.3).
pub(super) const DUE: SignedDuration = SignedDuration::from_hours(72);

/// The status of a delivered excerpt.
pub(super) const DELIVERED: u16 = 200;
/// The status of a promised excerpt.
pub(super) const PROMISED: u16 = 202;

/// A request for an excerpt: the first one, or a later one that shows whether it is there.
pub(super) struct ExcerptRequest<'a> {
    /// The call that delivered it.
    pub(super) call: Call<'a>,
    /// The entries of all lists; `None` if no excerpt was delivered.
    pub(super) entries: Option<Vec<Value>>,
    /// The entries that are its content.
    pub(super) content: Option<Vec<Value>>,
}

/// Returns the requests with these labels, in the order of the trace, without those that were put off.
pub(super) fn excerpt_requests<'a>(trace: &'a Trace, labels: &Labels) -> Vec<ExcerptRequest<'a>> {
    let requests = calls(trace).filter(|call| call.has_label_of(labels) && !call.exchange.was_put_off());
    let read = |call: Call<'a>| ExcerptRequest {
        call,
        entries: excerpt_entries(call.exchange),
        content: excerpt_content(call.exchange),
    };
    requests.map(read).collect()
}

/// Returns the entries that are the content of an excerpt: those of `events` where it is a list, else those of all lists.
pub(super) fn excerpt_content(request: &Exchange) -> Option<Vec<Value>> {
    let data = request.data().filter(|_| request.status() == Some(DELIVERED))?;
    data["events"].as_array().cloned().or_else(|| excerpt_entries(request))
}

/// Returns the entries of all lists in the answer to a request. Another check evaluates their form.
pub(super) fn excerpt_entries(request: &Exchange) -> Option<Vec<Value>> {
    let lists: Vec<Value> = match request.data().filter(|_| request.status() == Some(DELIVERED))? {
        list @ Value::Array(_) => vec![list],
        Value::Object(members) => members.into_values().filter(Value::is_array).collect(),
        _ => vec![],
    };
    let entries = lists.iter().filter_map(Value::as_array).flatten().cloned().collect();
    (!lists.is_empty()).then_some(entries)
}

/// Returns whether a promise has an id by which the promised excerpt can be requested.
pub(super) fn promise_has_id(request: &Exchange) -> bool {
    let promise = request.data().filter(|_| request.status() == Some(PROMISED));
    promise.is_some_and(|data| !data["request_id"].is_null() && data["request_id"] != "")
}

/// Returns whether a request names the promise that it is about.
pub(super) fn names_promise(request: &Exchange) -> bool {
    request.request.path.as_deref().is_some_and(|path| path.contains("request_id="))
}

/// Returns the time for which a promise announces the excerpt.
pub(super) fn promised_for(request: &Exchange) -> Option<Timestamp> {
    let promise = request.data().filter(|_| request.status() == Some(PROMISED))?;
    read_moment(promise.get("due_at")?.as_str()?)
}
