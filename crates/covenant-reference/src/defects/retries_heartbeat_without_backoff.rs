//! The platform repeats a heartbeat again and again without a pause if the response is an error.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "retries-heartbeat-without-backoff",
    &[("6.1", Conduct)],
    "sends a heartbeat 400 times over when the peer answers an error",
    |policy| {
        policy.out.is_sent_again = |times, called| times < 400 && !called.succeeded();
    },
);
