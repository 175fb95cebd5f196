//! Commitment 6: no undermining.

mod batches;
mod capacity_is_kept;
mod flood;
mod flood_limited;
mod flood_reported;
mod no_grants_by_program;
mod offering;
mod other_records_are_unchanged;
mod out_of_grant_requests_are_rejected;
mod rate_limit_is_per_minute;
mod rejected_records_are_not_stored;
mod rejections_leak_no_records;
mod subscriptions_end;
mod sync_streams_are_intact;
mod target_limits_own_calls;
mod target_requests_declared_kinds_only;
#[cfg(test)]
mod tests;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<capacity_is_kept::CapacityIsKept>(),
    CheckDef::of::<flood_limited::FloodLimited>(),
    CheckDef::of::<flood_reported::FloodReported>(),
    CheckDef::of::<no_grants_by_program::NoGrantsByProgram>(),
    CheckDef::of::<other_records_are_unchanged::OtherRecordsAreUnchanged>(),
    CheckDef::of::<out_of_grant_requests_are_rejected::OutOfGrantRequestsAreRejected>(),
    CheckDef::of::<rate_limit_is_per_minute::RateLimitIsPerMinute>(),
    CheckDef::of::<rejected_records_are_not_stored::RejectedRecordsAreNotStored>(),
    CheckDef::of::<rejections_leak_no_records::RejectionsLeakNoRecords>(),
    CheckDef::of::<subscriptions_end::SubscriptionsEnd>(),
    CheckDef::of::<sync_streams_are_intact::SyncStreamsAreIntact>(),
    CheckDef::of::<target_limits_own_calls::TargetLimitsOwnCalls>(),
    CheckDef::of::<target_requests_declared_kinds_only::TargetRequestsDeclaredKindsOnly>(),
];
