//! Takes a batch wherever it begins.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::defect("takes-any-cursor", &[("6.3", Detection)], "Takes a batch wherever it begins.", |rules| {
        rules.sync.joins_on = |_, _| true;
    });
