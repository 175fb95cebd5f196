//! Takes ten grants for a mass.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::defect("cries-at-ten-grants", &[("6.2", Detection)], "Takes ten grants for a mass.", |policy| {
        policy.watch.is_mass = |_, all| all >= 10;
    });
