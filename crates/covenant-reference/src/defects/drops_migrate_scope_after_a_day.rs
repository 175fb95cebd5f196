//! The platform silently drops the scope `migrate` of a grant that is a day old.

use jiff::{SignedDuration, Timestamp};

use crate::Patch;
use crate::inbound::grants;
use crate::store::rows::Grant;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::grant::Scope;

pub(super) const PATCH: Patch = Patch::defect(
    "drops-migrate-scope-after-a-day",
    &[("2.1", Conduct), ("2.2", Conduct)],
    "Quietly forgets the scope `migrate` of a grant once it is a day old.",
    |policy| policy.grants.allows = allows,
)
.hard_to_reach();

fn allows(grant: &Grant, scope: Scope, now: Timestamp) -> bool {
    let old = now.duration_since(grant.issued_at) >= SignedDuration::from_hours(24);
    let forgotten = old && scope == Scope::Migrate && grant.permission_scopes.len() > 1;
    !forgotten && grants::allows(grant, scope, now)
}
