//! The platform treats ten grants as mass grants.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch =
    Patch::defect("reports-ten-grants", &[("6.2", Detection)], "Takes ten grants for a mass.", |policy| {
        policy.watch.is_mass = |_, all| all >= 10;
    });
