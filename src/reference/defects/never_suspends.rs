//! Counts breaches for ever.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::defect("never-suspends", &[("E.2", Detection)], "Counts breaches for ever.", |rules| {
        rules.govern.suspends = |_, _| false;
    });
