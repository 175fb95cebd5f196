//! The number of handshakes and heartbeats that make a flood.

use jiff::{SignedDuration, Timestamp};

use crate::check::outcome::Stop;
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;
use covenant_model::wire::header;
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

/// The time without a heartbeat after which a peer is stale (`binding.md`, "Numbers").
const STALE_SECONDS: u32 = 300;

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
    let actual = format!("a quiet peer was not served: {}", quiet.summary());
    if !is_unserved(trace, quiet) {
        if quiet.exchange.was_put_off() {
            return Err(Stop::unproven(format!("{actual}, and it made more calls than these"), [quiet.n()]));
        }
        return Ok(());
    }
    let is_open = if may_be_limited(&quiet) {
        is_limited_with_others(trace, &quiet)
    } else {
        quiet.exchange.was_put_off() && may_share(trace, &quiet)
    };
    if is_open {
        let actual = format!("{actual}, and it may share its address");
        return Err(Stop::unproven(actual, [quiet.n()]));
    }
    Err(Stop::broken(actual, [quiet.n()]))
}

/// Returns whether a peer may share its address with another one of the trace.
fn may_share(trace: &Trace, call: &Call<'_>) -> bool {
    call.exchange.source.is_none() || of_others_at_address(trace, call).next().is_some()
}

/// Returns the calls of other peers that may have the address of a call.
fn of_others_at_address<'a>(trace: &'a Trace, call: &Call<'_>) -> impl Iterator<Item = Call<'a>> {
    let (peer, source) = (call.exchange.peer.clone(), call.exchange.source);
    let others = calls(trace).made_by_peer().filter(move |other| other.exchange.peer != peer);
    others.filter(move |other| source.is_none() || other.exchange.source == source)
}

/// Returns whether a call may be limited because of its address: more than a few calls came from there within a minute, or a
/// limit of another peer there has not ended.
pub(super) fn is_limited_with_others(trace: &Trace, call: &Call<'_>) -> bool {
    may_share(trace, call) && (is_busy(trace, call) || stands_for_others(trace, call))
}

/// Returns whether a limit of another peer at the address of a call, which more than a few calls there caused, has not ended.
pub(super) fn stands_for_others(trace: &Trace, call: &Call<'_>) -> bool {
    let others = of_others_at_address(trace, call).filter(is_counted);
    let stands =
        |other: &Call<'_>| other.at() <= call.at() && end_of_limit(other).is_some_and(|end| call.at() <= end);
    others.filter(stands).any(|other| is_busy(trace, &other))
}

/// Returns whether more than a few calls that count towards a flood may have come from the address of a call within a minute.
fn is_busy(trace: &Trace, call: &Call<'_>) -> bool {
    let own = calls(trace).of(&call.exchange.peer).made_by_peer();
    let all = own.chain(of_others_at_address(trace, call)).filter(is_counted);
    let came_before = |other: &Call<'_>| {
        (other.at() <= call.at() && is_recent(other, call)) || are_side_by_side(other, call)
    };
    all.filter(came_before).count() > FEW_CALLS
}

/// Returns the number of calls that count towards a flood and that other peers at the address of a burst made within a minute
/// before its last call.
pub(super) fn count_of_others(trace: &Trace, burst: &[Call<'_>]) -> usize {
    let Some((first, last)) = burst.first().zip(burst.last()) else { return 0 };
    let others = of_others_at_address(trace, first).filter(is_counted);
    others.filter(|other| other.at() <= last.at() && is_recent(other, first)).count()
}

/// Returns whether a call was made at most a minute before another one, or after it.
fn is_recent(other: &Call<'_>, call: &Call<'_>) -> bool {
    call.at().duration_since(other.at()) < WINDOW + SLACK
}

/// Returns whether the status of a call is one of a limit, of the platform or in front of it.
fn may_be_limited(call: &Call<'_>) -> bool {
    call.exchange.status().is_some_and(|status| [LIMITED, UNAVAILABLE].contains(&status))
}

/// Returns the end of a limit that too many calls caused, as the target itself reports it, but no later than
/// the time at which the peer becomes stale.
pub(super) fn end_of_limit(call: &Call<'_>) -> Option<Timestamp> {
    let answer = call.exchange.response.as_ref().filter(|_| is_limited(call))?;
    let header = |name: &str| {
        let mut headers = answer.headers.iter();
        headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let retry_after = header(header::RETRY_AFTER)?;
    let wait = if let Ok(seconds) = retry_after.parse::<u32>() {
        SignedDuration::from_secs(seconds.into())
    } else {
        let now = header("Date").and_then(http_date).unwrap_or(call.at());
        http_date(retry_after)?.duration_since(now)
    };
    let wait = wait.clamp(SignedDuration::ZERO, SignedDuration::from_secs(STALE_SECONDS.into()));
    call.at().checked_add(wait + SLACK).ok()
}

/// Parses a time in the form of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp())
}

/// Returns whether a call was not served although it had to be. If the calls within a minute are too many,
/// one of them may be limited: with 429, or with the 503 of a limit in front of the platform.
pub(super) fn is_unserved(trace: &Trace, quiet: Call<'_>) -> bool {
    if !may_be_limited(&quiet) {
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
