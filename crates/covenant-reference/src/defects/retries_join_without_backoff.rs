//! The platform repeats a join again and again without a pause if the response is an error.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "retries-join-without-backoff",
    &[("6.1", Conduct)],
    "Joins again and again where the answer is an error.",
    |policy| {
        policy.out.is_joined_again = |times, called| times < 320 && !called.succeeded();
    },
);
