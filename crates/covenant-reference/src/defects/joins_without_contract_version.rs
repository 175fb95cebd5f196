//! The platform joins without a contract version, but requires one from its peers.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "joins-without-contract-version",
    &[("A.1", Conduct)],
    "Joins with no contract version, where it asks of others that they name one.",
    |policy| {
        policy.out.override_join = |body| {
            body.remove("contract_version");
        }
    },
);
