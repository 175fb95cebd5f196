//! The platform compares minor versions by their first digit, so 1.10 counts as adjacent to 1.1.

use crate::Patch;
use covenant_model::contract::Aspect::{Conduct, Detection};

pub(super) const PATCH: Patch = Patch::defect(
    "compares-first-digit-of-minor-version",
    &[("10.1", Conduct), ("10.1", Detection)],
    "Compares minor versions digit by digit, so that 1.10 stands beside 1.1.",
    |policy| policy.handshake.versions_go_together = go_together,
)
.hard_to_reach();

fn go_together(local: &str, remote: &str) -> bool {
    let digits = |version: &str| {
        let mut parts = version.split('.');
        let major = parts.next().map(ToOwned::to_owned);
        let minor = parts.next().and_then(|minor| minor.bytes().next());
        major.zip(minor)
    };
    match (digits(local), digits(remote)) {
        (Some((major, minor)), Some((other, digit))) => major == other && minor.abs_diff(digit) <= 1,
        _ => false,
    }
}
