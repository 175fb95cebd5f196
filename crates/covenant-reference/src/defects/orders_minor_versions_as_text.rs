//! The platform finds the adjacent minor version in text order, in which 1.10 comes far before 1.9.

use semver::Version;

use crate::Patch;
use crate::handshake::versions;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "orders-minor-versions-as-text",
    &[("10.1", Conduct)],
    "Takes two minor versions for neighbours only where they are in the order of text too, so that 1.10 does not follow 1.9.",
    |policy| policy.handshake.versions_go_together = go_together,
)
.hard_to_reach();

fn go_together(local: &str, remote: &str) -> bool {
    let minors = [local, remote].map(|version| Version::parse(version).ok().map(|version| version.minor));
    let [Some(local_minor), Some(remote_minor)] = minors else { return false };
    let in_order = local_minor.cmp(&remote_minor) == local_minor.to_string().cmp(&remote_minor.to_string());
    in_order && versions::go_together(local, remote)
}
