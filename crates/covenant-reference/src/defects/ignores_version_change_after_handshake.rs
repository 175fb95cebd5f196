//! The platform checks a peer's version at the handshake, and ignores later ones.

use semver::Version;

use crate::Patch;
use crate::store::rows::Peer;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-version-change-after-handshake",
    &[("10.1", Detection)],
    "Checks a peer's minor version at the handshake, and takes no notice of a later one.",
    |policy| policy.peering.override_introduced = keep_the_first,
);

fn keep_the_first(before: &Peer, peer: &mut Peer) {
    let major = |peer: &Peer| Some(Version::parse(peer.platform_version.as_deref()?).ok()?.major);
    if major(before).is_some() && major(before) == major(peer) {
        peer.platform_version.clone_from(&before.platform_version);
    }
}
