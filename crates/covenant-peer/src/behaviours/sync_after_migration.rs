//! Syncs what was for migration only.

use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Syncs a kind that may only be migrated; the scenario says which.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "sync-after-migration",
    about: "syncs a kind that may only be migrated; the scenario says which",
    clauses: &["7.5"],
    oversteps: Some(|route, _| *route == Route::Sync),
    ..Behaviour::CONFORMING
};
