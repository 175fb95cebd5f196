//! Defects against commitment 6.

pub(super) mod grants;
pub(super) mod rates;
pub(super) mod scope;
pub(super) mod streams;
