//! Takes a batch wherever it begins.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::defect("takes-any-cursor", &[("6.3", Detection)], "Takes a batch wherever it begins.", |policy| {
        policy.sync.joins_on = |_, _| true;
    });
