//! Deviation: the peer adds entries to its audit excerpts that do not concern the asking platform.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::{Value, json};

/// Number of added entries.
const FOREIGN: usize = 5;

/// Behaviour that adds entries of another platform to each excerpt.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "foreign-entries-in-excerpt",
    about: "adds entries of another platform to each audit excerpt",
    clauses: &["5.4"],
    answer: Some(|asked, status, body| {
        if *asked.route == Route::AuditExcerpts
            && *status == 200
            && let Some(events) = body["data"]["events"].as_array_mut()
        {
            events.extend((0..FOREIGN).map(foreign));
            body["data"]["count"] = json!(body["data"]["events"].as_array().map_or(0, Vec::len));
        }
    }),
    ..Behaviour::CONFORMING
};

fn foreign(number: usize) -> Value {
    json!({
        "id": format!("01970000-0000-7000-8000-00000000f0{number:02}"),
        "kind": "federation.resources",
        "severity": "low",
        "emitted_at": "2026-06-01T00:00:00Z",
        "source": "federation",
        "payload": {
            "federation_peer_id": "01970000-0000-7000-8000-00000000ffff",
            "remote_subject": "fed:01970000-0000-7000-8000-00000000ffff",
            "action": "resources",
        },
    })
}
