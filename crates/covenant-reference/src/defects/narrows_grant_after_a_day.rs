//! The platform narrows a grant for a whole kind, once it is a day old, to an id that no record has.

use jiff::{SignedDuration, Timestamp};

use crate::Patch;
use crate::inbound::grants;
use crate::store::rows::Grant;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "narrows-grant-after-a-day",
    &[("2.1", Conduct), ("2.2", Conduct)],
    "Takes a grant for a whole kind, once it is a day old, for one of an id that nobody has.",
    |policy| policy.grants.covers_id = covers_id,
)
.hard_to_reach();

fn covers_id(grant: &Grant, id: &str, now: Timestamp) -> bool {
    let old = now.duration_since(grant.issued_at) >= SignedDuration::from_hours(24);
    let narrowed = old && grant.resource_id.is_none();
    !narrowed && grants::covers_id(grant, id, now)
}
