//! The platform lets a grant expire a day early.

use jiff::{SignedDuration, Timestamp};

use crate::Patch;
use crate::store::rows::Grant;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "expires-grants-a-day-early",
    &[("2.1", Conduct)],
    "Lets a grant expire a day before its time.",
    |policy| policy.grants.has_expired = has_expired,
);

fn has_expired(grant: &Grant, now: Timestamp) -> bool {
    now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now) >= grant.expires_at
}
