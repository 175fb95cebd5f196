//! The platform announces the end of a release a day after the notice period began.

use jiff::SignedDuration;
use serde_json::Value;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "announces-deprecation-a-day-late",
    &[("10.2", Conduct)],
    "Tells its partners of the end of a release a day late, and ends it on the day that it had set.",
    |policy| {
        policy.out.delay = |notice_kind| {
            let hours = if notice_kind == kind::RELEASE_DEPRECATED { 24 } else { 0 };
            SignedDuration::from_hours(hours)
        };
        policy.handshake.override_introduction = |said| {
            if let Some(metadata) = said.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("deprecations");
            }
        };
    },
);
