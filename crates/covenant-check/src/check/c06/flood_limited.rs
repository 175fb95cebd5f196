//! `flood-limited`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::flood::{FLOOD_CALLS, is_flood, is_limited, is_limited_with_others, is_unserved, require_served};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::{FailureKind, Trace};
use covenant_model::wire::envelope::Answer;
use covenant_model::wire::path::Route;

/// The target limits a flood, does not limit a few calls, and serves a quiet peer meanwhile.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct FloodLimited {
    /// The flooding calls.
    pub call: Label,
    /// A few of the same calls.
    pub control: Label,
    /// A quiet peer's calls, made after the flood.
    pub probe: Label,
}

impl Check for FloodLimited {
    const ID: &'static str = "flood-limited";
    const EXPECTED: &'static [&'static str] =
        &["some of the flood answered 429, the few calls and the quiet peer's never"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let with_label = |label| calls(trace).labelled(label).collect::<Vec<Call<'_>>>();
        let (flood, few, quiet) =
            (with_label(&self.call), with_label(&self.control), with_label(&self.probe));
        if few.is_empty() || quiet.is_empty() || flood.len() < FLOOD_CALLS {
            return Err(Stop::unproven("the flood, the few calls or the quiet peer are missing", []));
        }
        if let Some(call) = few.iter().find(|call| is_limited(call)) {
            let actual = format!("one of {} calls was limited", few.len());
            if !is_unserved(trace, *call) {
                return Err(Stop::unproven(format!("{actual}: there were more than these"), [call.n()]));
            }
            if is_limited_with_others(trace, call) {
                return Err(Stop::unproven(
                    format!("{actual}, and its peer may share its address"),
                    [call.n()],
                ));
            }
            return Err(Stop::broken(actual, [call.n()]));
        }
        for call in quiet {
            require_served(trace, call)?;
        }
        let count = flood.len();
        let ends = [flood[0].n(), flood[count - 1].n()];
        if let Some(first) = flood.iter().find(|call| is_limited(call)) {
            let limited = flood.iter().filter(|call| is_limited(call)).count();
            let actual = format!("{limited} of {count} calls were limited");
            return Ok(Pass::new(actual, [ends[0], first.n(), ends[1]]));
        }
        if is_cut_off(&flood) {
            if let Some(failed) = flood.iter().find(|call| has_failed(call)) {
                let actual =
                    format!("the flood was cut off, and the server may have failed: {}", failed.summary());
                return Err(Stop::unproven(actual, [ends[0], failed.n(), ends[1]]));
            }
            return Ok(Pass::new("the flood was cut off", ends));
        }
        if !is_flood(trace, &self.call) {
            let actual = format!("{count} calls took longer than 60 s: there was no flood");
            return Err(Stop::unproven(actual, ends));
        }
        let served = flood.iter().filter(|call| call.exchange.succeeded()).count();
        if served == count {
            return Err(Stop::broken(format!("all of {served} calls were served"), ends));
        }
        if let Some(answer) = answer_to_each(&flood) {
            let actual = format!("none of {count} calls was limited: each was answered {answer}");
            return Err(Stop::broken(actual, ends));
        }
        let actual = format!("{served} of {count} calls were served, and none was limited");
        Err(Stop::unproven(actual, ends))
    }
}

/// Returns the answer to each of many handshakes, if all were refused for the same content: the last was
/// evaluated like the first. A refusal because of a token may also be due to the number of calls.
fn answer_to_each(flood: &[Call<'_>]) -> Option<String> {
    const REFUSED_FOR_CONTENT: [u16; 3] = [400, 409, 422];
    let answer = |call: &Call<'_>| match (call.route(), call.exchange.status(), call.exchange.answer()) {
        (Some(Route::Accept), Some(status), Some(Answer::Refusal(refusal))) => {
            REFUSED_FOR_CONTENT.contains(&status).then(|| format!("{status} {}", refusal.error))
        }
        _ => None,
    };
    let first = answer(flood.first()?)?;
    flood.iter().all(|call| answer(call).as_ref() == Some(&first)).then_some(first)
}

/// Returns whether a peer was cut off. A peer that was suspended for a flood, or whose connection was closed,
/// was limited too. A handshake is refused for other reasons than its number, and a server that fails does
/// not limit. The calls run side by side, so that one lost connection takes several with it: only more calls
/// than that show a cut, wherever the record has them.
fn is_cut_off(flood: &[Call<'_>]) -> bool {
    const SIDE_BY_SIDE: usize = 8;
    let is_cut = |call: &&Call<'_>| {
        let was_closed = failed_with(call, FailureKind::Closed);
        call.route() != Some(Route::Accept) && (call.exchange.was_refused() || was_closed)
    };
    flood.iter().filter(is_cut).count() > SIDE_BY_SIDE
}

/// Returns whether a call shows that the server failed or was gone: that limits nobody.
fn has_failed(call: &Call<'_>) -> bool {
    const SERVER_ERRORS: u16 = 500;
    let is_error = call.exchange.status().is_some_and(|status| status >= SERVER_ERRORS);
    is_error || failed_with(call, FailureKind::Refused)
}

fn failed_with(call: &Call<'_>, kind: FailureKind) -> bool {
    call.exchange.failure.as_ref().is_some_and(|failure| failure.kind == kind)
}
