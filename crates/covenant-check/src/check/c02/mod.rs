//! Commitment 2: reciprocity of grants.

mod announcement;
mod ended_grant_is_rejected;
mod grant;
mod grant_ends_in_real_time;
mod grant_lasts_in_real_time;
mod grant_revocation_announced;
mod granted_requests_are_served;
#[cfg(test)]
mod tests;
mod watched_grant;

pub(super) use announcement::unless_ended_with_notice;
pub(super) use grant::{Grant, requests};

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<ended_grant_is_rejected::EndedGrantIsRejected>(),
    CheckDef::of::<grant_ends_in_real_time::GrantEndsInRealTime>(),
    CheckDef::of::<grant_lasts_in_real_time::GrantLastsInRealTime>(),
    CheckDef::of::<grant_revocation_announced::GrantRevocationAnnounced>(),
    CheckDef::of::<granted_requests_are_served::GrantedRequestsAreServed>(),
];
