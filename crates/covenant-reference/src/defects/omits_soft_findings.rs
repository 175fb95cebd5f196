//! The platform shows its operator findings about hard norms only.

use crate::Patch;
use covenant_model::contract::Aspect::{Conduct, Detection};

pub(super) const PATCH: Patch = Patch::defect(
    "omits-soft-findings",
    &[
        ("1.1", Detection),
        ("1.2", Detection),
        ("1.3", Detection),
        ("1.4", Detection),
        ("4.1", Detection),
        ("4.2", Detection),
        ("4.3", Detection),
        ("5.3", Detection),
        ("8.1", Detection),
        ("8.2", Detection),
        ("9.1", Detection),
        ("10.1", Detection),
        ("E.3", Conduct),
    ],
    "Shows its operator findings about hard norms only.",
    |policy| policy.govern.is_reported = |suspicion| !suspicion.norms.is_empty(),
);
