//! Issues grants by the hundred.

use crate::peer::Behaviour;
use crate::wire::notice::kind;
use crate::wire::path::Route;
use serde_json::{Value, json};

/// Wide grants that it tells of in each heartbeat: as many as are a mass in one go (`binding.md`, Numbers).
const GRANTS: u64 = 100;

/// Tells in every heartbeat of a hundred grants of whole kinds, issued by no operator's hand.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "mass-grants",
    about: "tells in every heartbeat of a hundred grants of whole kinds, issued by no operator's hand",
    clauses: &["6.2"],
    request: Some(|sending, body| {
        if *sending.route == Route::Heartbeat {
            body["events"] = (0..GRANTS).map(issued).collect();
        }
    }),
    ..Behaviour::HONEST
};

fn issued(number: u64) -> Value {
    json!({
        "id": format!("00000000-0000-7000-8000-{number:012}"),
        "kind": kind::GRANT_ISSUED,
        "severity": "low",
        "source": "federation",
        "payload": {
            "grant_id": format!("00000000-0000-7000-8000-{number:012}"),
            "remote_subject": format!("program-{number}"),
            "resource_kind": "skill",
            "permission_scopes": ["read", "write", "admin", "migrate"],
        },
    })
}
