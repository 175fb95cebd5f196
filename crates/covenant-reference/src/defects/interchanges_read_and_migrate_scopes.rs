//! The platform treats the scope `read` of a grant as `migrate`, and `migrate` as `read`.

use jiff::Timestamp;

use crate::Patch;
use crate::inbound::grants;
use crate::store::rows::Grant;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::grant::Scope;

pub(super) const PATCH: Patch = Patch::defect(
    "interchanges-read-and-migrate-scopes",
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
