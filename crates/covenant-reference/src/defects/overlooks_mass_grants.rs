//! The platform does not notice any number of grants.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch =
    Patch::defect("overlooks-mass-grants", &[("6.2", Detection)], "Notices no number of grants.", |policy| {
        policy.watch.is_mass = |_, _| false;
    });
