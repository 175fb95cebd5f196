//! The platform counts breaches, but never suspends.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch =
    Patch::defect("never-suspends", &[("E.2", Detection)], "Counts breaches for ever.", |policy| {
        policy.govern.suspends = |_, _| false;
    });
