//! The platform skips a step that must fail the plan, and reports the rest as a success.

use crate::Patch;
use crate::apply::{Met, Resolution, resolve};
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::policy;

pub(super) const PATCH: Patch = Patch::defect(
    "skips-conflict-with-fail-policy",
    &[("7.2", Conduct)],
    "Leaves out a step that is to fail the plan, and claims the rest as a success.",
    |policy| {
        policy.migrations.resolve = |met: Met, given: &str| match given {
            policy::FAIL => Resolution::Skipped,
            _ => resolve(met, given),
        };
    },
);
