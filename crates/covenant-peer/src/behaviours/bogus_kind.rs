//! Deviation: the peer declares a kind that it does not serve.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::{Value, json};

/// Behaviour that declares a resource kind, and answers that it serves no such kind.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "bogus-kind",
    about: "declares a resource kind and answers that it serves no such kind",
    clauses: &["3.1", "3.4"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            declare(body);
        }
    }),
    answer: Some(|asked, status, body| match asked.route {
        Route::Resource { kind, .. } if kind == BOGUS => {
            // A 404 could mean that only the one record is missing.
            *status = 422;
            let error = format!("Resource kind {kind:?} is not declared in federation_inventory.yaml");
            *body = json!({"success": false, "error": error, "code": "VALIDATION_ERROR"});
        }
        Route::Accept | Route::Heartbeat if *status == 200 => declare(&mut body["data"]),
        _ => {}
    }),
    ..Behaviour::CONFORMING
};

/// Kind that the behaviour declares.
const BOGUS: &str = "phantom";

fn declare(body: &mut Value) {
    if let Some(kinds) = body["capabilities"]["resource_kinds"].as_array_mut() {
        kinds.push(
            json!({"kind": BOGUS, "schema_version": 1, "direction": "bidirectional", "policy": "manual"}),
        );
    }
}
