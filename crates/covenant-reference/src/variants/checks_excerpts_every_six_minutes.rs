//! The platform checks for overdue excerpts every six minutes.

use jiff::SignedDuration;

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "checks-excerpts-every-six-minutes",
    "Looks for overdue excerpts every six minutes: reports one up to six minutes after the 72 hours.",
    |policy| {
        policy.out.is_overdue =
            |request, now| now.duration_since(request.requested_at) > SignedDuration::from_mins(72 * 60 + 6);
    },
);
