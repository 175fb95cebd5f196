//! Suspends at the first breach.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::defect("suspends-at-once", &[("E.2", Detection)], "Suspends at the first breach.", |policy| {
        policy.govern.suspends = |_, _| true;
    });
