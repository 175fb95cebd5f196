//! The platform raises no finding of low severity.

use crate::Patch;
use crate::governance::severity;
use covenant_model::contract::Aspect::{Conduct, Detection};

pub(super) const PATCH: Patch = Patch::defect(
    "omits-low-severity-findings",
    &[("1.1", Detection), ("1.2", Detection), ("1.4", Detection), ("8.1", Detection), ("E.3", Conduct)],
    "Raises no finding of low severity.",
    |policy| policy.govern.is_reported = |suspicion| severity(suspicion.kind) != "low",
);
