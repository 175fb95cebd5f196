//! The platform signs in a peer's users.

use serde_json::json;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-federated-sign-in",
    &[("O.1", Conduct)],
    "Gives a session to whoever a peer says has signed in over there.",
    |policy| {
        policy.wire.beyond = |call| {
            call.path.ends_with("/federated_sign_in").then(|| json!({"session": "open", "user": "guest"}))
        };
    },
);
