//! The platform joins on the newest contract version, deprecated or not.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "joins-with-deprecated-contract-version",
    &[("V.4", Conduct)],
    "Joins on the newest contract version, deprecated or not.",
    |policy| policy.out.may_be_joined = |_| true,
);
