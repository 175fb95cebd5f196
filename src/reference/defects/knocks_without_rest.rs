//! Joins again and again where the answer is an error.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "knocks-without-rest",
    &[("6.1", Conduct)],
    "Joins again and again where the answer is an error.",
    |policy| {
        policy.out.is_joined_again = |times, called| times < 320 && !called.succeeded();
    },
);
