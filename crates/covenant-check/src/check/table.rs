//! The table of checks.

use super::definition::CheckDef;
use super::general::{Accepted, FindingRaised, Refused};

/// All checks, by commitment; those that serve several come first.
pub const CHECKS: &[CheckDef] = &[
    // General
    CheckDef::of::<Accepted>(),
    CheckDef::of::<FindingRaised>(),
    CheckDef::of::<Refused>(),
];

/// Returns the check with this id.
#[must_use]
pub fn check_with_id(id: &str) -> Option<&'static CheckDef> {
    CHECKS.iter().find(|check| check.id == id)
}
