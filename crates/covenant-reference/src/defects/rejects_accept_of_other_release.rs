//! The platform accepts a handshake of its own release only.

use semver::Version;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "rejects-accept-of-other-release",
    &[("10.1", Conduct)],
    "Refuses the accept of a peer whose release is another one of the same major version.",
    |policy| policy.handshake.turns_away = is_another,
);

fn is_another(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => local.major == remote.major && local != remote,
        _ => false,
    }
}
