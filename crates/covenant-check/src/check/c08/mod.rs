//! Commitment 8: data residency.

mod crossing;
mod crossing_is_recorded;
mod crossing_is_reported;
mod crossing_mentions;
mod crossings_match_residencies;
mod locations;
mod residency_declared;
mod residency_is_current;
#[cfg(test)]
mod residency_traces;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<crossing_is_recorded::CrossingIsRecorded>(),
    CheckDef::of::<crossing_is_reported::CrossingIsReported>(),
    CheckDef::of::<crossings_match_residencies::CrossingsMatchResidencies>(),
    CheckDef::of::<residency_declared::ResidencyDeclared>(),
    CheckDef::of::<residency_is_current::ResidencyIsCurrent>(),
];
