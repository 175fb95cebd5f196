//! Lists what an audit leaves at the target.

use std::fmt::Write;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::watch::is_accepting;
use crate::report::terminal;
use crate::scenario::may_have_acted;
use crate::transcript::{Direction, Exchange, Reading, What};
use crate::wire::path::Route;

/// A peer that an audit leaves at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    /// The id under which the target keeps the peer.
    pub peer_id: String,
    /// True if the target accepted the notice that the peer leaves.
    pub notified_of_leave: bool,
    /// The entry that shows the peer.
    pub entry: u64,
}

/// Returns the peers that an audit leaves at the target: those that accepted, and those whose answer was lost.
#[must_use]
pub fn left_behind(reading: &Reading) -> Vec<LeftBehind> {
    let mut left: Vec<LeftBehind> = Vec::new();
    // The accept that a watch announced, until its exchange is recorded.
    let mut announced = None;
    for entry in reading.traces().flat_map(|trace| trace.entries().to_vec()) {
        if entry.operation().is_some_and(is_accepting) {
            left.extend(announced.replace(entry.n).map(unknown));
        }
        let What::Exchange(exchange) = &*entry.what else { continue };
        if exchange.direction != Direction::ToTarget {
            continue;
        }
        match exchange.route() {
            Some(Route::Accept) => {
                announced = None;
                left.extend(admitted(exchange, entry.n));
            }
            Some(Route::Heartbeat) if exchange.succeeded() && is_leave(exchange) => {
                for peer in &mut left {
                    peer.notified_of_leave = true;
                }
            }
            _ => {}
        }
    }
    left.extend(announced.map(unknown));
    left
}

/// Returns the peer that an accept made, or may have made: without an answer the target may have admitted it all the
/// same.
fn admitted(accept: &Exchange, entry: u64) -> Option<LeftBehind> {
    if accept.succeeded() {
        let data = accept.data().unwrap_or(Value::Null);
        let peer_id = data["peer_id"].as_str().unwrap_or("(it gave no id)").to_owned();
        return Some(LeftBehind { peer_id, notified_of_leave: false, entry });
    }
    let failure = accept.failure.as_ref().map(|failure| failure.kind);
    may_have_acted(accept.status(), failure).then(|| unknown(entry))
}

fn is_leave(heartbeat: &Exchange) -> bool {
    heartbeat.sent().is_some_and(|sent| sent["status"] == "revoked")
}

/// Returns the peer that a target may have created before its answer was lost.
fn unknown(entry: u64) -> LeftBehind {
    let peer_id = "(perhaps: its answer was lost, so look for one that this audit proposed)".to_owned();
    LeftBehind { peer_id, notified_of_leave: false, entry }
}

/// Lists what an audit created at the target, and how its operator removes it.
#[must_use]
pub fn left_behind_text(url: &Url, left: &[LeftBehind]) -> String {
    if left.is_empty() {
        return format!("created at {url}: nothing\n");
    }
    let mut text = format!("created at {url}, to be removed by its operator:\n");
    for peer in left {
        let notified = if peer.notified_of_leave {
            "it was notified that the peer leaves"
        } else {
            "it was not notified that the peer leaves"
        };
        let id = terminal(&peer.peer_id);
        let segment = utf8_percent_encode(&peer.peer_id, NON_ALPHANUMERIC).to_string().replace("%2D", "-");
        let _ = writeln!(
            text,
            "- peer {id} (entry {}; {notified}): POST /api/v1/system/platform/peers/{segment}/revoke, or peer.revoke",
            peer.entry
        );
    }
    text
}
