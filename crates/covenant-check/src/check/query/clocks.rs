//! The clock of the target beside that of the suite.

use jiff::SignedDuration;

use super::{CallQuery, calls};
use covenant_model::clock::read_moment;
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// Returns the greatest difference between the clock of the target, as its answers to heartbeats show it, and that of the suite.
/// Returns `None` if no answer shows it. What a slow answer takes counts as a difference.
pub(in crate::check) fn clock_difference(trace: &Trace) -> Option<SignedDuration> {
    let beats = calls(trace).made_by_peer().on(Route::Heartbeat).accepted();
    let differences = beats.filter_map(|call| {
        let shown = read_moment(call.exchange.data()?["last_heartbeat_at"].as_str()?)?;
        Some(shown.duration_since(call.at()).abs())
    });
    differences.max()
}
