//! The platform stops serving the previous major version as soon as it runs a new major version.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "drops-previous-major-without-notice",
    &[("10.2", Conduct)],
    "Stops serving the major version before on the day of its release.",
    |policy| policy.handshake.still_serves = |_, _| Ok(false),
);
