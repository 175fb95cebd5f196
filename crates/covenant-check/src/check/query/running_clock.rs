//! Clocks that run by themselves.

use covenant_model::operator::{OperatorMethod, platform};
use covenant_model::transcript::{Entry, Trace};

/// Returns whether the clock runs by itself. If it does, the target's clock may differ a little from the
/// suite's.
pub(in crate::check) fn has_running_clock(trace: &Trace) -> bool {
    let is_advance =
        |entry: &Entry| entry.operation().is_some_and(|operation| operation.is(platform::Advance::METHOD));
    // An exchange that the target began may have arrived while the clock was moved.
    let stepped: Vec<&Entry> = trace.entries().iter().filter(|entry| entry.step.is_some()).collect();
    stepped.windows(2).any(|pair| pair[0].at != pair[1].at && !pair.iter().any(|entry| is_advance(entry)))
}
