//! Revokes grants without a word.

use crate::Behaviour;

/// Revokes a grant before it expires, and does not tell its holder.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "silent-grant-revocation",
    about: "revokes a grant before it expires, and does not tell its holder",
    clauses: &["2.3"],
    ends_grants_silently: true,
    ..Behaviour::CONFORMING
};
