//! Acknowledgement (A).

mod acknowledgement_kept;
mod acknowledgement_recorded;
mod agreed;
#[cfg(test)]
mod fixture;
mod join_acknowledges_contract;
mod no_acknowledgement_recorded;

pub(super) use acknowledgement_kept::AcknowledgementKept;
pub(super) use acknowledgement_recorded::AcknowledgementRecorded;
pub(super) use join_acknowledges_contract::JoinAcknowledgesContract;
pub(super) use no_acknowledgement_recorded::NoAcknowledgementRecorded;
