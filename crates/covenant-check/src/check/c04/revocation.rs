//! Where a revocation is in a trace, and what it does to calls.

use jiff::Timestamp;

use crate::check::query::{CallQuery, calls};
use covenant_model::transcript::Trace;

/// Returns the entry of the revocation with this label: the operator's, or the peer's own notice if the
/// target accepted it.
pub(super) fn revocation(trace: &Trace, label: &str) -> Option<u64> {
    let notice = || calls(trace).labelled(label).accepted().next().map(|notice| notice.n());
    trace.operation(label).map(|(n, _)| n).or_else(notice)
}

/// Returns the last entry before an operation began: the target's calls during an operation are recorded
/// before its result.
pub(in crate::check) fn last_before(trace: &Trace, operation: u64) -> u64 {
    let of_operation = trace.steps().find(|(n, _)| *n == operation).and_then(|(_, step)| step);
    let mut before = trace.steps().rev().filter(|(n, _)| *n < operation);
    let last = before.find(|(_, step)| step.is_some() && *step != of_operation);
    last.map_or(operation.saturating_sub(1), |(n, _)| n)
}

/// Returns the time of an entry.
pub(super) fn time_of(trace: &Trace, n: u64) -> Option<Timestamp> {
    trace.time_of(n)
}
