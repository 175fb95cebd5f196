//! The platform treats the scope `admin` as every scope.

use jiff::Timestamp;

use crate::Patch;
use crate::inbound::grants;
use crate::store::rows::Grant;
use covenant_model::wire::grant::Scope;

pub(super) const PATCH: Patch = Patch::variant(
    "treats-admin-as-every-scope",
    "Lets the scope `admin` stand for every other.",
    |policy| {
        policy.grants.allows = allows;
    },
);

fn allows(grant: &Grant, scope: Scope, now: Timestamp) -> bool {
    grants::allows(grant, scope, now) || grants::allows(grant, Scope::Admin, now)
}
