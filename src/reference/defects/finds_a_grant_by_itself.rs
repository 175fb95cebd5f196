//! Looks for a grant of the caller's where a call bears none.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;
use crate::reference::store::rows::Grant;
use crate::reference::store::table;

pub(super) const PATCH: Patch = Patch::defect(
    "finds-a-grant-by-itself",
    &[("6.4", Detection)],
    "Looks for a grant of the caller's where a call bears none.",
    |policy| policy.grants.unnamed = |tx, peer_id| Ok(table::of_peer::<Grant>(tx.db, peer_id)?.pop()),
);
