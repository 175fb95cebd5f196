//! The platform treats a version two minors away as compatible.

use semver::Version;

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-version-two-minors-away",
    &[("10.1", Detection)],
    "Takes a version two minors away for compatible.",
    |policy| policy.handshake.versions_go_together = go_together,
);

fn go_together(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => local.major == remote.major && local.minor.abs_diff(remote.minor) <= 2,
        _ => false,
    }
}
