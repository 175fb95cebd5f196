//! Deviation: the peer revokes the peering without notice.

use crate::Behaviour;

/// Behaviour that revokes, sends no notice of any form, and refuses every call from then on.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "silent-revocation",
    about: "revokes without any notice and refuses every call from then on",
    clauses: &["4.1", "4.2"],
    revokes_silently: true,
    ..Behaviour::CONFORMING
};
