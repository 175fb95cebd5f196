//! The platform continues to serve a grant that its operator revoked.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "honours-revoked-grants",
    &[("2.2", Conduct)],
    "Goes on serving a grant that its operator revoked.",
    |policy| policy.grants.is_revoked = |_| false,
);
