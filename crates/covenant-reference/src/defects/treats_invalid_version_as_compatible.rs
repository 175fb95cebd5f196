//! The platform treats an invalid version as compatible.

use crate::Patch;
use crate::handshake::{disclosure, versions};
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "treats-invalid-version-as-compatible",
    &[("10.1", Detection)],
    "Takes what is no version for a compatible one.",
    |policy| policy.handshake.versions_go_together = go_together,
);

fn go_together(local: &str, remote: &str) -> bool {
    !disclosure::is_version(remote) || versions::go_together(local, remote)
}
