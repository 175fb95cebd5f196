//! Commitment 6: no undermining.

mod batches;
mod flood;
mod flood_limited;
mod flood_reported;
mod no_grants_by_program;
mod other_records_are_unchanged;
mod out_of_grant_requests_are_rejected;
mod rate_limit_is_per_minute;
mod rejected_records_are_not_stored;
mod rejections_leak_no_records;
mod sync_streams_are_intact;
mod target_limits_own_calls;
mod target_requests_declared_kinds_only;
#[cfg(test)]
mod tests;

pub(super) use flood_limited::FloodLimited;
pub(super) use flood_reported::FloodReported;
pub(super) use no_grants_by_program::NoGrantsByProgram;
pub(super) use other_records_are_unchanged::OtherRecordsAreUnchanged;
pub(super) use out_of_grant_requests_are_rejected::OutOfGrantRequestsAreRejected;
pub(super) use rate_limit_is_per_minute::RateLimitIsPerMinute;
pub(super) use rejected_records_are_not_stored::RejectedRecordsAreNotStored;
pub(super) use rejections_leak_no_records::RejectionsLeakNoRecords;
pub(super) use sync_streams_are_intact::SyncStreamsAreIntact;
pub(super) use target_limits_own_calls::TargetLimitsOwnCalls;
pub(super) use target_requests_declared_kinds_only::TargetRequestsDeclaredKindsOnly;
