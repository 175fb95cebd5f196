//! One line of plain words for each exchange, with the clauses that it breaks.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Show;
use crate::contract::ClauseId;
use crate::peer::Behaviour;
use crate::peer::behaviours::behaviour;
use crate::report::terminal;
use crate::transcript::{Body, Direction, Entry, Exchange, Message, NoteKind, Observer, What, usual_path};
use crate::wire::path::Route;

/// The maximum number of characters of an error that a line quotes.
const QUOTE_MAX: usize = 120;

/// The lines of one peer.
#[derive(Debug)]
pub(super) struct Lines {
    peer: String,
    show: Show,
}

impl Lines {
    pub(super) fn new(peer: &str, show: Show) -> Self {
        Self { peer: peer.to_owned(), show }
    }
}

impl Observer for Lines {
    fn recorded(&self, entry: &Entry) {
        let line = match &*entry.what {
            What::Exchange(exchange) => in_words(exchange),
            What::Note(note) if note.kind == NoteKind::Injected => {
                let names = note.facts["behaviours"].as_array().into_iter().flatten();
                let names: Vec<String> = names.filter_map(Value::as_str).map(ToOwned::to_owned).collect();
                format!("{}{}", note.message, breaks(&names))
            }
            What::Note(note) => note.message.clone(),
            _ => return,
        };
        let time = entry.at.strftime("%H:%M:%S");
        (self.show.0)(&terminal(&format!("{time} {}#{} {line}", self.peer, entry.n)));
    }
}

/// Describes an exchange: who calls whom, with what, how it is answered, and what that breaks.
fn in_words(exchange: &Exchange) -> String {
    let who = match exchange.direction {
        Direction::ToTarget => "→ target",
        Direction::FromTarget => "← target",
    };
    let outcome = match (&exchange.response, &exchange.failure) {
        (Some(response), _) => answered(response),
        (None, Some(failure)) => format!("no response: {}", failure.message),
        (None, None) => "no response".to_owned(),
    };
    format!("{who}: {}: {outcome}{}", call(&exchange.request), breaks(&exchange.injected))
}

/// Describes a request.
fn call(request: &Message) -> String {
    let method = request.method.as_deref().unwrap_or("?");
    let path = request.path.as_deref().unwrap_or_default();
    let without_query = path.split('?').next().unwrap_or_default();
    let body = json(&request.body);
    match Route::parse(method, &usual_path(without_query)) {
        Some(Route::Accept) => "accepts the invitation".to_owned(),
        Some(Route::Heartbeat) => heartbeat(body),
        Some(Route::TrustBundle) => "asks for the trust bundle".to_owned(),
        Some(Route::Resource { kind, id }) => format!("reads the {kind} {id}"),
        Some(Route::Migrations) => {
            let steps = body["steps"].as_array().map_or(0, Vec::len);
            let tried = if body["dry_run"] == true { ", as a trial" } else { "" };
            format!("sends a migration of {}{tried}", counted(steps, "step"))
        }
        Some(Route::Migration { id }) => format!("asks for the migration {id}"),
        Some(Route::MigrationCommit { id }) => format!("commits the migration {id}"),
        Some(Route::AuditExcerpts) => "asks for an audit excerpt".to_owned(),
        Some(Route::ServiceCatalog) => "asks for the service catalog".to_owned(),
        Some(Route::Subscriptions) => "subscribes to a service".to_owned(),
        Some(Route::Subscription { .. }) => "ends a subscription".to_owned(),
        Some(Route::Sync) => {
            let records = body["records"].as_array().map_or(0, Vec::len);
            let kind = body["resource_kind"].as_str().unwrap_or("?");
            format!("syncs {} of kind {kind}", counted(records, "record"))
        }
        None => format!("calls {method} {path}"),
    }
}

fn heartbeat(body: &Value) -> String {
    let status = body["status"].as_str().filter(|status| *status != "active");
    let status = status.map(|status| format!(", status {status}")).unwrap_or_default();
    let events: Vec<&Value> = body["events"].as_array().into_iter().flatten().collect();
    let events = match events.as_slice() {
        [] => String::new(),
        [event, rest @ ..] => {
            let kind = event["kind"].as_str().unwrap_or("?");
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            format!(", event {kind}{more}")
        }
    };
    format!("sends a heartbeat{status}{events}")
}

/// Describes a response.
fn answered(response: &Message) -> String {
    let status = response.status.unwrap_or_default();
    let body = json(&response.body);
    let error = body["error"].as_str().or_else(|| body["error"]["message"].as_str());
    match error {
        Some(error) if status >= 400 => format!("refused with {status}, {:?}", beginning(error)),
        _ if status >= 400 => format!("refused with {status}"),
        _ => format!("answered {status}"),
    }
}

/// Names the clauses that behaviours break, and the behaviours.
pub(super) fn breaks(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let clauses = clauses(names.iter().filter_map(|name| behaviour(name)));
    let what = if clauses.is_empty() { "breaks nothing".to_owned() } else { format!("breaks {clauses}") };
    format!("; {what} ({})", names.join(", "))
}

/// Lists the clauses of behaviours, each once, in the order of the contract.
pub(super) fn clauses<'a>(behaviours: impl IntoIterator<Item = &'a Behaviour>) -> String {
    let ids = behaviours.into_iter().flat_map(|behaviour| behaviour.clauses);
    let clauses: BTreeSet<ClauseId> = ids.filter_map(|id| id.parse().ok()).collect();
    clauses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(QUOTE_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn json(body: &Body) -> &Value {
    body.json().unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn exchange(direction: Direction, call: (&str, &str, Value), status: u16, answer: Value) -> Exchange {
        let (method, path, sent) = call;
        let body = |value: Value| Body::capture(value.to_string().as_bytes());
        Exchange {
            peer: "mallory".to_owned(),
            direction,
            request: Message {
                method: Some(method.to_owned()),
                path: Some(path.to_owned()),
                body: body(sent),
                ..Message::default()
            },
            response: Some(Message { status: Some(status), body: body(answer), ..Message::default() }),
            failure: None,
            tls: None,
            protocol: None,
            source: None,
            injected: vec!["bogus-kind".to_owned()],
        }
    }

    #[test]
    fn a_line_says_who_calls_whom_and_what_is_broken() {
        let path = Route::Resource { kind: "phantom".to_owned(), id: "7".to_owned() }.path();
        let read = exchange(
            Direction::FromTarget,
            ("GET", &path, Value::Null),
            422,
            json!({"error": "no such kind"}),
        );
        assert_eq!(
            in_words(&read),
            "← target: reads the phantom 7: refused with 422, \"no such kind\"; breaks 3.1, 3.4 (bogus-kind)"
        );
        let body = json!({"status": "revoked", "events": [{"kind": "a"}, {"kind": "b"}]});
        let beat = exchange(Direction::ToTarget, ("POST", &Route::Heartbeat.path(), body), 200, json!({}));
        let beat = Exchange { injected: vec![], ..beat };
        assert_eq!(
            in_words(&beat),
            "→ target: sends a heartbeat, status revoked, event a and 1 more: answered 200"
        );
    }

    #[test]
    fn what_breaks_nothing_says_so() {
        assert_eq!(breaks(&["answers-errors".to_owned()]), "; breaks nothing (answers-errors)");
        assert_eq!(breaks(&[]), "");
        let names = ["partial-apply".to_owned(), "dangling-references".to_owned()];
        assert_eq!(breaks(&names), "; breaks 7.1, 7.2, 7.4 (partial-apply, dangling-references)");
    }
}
