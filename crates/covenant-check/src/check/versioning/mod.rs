//! Contract versioning (V).

pub(super) mod agreement;
mod digests_are_stored;
mod join_avoids_deprecated_version;
mod listed_digests;
mod same_version_on_both_sides;
mod versions_side_by_side;

pub use listed_digests::{digest_written, digests_listed};

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<digests_are_stored::DigestsAreStored>(),
    CheckDef::of::<join_avoids_deprecated_version::JoinAvoidsDeprecatedVersion>(),
    CheckDef::of::<same_version_on_both_sides::SameVersionOnBothSides>(),
    CheckDef::of::<versions_side_by_side::VersionsSideBySide>(),
];
