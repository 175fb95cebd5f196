//! Checks that serve several commitments, and what they share.

mod accepted;
mod finding_raised;
mod refused;
mod reply;

pub(super) use finding_raised::{FindingRaised, all_put_off};
pub(super) use refused::Refused;
pub(super) use reply::{
    CallOutcome, call_outcome, full_text, is_accepted, is_rejected, is_same_number, is_undone, is_unfinished,
    message_of_target, reply_summary,
};

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] =
    &[CheckDef::of::<accepted::Accepted>(), CheckDef::of::<FindingRaised>(), CheckDef::of::<Refused>()];
