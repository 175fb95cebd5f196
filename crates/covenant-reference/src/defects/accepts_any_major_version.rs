//! The platform compares minor versions only, and accepts any major version.

use semver::Version;

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-any-major-version",
    &[("10.1", Detection), ("10.2", Detection)],
    "Compares minor versions, and takes any major one.",
    |policy| {
        policy.handshake.versions_go_together = go_together;
        policy.handshake.broke_without_notice = |_, _, _| None;
    },
);

fn go_together(ours: &str, theirs: &str) -> bool {
    match (Version::parse(ours), Version::parse(theirs)) {
        (Ok(ours), Ok(theirs)) => ours.minor.abs_diff(theirs.minor) <= 1 || ours.major != theirs.major,
        _ => false,
    }
}
