//! The platform keeps the overlay addresses of a revoked peer on its list, as revoked ones.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "lists-unmounted-addresses",
    "Leaves the overlay addresses of a revoked peer on its list, as revoked ones.",
    |policy| policy.peering.lists_unmounted = true,
);
