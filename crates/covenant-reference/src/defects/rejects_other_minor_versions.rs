//! The platform treats only its own minor version as compatible.

use semver::Version;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "rejects-other-minor-versions",
    &[("10.1", Conduct)],
    "Takes only its own minor version for compatible.",
    |policy| policy.handshake.versions_go_together = go_together,
);

fn go_together(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => local.major == remote.major && local.minor == remote.minor,
        _ => false,
    }
}
