//! Acknowledgement (A).

mod acknowledgement_kept;
mod acknowledgement_recorded;
mod agreed;
#[cfg(test)]
mod fixture;
mod join_acknowledges_contract;
mod no_acknowledgement_recorded;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<acknowledgement_kept::AcknowledgementKept>(),
    CheckDef::of::<acknowledgement_recorded::AcknowledgementRecorded>(),
    CheckDef::of::<join_acknowledges_contract::JoinAcknowledgesContract>(),
    CheckDef::of::<no_acknowledgement_recorded::NoAcknowledgementRecorded>(),
];
