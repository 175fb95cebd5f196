//! Defects against commitment 7.

pub(super) mod atomicity;
pub(super) mod claims;
pub(super) mod identities;
pub(super) mod sync;
pub(super) mod verification;
