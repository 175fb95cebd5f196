//! The platform ignores the refusal of a grant before the grant's end.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-broken-grants",
    &[("2.1", Detection), ("2.2", Detection), ("2.3", Detection)],
    "Does not notice that a peer refuses a grant that it gave.",
    |policy| policy.out.is_broken = |_, _, _, _| false,
);
