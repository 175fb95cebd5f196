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

pub(super) use ended_grant_is_rejected::EndedGrantIsRejected;
pub(super) use grant::{Grant, requests};
pub(super) use grant_ends_in_real_time::GrantEndsInRealTime;
pub(super) use grant_lasts_in_real_time::GrantLastsInRealTime;
pub(super) use grant_revocation_announced::GrantRevocationAnnounced;
pub(super) use granted_requests_are_served::GrantedRequestsAreServed;
