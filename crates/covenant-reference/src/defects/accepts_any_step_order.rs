//! The platform accepts a plan whose step orders repeat or are negative.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-any-step-order",
    &[("7.1", Conduct)],
    "Takes a plan whose steps have no order of their own, or one below nought.",
    |policy| policy.migrations.orders_are_right = |_| true,
);
