//! Defects against commitment 2.

pub(super) mod grants;
pub(super) mod notices;
