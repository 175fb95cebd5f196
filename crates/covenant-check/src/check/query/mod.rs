//! Questions that checks ask of a trace.
//!
//! A query is a chain that starts at [`calls`] or [`labelled_calls`] and narrows:
//! `calls(trace).of(peer).made_by_target().on(Route::Sync).after(n)`. What is missing ends the check as
//! `unproven`, through `?`.

mod admission;
mod calls;
mod clocks;
mod echo;
mod finding_identity;
mod migrations;
mod names;
mod notices;
mod operations;
mod records;
mod restated;
mod running_clock;
mod snapshots;
mod way_back;

pub(in crate::check) use admission::is_admitted;
pub(in crate::check) use calls::{Call, CallQuery, calls, labelled_calls};
pub(in crate::check) use clocks::clock_difference;
pub(in crate::check) use echo::{is_echo, sent_to};
pub(in crate::check) use migrations::migration_shown;
pub(in crate::check) use names::{mentions_one, names_of};
pub(in crate::check) use notices::events;
pub(in crate::check) use operations::{
    Scan, operations_of, peer_id, peer_shown, scan, scans, succeeded_operation,
};
pub(in crate::check) use records::{Place, Records, is_denied, last_put, listed_twice, mentions, records};
pub(in crate::check) use restated::Restated;
pub(in crate::check) use running_clock::has_running_clock;
pub(in crate::check) use snapshots::status_shown;
pub(in crate::check) use way_back::{silence, silence_of_heartbeats, unless_lost_by_move};
