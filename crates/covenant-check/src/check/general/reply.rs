//! How a call ended, and what it says.

use serde_json::Value;

use covenant_model::transcript::{Body, Direction, Exchange, Message};
use covenant_model::wire::migration::state;
use covenant_model::wire::path::Route;

/// The status of a plan that is accepted, and whose end is still to come.
const QUEUED: u16 = 202;

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) enum CallOutcome {
    /// It was accepted.
    Admitted,
    /// It was refused.
    Refused,
    /// Neither of the two: the call was put off or lost, or its end is still to come.
    Open,
}

/// Returns the outcome of a call. A plan may be accepted first and fail afterwards, or fail under a 2xx: the
/// `status` of the migration decides, not the status of the response. A call that was put off is open.
pub(in crate::check) fn call_outcome(exchange: &Exchange) -> CallOutcome {
    let is_plan = matches!(exchange.route(), Some(Route::Migrations | Route::MigrationCommit { .. }));
    let opens = exchange.sent().is_some_and(|sent| sent["commit"] == false);
    let data = exchange.data().filter(|_| is_plan && exchange.succeeded());
    let status = data.as_ref().map_or(&Value::Null, |data| &data["status"]);
    let is_queued = is_plan && exchange.status() == Some(QUEUED);
    match status.as_str() {
        _ if is_undone(status) => CallOutcome::Refused,
        Some(status) if status != "completed" && !opens => CallOutcome::Open,
        None if is_queued && !opens => CallOutcome::Open,
        _ if exchange.succeeded() => CallOutcome::Admitted,
        _ if exchange.was_refused() => CallOutcome::Refused,
        _ => CallOutcome::Open,
    }
}

/// Returns whether the answer to a plan says that its end is still to come.
pub(in crate::check) fn is_unfinished(exchange: &Exchange) -> bool {
    let status = exchange.data().map(|data| data["status"].clone()).unwrap_or_default();
    let is_unfinished = status.as_str().is_some_and(|status| state::UNFINISHED.contains(&status));
    let is_queued = exchange.status() == Some(QUEUED);
    (is_queued || is_unfinished) && call_outcome(exchange) == CallOutcome::Open
}

/// Returns whether this is the status of a migration that has ended and was not applied.
pub(in crate::check) fn is_undone(status: &Value) -> bool {
    const UNDONE: [&str; 3] = ["failed", "cancelled", "conflict"];
    status.as_str().is_some_and(|status| UNDONE.contains(&status))
}

/// Returns whether both are the same value, or the same number: JSON has no integers, and some readers take
/// 1.0 for 1.
pub(in crate::check) fn is_same_number(one: Option<&Value>, other: Option<&Value>) -> bool {
    one == other || one.and_then(Value::as_f64).is_some_and(|one| other.and_then(Value::as_f64) == Some(one))
}

/// Returns whether a call was rejected for good: by its response, by a refusal of its certificate, or by the status of
/// its migration.
pub(in crate::check) fn is_rejected(exchange: &Exchange) -> bool {
    let is_final = !exchange.succeeded() && !exchange.was_put_off();
    is_final || call_outcome(exchange) == CallOutcome::Refused
}

/// Returns whether a call was accepted, and is no plan that has failed. A plan may still be about to be applied.
pub(in crate::check) fn is_accepted(exchange: &Exchange) -> bool {
    exchange.succeeded() && call_outcome(exchange) != CallOutcome::Refused
}

/// Returns the outcome of a call in a few words.
pub(in crate::check) fn reply_summary(exchange: &Exchange) -> String {
    let call = format!(
        "{} {}",
        exchange.request.method.as_deref().unwrap_or_default(),
        exchange
            .route()
            .map_or_else(|| exchange.request.path.clone().unwrap_or_default(), |route| format!("/{route}"))
    );
    match (exchange.status(), &exchange.failure) {
        (Some(status), _) if exchange.says_otherwise() => {
            format!("{call} answered {status}, with an error in it")
        }
        (Some(status), _) if exchange.is_empty_accept() => {
            format!("{call} answered {status}, with nothing in it")
        }
        (Some(status), _) => format!("{call} answered {status}"),
        (None, Some(failure)) => format!("{call} failed ({}): {}", failure.kind, failure.message),
        (None, None) => format!("{call} has no answer"),
    }
}

/// Returns the message that the target sent in an exchange: its request or its response.
pub(in crate::check) fn message_of_target(exchange: &Exchange) -> Option<&Message> {
    match exchange.direction {
        Direction::FromTarget => Some(&exchange.request),
        Direction::ToTarget => exchange.response.as_ref(),
    }
}

/// Returns the full content of a message in lower case: path, headers and body, in whatever form.
pub(in crate::check) fn full_text(message: &Message) -> String {
    let body = match &message.body {
        Body::Empty => String::new(),
        Body::Json(value) => value.to_string(),
        Body::Text(text) | Body::Cut { beginning: text, .. } => text.clone(),
    };
    let headers = message.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    let path = message.path.clone().unwrap_or_default();
    headers.chain([path, body]).collect::<Vec<_>>().join("\n").to_lowercase()
}
