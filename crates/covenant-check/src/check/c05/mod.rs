//! Commitment 5: audit transparency.

mod audit_entry;
#[cfg(test)]
mod audit_traces;
mod audit_window;
mod every_action_is_logged;
mod excerpt;
mod excerpt_holds_own_entries_only;
mod excerpt_in_real_time;
mod excerpt_in_time;
mod excerpt_is_complete;
mod foreign_entries_are_not_stored;
mod matching;
pub(in crate::check) mod mention;
mod promised_excerpt_is_for_its_peer;
mod subject;
mod subjects_are_logged;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<every_action_is_logged::EveryActionIsLogged>(),
    CheckDef::of::<excerpt_holds_own_entries_only::ExcerptHoldsOwnEntriesOnly>(),
    CheckDef::of::<excerpt_in_real_time::ExcerptInRealTime>(),
    CheckDef::of::<excerpt_in_time::ExcerptInTime>(),
    CheckDef::of::<excerpt_is_complete::ExcerptIsComplete>(),
    CheckDef::of::<foreign_entries_are_not_stored::ForeignEntriesAreNotStored>(),
    CheckDef::of::<promised_excerpt_is_for_its_peer::PromisedExcerptIsForItsPeer>(),
    CheckDef::of::<subjects_are_logged::SubjectsAreLogged>(),
];
