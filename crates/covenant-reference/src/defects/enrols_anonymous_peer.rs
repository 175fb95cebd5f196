//! The platform enrols every peer that has a token, whatever it discloses.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "enrols-anonymous-peer",
    &[("1.5", Detection)],
    "Enrols whoever has a token, whatever it discloses.",
    |policy| {
        policy.handshake.refuses_anonymous = |_| false;
        policy.handshake.enrols = |_, has_certificate| has_certificate;
    },
);
