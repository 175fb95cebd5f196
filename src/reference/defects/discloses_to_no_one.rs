//! A compromise is kept to itself.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-to-no-one",
    &[("9.1", Conduct)],
    "Writes a compromise down, and discloses it to no one.",
    |rules| rules.out.is_sent = |notice| notice.event.kind != kind::PEER_COMPROMISED,
);
