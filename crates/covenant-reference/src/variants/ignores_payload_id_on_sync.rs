//! The platform stores a synced record under the record's own id, whatever id its payload names.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "ignores-payload-id-on-sync",
    "Takes a synced record under the id that it stands under, whatever id its payload names.",
    |policy| policy.sync.names_agree = |_| true,
);
