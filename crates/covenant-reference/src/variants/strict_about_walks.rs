//! Takes the first refused thing for a walk.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("strict-about-walks", "Takes the first refused thing for a walk.", |policy| {
        policy.watch.is_walk = |targets, absent| targets >= 1 || absent >= 20;
    });
