//! The platform notices a peer that refuses every call only after a day.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;
use jiff::SignedDuration;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-silent-revocation-after-a-day",
    &[("4.1", Detection), ("4.2", Detection)],
    "notices a peer that left without a notice only after a day",
    |policy| {
        policy.out.is_stale = |heard, now| now.duration_since(heard) > SignedDuration::from_hours(24);
        policy.out.left_in_silence = |peer, now| {
            peer.refusing_since
                .is_some_and(|since| now.duration_since(since) > SignedDuration::from_hours(24))
        };
    },
);
