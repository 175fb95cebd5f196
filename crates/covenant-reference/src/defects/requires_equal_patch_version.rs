//! The platform treats only its own patch version as compatible.

use semver::Version;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "requires-equal-patch-version",
    &[("10.1", Conduct)],
    "Takes only its own patch release for compatible, where the minor version is its own.",
    |policy| policy.handshake.versions_go_together = go_together,
);

fn go_together(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) if local.minor == remote.minor => {
            local.major == remote.major && local.patch == remote.patch
        }
        (Ok(local), Ok(remote)) => local.major == remote.major && local.minor.abs_diff(remote.minor) <= 1,
        _ => false,
    }
}
