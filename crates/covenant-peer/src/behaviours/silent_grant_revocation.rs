//! Deviation: the peer revokes grants without notice.

use crate::Behaviour;

/// Behaviour that revokes a grant before it expires, and sends its holder no notice.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "silent-grant-revocation",
    about: "revokes a grant before it expires, without notice to its holder",
    clauses: &["2.3"],
    ends_grants_silently: true,
    ..Behaviour::CONFORMING
};
