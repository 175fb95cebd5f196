//! How a peer's call is served: in full, not at all, or without effect.

use crate::check::general::is_accepted;
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::path::Route;

/// Returns the failure of a call that works among compatible peers, in words: it was not accepted, or it had
/// no effect.
pub(super) fn shortfall(trace: &Trace, call: &Call<'_>) -> Option<String> {
    if !is_accepted(call.exchange) {
        return Some(call.summary());
    }
    if took_nothing(call.exchange) {
        return Some(format!("{}, and stored nothing", call.summary()));
    }
    was_lost(trace, call)
        .then(|| format!("{}: the record that was migrated just before is not there", call.summary()))
}

/// Returns whether a batch with records was answered with success and a count of zero.
pub(super) fn took_nothing(exchange: &Exchange) -> bool {
    let sent_some =
        exchange.sent().is_some_and(|sent| sent["records"].as_array().is_some_and(|sent| !sent.is_empty()));
    let accepted = exchange.data().map(|data| data["accepted"].clone()).unwrap_or_default();
    exchange.succeeded()
        && exchange.route() == Some(Route::Sync)
        && sent_some
        && accepted.as_f64() == Some(0.0)
}

/// Returns whether an answer says that a record is not there although a completed migration of the same peer
/// had just brought it.
pub(super) fn was_lost(trace: &Trace, call: &Call<'_>) -> bool {
    let Some(Route::Resource { id, .. }) = call.route() else { return false };
    if call.exchange.data().is_none_or(|data| data["exists"] != false) {
        return false;
    }
    let migrations = calls(trace).of(&call.exchange.peer).made_by_peer().before(call.n());
    let mut completed = migrations
        .on(Route::Migrations)
        .accepted()
        .filter(|migration| migration.exchange.data().is_some_and(|data| data["status"] == "completed"));
    completed.any(|migration| {
        let steps = migration.exchange.sent().and_then(|sent| sent["steps"].as_array());
        steps.into_iter().flatten().any(|step| step["resource_id"] == *id)
    })
}

/// Returns whether two calls have the same route, whatever records they name.
pub(super) fn is_like(one: &Exchange, other: &Exchange) -> bool {
    one.route().map(|route| route.name()) == other.route().map(|route| route.name())
}
