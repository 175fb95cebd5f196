//! Enforcement (E).

mod repeated_breach_suspends;
mod soft_finding_shown;
mod suspension;

pub(super) use suspension::{is_suspended, is_suspended_status};

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<repeated_breach_suspends::RepeatedBreachSuspends>(),
    CheckDef::of::<soft_finding_shown::SoftFindingShown>(),
];
