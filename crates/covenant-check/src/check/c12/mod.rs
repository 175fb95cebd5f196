//! Commitment 12: contract version honesty.

mod agreed_version_is_requested_version;
mod joins_same_version_only;
mod mismatch_counts_as_breach;
pub(in crate::check) mod peer_list;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<agreed_version_is_requested_version::AgreedVersionIsRequestedVersion>(),
    CheckDef::of::<joins_same_version_only::JoinsSameVersionOnly>(),
    CheckDef::of::<mismatch_counts_as_breach::MismatchCountsAsBreach>(),
];
