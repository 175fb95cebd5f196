//! Commitment 12: contract version honesty.

mod agreed_version_is_requested_version;
mod joins_same_version_only;
mod mismatch_counts_as_breach;
mod peer_list;

pub(super) use agreed_version_is_requested_version::AgreedVersionIsRequestedVersion;
pub(super) use joins_same_version_only::JoinsSameVersionOnly;
pub(super) use mismatch_counts_as_breach::MismatchCountsAsBreach;
