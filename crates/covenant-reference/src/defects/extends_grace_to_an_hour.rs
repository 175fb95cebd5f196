//! The platform accepts open migrations for an hour after a revocation.

use jiff::{SignedDuration, Timestamp};

use crate::Patch;
use crate::store::rows::{Migration, Peer};
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "extends-grace-to-an-hour",
    &[("4.3", Conduct)],
    "Takes what was open for an hour after a revocation.",
    |policy| {
        policy.peering.grace_until = grace_until;
        policy.migrations.grace_covers = grace_covers;
    },
);

fn grace_until(effective_at: Timestamp) -> Timestamp {
    effective_at.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX)
}

fn grace_covers(peer: &Peer, migration: &Migration, now: Timestamp) -> bool {
    migration.status == "transferring" && peer.grace_until.is_some_and(|end| now < end)
}
