//! Leaves out a step that is to fail the plan, and claims the rest as a success.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::reference::apply::{Met, Resolution, resolve};
use crate::wire::migration::policy;

pub(super) const PATCH: Patch = Patch::defect(
    "goes-on-past-a-conflict",
    &[("7.2", Conduct)],
    "Leaves out a step that is to fail the plan, and claims the rest as a success.",
    |policy| {
        policy.migrations.resolve = |met: Met, given: &str| match given {
            policy::FAIL => Resolution::Skipped,
            _ => resolve(met, given),
        };
    },
);
