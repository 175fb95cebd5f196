//! The table of checks: a group for each folder.

use super::definition::CheckDef;
use super::{
    acknowledgement, c01, c02, c03, c04, c05, c06, c07, c08, c09, c10, c11, c12, enforcement, general, scope,
    versioning,
};

/// The groups of checks: those that serve several commitments, and one for each commitment and section.
const GROUPS: &[&[CheckDef]] = &[
    general::CHECKS,
    c01::CHECKS,
    c02::CHECKS,
    c03::CHECKS,
    c04::CHECKS,
    c05::CHECKS,
    c06::CHECKS,
    c07::CHECKS,
    c08::CHECKS,
    c09::CHECKS,
    c10::CHECKS,
    c11::CHECKS,
    c12::CHECKS,
    enforcement::CHECKS,
    versioning::CHECKS,
    acknowledgement::CHECKS,
    scope::CHECKS,
];

/// Returns every check, by commitment; those that serve several come first.
pub fn checks() -> impl Iterator<Item = &'static CheckDef> + Clone {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// Returns the check with this id.
#[must_use]
pub fn check_with_id(id: &str) -> Option<&'static CheckDef> {
    checks().find(|check| check.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The number of checks that pass because something is absent.
    const ABSENCES: usize = 35;

    #[test]
    fn each_check_that_passes_by_absence_states_its_control() {
        let controlled: BTreeSet<&str> =
            checks().filter(|check| check.control.is_some()).map(|check| check.id).collect();
        assert!(checks().filter_map(|check| check.control).all(|control| control.len() > 20));
        assert_eq!(controlled.len(), ABSENCES);
    }
}
