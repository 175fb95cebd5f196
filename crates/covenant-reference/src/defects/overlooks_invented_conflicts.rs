//! The platform believes a reported conflict with a record that does not exist.

use crate::Patch;
use crate::outbound::Untruth;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-invented-conflicts",
    &[("7.3", Detection)],
    "does not notice that a destination invents a conflict",
    |policy| {
        policy.out.untruths = |found| {
            let invented =
                |untruth: &Untruth| matches!(untruth, Untruth::Invented { .. } | Untruth::Miscounted { .. });
            found.into_iter().filter(|untruth| !invented(untruth)).collect()
        };
    },
);
