//! Stops serving the major version before on the day of its release.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "drops-previous-major-without-notice",
    &[("10.2", Conduct)],
    "Stops serving the major version before on the day of its release.",
    |policy| policy.handshake.still_serves = |_, _| Ok(false),
);
