//! The platform suspends at the fourth breach of a norm.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("suspends-at-the-fourth-breach", "Suspends at the fourth breach of a norm.", |policy| {
        policy.govern.suspends = |breaches, _| breaches >= 4;
    });
