//! The platform joins only peers of its own minor version.

use semver::Version;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "aborts-join-of-adjacent-minor",
    &[("10.1", Conduct)],
    "Breaks off its join of a peer that runs the minor version before or after its own.",
    |policy| policy.out.joins = is_same,
);

fn is_same(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => (local.major, local.minor) == (remote.major, remote.minor),
        _ => true,
    }
}
