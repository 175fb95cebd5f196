//! Goes on serving a grant that its operator revoked.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "honours-revoked-grants",
    &[("2.2", Conduct)],
    "Goes on serving a grant that its operator revoked.",
    |rules| rules.grants.is_revoked = |_| false,
);
