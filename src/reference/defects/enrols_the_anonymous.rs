//! Enrols whoever has a token, whatever it discloses.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "enrols-the-anonymous",
    &[("1.5", Detection)],
    "Enrols whoever has a token, whatever it discloses.",
    |rules| {
        rules.handshake.refuses_anonymous = |_| false;
        rules.handshake.enrols = |_, has_certificate| has_certificate;
    },
);
