//! Contract versioning (V).

pub(super) mod agreement;
mod digests_are_stored;
mod join_avoids_deprecated_version;
mod same_version_on_both_sides;
mod versions_side_by_side;

pub(super) use digests_are_stored::DigestsAreStored;
pub(super) use join_avoids_deprecated_version::JoinAvoidsDeprecatedVersion;
pub(super) use same_version_on_both_sides::SameVersionOnBothSides;
pub(super) use versions_side_by_side::VersionsSideBySide;
