//! Checks that serve several commitments, and what they share.

mod accepted;
mod finding_raised;
mod refused;
mod reply;

pub(super) use accepted::Accepted;
pub(super) use finding_raised::FindingRaised;
pub(super) use refused::Refused;
pub(super) use reply::{
    CallOutcome, RETRYABLE_STATUS, call_outcome, is_same_number, is_turned_down, is_undone, reply_summary,
    said_by_target, whole_text,
};
