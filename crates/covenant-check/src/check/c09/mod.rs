//! Commitment 9: compromise disclosure.

mod compromise_is_disclosed_in_time;
mod suspended_until_resumed;

pub(super) use compromise_is_disclosed_in_time::CompromiseIsDisclosedInTime;
pub(super) use suspended_until_resumed::SuspendedUntilResumed;
