//! Takes a grant to read for one to migrate, and the other way round.

use jiff::Timestamp;

use crate::contract::Aspect::Detection;
use crate::reference::Patch;
use crate::reference::inbound::grants;
use crate::reference::store::rows::Grant;
use crate::wire::grant::Scope;

pub(super) const PATCH: Patch = Patch::defect(
    "takes-readers-for-migrants",
    &[("6.4", Detection)],
    "Takes a grant to read for one to migrate, and the other way round.",
    |policy| policy.grants.allows = allows,
);

fn allows(grant: &Grant, scope: Scope, now: Timestamp) -> bool {
    let alike = match scope {
        Scope::Read => Scope::Migrate,
        Scope::Migrate => Scope::Read,
        other => other,
    };
    grants::allows(grant, scope, now) || grants::allows(grant, alike, now)
}
