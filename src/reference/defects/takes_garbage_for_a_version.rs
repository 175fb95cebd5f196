//! Takes what is no version for a compatible one.

use crate::contract::Aspect::Detection;
use crate::reference::Patch;
use crate::reference::handshake::{disclosure, versions};

pub(super) const PATCH: Patch = Patch::defect(
    "takes-garbage-for-a-version",
    &[("10.1", Detection)],
    "Takes what is no version for a compatible one.",
    |policy| policy.handshake.versions_go_together = go_together,
);

fn go_together(local: &str, remote: &str) -> bool {
    !disclosure::is_version(remote) || versions::go_together(local, remote)
}
