//! Defects against 6.1: no flood of calls.

use jiff::SignedDuration;
use serde_json::Value;

use crate::Patch;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::path::Route;

/// Defects in the limit on a peer's calls.
pub(in crate::defects) const LIMITS: &[Patch] = &[
    Patch::defect(
        "applies-no-rate-limit",
        &[("6.1", Detection)],
        "Serves any number of handshakes and heartbeats.",
        |policy| policy.counters.is_flood = |_, _| false,
    ),
    Patch::defect(
        "never-limits-handshakes",
        &[("6.1", Detection)],
        "Limits heartbeats, but accepts any number of handshakes.",
        |policy| policy.counters.counts_handshakes = false,
    ),
    Patch::defect(
        "limits-flood-without-finding",
        &[("6.1", Detection)],
        "Limits a flood, but reports no finding.",
        |policy| policy.counters.reports_flood = |_| false,
    ),
    Patch::defect(
        "shares-rate-limit-across-peers",
        &[("6.1", Detection)],
        "Counts the calls of all peers as those of one caller, so one flood blocks every peer.",
        |policy| policy.counters.name_caller = |_| String::new(),
    ),
    Patch::defect(
        "applies-minute-limit-per-hour",
        &[("6.1", Detection)],
        "Counts the calls of an hour against the limit of a minute.",
        |policy| policy.counters.window = SignedDuration::from_hours(1),
    )
    .hard_to_reach(),
    Patch::defect(
        "resets-rate-limit-after-sync",
        &[("6.1", Detection)],
        "Resets the call count of a peer after each batch that the peer sends.",
        |policy| policy.counters.resets_at = |route| *route == Route::Sync,
    )
    .hard_to_reach(),
    Patch::defect(
        "never-limits-heartbeats-with-events",
        &[("6.1", Detection)],
        "Accepts any number of heartbeats that carry an event.",
        |policy| policy.counters.counts_heartbeat = |call| !has_events(&call.body),
    )
    .hard_to_reach(),
];

/// Defects in the repetition of calls.
pub(in crate::defects) const RETRIES: &[Patch] = &[
    Patch::defect(
        "retries-heartbeat-without-backoff",
        &[("6.1", Conduct)],
        "Repeats a heartbeat up to 400 times without a pause if the response is an error.",
        |policy| {
            policy.outbound.repeats_heartbeat = |times, called| times < 400 && !called.succeeded();
        },
    ),
    Patch::defect(
        "repeats-every-heartbeat",
        &[("6.1", Conduct)],
        "Sends every heartbeat 320 times, even if the response is a success.",
        |policy| policy.outbound.repeats_heartbeat = |times, _| times < 320,
    ),
    Patch::defect(
        "retries-join-without-backoff",
        &[("6.1", Conduct)],
        "Repeats a join up to 320 times without a pause if the response is an error.",
        |policy| {
            policy.outbound.repeats_join = |times, called| times < 320 && !called.succeeded();
        },
    ),
];

/// Returns whether the body of a heartbeat has an event.
fn has_events(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["events"].as_array().is_some_and(|events| !events.is_empty())
}
