//! A value that the target repeats to each peer, and which says nothing about the target.

use serde_json::Value;

use super::{Call, CallQuery, calls};
use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::path::Route;

/// Returns whether the target repeats to each of two peers, who send different values, the value of that peer. `read` reads the
/// value in a body of either side.
pub(in crate::check) fn is_echo(
    trace: &Trace,
    peers: [&str; 2],
    value: &Value,
    read: &dyn Fn(&Value) -> Option<Value>,
) -> bool {
    let [peer, other] = peers;
    let has_sent =
        |peer: &str, value: &Value| sent_by(trace, peer).any(|body| read(&body).as_ref() == Some(value));
    let mut sent_to_other = sent_to(trace, other).filter_map(|(_, body)| read(&body));
    has_sent(peer, value) && sent_to_other.any(|sent| sent != *value && has_sent(other, &sent))
}

/// Returns the bodies in which the target introduces itself to a peer: its accepts, its heartbeats, and its answers to those of the
/// peer.
pub(in crate::check) fn sent_to<'a>(
    trace: &'a Trace,
    peer: &'a str,
) -> impl Iterator<Item = (u64, Value)> + 'a {
    introductions(trace, peer).filter_map(|call| {
        let body = match call.exchange.direction {
            Direction::FromTarget => call.exchange.sent().cloned(),
            Direction::ToTarget => call.exchange.data(),
        };
        Some((call.n(), body?))
    })
}

/// Returns the bodies in which a peer introduces itself to the target.
fn sent_by<'a>(trace: &'a Trace, peer: &'a str) -> impl Iterator<Item = Value> + 'a {
    let own = introductions(trace, peer).filter(|call| call.exchange.direction == Direction::ToTarget);
    own.filter_map(|call| call.exchange.sent().cloned())
}

/// Returns the calls by which the target and a peer introduce themselves to each other.
pub(super) fn introductions<'a>(trace: &'a Trace, peer: &'a str) -> impl Iterator<Item = Call<'a>> + 'a {
    calls(trace).of(peer).filter(|call| matches!(call.route(), Some(Route::Accept | Route::Heartbeat)))
}
