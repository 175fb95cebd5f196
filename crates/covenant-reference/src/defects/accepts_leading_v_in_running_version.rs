//! The platform parses v1.4.0 as 1.4.0.

use crate::Patch;
use crate::handshake::versions;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-leading-v-in-running-version",
    &[("10.1", Detection)],
    "Takes a version with a leading v, which is none, for the one behind the letter.",
    |policy| {
        policy.handshake.versions_go_together =
            |local, remote| versions::go_together(local, remote.trim_start_matches('v'));
    },
);
