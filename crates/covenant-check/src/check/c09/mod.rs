//! Commitment 9: compromise disclosure.

mod compromise_is_disclosed_in_time;
mod suspended_until_resumed;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<compromise_is_disclosed_in_time::CompromiseIsDisclosedInTime>(),
    CheckDef::of::<suspended_until_resumed::SuspendedUntilResumed>(),
];
