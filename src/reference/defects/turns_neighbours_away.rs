//! Shakes hands with its own minor version only.

use semver::Version;

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "turns-neighbours-away",
    &[("10.1", Conduct)],
    "Refuses the accept of a peer that is one minor version off.",
    |rules| rules.handshake.turns_away = is_neighbour,
);

fn is_neighbour(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => local.major == remote.major && local.minor.abs_diff(remote.minor) == 1,
        _ => false,
    }
}
