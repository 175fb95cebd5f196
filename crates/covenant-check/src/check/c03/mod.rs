//! Commitment 3: truthful capabilities.

mod declaration;
mod declared_kinds_are_served;
mod declared_schema_is_accepted;
mod filter_is_applied;
mod migrations_follow_declaration;
mod records_leave_a_filter;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<declared_kinds_are_served::DeclaredKindsAreServed>(),
    CheckDef::of::<declared_schema_is_accepted::DeclaredSchemaIsAccepted>(),
    CheckDef::of::<filter_is_applied::FilterIsApplied>(),
    CheckDef::of::<migrations_follow_declaration::MigrationsFollowDeclaration>(),
    CheckDef::of::<records_leave_a_filter::RecordsLeaveAFilter>(),
];
