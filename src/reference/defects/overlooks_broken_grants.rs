//! A grant that is refused before its end is passed over.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "overlooks-broken-grants",
    &[("2.1", Detection), ("2.2", Detection), ("2.3", Detection)],
    "Does not notice that a peer refuses a grant that it gave.",
    |policy| policy.out.is_broken = |_, _, _, _| false,
);
