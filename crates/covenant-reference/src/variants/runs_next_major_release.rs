//! The platform runs the first minor version of another major version.

use crate::{Patch, Settings};

pub(super) const PATCH: Patch = Patch::variant(
    "runs-next-major-release",
    "Runs release 2.0.3, where its operator asks for no other.",
    |policy| policy.handshake.release_run = release_run,
);

fn release_run(asked: &str) -> String {
    if asked == Settings::default().release { "2.0.3".to_owned() } else { asked.to_owned() }
}
