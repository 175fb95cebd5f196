//! Commitment 8: data residency.

mod crossing;
mod crossing_is_recorded;
mod crossing_is_reported;
mod crossing_mentions;
mod crossings_match_residencies;
mod locations;
mod residency_declared;
#[cfg(test)]
mod residency_traces;

pub(super) use crossing_is_recorded::CrossingIsRecorded;
pub(super) use crossing_is_reported::CrossingIsReported;
pub(super) use crossings_match_residencies::CrossingsMatchResidencies;
pub(super) use residency_declared::ResidencyDeclared;
