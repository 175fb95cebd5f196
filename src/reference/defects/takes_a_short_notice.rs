//! Breaks with the major version before on the day that it named, however near that was.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use jiff::SignedDuration;

pub(super) const PATCH: Patch = Patch::defect(
    "takes-a-short-notice",
    &[("10.2", Conduct)],
    "Breaks with the major version before on the day that it named, however near that was.",
    |rules| rules.handshake.notice_needed = SignedDuration::ZERO,
)
.deep();
