//! Enforcement (E).

mod repeated_breach_suspends;
mod soft_finding_shown;
mod suspension;

pub(super) use repeated_breach_suspends::RepeatedBreachSuspends;
pub(super) use soft_finding_shown::SoftFindingShown;
pub(super) use suspension::{is_suspended, is_suspended_status};
