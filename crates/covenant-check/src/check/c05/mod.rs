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
mod mention;
mod subjects_are_logged;

pub(super) use every_action_is_logged::EveryActionIsLogged;
pub(super) use excerpt_holds_own_entries_only::ExcerptHoldsOwnEntriesOnly;
pub(super) use excerpt_in_real_time::ExcerptInRealTime;
pub(super) use excerpt_in_time::ExcerptInTime;
pub(super) use excerpt_is_complete::ExcerptIsComplete;
pub(super) use foreign_entries_are_not_stored::ForeignEntriesAreNotStored;
pub(super) use subjects_are_logged::SubjectsAreLogged;
