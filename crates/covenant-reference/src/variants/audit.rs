//! Variants of the audit and its excerpts.

use jiff::SignedDuration;

use crate::store::rows::AuditEntry;
use crate::{Patch, history};

/// Variants in the audit and its excerpts.
pub(super) const PATCHES: &[Patch] = &[
    Patch::variant("promises-excerpts-in-71-hours", "Promises an excerpt for 71 hours later.", |policy| {
        policy.history.excerpt_delay = |_, _| Some(SignedDuration::from_hours(71));
    })
    .deciding(&["the time of an excerpt"]),
    Patch::variant(
        "promises-excerpts-in-72-hours",
        "Promises an excerpt for the end of the 72 hours.",
        |policy| policy.history.excerpt_delay = |_, _| Some(SignedDuration::from_hours(72)),
    )
    .deciding(&["the time of an excerpt"]),
    Patch::variant(
        "refuses-windows-with-an-offset",
        "Refuses a request for an excerpt whose window is not stated in UTC.",
        |policy| {
            policy.history.read_time =
                |text| history::read_time(text).filter(|_| !text.contains('T') || text.ends_with('Z'));
        },
    ),
    Patch::variant(
        "checks-excerpts-every-six-minutes",
        "Checks for overdue excerpts every six minutes, so it reports one up to six minutes late.",
        |policy| {
            policy.outbound.is_overdue = |request, now| {
                now.duration_since(request.requested_at) > SignedDuration::from_mins(72 * 60 + 6)
            };
        },
    ),
    Patch::variant(
        "writes-extra-audit-entries",
        "Writes a second audit entry, of another action, beside each entry.",
        |policy| {
            policy.history.derive_extra_entry =
                |entry| Some(AuditEntry { action: format!("{}.seen", entry.action), ..entry.clone() });
        },
    ),
];
