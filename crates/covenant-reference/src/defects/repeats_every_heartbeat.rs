//! The platform sends every heartbeat 320 times, even if the response is a success.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "repeats-every-heartbeat",
    &[("6.1", Conduct)],
    "Sends every heartbeat 320 times over.",
    |policy| policy.out.is_sent_again = |times, _| times < 320,
);
