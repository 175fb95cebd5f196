//! A heartbeat that is answered with an error is sent again and again at once.

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
