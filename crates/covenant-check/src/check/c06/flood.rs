//! The number of handshakes and heartbeats that make a flood.

use jiff::{SignedDuration, Timestamp};

use crate::check::outcome::Stop;
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// The number of accept and heartbeat calls in any window that is a flood (`binding.md`, "Numbers").
pub(super) const FLOOD_CALLS: usize = 300;
/// The number of calls in any window that is never too many.
pub(super) const FEW_CALLS: usize = 6;
/// The time within which the calls of a flood are counted.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// The maximum difference between the recorded time of a call and the time at which the target saw it.
pub(super) const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// The status of a call that was limited.
pub(super) const LIMITED: u16 = 429;

/// The status of a server, or of a limit in front of it, that asks the caller to come back.
const UNAVAILABLE: u16 = 503;

/// Returns whether a call counts towards a flood: it is a handshake or a heartbeat.
pub(super) fn is_counted(call: &Call<'_>) -> bool {
    matches!(call.route(), Some(Route::Accept | Route::Heartbeat))
}

/// Returns whether a call was limited.
pub(super) fn is_limited(call: &Call<'_>) -> bool {
    call.exchange.status() == Some(LIMITED)
}

/// Returns whether two calls may have arrived in either order: they belong to one step, as those of a flood
/// do, or have the same time. They are recorded in the order of their answers (`binding.md`, reading 71).
pub(super) fn are_side_by_side(one: &Call<'_>, other: &Call<'_>) -> bool {
    let is_of_one_step = one.entry.step.is_some() && one.entry.step == other.entry.step;
    is_of_one_step || one.at() == other.at()
}

/// Returns the largest number of these sorted times within a span, and the index of the first of them.
pub(super) fn densest_span(times: &[Timestamp], span: SignedDuration) -> (usize, usize) {
    let mut end = 0;
    let windows = times.iter().enumerate().map(|(first, start)| {
        while times.get(end).is_some_and(|time| time.duration_since(*start) < span) {
            end += 1;
        }
        (end - first, first)
    });
    windows.max().unwrap_or_default()
}

/// Returns whether enough calls under a label came within 60 s to be a flood. A slow target receives none.
pub(super) fn is_flood(trace: &Trace, label: &str) -> bool {
    let mut times: Vec<Timestamp> = calls(trace).labelled(label).map(|call| call.at()).collect();
    times.sort_unstable();
    densest_span(&times, WINDOW - SLACK).0 >= FLOOD_CALLS
}

/// Ends the check if a call of a quiet peer was not served although it had to be. A platform may limit by
/// address as well as by peer: a peer that shares its address may be limited because of another.
pub(super) fn require_served(trace: &Trace, quiet: Call<'_>) -> Result<(), Stop> {
    if !is_unserved(trace, quiet) {
        return Ok(());
    }
    let actual = format!("a quiet peer was not served: {}", quiet.summary());
    if quiet.exchange.was_put_off() && may_share(trace, &quiet) {
        let actual = format!("{actual}, and it may share its address");
        return Err(Stop::unproven(actual, [quiet.n()]));
    }
    Err(Stop::broken(actual, [quiet.n()]))
}

/// Returns whether a peer may share its address with another one of the trace.
pub(super) fn may_share(trace: &Trace, call: &Call<'_>) -> bool {
    let source = call.exchange.source;
    let mut others = calls(trace).filter(|other| other.exchange.peer != call.exchange.peer);
    source.is_none() || others.any(|other| other.exchange.source == source)
}

/// Returns whether a call was not served although it had to be. If the calls within a minute are too many,
/// one of them may be limited: with 429, or with the 503 of a limit in front of the platform.
pub(super) fn is_unserved(trace: &Trace, quiet: Call<'_>) -> bool {
    if !quiet.exchange.status().is_some_and(|status| [LIMITED, UNAVAILABLE].contains(&status)) {
        return !quiet.exchange.succeeded();
    }
    let counted = || calls(trace).of(&quiet.exchange.peer).made_by_peer().filter(is_counted);
    let at = counted().find(|call| call.n() == quiet.n()).map(|call| call.at());
    let is_recent = |other: &Call<'_>| {
        at.is_some_and(|at| other.at() <= at && at.duration_since(other.at()) < WINDOW + SLACK)
            || are_side_by_side(other, &quiet)
    };
    counted().filter(is_recent).count() <= FEW_CALLS
}
