//! Commitment 9: compromise disclosure.

mod compromise_is_disclosed_in_time;
mod compromise_reaches_operator;
mod suspended_until_resumed;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<compromise_is_disclosed_in_time::CompromiseIsDisclosedInTime>(),
    CheckDef::of::<compromise_reaches_operator::CompromiseReachesOperator>(),
    CheckDef::of::<suspended_until_resumed::SuspendedUntilResumed>(),
];
