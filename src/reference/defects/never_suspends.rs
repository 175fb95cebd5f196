//! Counts breaches for ever.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::defect("never-suspends", &[("E.2", Detection)], "Counts breaches for ever.", |policy| {
        policy.govern.suspends = |_, _| false;
    });
