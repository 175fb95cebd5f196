//! The platform reports an overdue excerpt only after a week.

use jiff::SignedDuration;

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "reports-overdue-excerpt-after-a-week",
    &[("5.3", Detection)],
    "Reports an excerpt as overdue after a week, where 72 hours are due.",
    |policy| {
        policy.out.is_overdue =
            |request, now| now.duration_since(request.requested_at) > SignedDuration::from_hours(24 * 7);
    },
)
.hard_to_reach();
