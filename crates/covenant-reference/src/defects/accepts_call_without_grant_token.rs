//! The platform uses any grant of the caller if a call has no token.

use crate::Patch;
use crate::store::rows::Grant;
use crate::store::table;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-call-without-grant-token",
    &[("6.4", Detection)],
    "Looks for a grant of the caller's where a call bears none.",
    |policy| policy.grants.unnamed = |tx, peer_id| Ok(table::of_peer::<Grant>(tx.db, peer_id)?.pop()),
);
