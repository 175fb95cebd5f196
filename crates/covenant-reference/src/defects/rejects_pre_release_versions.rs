//! The platform treats no pre-release as compatible.

use semver::Version;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "rejects-pre-release-versions",
    &[("10.1", Conduct)],
    "Takes no pre-release for compatible, whatever its minor version.",
    |policy| policy.handshake.versions_go_together = go_together,
);

fn go_together(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => {
            remote.pre.is_empty() && local.major == remote.major && local.minor.abs_diff(remote.minor) <= 1
        }
        _ => false,
    }
}
