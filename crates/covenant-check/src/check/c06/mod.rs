//! Commitment 6: no undermining.

mod enumeration;
mod flood;
mod grants;
mod out_of_grant_requests_are_rejected;
mod streams;

use super::legacy::LegacyCheck;

pub(super) use out_of_grant_requests_are_rejected::OutOfGrantRequestsAreRejected;

/// The checks of this commitment.
pub(super) const CHECKS: &[LegacyCheck] = &[
    flood::PACES_ITSELF,
    flood::FLOOD_LIMITED,
    flood::FLOOD_REPORTED,
    flood::LIMITS_BY_THE_MINUTE,
    grants::NO_GRANTS_BY_PROGRAM,
    streams::STREAMS_ARE_WHOLE,
    streams::NOTHING_IS_STORED,
    streams::OTHERS_STAY,
    enumeration::STAYS_WITHIN_DECLARED,
    enumeration::LEAKS_NOTHING,
];
