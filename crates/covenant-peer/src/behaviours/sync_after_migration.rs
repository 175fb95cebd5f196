//! Deviation: the peer syncs records that are for migration only.

use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Behaviour that syncs a kind that may only be migrated. The scenario names the kind.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "sync-after-migration",
    about: "sends batches of a kind that may only be migrated; the scenario sets the kind",
    clauses: &["7.5"],
    oversteps: Some(|route, _| *route == Route::Sync),
    ..Behaviour::CONFORMING
};
