//! Refuses what it must, and raises no finding about anything.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-nothing",
    &[
        ("3.1", Detection),
        ("3.2", Detection),
        ("3.3", Detection),
        ("3.4", Detection),
        ("4.1", Detection),
        ("4.2", Detection),
        ("4.3", Detection),
        ("6.1", Detection),
        ("6.2", Detection),
        ("6.3", Detection),
        ("6.4", Detection),
        ("7.2", Detection),
        ("7.3", Detection),
        ("7.4", Detection),
        ("7.5", Detection),
        ("10.1", Detection),
        ("12.1", Detection),
        ("E.1", Detection),
        ("E.2", Detection),
        ("E.3", Detection),
    ],
    "Refuses what it must, and raises no finding about anything.",
    |rules| rules.govern.is_reported = |_| false,
);
