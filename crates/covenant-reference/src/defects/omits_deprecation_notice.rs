//! The platform does not announce the end of a release in any form.

use serde_json::Value;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-deprecation-notice",
    &[("10.2", Conduct)],
    "Notes the end of a release for itself, and tells no partner of it.",
    |policy| {
        policy.out.is_sent = |notice| notice.event.kind != kind::RELEASE_DEPRECATED;
        policy.handshake.override_introduction = |said| {
            if let Some(metadata) = said.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("deprecations");
            }
        };
    },
);
