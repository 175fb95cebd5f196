//! Commitment 3: truthful capabilities.

mod declaration;
mod declared_kinds_are_served;
mod declared_schema_is_accepted;
mod filter_is_applied;

pub(super) use declared_kinds_are_served::DeclaredKindsAreServed;
pub(super) use declared_schema_is_accepted::DeclaredSchemaIsAccepted;
pub(super) use filter_is_applied::FilterIsApplied;
