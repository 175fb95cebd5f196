//! Commitment 6: no undermining.

mod flood;
mod grants;
mod streams;
mod walks;

use super::Judge;

/// The judges of this commitment.
pub(super) const JUDGES: &[Judge] = &[
    flood::PACES_ITSELF,
    flood::FLOOD_LIMITED,
    flood::FLOOD_REPORTED,
    flood::LIMITS_BY_THE_MINUTE,
    grants::NO_GRANTS_BY_PROGRAM,
    streams::STREAMS_ARE_WHOLE,
    streams::NOTHING_IS_STORED,
    streams::OTHERS_STAY,
    walks::STAYS_WITHIN_DECLARED,
    walks::LEAKS_NOTHING,
];
